//! Promo codes: their form, and the fields that clients see. No I/O.

use jiff::Timestamp;
use kit::money::Cents;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};

/// The text of a code: 4 to 100 letters, digits, `_` and `-`; case matters.
#[derive(Debug)]
pub struct Code(String);

impl Code {
    pub fn parse(text: String) -> Option<Self> {
        let fits = (4..=100).contains(&text.len())
            && text
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-'));
        fits.then_some(Self(text))
    }

    /// A text that an admin chooses. Words that are path segments in the place of a code are refused.
    pub fn chosen(text: String) -> Option<Self> {
        Self::parse(text).filter(|it| !matches!(it.as_str(), "activate" | "create" | "generate"))
    }

    /// 64 random bits in 16 hex digits.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(format!("{:016x}", getrandom::u64()?)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// When a code ends, as an admin writes it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Expiry(pub Timestamp);

impl TryFrom<String> for Expiry {
    type Error = jiff::Error;

    /// `9999-12-31T23:59:59Z` is a common way to write "never". A [`Timestamp`] ends on the day before, so a time of
    /// that day counts as its last moment.
    fn try_from(text: String) -> Result<Self, jiff::Error> {
        let is_time = |it: &str| format!("9999-12-29{it}").parse::<Timestamp>().is_ok();
        match text.parse::<Timestamp>() {
            Ok(at) => Ok(Self(at)),
            Err(_) if text.strip_prefix("9999-12-31").is_some_and(is_time) => {
                Ok(Self(Timestamp::MAX))
            }
            Err(error) => Err(error),
        }
    }
}

/// The code that an admin wants.
#[derive(Debug)]
pub struct NewCode {
    pub chosen: Option<Code>,
    pub amount: Cents,
    pub max_uses: i32,
    pub max_uses_per_user: Option<i32>,
    pub expires_at: Option<Timestamp>,
}

/// A code that was just made.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Coined {
    pub code: String,
    /// Minor units of USD.
    pub amount: i64,
    pub max_uses: i32,
    #[row(column = "max_uses")]
    pub remaining_uses: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses_per_user: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A code as any user who knows it may see it.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Promocode {
    pub code: String,
    /// Minor units of USD.
    pub amount: i64,
    pub max_uses: i32,
    pub used_count: i32,
    pub remaining_uses: i32,
    pub max_uses_per_user: Option<i32>,
    pub expires_at: Option<Timestamp>,
    /// Whether it can still be claimed.
    pub is_active: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_plain_text_of_some_length() {
        for wrong in ["abc", "", "with space", "naïve", &"x".repeat(101)] {
            assert!(Code::parse(wrong.to_owned()).is_none(), "{wrong:?}");
        }
        assert!(Code::parse("Summer_24-x".to_owned()).is_some());
        assert!(Code::chosen("activate".to_owned()).is_none());
    }

    #[test]
    fn an_expiry_on_the_last_day_of_the_year_9999_is_the_last_moment() {
        let read = |text: &str| Expiry::try_from(text.to_owned()).ok().map(|it| it.0);
        assert_eq!(read("9999-12-31T23:59:59Z"), Some(Timestamp::MAX));
        let soon = "2030-01-01T00:00:00Z";
        assert_eq!(read(soon), soon.parse().ok());
        for wrong in ["", "tomorrow", "9999-12-31", "9999-12-31T25:00:00Z"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_random_code_is_16_hex_digits() {
        let code = Code::random().unwrap();
        assert_eq!(code.as_str().len(), 16);
        assert!(code.as_str().bytes().all(|it| it.is_ascii_hexdigit()));
    }
}
