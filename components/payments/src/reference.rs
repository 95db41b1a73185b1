//! The names that openers give to the subject of a payment: a booking's number, an order's id. They are kept as text and
//! shown in the opener's form. No I/O.

use kit::web::Schema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A reference on the wire: a number, or a text of 1 to 200 printable characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(untagged, expecting = "a number or a text")]
#[schemars(example = 7)]
pub enum Reference {
    Number(i64),
    Text(#[schemars(length(min = 1, max = 200))] String),
}

impl Reference {
    /// A number when the text is that of a number, as `7`.
    pub fn shown(text: &str) -> Self {
        match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Self::Number(number),
            _ => Self::Text(text.to_owned()),
        }
    }
}

/// Whether a text is printable and short enough for PostgreSQL and its index.
pub fn is_printable(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Reads either form as text: clients send their numbers bare or quoted.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = match Reference::deserialize(deserializer)? {
        Reference::Number(number) => number.to_string(),
        Reference::Text(text) => text,
    };
    match is_printable(&text) {
        true => Ok(text),
        false => Err(D::Error::custom("1 to 200 printable characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> serde_json::Value {
        serde_json::to_value(Reference::shown(text)).unwrap()
    }

    #[test]
    fn only_a_text_that_reads_back_the_same_is_shown_as_a_number() {
        assert_eq!(shown("7"), 7);
        assert_eq!(shown("007"), "007");
        assert_eq!(
            shown("0199f0a0-0000-7000-8000-000000000001"),
            "0199f0a0-0000-7000-8000-000000000001"
        );
    }

    #[test]
    fn a_name_that_cannot_be_kept_is_not_printable() {
        for wrong in ["", "a\0b", "a\nb", &"x".repeat(201)] {
            assert!(!is_printable(wrong), "{wrong:?}");
        }
        assert!(is_printable(&"é".repeat(200)));
    }
}
