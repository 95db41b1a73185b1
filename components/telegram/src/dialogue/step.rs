//! The questions of a dialogue, and the acts that it leads to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::platform::{Credentials, NewPlace, PlaceChange};
use crate::say::Say;

/// The question that waits for an answer. It is stored, so variants and fields keep their names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Login,
    Password {
        login: String,
    },
    /// The password is not kept until its code comes: both are asked for together.
    PasswordAndCode {
        login: String,
    },
    City,
    From {
        place: i64,
    },
    To {
        place: i64,
        from: Timestamp,
    },
    Confirm {
        place: i64,
        from: Timestamp,
        to: Timestamp,
        /// The idempotency key of the booking: an answer that is repeated books once.
        key: Uuid,
    },
    ConfirmCancel {
        booking: i64,
    },
    /// The field of a place to change.
    Field {
        place: i64,
    },
    NewValue {
        place: i64,
        field: Field,
    },
    ConfirmRemove {
        place: i64,
    },
    Name,
    PlaceCity {
        name: String,
    },
    Address {
        name: String,
        city: String,
    },
    Type {
        spot: Spot,
    },
    Rate {
        spot: Spot,
        parking_type: String,
    },
    Capacity {
        spot: Spot,
        parking_type: String,
        hourly_rate: i64,
    },
}

/// The name and address of a place that is being described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spot {
    pub name: String,
    pub city: String,
    pub address: String,
}

/// A field of a place that its owner can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    Name,
    City,
    Address,
    Type,
    Rate,
    Capacity,
}

/// The reaction of the bot to a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Reaction {
    /// The dialogue, if there was one, is over.
    Say(Say),
    /// The question waits for an answer.
    Ask(Step, Say),
    /// The act decides the text, and whether a question waits.
    Do(Act),
}

/// An act that needs other functions.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// The chat wants notices.
    Welcome,
    Help,
    SignIn(Credentials),
    SignOut,
    ShowBalance,
    ListBookings,
    ListPlaces,
    FindPlaces {
        city: String,
    },
    /// Begins to book a place, if it exists.
    BeginBooking {
        place: i64,
    },
    Quote {
        place: i64,
        from: Timestamp,
        to: Timestamp,
    },
    Book {
        place: i64,
        from: Timestamp,
        to: Timestamp,
        key: Uuid,
    },
    Cancel {
        booking: i64,
    },
    Offer(NewPlace),
    /// Begins to change a place, if it exists.
    BeginChange {
        place: i64,
    },
    Change {
        place: i64,
        change: PlaceChange,
    },
    Remove {
        place: i64,
    },
}

impl Step {
    /// Whether the answer is a password.
    pub fn asks_for_secret(&self) -> bool {
        matches!(self, Self::Password { .. } | Self::PasswordAndCode { .. })
    }
}
