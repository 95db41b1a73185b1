//! Promo codes: their form, and the fields that clients see. No I/O.

use jiff::Timestamp;
use kit::money::Cents;
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;

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
    fn a_random_code_is_16_hex_digits() {
        let code = Code::random().unwrap();
        assert_eq!(code.as_str().len(), 16);
        assert!(code.as_str().bytes().all(|it| it.is_ascii_hexdigit()));
    }
}
