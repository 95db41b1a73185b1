//! Passwords: what one may be, and how it is kept and checked. Nothing here
//! knows where hashes are stored.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use serde::Deserialize;

use crate::account::Malformed;

/// Checked when there is no account, so that asking for one that does not exist takes as long as
/// a wrong password. Its own password is not known to anybody.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$d2hhcmYtbm9ib2R5LWhlcmU$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w";

/// OWASP's first choice: Argon2id, 19 MiB, two passes, one lane. It is the crate's default, and a
/// test below holds it to that.
fn argon2() -> Argon2<'static> {
    Argon2::default()
}

/// A password that somebody may choose.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Password(String);

impl TryFrom<String> for Password {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        if (8..=128).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(Malformed("a password is 8 to 128 characters"))
        }
    }
}

impl Password {
    /// The first thing anybody tries is a name.
    pub fn is_name(&self, login: &str, email: Option<&str>) -> bool {
        let same = |name: &str| name.eq_ignore_ascii_case(&self.0);
        same(login) || email.is_some_and(same)
    }

    pub fn hash(&self) -> Result<String, Unhashable> {
        hash(&self.0)
    }
}

/// The PHC form of a password, under a salt of its own.
pub fn hash(password: &str) -> Result<String, Unhashable> {
    let hash = argon2()
        .hash_password(password.as_bytes())
        .map_err(Unhashable)?;
    Ok(hash.to_string())
}

/// It is in nobody's log.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct Unhashable(argon2::password_hash::Error);

/// Whether `given` is the password behind `stored`. The same work is done when there is none.
pub fn is_right(given: &str, stored: Option<&str>) -> bool {
    let parsed = |text| PasswordHash::new(text).ok();
    let (hash, exists) = match stored.and_then(parsed) {
        Some(hash) => (Some(hash), true),
        None => (parsed(NOBODY), false),
    };
    let matches = hash.is_some_and(|it| argon2().verify_password(given.as_bytes(), &it).is_ok());
    matches && exists
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_password_is_known_by_its_hash() {
        let hash = password("correct horse").hash().unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(is_right("correct horse", Some(&hash)));
        assert!(!is_right("correct horsf", Some(&hash)));
        assert_ne!(hash, password("correct horse").hash().unwrap());
    }

    #[test]
    fn nobody_is_as_much_work_as_somebody() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = PasswordHash::new(&password("correct horse").hash().unwrap()).unwrap();
        assert_eq!(nobody.params, somebody.params);
        assert_eq!(nobody.algorithm, somebody.algorithm);
        assert_eq!(
            nobody.hash.as_ref().map(|it| it.len()),
            somebody.hash.as_ref().map(|it| it.len())
        );
        assert!(!is_right("", None));
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
    fn a_name_is_no_password() {
        let (login, email) = ("ana_maria", Some("ana@example.org"));
        assert!(password("Ana_Maria").is_name(login, email));
        assert!(password("ana@example.org").is_name(login, email));
        assert!(!password("ana_maria1").is_name(login, None));
    }
}
