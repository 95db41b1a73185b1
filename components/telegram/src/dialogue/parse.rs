//! The forms in which people write moments, amounts and choices.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kit::money::decimal;

use super::step::Field;

/// `2026-11-25 09:00`, in UTC.
pub fn parse_moment(text: &str) -> Option<Timestamp> {
    let text = text.replace(['T', 't'], " ");
    let at = DateTime::strptime("%Y-%m-%d %H:%M", text.trim()).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A moment, or a number of hours: `3h`.
pub fn parse_end(text: &str, from: Timestamp) -> Option<Timestamp> {
    match text.trim().to_lowercase().strip_suffix('h') {
        Some(hours) => {
            let hours: i16 = hours.trim().parse().ok()?;
            from.checked_add(SignedDuration::from_hours(hours.into()))
                .ok()
        }
        None => parse_moment(text),
    }
}

/// Yes or no, in any of the languages of the bot.
pub fn parse_yes(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "y" | "да" | "sim" | "s" => Some(true),
        "no" | "n" | "нет" | "não" | "nao" => Some(false),
        _ => None,
    }
}

/// By number or by name.
pub fn parse_parking_type(text: &str) -> Option<String> {
    const TYPES: [(&str, &str); 4] = [
        ("1", "outdoor"),
        ("2", "covered"),
        ("3", "underground"),
        ("4", "multi-level"),
    ];
    let text = text.trim().to_lowercase();
    TYPES
        .iter()
        .find(|it| it.0 == text || it.1 == text)
        .map(|it| it.1.to_owned())
}

/// The field of a place to change, by number.
pub fn parse_field(text: &str) -> Option<Field> {
    match text.trim() {
        "1" => Some(Field::Name),
        "2" => Some(Field::City),
        "3" => Some(Field::Address),
        "4" => Some(Field::Type),
        "5" => Some(Field::Rate),
        "6" => Some(Field::Capacity),
        _ => None,
    }
}

/// `2.50` → 250. The upper limit is a rule of bookings.
pub fn parse_cents(text: &str) -> Option<i64> {
    decimal::parse(&text.trim().replace(',', ".")).filter(|it| *it > 0)
}
