//! Every way the sandbox says no.

use axum::http::StatusCode;
use kit::{DbError, Problem, Unset};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no sandbox here")]
    NotHere,
    #[error("the access token is not the merchant's")]
    NotTheMerchant,
    #[error("there is no such bill or payment")]
    Unknown,
    #[error("it is paid or over already")]
    Closed,
    #[error("the payment is not approved")]
    NotRefundable,
    #[error("{0} does not fit")]
    Malformed(&'static str),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Setting(#[from] Unset),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let (status, code, title) = match error {
            Error::NotHere | Error::Unknown => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Error::NotTheMerchant => (
                StatusCode::UNAUTHORIZED,
                "invalid-token",
                "The access token is not valid",
            ),
            Error::Closed => (StatusCode::CONFLICT, "closed", "It is paid or over already"),
            Error::NotRefundable => (
                StatusCode::BAD_REQUEST,
                "not-refundable",
                "The payment is not approved",
            ),
            Error::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed", "A field does not fit"),
            Error::Db(error) => return error.into(),
            Error::Setting(error) => return error.into(),
        };
        Self::new(status, code, title).detail(detail)
    }
}
