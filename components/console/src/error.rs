//! What a call to another function may end with, when it is not carried out.

use axum::http::StatusCode;
use kit::identity::INVALID_TOKEN;
use kit::web::Problem;
use kit::web::outbound::Failed;
use serde_json::Value;

use crate::words::is_web_address;

#[derive(Debug)]
pub enum Error {
    /// The other function refused. The text is for people, the code for us.
    Refused {
        status: StatusCode,
        code: String,
        text: String,
        /// Where to pay when the wallet does not suffice.
        link: Option<String>,
    },
    Failed(Failed),
    Unreadable(serde_json::Error),
}

const REFUSED: Problem = Problem::new(StatusCode::CONFLICT, "refused", "That was refused");
const UNKNOWN: Problem = Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing");
const FORBIDDEN: Problem = Problem::new(
    StatusCode::FORBIDDEN,
    "forbidden",
    "Your account may not do that",
);

impl Error {
    /// A refusal by the console itself, for what it cannot ask another function.
    pub fn refused(text: impl Into<String>) -> Self {
        Self::of(StatusCode::UNPROCESSABLE_ENTITY, text)
    }

    pub fn unknown(text: impl Into<String>) -> Self {
        Self::of(StatusCode::NOT_FOUND, text)
    }

    pub fn forbidden(text: impl Into<String>) -> Self {
        Self::of(StatusCode::FORBIDDEN, text)
    }

    fn of(status: StatusCode, text: impl Into<String>) -> Self {
        Self::Refused {
            status,
            code: String::new(),
            text: text.into(),
            link: None,
        }
    }

    /// The refusal that a problem of another function tells.
    pub fn told(status: StatusCode, body: &[u8]) -> Self {
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        let member = |name: &str| {
            let text = problem.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let text = match member("detail") {
            nothing if nothing.is_empty() => member("title"),
            detail => detail,
        };
        Self::Refused {
            status,
            code: member("code"),
            text,
            link: Some(member("link")).filter(|it| is_web_address(it)),
        }
    }

    /// What a form says when it is shown again. Other failures are no matter of what was filled in.
    pub fn into_text(self) -> Result<String, Problem> {
        match self {
            signed_out if signed_out.is(INVALID_TOKEN.code()) => Err(signed_out.into()),
            Self::Refused { status, text, .. } if status.is_client_error() => Ok(text),
            other => Err(other.into()),
        }
    }

    /// The page of the payment provider, when the wallet does not suffice.
    pub fn payment_link(&self) -> Option<&str> {
        match self {
            Self::Refused { link, .. } => link.as_deref(),
            Self::Failed(_) | Self::Unreadable(_) => None,
        }
    }

    pub fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == wanted)
    }
}

impl From<Failed> for Error {
    fn from(it: Failed) -> Self {
        Self::Failed(it)
    }
}

impl From<Error> for Problem {
    fn from(it: Error) -> Self {
        match it {
            Error::Refused { status, text, .. } => match status {
                StatusCode::UNAUTHORIZED => INVALID_TOKEN,
                StatusCode::FORBIDDEN => FORBIDDEN.detail(text),
                StatusCode::NOT_FOUND => UNKNOWN.detail(text),
                status if status.is_client_error() => REFUSED.detail(text),
                _ => Self::unavailable(&Failed::NoAnswer(text)),
            },
            Error::Failed(failed) => Self::unavailable(&failed),
            Error::Unreadable(fault) => Self::internal(&fault),
        }
    }
}
