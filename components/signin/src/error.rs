//! Every refusal of this component.

use std::borrow::Cow;

use kit::identity::INVALID_TOKEN;
use kit::identity::token::Refused;
use kit::store::DbError;
use kit::store::redis::Away;
use kit::web::outbound::Failed;
use kit::web::{FieldError, Problem};
use kit::{Refusals, Unset};

use crate::limit::LimitReached;
use crate::token::BadKey;

#[derive(Debug, Refusals)]
#[refusals(done("refreshed", "imported", "present"))]
pub enum Error {
    /// Some clients are told that the name is unknown; it takes as long as a wrong password.
    #[refusal(401, "wrong-credentials", "Invalid login or password", number = 12)]
    UnknownName,
    #[refusal(401, "wrong-credentials", "Invalid login or password", number = 12)]
    WrongPassword,
    /// The password was right.
    #[refusal(
        401,
        "code-required",
        "A code of the second factor is required",
        number = 12
    )]
    CodeRequired,
    #[refusal(401, "password-required", "The current password is required")]
    PasswordRequired,
    #[refusal(
        409,
        "no-password",
        "The account has no password; sign in again where it signs in"
    )]
    NoPassword,
    #[refusal(
        409,
        "last-admin",
        "The last admin cannot be erased, disabled or demoted",
        constraint = "account_keeps_an_admin"
    )]
    LastAdmin,
    #[refusal(401, "wrong-code", "The code is wrong or used up", number = 12)]
    WrongCode,
    #[refusal(401, "invalid-otp", "The OTP is invalid or expired")]
    WrongPasscode,
    #[refusal(400, "no-otp", "No OTP provided")]
    NoPasscode,
    #[refusal(transparent)]
    TooManyTries(LimitReached),
    #[refusal(
        409,
        "login-taken",
        "The login is taken",
        outcome = "login_taken",
        constraint = "account_login_taken"
    )]
    LoginTaken,
    #[refusal(
        409,
        "email-taken",
        "The e-mail is taken",
        outcome = "email_taken",
        constraint = "account_email_taken"
    )]
    EmailTaken,
    #[refusal(
        409,
        "cpf-taken",
        "The CPF is taken",
        outcome = "cpf_taken",
        constraint = "account_cpf_taken"
    )]
    CpfTaken,
    /// Of an account that is imported.
    #[refusal(
        409,
        "number-taken",
        "The number is taken",
        outcome = "number_taken",
        constraint = "account_number"
    )]
    NumberTaken,
    /// Another request of the same user of another issuer came first.
    #[refusal(
        409,
        "account-exists",
        "The account exists already",
        constraint = "foreign_identity_pkey"
    )]
    AccountExists,
    /// The fast-food clients know a taken name by this status.
    #[refusal(400, "email-taken", "Email already registered")]
    EmailRegistered,
    #[refusal(400, "cpf-taken", "CPF already registered")]
    CpfRegistered,
    #[refusal(
        422,
        "invalid-body",
        "The body does not fit",
        detail = "the password must not be the login or the e-mail",
        field = "/password"
    )]
    PasswordIsName,
    #[refusal(
        422,
        "common-password",
        "The password is one of the most common",
        detail = "choose a password that is not among the first guesses of every attacker",
        field = "/password"
    )]
    CommonPassword,
    #[refusal(transparent)]
    InvalidField(InvalidField),
    /// The parking clients know one refusal of a registration.
    #[refusal(
        409,
        "registration-rejected",
        "The registration is not acceptable",
        detail = "{0}"
    )]
    RegistrationRejected(String),
    #[refusal(
        400,
        "unfit-password",
        "The new password is not acceptable",
        detail = "{0}"
    )]
    UnfitPassword(String),
    /// At OAuth's address every refused grant is a 400 (RFC 6749).
    #[refusal(400, "invalid-grant", "Incorrect username or password")]
    BadGrant,
    #[refusal(400, "invalid-grant", "Incorrect username or password", detail = "{0}")]
    RefusedGrant(String),
    #[refusal(
        400,
        "unsupported-grant-type",
        "The grant type is not supported",
        detail = "password, refresh_token, or urn:ietf:params:oauth:grant-type:token-exchange"
    )]
    UnsupportedGrant,
    // One answer for every token that is not valid.
    #[refusal(
        problem = INVALID_TOKEN,
        outcome = "over",
        constraint = "session_in_force"
    )]
    SessionOver,
    /// The refresh token was spent before, so it is in two hands. The session has ended.
    #[refusal(problem = INVALID_TOKEN, outcome = "reused")]
    RefreshTokenReused,
    #[refusal(problem = INVALID_TOKEN)]
    BadRefreshToken,
    #[refusal(problem = INVALID_TOKEN, number = 11)]
    ExpiredRefreshToken,
    #[refusal(problem = INVALID_TOKEN)]
    BadForeignToken,
    #[refusal(415, "unsupported-media-type", "The body is not application/x-ndjson")]
    NotLines,
    #[refusal(404, "unknown-user", "There is no such user")]
    UnknownAccount,
    #[refusal(404, "unknown-session", "There is no such session")]
    UnknownSession,
    #[refusal(400, "bad-secret", "The link or code is wrong, used or too old")]
    BadSecret,
    #[refusal(409, "factor-exists", "There is a second factor already")]
    FactorExists,
    #[refusal(409, "no-factor", "There is no second factor to confirm")]
    NoFactor,
    #[refusal(internal, detail = "the second factor cannot be made")]
    Unenrollable,
    #[refusal(unavailable, detail = "every passcode is in use")]
    NoPasscodeLeft,
    /// More password hashes at once would make all of them late.
    #[refusal(
        429,
        "busy",
        "Too many people sign in at this moment",
        retry_after_s = 1
    )]
    Busy,

    // The methods' dialect tells these apart by number.
    #[refusal(
        400,
        "bad-argument",
        "Invalid value",
        detail = "role is 99, 50 or 10",
        number = 31
    )]
    UnknownLevel,

    #[refusal(transparent)]
    Db(DbError),
    #[refusal(transparent)]
    Setting(Unset),
    #[refusal(unavailable, detail = "redis is away: {0}", from)]
    Redis(Away),
    #[refusal(internal, detail = "{0}", from)]
    Key(BadKey),
    #[refusal(unavailable, detail = "{0}", from)]
    Outbound(Failed),
    #[refusal(internal, detail = "unreadable JSON: {0}", from)]
    Json(serde_json::Error),
}

