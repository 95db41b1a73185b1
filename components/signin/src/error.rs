//! Every way sign-in says no.

use axum::http::StatusCode;
use kit::db::DbError;
use kit::token::BadKey;
use kit::{FieldError, Problem};

use crate::account::Malformed;
use crate::password::Unhashable;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Some clients are told whether it was the name; the work done is the same.
    #[error("no account has that name")]
    UnknownName,
    #[error("the password is wrong")]
    WrongPassword,
    #[error("the login is taken")]
    LoginTaken,
    #[error("the e-mail is taken")]
    EmailTaken,
    #[error("the CPF is taken")]
    CpfTaken,
    #[error("the password is a name of its account")]
    PasswordIsName,
    #[error("`{0}` does not fit: {1}")]
    Malformed(&'static str, Malformed),
    #[error("the session is over")]
    SessionOver,
    #[error("there is no such account")]
    UnknownAccount,
    #[error(transparent)]
    Db(DbError),
    #[error(transparent)]
    Setting(#[from] kit::Unset),
    #[error(transparent)]
    Key(#[from] BadKey),
    #[error(transparent)]
    Unhashable(#[from] Unhashable),
    #[error("a token cannot be written: {0}")]
    Token(#[from] serde_json::Error),
}

impl From<DbError> for Error {
    /// The name of the broken rule says what was wrong.
    fn from(error: DbError) -> Self {
        if error.violates("account_login_taken") {
            Self::LoginTaken
        } else if error.violates("account_email_taken") {
            Self::EmailTaken
        } else if error.violates("account_cpf_taken") {
            Self::CpfTaken
        } else if error.violates("session_in_force") {
            Self::SessionOver
        } else {
            Self::Db(error)
        }
    }
}

const WRONG_CREDENTIALS: Problem = Problem::new(
    StatusCode::UNAUTHORIZED,
    "wrong-credentials",
    "Wrong login or password",
);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::UnknownName | Error::WrongPassword => WRONG_CREDENTIALS.number(12),
            Error::LoginTaken => taken("login-taken", "The login is taken"),
            Error::EmailTaken => taken("email-taken", "The e-mail is taken"),
            Error::CpfTaken => taken("cpf-taken", "The CPF is taken"),
            Error::PasswordIsName => invalid("password", "it is the login or the e-mail"),
            Error::Malformed(field, why) => invalid(field, why.0),
            // One body for every token that is not good any more.
            Error::SessionOver => kit::INVALID_TOKEN,
            Error::UnknownAccount => Self::new(
                StatusCode::NOT_FOUND,
                "unknown-user",
                "There is no such user",
            ),
            Error::Db(error) => error.into(),
            Error::Setting(error) => error.into(),
            Error::Key(error) => Self::internal(&error),
            Error::Unhashable(error) => Self::internal(&error),
            Error::Token(error) => Self::internal(&error),
        }
    }
}

const fn taken(code: &'static str, title: &'static str) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, title)
}

fn invalid(field: &'static str, detail: &'static str) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-body",
        "The body does not fit",
    )
    .detail(format!("{field}: {detail}"))
    .errors(vec![FieldError {
        pointer: format!("/{field}"),
        detail: detail.to_owned(),
    }])
}
