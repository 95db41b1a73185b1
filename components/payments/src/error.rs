//! Every way this component says no.

use axum::http::StatusCode;
use kit::{DbError, Problem, Unset};

use crate::checkout::{Status, Verdict};
use crate::psp::Failure;
use crate::qr::QrError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("insufficient funds")]
    InsufficientFunds,
    #[error("the account would hold more than it may")]
    LimitReached,
    #[error("money cannot be sent to the account it comes from")]
    SameAccount,
    #[error("no such account")]
    UnknownAccount,
    #[error("the accounts are of different currencies")]
    OtherCurrency,
    #[error("the account id is taken")]
    NameTaken,
    #[error("an opening balance has to be paid in")]
    OpeningNotFree,
    #[error("no such payment")]
    UnknownPayment,
    #[error("{0} of the payment are left to refund")]
    NothingLeft(i64),
    #[error("the payment was called off")]
    Voided,
    /// The same key with another request, found by what the first one left.
    #[error("this Idempotency-Key was used for another request")]
    IdTaken,
    #[error("promocode not found")]
    UnknownCode,
    #[error("promocode is used up")]
    UsedUp,
    #[error("promocode was used as often as one user may")]
    UsedUpByUser,
    #[error("promocode has expired")]
    CodeExpired,
    #[error("promocode already exists")]
    CodeTaken,
    #[error("a user paid for the promocode")]
    CodePaidFor,
    #[error("a payment that is {} cannot become that", .0.name())]
    WrongStatus(Status),
    /// Only what is in dispute is an admin's to send back.
    #[error("the payment at the provider is {}", .0.name())]
    NotDisputed(Verdict),
    #[error("no such payout")]
    UnknownPayout,
    #[error("the payout went back to its account")]
    PayoutReturned,
    /// Others changed the same checkout again and again.
    #[error("the payment is being changed by others")]
    Busy,
    #[error("the webhook's signature does not fit")]
    ForgedWebhook,
    #[error(transparent)]
    Psp(#[from] Failure),
    #[error(transparent)]
    Qr(#[from] QrError),
    #[error("no random number")]
    Random(#[from] getrandom::Error),
    #[error("the schema answered `{0}`")]
    Outcome(String),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Setting(#[from] Unset),
}

impl Error {
    /// The refusal that one of the schema's functions answered with.
    pub fn of_outcome(outcome: String) -> Self {
        match outcome.as_str() {
            "insufficient_funds" => Self::InsufficientFunds,
            "limit_reached" => Self::LimitReached,
            "same_account" => Self::SameAccount,
            "unknown_account" => Self::UnknownAccount,
            "unknown_payout" => Self::UnknownPayout,
            "other_currency" => Self::OtherCurrency,
            "name_taken" => Self::NameTaken,
            "unknown_payment" => Self::UnknownPayment,
            "voided" => Self::Voided,
            "id_taken" => Self::IdTaken,
            "unknown_code" => Self::UnknownCode,
            "used_up" => Self::UsedUp,
            "used_up_by_user" => Self::UsedUpByUser,
            "expired" => Self::CodeExpired,
            "code_taken" => Self::CodeTaken,
            "paid_for" => Self::CodePaidFor,
            _ => Self::Outcome(outcome),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        const MISSING: StatusCode = StatusCode::NOT_FOUND;
        const CLASH: StatusCode = StatusCode::CONFLICT;
        let detail = error.to_string();
        let (status, code, title) = match error {
            Error::InsufficientFunds => (BAD, "insufficient-funds", "Insufficient funds"),
            Error::LimitReached => (BAD, "limit-reached", "The account would hold too much"),
            Error::SameAccount => (BAD, "same-account", "Both sides are the same account"),
            Error::OtherCurrency => (BAD, "other-currency", "The currencies differ"),
            Error::NothingLeft(_) => (BAD, "nothing-left", "More than is left of the payment"),
            Error::UsedUp => (BAD, "promocode-used-up", "The promo code is used up"),
            Error::UsedUpByUser => (
                BAD,
                "promocode-used-up",
                "The promo code is used up for you",
            ),
            Error::CodeExpired => (BAD, "promocode-expired", "The promo code has expired"),
            Error::CodeTaken => (BAD, "promocode-taken", "The promo code exists already"),
            Error::UnknownAccount => (MISSING, "unknown-account", "No such account"),
            Error::UnknownPayment => (MISSING, "unknown-payment", "No such payment"),
            Error::UnknownCode => (MISSING, "unknown-promocode", "No such promo code"),
            Error::UnknownPayout => (MISSING, "unknown-payout", "No such payout"),
            Error::CodePaidFor => (
                CLASH,
                "promocode-paid-for",
                "A user paid for the promo code",
            ),
            Error::PayoutReturned => (
                CLASH,
                "payout-returned",
                "The payout went back to its account",
            ),
            Error::NotDisputed(_) => (CLASH, "not-disputed", "The payment is not in dispute"),
            Error::NameTaken => (CLASH, "account-taken", "The account id is taken"),
            Error::Voided => (CLASH, "voided", "The payment was called off"),
            Error::WrongStatus(_) => (CLASH, "wrong-status", "The status does not allow it"),
            Error::OpeningNotFree => (
                StatusCode::FORBIDDEN,
                "opening-balance",
                "An account opens with nothing in it",
            ),
            Error::IdTaken => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "This Idempotency-Key was used for another request",
            ),
            Error::ForgedWebhook => (
                StatusCode::UNAUTHORIZED,
                "forged-webhook",
                "The webhook is not from the payment provider",
            ),
            Error::Busy | Error::Psp(Failure::Away(_)) => return Self::unavailable(&error),
            // What the provider said stands in the log.
            Error::Psp(Failure::Refused { .. }) => {
                return Self::new(
                    StatusCode::BAD_GATEWAY,
                    "refused-by-provider",
                    "The payment provider refuses this payment",
                );
            }
            Error::Psp(_) | Error::Qr(_) | Error::Random(_) | Error::Outcome(_) => {
                return Self::internal(&error);
            }
            Error::Db(error) => return error.into(),
            Error::Setting(error) => return error.into(),
        };
        Self::new(status, code, title).detail(detail)
    }
}
