//! Every way notify says no.

use axum::http::StatusCode;
use kit::{DbError, FieldError, Problem, Unset};

use crate::notice::ACTIVITIES;
use crate::webhook::BadAddress;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such webhook")]
    UnknownWebhook,
    #[error("nobody has more than {0} webhooks")]
    TooManyWebhooks(i64),
    #[error("the address is not one to call: {0}")]
    Address(#[from] BadAddress),
    #[error("a webhook is told of what people can choose channels for: {}", ACTIVITIES.join(", "))]
    UnknownTemplate,
    #[error("{0} does not answer")]
    Unavailable(&'static str),
    #[error(transparent)]
    Setting(#[from] Unset),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::UnknownWebhook => {
                Self::new(StatusCode::NOT_FOUND, "unknown-webhook", "No such webhook")
            }
            Error::TooManyWebhooks(_) => Self::new(
                StatusCode::CONFLICT,
                "too-many-webhooks",
                "There are as many webhooks as there may be",
            )
            .detail(error.to_string()),
            Error::Address(bad) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid-body",
                "The body does not fit",
            )
            .detail(error.to_string())
            .errors(vec![FieldError {
                pointer: "/url".to_owned(),
                detail: bad.to_string(),
            }]),
            Error::UnknownTemplate => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid-body",
                "The body does not fit",
            )
            .detail(error.to_string())
            .errors(vec![FieldError {
                pointer: "/templates".to_owned(),
                detail: error.to_string(),
            }]),
            Error::Unavailable(_) => Self::unavailable(&error),
            Error::Setting(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}
