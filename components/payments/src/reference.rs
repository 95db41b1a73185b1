//! Names that others gave to what was paid for: a booking's number, an order's
//! id. They are kept as text and shown as their owners know them. No I/O.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A number when it is one, as `7`; text otherwise.
pub fn shown(reference: &str) -> Value {
    match reference.parse::<i64>() {
        Ok(number) if number.to_string() == reference => number.into(),
        _ => reference.into(),
    }
}

/// Reads either: clients send their numbers bare or quoted.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a number or a text")]
    enum Either {
        Number(i64),
        Text(String),
    }
    let text = match Either::deserialize(deserializer)? {
        Either::Number(number) => number.to_string(),
        Either::Text(text) => text,
    };
    if (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text)
    } else {
        Err(serde::de::Error::custom("1 to 200 printable characters"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reads_back_the_same_is_a_number() {
        assert_eq!(shown("7"), 7);
        assert_eq!(shown("007"), "007");
        assert_eq!(
            shown("0199f0a0-0000-7000-8000-000000000001"),
            "0199f0a0-0000-7000-8000-000000000001"
        );
    }
}
