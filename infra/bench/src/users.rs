//! Seed data of the product, created over its own API: users with money, and places to book.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::connection::Connection;
use crate::scenario::{post, scattered};
use crate::token::Keys;

/// Enough that concurrent requests seldom use the same row.
pub const USERS: u64 = 64;
/// As many as users, because bookings with one owner wait for the same row of the ledger.
const OWNERS: u64 = 64;
const PLACES: u64 = 200;
/// More places, all of the first owner: enough that seldom two wait for the same one.
const PLACES_OF_ONE: u64 = 128;
/// A search by city finds ten places.
const CITIES: u64 = 20;
/// Bookable hours ahead: most of a year.
const HOURS: u64 = 8_000;

#[derive(Clone)]
pub struct Users {
    pub tokens: Vec<String>,
    pub cities: Vec<String>,
    places: Vec<i64>,
    midnight: Timestamp,
}

/// Every user is a driver with two accounts to transfer between and a wallet to pay from. The places belong to others.
pub async fn seed(keys: &Keys, at: SocketAddr) -> Result<Users> {
    let mut connection = Connection::open(at).await?;
    let owners = (USERS..USERS + OWNERS)
        .map(|number| keys.token(number))
        .collect::<Result<Vec<_>>>()?;
    let code = json!({
        "amount": 1_000_000_000, "max_uses": 1_000_000, "max_uses_per_user": 1, "code": "BENCHMARK",
    });
    let admin = keys.token(USERS)?;
    connection
        .send(&post("/payment/promocode/create", &admin, &code))
        .await?;
    let mut users = Users {
        tokens: Vec::new(),
        cities: (0..CITIES).map(|it| format!("City-{it}")).collect(),
        places: Vec::new(),
        midnight: Timestamp::from_second((kit::now().as_second() / 86_400 + 1) * 86_400)?,
    };
    for number in 0..USERS {
        let token = keys.token(number)?;
        for purpose in ["a", "b"] {
            let account = json!({
                "paymentAccountId": users.account(number, purpose),
                "paymentAccountType": "DEBIT",
                "balance": 1_000_000,
            });
            connection
                .send(&post("/payments/accounts", &token, &account))
                .await?;
        }
        connection
            .send(&post(
                "/payment/promocode/activate",
                &token,
                &json!({ "code": "BENCHMARK" }),
            ))
            .await?;
        users.tokens.push(token);
    }
    for number in 0..PLACES + PLACES_OF_ONE {
        let (owner, city) = match number {
            ..PLACES => (number, format!("City-{}", number % CITIES)),
            _ => (0, "City of one owner".to_owned()),
        };
        let owner = owners
            .get(usize::try_from(owner % OWNERS)?)
            .context("an owner")?;
        let place = json!({
            "name": format!("Place {number}"),
            "city": city,
            "address": "Red Square 1",
            "parking_type": "underground",
            "hourly_rate": 1,
            "capacity": 100_000,
        });
        let made = connection
            .send_for_json(&post("/parking", owner, &place))
            .await?;
        users.places.push(
            made.get("id")
                .and_then(serde_json::Value::as_i64)
                .context("the place's id")?,
        );
    }
    Ok(users)
}

impl Users {
    pub fn token(&self, number: u64) -> &str {
        let at = usize::try_from(number % USERS).unwrap_or_default();
        self.tokens.get(at).map_or("", String::as_str)
    }

    pub fn city(&self, number: u64) -> &str {
        let at = usize::try_from(number % CITIES).unwrap_or_default();
        self.cities.get(at).map_or("", String::as_str)
    }

    #[allow(clippy::unused_self, reason = "reads as an account of these users")]
    pub fn account(&self, number: u64, purpose: &str) -> String {
        format!("bench-{}-{purpose}", number % USERS)
    }

    /// A place and an hour that other requests seldom book.
    pub fn window(&self, number: u64) -> (i64, Timestamp, Timestamp) {
        self.window_at(number % PLACES, number)
    }

    /// The same, always with the first owner.
    pub fn window_of_one_owner(&self, number: u64) -> (i64, Timestamp, Timestamp) {
        self.window_at(PLACES + number % PLACES_OF_ONE, number)
    }

    fn window_at(&self, place: u64, number: u64) -> (i64, Timestamp, Timestamp) {
        let place = usize::try_from(place).unwrap_or_default();
        let hour = i64::try_from(scattered(number) % HOURS).unwrap_or_default();
        let from = self
            .midnight
            .saturating_add(SignedDuration::from_hours(hour))
            .unwrap_or(self.midnight);
        let to = from
            .saturating_add(SignedDuration::from_hours(1))
            .unwrap_or(from);
        (
            self.places.get(place).copied().unwrap_or_default(),
            from,
            to,
        )
    }
}
