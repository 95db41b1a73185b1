//! Every way sign-in says no.

use axum::http::StatusCode;
use kit::db::DbError;
use kit::outbound::Failed;
use kit::token::{BadKey, Refused};
use kit::{FieldError, Problem};

use crate::account::Malformed;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Some clients are told whether it was the name; the work done is the same.
    #[error("unknown-name")]
    UnknownName,
    #[error("wrong-password")]
    WrongPassword,
    /// The password was right.
    #[error("code-required")]
    CodeRequired,
    #[error("wrong-code")]
    WrongCode,
    /// Nobody's six digits.
    #[error("wrong-passcode")]
    WrongPasscode,
    #[error("too-many-tries, again in {0} s")]
    TooManyTries(u32),
    #[error("the login is taken")]
    LoginTaken,
    #[error("the e-mail is taken")]
    EmailTaken,
    #[error("the CPF is taken")]
    CpfTaken,
    /// Somebody at another issuer came twice at once, and the other one was first.
    #[error("they are known already")]
    KnownAlready,
    #[error("the password is the login or the e-mail")]
    PasswordIsName,
    #[error("{0}: {1}")]
    Malformed(&'static str, Malformed),
    #[error("the session is over")]
    SessionOver,
    #[error(transparent)]
    BadRefreshToken(Refused),
    #[error("bad-foreign-token")]
    BadForeignToken,
    #[error("there is no such account")]
    UnknownAccount,
    #[error("there is no such session")]
    UnknownSession,
    #[error("the secret is not good any more")]
    BadSecret,
    #[error("there is a second factor already")]
    FactorExists,
    #[error("there is no second factor")]
    NoFactor,
    #[error("the second factor cannot be made")]
    Unenrollable,
    #[error("every code is in use")]
    NoCodeLeft,
    #[error(transparent)]
    Db(DbError),
    #[error(transparent)]
    Setting(#[from] kit::Unset),
    #[error(transparent)]
    Key(#[from] BadKey),
    /// More passwords are being checked than is good for anybody.
    #[error("too many at once")]
    Busy,
    #[error(transparent)]
    Outbound(#[from] Failed),
    #[error("unreadable JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// Whether somebody tried and was wrong.
    pub fn is_wrong_try(&self) -> bool {
        matches!(
            self,
            Self::UnknownName | Self::WrongPassword | Self::WrongCode
        )
    }
}

impl From<DbError> for Error {
    /// The name of the broken rule says what was wrong.
    fn from(error: DbError) -> Self {
        match &error {
            it if it.violates("account_login_taken") => Self::LoginTaken,
            it if it.violates("account_email_taken") => Self::EmailTaken,
            it if it.violates("account_cpf_taken") => Self::CpfTaken,
            it if it.violates("foreign_identity_pkey") => Self::KnownAlready,
            it if it.violates("session_in_force") => Self::SessionOver,
            _ => Self::Db(error),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::UnknownName | Error::WrongPassword => {
                unauthorized("wrong-credentials", "Wrong login or password").number(12)
            }
            Error::CodeRequired => {
                unauthorized("code-required", "A code of the second factor is required").number(12)
            }
            Error::WrongCode => {
                unauthorized("wrong-code", "The code is wrong or used up").number(12)
            }
            Error::WrongPasscode => unauthorized("invalid-otp", "The OTP is invalid or expired"),
            Error::TooManyTries(seconds) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-tries",
                "Too many tries; come back later",
            )
            .retry_after_s(seconds),
            Error::LoginTaken => taken("login-taken", "The login is taken"),
            Error::EmailTaken => taken("email-taken", "The e-mail is taken"),
            Error::CpfTaken => taken("cpf-taken", "The CPF is taken"),
            Error::KnownAlready => taken("account-exists", "The account exists already"),
            Error::PasswordIsName => invalid("password", "it is the login or the e-mail"),
            Error::Malformed(field, why) => invalid(field, why.0),
            // One body for every token that is not good any more.
            Error::SessionOver | Error::BadForeignToken => kit::INVALID_TOKEN,
            Error::BadRefreshToken(Refused::Invalid) => kit::INVALID_TOKEN,
            Error::BadRefreshToken(Refused::Expired) => kit::INVALID_TOKEN.number(11),
            Error::UnknownAccount => unknown("unknown-user", "There is no such user"),
            Error::UnknownSession => unknown("unknown-session", "There is no such session"),
            Error::BadSecret => Self::new(
                StatusCode::BAD_REQUEST,
                "bad-secret",
                "The link or code is wrong, used or too old",
            ),
            Error::FactorExists => taken("factor-exists", "There is a second factor already"),
            Error::NoFactor => taken("no-factor", "There is no second factor to confirm"),
            Error::NoCodeLeft => Self::unavailable(&error),
            Error::Busy => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "busy",
                "Too many people sign in at this moment",
            )
            .retry_after_s(1),
            Error::Db(error) => error.into(),
            Error::Setting(error) => error.into(),
            Error::Outbound(error) => Self::unavailable(&error),
            Error::Key(error) => Self::internal(&error),
            Error::Json(error) => Self::internal(&error),
            Error::Unenrollable => Self::internal(&error),
        }
    }
}

const fn unauthorized(code: &'static str, title: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, title)
}

const fn taken(code: &'static str, title: &'static str) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, title)
}

const fn unknown(code: &'static str, title: &'static str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, code, title)
}

/// A value whose rule spans more than its own field, in the shape of one that does not fit.
pub fn invalid(field: &'static str, detail: &'static str) -> Problem {
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
