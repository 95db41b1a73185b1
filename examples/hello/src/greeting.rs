//! Greetings. No I/O in this file.

use jiff::Timestamp;
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;

use crate::error::Error;

/// A greeting as it is answered.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Greeting {
    pub id: i64,
    pub text: String,
    pub greeted_at: Timestamp,
    /// The event about it was carried out.
    pub is_heard: bool,
}

const MAX_NAME: usize = 100;

/// The name without blanks around it.
pub fn check_name(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    match name.chars().count() {
        1..=MAX_NAME if !name.contains('\0') => Ok(name),
        _ => Err(Error::InvalidName),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_100_characters() {
        assert_eq!(check_name(" Ana ").unwrap(), "Ana");
        for wrong in ["", "  ", "\0", &"x".repeat(101)] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }
}
