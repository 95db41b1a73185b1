//! Passwords: what one may be. Hashing is the function `passwords`' work ([`crate::calls::passwords`]).

use std::fmt;

use kit::web::Schema;
use serde::Deserialize;

use crate::name::Malformed;

/// A password that a person may choose: 8 to 128 characters.
#[derive(Clone, Deserialize, Schema)]
#[serde(try_from = "String")]
#[schemars(extend("minLength" = 8, "maxLength" = 128, "format" = "password", "examples" = ["Correct-Horse-1"]))]
pub struct Password(String);

pub const MAX_CHARACTERS: usize = 128;

impl TryFrom<String> for Password {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        if (8..=MAX_CHARACTERS).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(Malformed("a password is 8 to 128 characters"))
        }
    }
}

impl Password {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the login or the e-mail, the first guess of every attacker.
    pub fn is_name(&self, login: &str, email: Option<&str>) -> bool {
        let is_same = |name: &str| name.eq_ignore_ascii_case(&self.0);
        is_same(login) || email.is_some_and(is_same)
    }
}

/// Keeps passwords out of logs.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_password_counts_characters_and_takes_any() {
        let fits = |text: &str| Password::try_from(text.to_owned()).is_ok();
        assert!(fits("ãçéíõú☃𝄞"));
        assert!(!fits("1234567"));
        assert!(fits(&"☃".repeat(128)));
        assert!(!fits(&"x".repeat(129)));
    }

    #[test]
    fn a_login_or_email_is_no_password() {
        let (login, email) = ("ana_maria", Some("ana@example.org"));
        assert!(password("Ana_Maria").is_name(login, email));
        assert!(password("ana@example.org").is_name(login, email));
        assert!(!password("ana_maria1").is_name(login, None));
    }
}
