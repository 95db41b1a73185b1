//! The rules of a booking. No I/O in this file; decisions that need a lock (room, price, cancellation) stand in
//! `migrations/bookings`.

use jiff::{SignedDuration, Timestamp};
use kit::Word;
use kit::store::FromRow;
use kit::web::Schema;
use plate::Plate;
use serde::Serialize;
use uuid::Uuid;

use crate::error::Error;
use crate::rules::{Overstay, RefundPolicy};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
#[word(rename_all = "PascalCase")]
pub enum Status {
    /// The place is taken, and the price is not paid yet.
    Waiting,
    Confirmed,
    Canceled,
}

/// A booking as its driver, the place's owner and admins see it.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Booking {
    #[serde(rename = "booking_id")]
    pub id: i64,
    pub date_from: Timestamp,
    pub date_to: Timestamp,
    #[row(column = "place_id")]
    pub parking_place_id: i64,
    /// Minor units of USD.
    pub full_cost: i64,
    pub status: Status,
    #[serde(rename = "user_id")]
    pub driver: Uuid,
    /// Of the car; absent when the driver did not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// What the owner kept of a canceled booking; absent when all of it was given back.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(with = "Option<i64>")]
    pub kept_cost: i64,
    /// As it was when the place was booked; absent when all of the price is given back until the end, except for the time
    /// that the car was seen to stand on the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[row(json)]
    pub refund_policy: Option<RefundPolicy>,
    /// What leaving late costs, as it was when the place was booked; absent when it costs nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[row(json)]
    pub overstay_rule: Option<Overstay>,
    /// When the car came at first; absent when it was not seen to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_in_at: Option<Timestamp>,
    /// When the car left at last; absent while it is inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_out_at: Option<Timestamp>,
    /// What it costs that the car left late, beside `full_cost`; absent when it costs nothing.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(with = "Option<i64>")]
    pub overstay_cost: i64,
    /// What of it the driver's wallet lacked: it is taken once it is there. Absent when nothing is owed.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(with = "Option<i64>")]
    pub overstay_owed: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(cents: &i64) -> bool {
    *cents == 0
}

/// What a booking would cost.
#[derive(Serialize, FromRow, Schema)]
pub struct Quote {
    /// Minor units.
    pub full_cost: i64,
    pub currency: String,
    /// How many more cars fit during the whole window.
    pub free: i64,
    /// Whether a car fits, and may come and go then, and that costs a cent or more.
    pub available: bool,
    /// Absent when the price is given back in full until the end of a booking.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[row(json)]
    pub refund_policy: Option<RefundPolicy>,
    /// Absent when leaving late costs nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[row(json)]
    pub overstay_rule: Option<Overstay>,
}

/// The part of a request beside the window. All of it may be absent.
#[derive(Clone, Copy)]
pub struct Agreed<'a> {
    /// At another price nothing is booked.
    pub expected_cost: Option<i64>,
    pub plate: Option<&'a Plate>,
}

/// The filters of a list of bookings, and its viewer.
pub struct Listing {
    pub driver: Option<Uuid>,
    pub place: Option<i64>,
    /// The viewer sees the bookings of a place of theirs; without one, everything is seen.
    pub viewer: Option<Uuid>,
    /// The viewer sees their own bookings on every place.
    pub sees_own: bool,
    pub status: Option<Status>,
    /// Bookings that overlap the window are listed.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// Half-open: `from` belongs to it, `to` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// A year, leap or not.
const MAX_LENGTH: SignedDuration = SignedDuration::from_hours(8760);

impl Window {
    /// A window that may be booked `now`. It may have begun: drivers who stand there already can still pay.
    pub fn bookable(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<Self, Error> {
        let window = Self {
            from: parse_moment("date_from", from)?,
            to: parse_moment("date_to", to)?,
        };
        if window.from >= window.to {
            return Err(Error::WrongOrder);
        }
        check_end(window.to, now)?;
        if window.from.duration_until(window.to) > MAX_LENGTH {
            return Err(Error::TooLong);
        }
        Ok(window)
    }
}

/// Whether a booking may end then.
pub fn check_end(to: Timestamp, now: Timestamp) -> Result<(), Error> {
    if to <= now {
        return Err(Error::InvalidDates("date_to is in the past"));
    }
    if now.duration_until(to) > MAX_LENGTH {
        return Err(Error::InvalidDates("at most one year ahead can be booked"));
    }
    Ok(())
}

/// Whether a booking may be moved to begin then.
pub fn check_start(from: Timestamp, now: Timestamp) -> Result<(), Error> {
    if from <= now {
        return Err(Error::InvalidDates("date_from is in the past"));
    }
    Ok(())
}

/// RFC 3339, to the second: prices are exact on seconds, and clocks that differ less do not matter.
pub fn parse_moment(name: &'static str, text: Option<&str>) -> Result<Timestamp, Error> {
    let moment: Timestamp = text
        .ok_or(Error::MissingField(name))?
        .parse()
        .map_err(|_| Error::NotATimestamp(name))?;
    Timestamp::from_second(moment.as_second()).map_err(|_| Error::NotATimestamp(name))
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
    fn a_year_can_be_booked_and_a_second_more_cannot() {
        assert!(window("2026-01-01T12:00:00Z", "2027-01-01T12:00:00Z").is_ok());
        let longer = window("2026-01-01T11:59:59Z", "2027-01-01T12:00:00Z");
        assert!(matches!(longer, Err(Error::TooLong)), "{longer:?}");
        let later = window("2026-12-01T00:00:00Z", "2027-01-01T12:00:01Z");
        assert!(matches!(later, Err(Error::InvalidDates(_))), "{later:?}");
    }

    #[test]
    fn a_booking_that_ends_or_is_moved_to_begin_now_is_too_late() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let soon = now + SignedDuration::from_secs(1);
        assert!(check_end(now, now).is_err() && check_end(soon, now).is_ok());
        assert!(check_start(now, now).is_err() && check_start(soon, now).is_ok());
    }

    #[test]
    fn an_impossible_window_is_refused() {
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
