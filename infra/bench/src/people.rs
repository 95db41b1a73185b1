//! Who is in the product while it is measured: people with money and places to book, made by its own API.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::line::Line;
use crate::scenario::{post, scattered};
use crate::token::Keys;

/// Enough that two requests at once seldom want the same row.
pub const PEOPLE: u64 = 64;
/// As many: with one for all places, every booking would wait for the same row of the ledger.
const OWNERS: u64 = 64;
const PLACES: u64 = 200;
/// So that a search finds ten places.
const CITIES: u64 = 20;
/// Hours ahead that can be booked: most of a year.
const HOURS: u64 = 8_000;

#[derive(Clone)]
pub struct People {
    pub tokens: Vec<String>,
    pub cities: Vec<String>,
    places: Vec<i64>,
    midnight: Timestamp,
}

/// Everybody drives, has two accounts to send between and a wallet to pay from; others own the places.
pub async fn seed(keys: &Keys, at: SocketAddr) -> Result<People> {
    let mut line = Line::to(at).await?;
    let owners = (PEOPLE..PEOPLE + OWNERS)
        .map(|number| keys.token(number))
        .collect::<Result<Vec<_>>>()?;
    let code = json!({
        "amount": 1_000_000_000, "max_uses": 1_000_000, "max_uses_per_user": 1, "code": "BENCHMARK",
    });
    let admin = keys.token(PEOPLE)?;
    line.ask(&post("/payment/promocode/create", &admin, &code))
        .await?;
    let mut people = People {
        tokens: Vec::new(),
        cities: (0..CITIES).map(|it| format!("City-{it}")).collect(),
        places: Vec::new(),
        midnight: Timestamp::from_second((kit::now().as_second() / 86_400 + 1) * 86_400)?,
    };
    for number in 0..PEOPLE {
        let token = keys.token(number)?;
        for purpose in ["a", "b"] {
            let account = json!({
                "paymentAccountId": people.account(number, purpose),
                "paymentAccountType": "DEBIT",
                "balance": 1_000_000,
            });
            line.ask(&post("/payments/accounts", &token, &account))
                .await?;
        }
        line.ask(&post(
            "/payment/promocode/activate",
            &token,
            &json!({ "code": "BENCHMARK" }),
        ))
        .await?;
        people.tokens.push(token);
    }
    for (number, owner) in (0..PLACES).zip(owners.iter().cycle()) {
        let place = json!({
            "name": format!("Place {number}"),
            "city": format!("City-{}", number % CITIES),
            "address": "Red Square 1",
            "parking_type": "underground",
            "hourly_rate": 1,
            "capacity": 100_000,
        });
        let made = line.json(&post("/parking", owner, &place)).await?;
        people.places.push(
            made.get("id")
                .and_then(serde_json::Value::as_i64)
                .context("the place's id")?,
        );
    }
    Ok(people)
}

impl People {
    pub fn token(&self, number: u64) -> &str {
        let at = usize::try_from(number % PEOPLE).unwrap_or_default();
        self.tokens.get(at).map_or("", String::as_str)
    }

    pub fn city(&self, number: u64) -> &str {
        let at = usize::try_from(number % CITIES).unwrap_or_default();
        self.cities.get(at).map_or("", String::as_str)
    }

    #[allow(clippy::unused_self, reason = "an account is somebody's")]
    pub fn account(&self, number: u64, purpose: &str) -> String {
        format!("bench-{}-{purpose}", number % PEOPLE)
    }

    /// A place and an hour that hardly anybody else books.
    pub fn window(&self, number: u64) -> (i64, Timestamp, Timestamp) {
        let place = usize::try_from(number % PLACES).unwrap_or_default();
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
