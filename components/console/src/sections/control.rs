//! Zones and their staff; check a plate, issue a fine, decide appeals.
//!
//! [`zones`] founds and changes zones, [`rules`] says how they count and fine, [`street`] checks plates and issues fines,
//! [`cases`] is what becomes of a fine, [`staff`] are the people and kiosks of a zone, [`catalogue`] is what can be fined
//! anywhere, and the statistics.

mod cases;
mod catalogue;
mod rules;
mod staff;
mod street;
mod zones;

use std::fmt;

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use kit::identity::Role;
use kit::money::decimal;
use kit::web::outbound::Answer;
use kit::web::{Dialect, Routes};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use self::rules::Rules;
use crate::error::Error;
use crate::lists::{LIMIT, Listed, Part, ROWS};
use crate::visitor::{Client, Visitor};
use crate::words;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .and(zones::routes())
        .and(rules::routes())
        .and(street::routes())
        .and(cases::routes())
        .and(staff::routes())
        .and(catalogue::routes())
}

#[derive(Debug, Deserialize)]
struct Zone {
    id: i64,
    name: String,
    available: bool,
    geometry: String,
    price_offset: Number,
    price_lin: Number,
    price_exp: Number,
    currency: String,
    rules: Rules,
}

impl Zone {
    /// That of its rules.
    fn time_zone(&self) -> TimeZone {
        let name = self.rules.pricing.timezone.as_deref();
        name.and_then(words::zone).unwrap_or(TimeZone::UTC)
    }

    fn time_zone_name(&self) -> &str {
        self.rules.pricing.timezone.as_deref().unwrap_or("UTC")
    }

    /// What a stay costs.
    fn price(&self) -> String {
        let (offset, lin) = (plain(&self.price_offset), plain(&self.price_lin));
        match plain(&self.price_exp).as_str() {
            "1" => format!("{offset} + {lin} × hours {}", self.currency),
            exp => format!("{offset} + ({lin} × hours) ^ {exp} {}", self.currency),
        }
    }
}

/// A number as people write it.
fn plain(number: &Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// An amount of money that is told as a decimal.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(transparent)]
struct Amount(#[serde(with = "decimal")] i64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", decimal::text(self.0))
    }
}

/// A zone, and what the visitor is there.
#[derive(Debug)]
struct Desk {
    zone: Zone,
    /// Checks cars there.
    works: bool,
    /// Decides about its people, prices and appeals.
    runs: bool,
}

async fn find_desk(visitor: &Visitor, id: i64) -> Result<Desk, Error> {
    let zone: Zone = visitor.get("fines", &format!("/api/v1/zones/{id}")).await?;
    let is_admin = visitor.me.is(Role::Admin);
    let works = is_admin || works_in(visitor, id).await?;
    let runs = is_admin || works && runs_zone(visitor, id).await?;
    Ok(Desk { zone, works, runs })
}

async fn works_in(visitor: &Visitor, zone: i64) -> Result<bool, Error> {
    let own: Vec<Zone> = visitor.get("fines", "/api/v1/zones/me").await?;
    Ok(own.iter().any(|it| it.id == zone))
}

/// Only those who run a zone see its people.
async fn runs_zone(visitor: &Visitor, zone: i64) -> Result<bool, Error> {
    match staff::find_staff(visitor, zone).await {
        Ok(_) => Ok(true),
        Err(Error::Refused { status, .. }) if status == StatusCode::FORBIDDEN => Ok(false),
        Err(other) => Err(other),
    }
}

/// So many parts of a list are read for one page, when few of its rows are wanted.
const MAX_PARTS: usize = 10;

/// Reads a list from a part on, until a page is full or enough was read.
async fn look_through<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    part: Part,
    is_wanted: impl Fn(&T) -> bool,
) -> Result<Listed<T>, Error> {
    let (mut rows, mut next) = (Vec::new(), Some(part));
    for _ in 0..MAX_PARTS {
        let Some(part) = next.take_if(|_| rows.len() < ROWS) else {
            break;
        };
        let asked = part.query([LIMIT]);
        let listed = client
            .list::<T>("fines", &format!("{path}?{asked}"))
            .await?;
        rows.extend(listed.rows.into_iter().filter(&is_wanted));
        next = listed.next;
    }
    Ok(Listed { rows, next })
}

/// An answer of another function, as a file to keep.
fn file(answer: Answer, media_type: &'static str, name: &str) -> Response {
    let headers: [(HeaderName, String); 3] = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, answer.body).into_response()
}
