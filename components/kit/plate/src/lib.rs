//! Plates: a car has one plate, however it is written. All functions that know cars use this type, so that they agree on it.

// The derives name the kit as components do.
extern crate kit;

use std::fmt;

use kit::web::Schema;
use serde::{Deserialize, Serialize};

/// A plate as it is compared: Latin capitals and digits, nothing else. Cyrillic and Greek letters that look like Latin
/// ones count as these; Russian plates use no other letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, Schema)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    extend("minLength" = 2, "maxLength" = 24),
    example = &"AA 123 BB"
)]
pub struct Plate {
    normal: String,
    shown: String,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a plate has 2 to 12 letters and digits, and may have blanks, dots and hyphens between them"
)]
pub struct InvalidPlate;

/// The longest plates have ten characters; some people add a country code.
const LONGEST: usize = 12;

impl Plate {
    pub fn as_str(&self) -> &str {
        &self.normal
    }

    /// As it was written, in capitals.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

impl TryFrom<String> for Plate {
    type Error = InvalidPlate;

    fn try_from(text: String) -> Result<Self, InvalidPlate> {
        let text = text.trim();
        let mut normal = String::new();
        for letter in text.chars() {
            match letter {
                ' ' | '-' | '.' | '·' | '_' => {}
                // German umlauts are letters of their own: TÜ is not TU.
                'Ä' | 'ä' => normal.push_str("AE"),
                'Ö' | 'ö' => normal.push_str("OE"),
                'Ü' | 'ü' => normal.push_str("UE"),
                other => normal.push(latin(other).ok_or(InvalidPlate)?),
            }
        }
        if !(2..=LONGEST).contains(&normal.len()) || text.len() > 2 * LONGEST {
            return Err(InvalidPlate);
        }
        Ok(Self {
            shown: text.to_uppercase(),
            normal,
        })
    }
}

/// The Latin capital or digit that a letter of a plate is.
fn latin(letter: char) -> Option<char> {
    let upper = letter.to_uppercase().next()?;
    Some(match upper {
        'A'..='Z' | '0'..='9' => upper,
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'Е' | 'Ε' => 'E',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Н' | 'Η' => 'H',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'С' => 'C',
        'Т' | 'Τ' => 'T',
        'У' | 'Υ' => 'Y',
        'Х' | 'Χ' => 'X',
        'Ι' => 'I',
        'Ν' => 'N',
        'Ζ' => 'Z',
        _ => return None,
    })
}

impl From<Plate> for String {
    fn from(plate: Plate) -> Self {
        plate.shown
    }
}

impl fmt::Display for Plate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.normal)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(text: &str) -> Option<String> {
        Plate::try_from(text.to_owned()).ok().map(|it| it.normal)
    }

    #[test]
    fn one_plate_is_written_in_many_ways() {
        for text in ["AA-123-BB", "aa 123 bb", " AA.123.BB ", "aa123bb"] {
            assert_eq!(normal(text).as_deref(), Some("AA123BB"), "{text}");
        }
        // Cyrillic, Greek and German letters.
        assert_eq!(normal("А123ВС 77").as_deref(), Some("A123BC77"));
        assert_eq!(normal("ΖΧΗ-1234").as_deref(), Some("ZXH1234"));
        assert_eq!(normal("TÜ-AB 12").as_deref(), Some("TUEAB12"));
        // The shortest and the longest.
        assert_eq!(normal("A 1").as_deref(), Some("A1"));
        assert_eq!(normal("AB-CDE-FGH-IJKL").as_deref(), Some("ABCDEFGHIJKL"));
    }

    #[test]
    fn what_cannot_be_a_plate_is_refused() {
        for text in [
            "",
            "A",
            "-- --",
            "ABCDEFGHIJKLM",
            "A                        B",
            "AA/1",
            "A\0B",
            "漢字12",
            "Ж123ЩЫ",
        ] {
            assert_eq!(normal(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_plate_is_its_own_normal_form(text in "[ A-Za-z0-9.-]{2,14}") {
            if let Some(once) = normal(&text) {
                prop_assert_eq!(normal(&once), Some(once.clone()));
                prop_assert!(once.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit()));
            }
        }
    }
}
