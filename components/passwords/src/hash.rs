//! Argon2id. What a password may be, signin decides.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};

use crate::error::Error;

/// Checked when there is no account, so that an unknown name takes as long as a wrong password. No password has
/// this hash.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$d2hhcmYtbm9ib2R5LWhlcmU$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w";

/// OWASP's first choice: Argon2id, 19 MiB, two passes, one lane. It is the crate's default; a test holds it to
/// that.
fn argon2() -> Argon2<'static> {
    Argon2::default()
}

/// The PHC form of a password, with a salt of its own.
pub fn hash(password: &str) -> Result<String, Error> {
    let hash = argon2().hash_password(password.as_bytes());
    hash.map(|it| it.to_string())
        .map_err(|_| Error::NoRandomness)
}

/// Whether `given` is the password behind `stored`. The same work is done when there is none.
pub fn is_right(given: &str, stored: Option<&str>) -> bool {
    let parsed = |text| PasswordHash::new(text).ok();
    let (hash, exists) = match stored.and_then(parsed) {
        Some(hash) => (Some(hash), true),
        None => (parsed(DUMMY), false),
    };
    let matches = hash.is_some_and(|it| argon2().verify_password(given.as_bytes(), &it).is_ok());
    matches && exists
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_hash_alone() {
        let stored = hash("correct horse").unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert!(is_right("correct horse", Some(&stored)));
        assert!(!is_right("correct horsf", Some(&stored)));
        assert_ne!(stored, hash("correct horse").unwrap());
    }

    #[test]
    fn checking_an_unknown_account_is_as_much_work_as_a_known_one() {
        let dummy = PasswordHash::new(DUMMY).unwrap();
        let stored = hash("correct horse").unwrap();
        let stored = PasswordHash::new(&stored).unwrap();
        assert_eq!(dummy.params, stored.params);
        assert_eq!(dummy.algorithm, stored.algorithm);
        let length = |it: &PasswordHash| it.hash.as_ref().map(|it| it.as_bytes().len());
        assert_eq!(length(&dummy), length(&stored));
        assert!(!is_right("", None));
    }
}
