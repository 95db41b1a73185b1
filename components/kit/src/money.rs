//! Money: integer minor units with a currency. Never a float, never converted.
//!
//! Decimals exist only at the edges, for the clients that speak them
//! ([`decimal`]); a JSON number is exact for all amounts that are allowed here
//! (at most 15 digits).

use std::fmt;
use std::str::FromStr;

use kit_derive::Word;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::web::Schema;

/// A strictly positive amount of minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Schema)]
#[serde(try_from = "i64", into = "i64")]
#[schemars(extend("minimum" = 1, "maximum" = 1_000_000_000_000_i64), example = 1250)]
pub struct Cents(i64);

impl Cents {
    /// The bound of one payment, as the contract has it.
    pub const MAX: i64 = 1_000_000_000_000;

    pub fn new(cents: i64) -> Result<Self, OutOfRange> {
        if (1..=Self::MAX).contains(&cents) {
            Ok(Self(cents))
        } else {
            Err(OutOfRange)
        }
    }

    pub fn get(self) -> i64 {
        self.0
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an amount is between 1 and 1000000000000 minor units")]
pub struct OutOfRange;

impl TryFrom<i64> for Cents {
    type Error = OutOfRange;
    fn try_from(cents: i64) -> Result<Self, OutOfRange> {
        Self::new(cents)
    }
}

impl From<Cents> for i64 {
    fn from(cents: Cents) -> Self {
        cents.0
    }
}

/// An ISO 4217 code of the currencies with two decimals that the platform knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Word)]
#[word(rename_all = "UPPERCASE")]
pub enum Currency {
    Usd,
    Brl,
    Eur,
}

/// An amount with its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    pub cents: Cents,
    pub currency: Currency,
}

/// For people: `12.05 USD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = decimal::text(self.cents.get());
        write!(f, "{amount} {}", self.currency.name())
    }
}

/// Decimal amounts of clients that speak them: a JSON number with at most two
/// decimals, as signed minor units. `#[serde(with = "kit::money::decimal")]` on an `i64`.
pub mod decimal {
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    use super::{Decimal, FromStr, ToPrimitive, fmt};

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        deserializer.deserialize_any(Minor)
    }

    /// Correctly rounded, so the shortest text of the result is the decimal itself.
    #[allow(clippy::cast_precision_loss)]
    pub fn serialize<S: Serializer>(cents: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        if cents % 100 == 0 {
            serializer.serialize_i64(cents / 100)
        } else {
            serializer.serialize_f64(*cents as f64 / 100.0)
        }
    }

    /// 1234 → `12.34`.
    pub fn text(cents: i64) -> String {
        let sign = if cents < 0 { "-" } else { "" };
        let cents = cents.unsigned_abs();
        format!("{sign}{}.{:02}", cents / 100, cents % 100)
    }

    /// `12.34` → 1234; nothing smaller than a cent, nothing beyond the bound.
    pub fn parse(text: &str) -> Option<i64> {
        let decimal = Decimal::from_str(text).ok()?;
        let cents = decimal.checked_mul(Decimal::ONE_HUNDRED)?;
        if !cents.fract().is_zero() {
            return None;
        }
        let cents = cents.to_i64()?;
        (cents.unsigned_abs() <= super::Cents::MAX.unsigned_abs()).then_some(cents)
    }

    struct Minor;

    impl Minor {
        fn within<E: Error>(cents: Option<i64>) -> Result<i64, E> {
            cents
                .filter(|it| it.unsigned_abs() <= super::Cents::MAX.unsigned_abs())
                .ok_or_else(|| E::custom("not an amount with at most two decimals"))
        }
    }

    impl Visitor<'_> for Minor {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an amount with at most two decimals")
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<i64, E> {
            Self::within(value.checked_mul(100))
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<i64, E> {
            Self::within(i64::try_from(value).ok().and_then(|it| it.checked_mul(100)))
        }

        /// The quotient is correctly rounded, so it is the number itself if and only if that was written with two
        /// decimals: no two amounts within the bound have the same nearest number.
        fn visit_f64<E: Error>(self, value: f64) -> Result<i64, E> {
            let cents = (value * 100.0).round();
            Self::within((cents / 100.0 == value).then_some(cents as i64))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Priced {
        #[serde(with = "decimal")]
        amount: i64,
    }

    fn read(amount: &str) -> Option<i64> {
        serde_json::from_str::<Priced>(&format!(r#"{{"amount":{amount}}}"#))
            .ok()
            .map(|it| it.amount)
    }

    #[test]
    fn only_whole_cents_within_the_bound_are_amounts() {
        assert_eq!(read("12.34"), Some(1234));
        assert_eq!(read("-5"), Some(-500));
        assert_eq!(read("0.1"), Some(10));
        assert_eq!(read("1e2"), Some(10_000));
        assert_eq!(read("10000000000"), Some(Cents::MAX));
        assert_eq!(decimal::text(-5), "-0.05");
        for wrong in [
            "0.001",
            "1e300",
            "10000000000.01",
            "\"5\"",
            "null",
            "NaN",
            "[1]",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn zero_is_not_an_amount_to_pay() {
        assert_eq!(Cents::new(0), Err(OutOfRange));
        assert_eq!(Cents::new(Cents::MAX + 1), Err(OutOfRange));
        assert!([1, Cents::MAX].map(Cents::new).iter().all(Result::is_ok));
    }

    proptest! {
        #[test]
        fn a_number_is_the_amount_that_its_text_is(thousandths in -10 * Cents::MAX..=10 * Cents::MAX) {
            let sign = if thousandths < 0 { "-" } else { "" };
            let (whole, rest) = (thousandths.abs() / 1_000, thousandths.abs() % 1_000);
            for text in [
                format!("{sign}{whole}.{rest:03}"),
                format!("{sign}{whole}.{:02}", rest / 10),
                format!("{sign}{whole}"),
            ] {
                prop_assert_eq!(read(&text), decimal::parse(&text));
            }
        }

        #[test]
        fn what_is_written_is_read_back(amount in -Cents::MAX..=Cents::MAX) {
            let text = serde_json::to_string(&Priced { amount }).unwrap();
            prop_assert_eq!(serde_json::from_str::<Priced>(&text).unwrap(), Priced { amount });
        }
    }
}
