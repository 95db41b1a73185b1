//! The types that the bot exchanges with other functions. No I/O in this file.

use jiff::Timestamp;
use kit::identity::Roles;
use kit::money::Currency;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A person's token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

#[derive(Debug, Deserialize)]
pub struct Me {
    pub user_id: Uuid,
    pub login: String,
    pub roles: Roles,
    /// 0 when there is none.
    pub telegram_id: i64,
}

#[derive(Debug, Deserialize)]
pub struct Balance {
    pub balance: i64,
    pub currency: Currency,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Place {
    pub id: i64,
    pub name: String,
    pub city: String,
    pub address: String,
    /// Cents of USD.
    pub hourly_rate: i64,
    pub capacity: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewPlace {
    pub name: String,
    pub city: String,
    pub address: String,
    pub parking_type: String,
    pub hourly_rate: i64,
    pub capacity: i32,
}

/// One member of a place with another value.
#[derive(Clone, Debug, PartialEq)]
pub enum PlaceChange {
    Name(String),
    City(String),
    Address(String),
    Type(String),
    Rate(i64),
    Capacity(i32),
}

impl PlaceChange {
    /// The name of the member in bookings, and its value.
    pub fn member(self) -> (&'static str, Value) {
        match self {
            Self::Name(text) => ("name", text.into()),
            Self::City(text) => ("city", text.into()),
            Self::Address(text) => ("address", text.into()),
            Self::Type(text) => ("parking_type", text.into()),
            Self::Rate(cents) => ("hourly_rate", cents.into()),
            Self::Capacity(cars) => ("capacity", cars.into()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Booking {
    pub booking_id: i64,
    pub date_from: Timestamp,
    pub date_to: Timestamp,
    pub parking_place_id: i64,
    /// Cents of USD.
    pub full_cost: i64,
    pub status: String,
}

#[derive(Debug, Deserialize)]
pub struct Quote {
    pub full_cost: i64,
    pub available: bool,
}

/// The tokens of a session, as signin gives them.
#[derive(Debug, Deserialize)]
pub struct Tokens {
    #[serde(rename = "access_token")]
    pub token: Token,
    pub refresh_token: String,
    /// The lifetime of the access token.
    #[serde(rename = "expires_in")]
    pub seconds: i64,
}

/// The credentials of a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Credentials {
    pub login: String,
    pub password: String,
    /// The code of the second factor.
    pub code: Option<String>,
}
