//! Every way this component says no.

use axum::http::StatusCode;
use kit::{DbError, Problem};

use crate::ledger::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is no RFC 3339 date and time")]
    NoDate(&'static str),
    #[error("{0}")]
    Dates(&'static str),
    #[error("{0}")]
    Place(String),
    #[error("there is no such parking place")]
    UnknownPlace,
    #[error("there is no such booking")]
    UnknownBooking,
    #[error("not allowed for this user")]
    Forbidden,
    #[error("the place is full at some instant of that window")]
    NoAvailability,
    #[error("an owner does not book a place of their own")]
    OwnPlace,
    #[error("insufficient funds")]
    InsufficientFunds,
    #[error("the payment service refused: the owner cannot be paid any more")]
    OwnerIsFull,
    #[error("the payment service took too long; nothing was paid")]
    PaidTooLate,
    #[error("the payment service does not answer; the booking will be settled when it does")]
    PaymentUnavailable,
    #[error("a booking is confirmed automatically by the payment service")]
    ConfirmedByPayment,
    #[error("a booking does not go back to Waiting")]
    NotBack,
    #[error("only a confirmed booking can be moved")]
    NotConfirmed,
    #[error("the booking was called off meanwhile")]
    CalledOff,
    #[error("the booking is over")]
    Over,
    #[error("another change of this booking is being paid")]
    Busy,
    #[error("more cars are booked than that capacity has room for")]
    BookedBeyond,
    #[error("the place is still booked")]
    StillBooked,
    #[error("the price is another by now")]
    PriceChanged,
    /// What the ledger never answers to somebody who asks as we do.
    #[error("the ledger refused: {0:?}")]
    Ledger(Refusal),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let refuse = |status, code, title| Self::new(status, code, title).detail(error.to_string());
        let bad = |code, title| refuse(StatusCode::BAD_REQUEST, code, title);
        let clash = |code, title| refuse(StatusCode::CONFLICT, code, title);
        match error {
            Error::Missing(_) => bad("missing-field", "Something is missing"),
            Error::NoDate(_) | Error::Dates(_) => bad("invalid-dates", "The dates do not fit"),
            Error::Place(_) => bad("invalid-place", "The parking place does not fit"),
            Error::UnknownPlace => refuse(
                StatusCode::NOT_FOUND,
                "unknown-place",
                "No such parking place",
            ),
            Error::UnknownBooking => {
                refuse(StatusCode::NOT_FOUND, "unknown-booking", "No such booking")
            }
            Error::Forbidden => refuse(
                StatusCode::FORBIDDEN,
                "forbidden",
                "Not allowed for this user",
            ),
            Error::NoAvailability => clash("no_availability", "No room"),
            Error::OwnPlace => bad("own-place", "The place is the driver's own"),
            Error::InsufficientFunds => bad("insufficient-funds", "Insufficient funds"),
            Error::OwnerIsFull => bad("payment-refused", "The payment service refused"),
            Error::PaidTooLate => refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                "paid-too-late",
                "The payment service took too long",
            )
            .retry_after_s(1),
            Error::PaymentUnavailable => refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment-unavailable",
                "The payment service does not answer",
            )
            .retry_after_s(5),
            Error::ConfirmedByPayment => bad("confirmed-by-payment", "Nobody confirms by hand"),
            Error::NotBack => bad("not-back", "A booking does not go back"),
            Error::NotConfirmed => clash("not-confirmed", "The booking is not confirmed"),
            Error::CalledOff => clash("booking-canceled", "The booking is canceled"),
            Error::Over => clash("booking-over", "The booking is over"),
            Error::Busy => clash("booking-busy", "The booking is being changed").retry_after_s(1),
            Error::BookedBeyond => clash("booked-beyond", "Too much is booked"),
            Error::StillBooked => clash("still-booked", "The place is still booked"),
            Error::PriceChanged => clash("price-changed", "The price has changed"),
            Error::Ledger(_) => Self::internal(&error),
            Error::Db(error) => error.into(),
        }
    }
}

impl Error {
    /// What the functions in `migrations/bookings` answer when they say no.
    pub fn of_outcome(outcome: &str) -> Self {
        match outcome {
            "unknown_place" => Self::UnknownPlace,
            "unknown_booking" => Self::UnknownBooking,
            "forbidden" => Self::Forbidden,
            "own_place" => Self::OwnPlace,
            "no_availability" => Self::NoAvailability,
            "not_confirmed" => Self::NotConfirmed,
            "over" => Self::Over,
            "wrong_order" => Self::Dates("date_from must be before date_to"),
            "too_long" => Self::Dates("a booking lasts at most 8760 hours"),
            "called_off" => Self::CalledOff,
            "busy" => Self::Busy,
            "booked_beyond" => Self::BookedBeyond,
            "still_booked" => Self::StillBooked,
            "price_changed" => Self::PriceChanged,
            other => Self::Db(DbError::Column(format!("outcome {other}"))),
        }
    }
}
