//! Every way jobs says no.

use axum::http::StatusCode;
use kit::{DbError, Problem};

use crate::message::Unheard;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such event")]
    UnknownEvent,
    #[error("only a dead event can be discarded")]
    NotDead,
    #[error("the event is carried out, or already was")]
    NotWaiting,
    #[error("the kind is not paused")]
    NotPaused,
    #[error("a message was passed over: {0}")]
    Unheard(#[from] Unheard),
    #[error("{0} does not answer")]
    Unavailable(&'static str),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::UnknownEvent => {
                Self::new(StatusCode::NOT_FOUND, "unknown-event", "No such event")
            }
            Error::NotDead => Self::new(
                StatusCode::CONFLICT,
                "event-not-dead",
                "Only a dead event can be discarded",
            ),
            Error::NotWaiting => Self::new(
                StatusCode::CONFLICT,
                "event-not-waiting",
                "The event is being carried out, or already was",
            ),
            Error::NotPaused => Self::new(
                StatusCode::NOT_FOUND,
                "kind-not-paused",
                "The kind is not paused",
            ),
            Error::Unheard(_) | Error::Unavailable(_) => Self::unavailable(&error),
            Error::Db(error) => error.into(),
        }
    }
}
