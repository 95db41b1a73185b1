//! Every way something does not work for the bot; most are told to the person in the chat.

use axum::http::StatusCode;
use kit::outbound::Failed;
use kit::redis::Away;
use kit::{DbError, Problem, Role, Unset};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The header of the webhook is not the one that Telegram was given.
    #[error("not from Telegram")]
    NotTelegram,
    #[error("Telegram answered {0}")]
    Telegram(StatusCode),
    /// There is no token, or it does not work any more.
    #[error("nobody is signed in")]
    SignedOut,
    #[error("wrong login or password")]
    WrongCredentials,
    #[error("a code of the second factor is required")]
    CodeRequired,
    #[error("too many wrong passwords from one chat")]
    TooManyTries,
    /// The same was asked before and is not answered yet.
    #[error("it is still being done")]
    Running,
    /// Only people with that role do this.
    #[error("not a {}", .0.name())]
    NotA(Role),
    /// A rule said no; the text is for the person.
    #[error("refused: {0}")]
    Refused(String),
    #[error("a function does not answer")]
    Unavailable,
    #[error(transparent)]
    Outbound(#[from] Failed),
    #[error(transparent)]
    Memory(#[from] Away),
    #[error("unreadable JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a request cannot be written: {0}")]
    Http(#[from] axum::http::Error),
    #[error(transparent)]
    Setting(#[from] Unset),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Error {
    /// Whether what was asked for may have been done all the same.
    pub fn is_unclear(&self) -> bool {
        matches!(
            self,
            Self::Unavailable | Self::Outbound(_) | Self::Json(_) | Self::Running
        )
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotTelegram | Error::SignedOut => kit::INVALID_TOKEN,
            Error::WrongCredentials
            | Error::CodeRequired
            | Error::TooManyTries
            | Error::NotA(_) => kit::FORBIDDEN,
            Error::Refused(_)
            | Error::Telegram(_)
            | Error::Running
            | Error::Unavailable
            | Error::Outbound(_)
            | Error::Memory(_) => Self::unavailable(&error),
            Error::Json(_) | Error::Http(_) => Self::internal(&error),
            Error::Setting(error) => error.into(),
            Error::Db(error) => error.into(),
        }
    }
}
