//! The rules of a booking. No I/O in this file; what needs a lock (room, price,
//! who cancels what) stands in `migrations/bookings`.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Takes its place, and waits for its price.
    Waiting,
    Confirmed,
    Canceled,
}

impl Status {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Confirmed => "Confirmed",
            Self::Canceled => "Canceled",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Confirmed, Self::Canceled]
            .into_iter()
            .find(|it| it.name() == name)
    }
}

/// A booking as its driver, the place's owner and admins see it.
#[derive(Debug, Serialize)]
pub struct Booking {
    #[serde(rename = "booking_id")]
    pub id: i64,
    pub date_from: Timestamp,
    pub date_to: Timestamp,
    pub parking_place_id: i64,
    /// Minor units of USD.
    pub full_cost: i64,
    pub status: Status,
    #[serde(rename = "user_id")]
    pub driver: Uuid,
}

/// From when, inclusive, until when, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// A year, leap or not.
const LONGEST: SignedDuration = SignedDuration::from_hours(8760);

impl Window {
    /// A window that may be booked `now`. It may have begun: who stands there already can pay late.
    pub fn bookable(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<Self, Error> {
        let window = Self {
            from: moment("date_from", from)?,
            to: moment("date_to", to)?,
        };
        if window.from >= window.to {
            return Err(Error::Dates("date_from must be before date_to"));
        }
        end_bookable(window.to, now)?;
        if window.from.duration_until(window.to) > LONGEST {
            return Err(Error::Dates("a booking lasts at most 8760 hours"));
        }
        Ok(window)
    }
}

/// Whether a booking may end then.
pub fn end_bookable(to: Timestamp, now: Timestamp) -> Result<(), Error> {
    if to <= now {
        return Err(Error::Dates("date_to is in the past"));
    }
    if now.duration_until(to) > LONGEST {
        return Err(Error::Dates("at most one year ahead can be booked"));
    }
    Ok(())
}

/// RFC 3339, to the second: prices are exact on seconds, and clocks that differ less do not matter.
pub fn moment(name: &'static str, text: Option<&str>) -> Result<Timestamp, Error> {
    let moment: Timestamp = text
        .ok_or(Error::Missing(name))?
        .parse()
        .map_err(|_| Error::NoDate(name))?;
    Timestamp::from_second(moment.as_second()).map_err(|_| Error::NoDate(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: &str, to: &str) -> Result<Window, Error> {
        let now = "2026-01-01T12:00:00Z".parse().unwrap();
        Window::bookable(Some(from), Some(to), now)
    }

    #[test]
    fn a_window_that_has_begun_can_be_booked() {
        assert!(window("2026-01-01T11:50:00Z", "2026-01-01T14:00:00+01:00").is_ok());
    }

    #[test]
    fn a_window_that_cannot_be_is_refused() {
        for (from, to) in [
            ("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"),
            ("2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z"),
            ("2025-12-31T00:00:00Z", "2026-01-01T11:59:59Z"),
            ("2027-01-02T00:00:00Z", "2027-01-03T00:00:00Z"),
            ("yesterday", "2026-01-02T00:00:00Z"),
            ("2026-01-02", "2026-01-03"),
            ("2026-13-40T00:00:00Z", "2026-01-02T00:00:00Z"),
        ] {
            assert!(window(from, to).is_err(), "{from} {to}");
        }
    }
}