/// A field whose value breaks a rule that its type does not state.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct InvalidField {
    pub field: &'static str,
    pub rule: &'static str,
}

impl Error {
    /// The refusal as route tables name it: without `Retry-After`, which differs each time.
    pub const TOO_MANY_TRIES: Problem =
        Problem::of_status(429, "too-many-tries", "Too many tries; come back later");

    /// A body that does not fit, by a rule that its type does not state.
    pub const INVALID_FIELD: Problem =
        Problem::of_status(422, "invalid-body", "The body does not fit");

    pub fn invalid(field: &'static str, rule: &'static str) -> Self {
        Self::InvalidField(InvalidField { field, rule })
    }

    /// Whether an attempt to sign in was wrong, so that it counts against its limits.
    pub fn is_wrong_attempt(&self) -> bool {
        matches!(
            self,
            Self::UnknownName | Self::WrongPassword | Self::WrongCode
        )
    }

    /// Why an attempt was refused, as the audit trail keeps it: finer than what the client is told.
    pub fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::UnknownName => "unknown-name".into(),
            Self::WrongPassword => "wrong-password".into(),
            Self::CodeRequired => "code-required".into(),
            Self::WrongCode => "wrong-code".into(),
            Self::WrongPasscode => "wrong-passcode".into(),
            Self::TooManyTries(limit) => {
                format!("too-many-tries, again in {} s", limit.retry_after_s).into()
            }
            Self::BadForeignToken => "bad-foreign-token".into(),
            Self::SessionOver | Self::RefreshTokenReused => "the session is over".into(),
            Self::BadRefreshToken => Refused::Invalid.to_string().into(),
            Self::ExpiredRefreshToken => Refused::Expired.to_string().into(),
            other => other.to_string().into(),
        }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid => Self::BadRefreshToken,
            Refused::Expired => Self::ExpiredRefreshToken,
        }
    }
}

impl From<LimitReached> for Problem {
    fn from(limit: LimitReached) -> Self {
        Error::TOO_MANY_TRIES.retry_after_s(limit.retry_after_s)
    }
}

impl From<InvalidField> for Problem {
    fn from(invalid: InvalidField) -> Self {
        Error::INVALID_FIELD
            .detail(invalid.to_string())
            .errors(vec![FieldError {
                pointer: format!("/{}", invalid.field),
                detail: invalid.rule.to_owned(),
            }])
    }
}
