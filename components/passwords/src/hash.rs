//! Argon2id. What a password may be is decided before.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};

/// Checked when there is no account, so that asking for one that does not exist takes as long as
/// a wrong password. No password has this hash.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$d2hhcmYtbm9ib2R5LWhlcmU$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w";

/// OWASP's first choice: Argon2id, 19 MiB, two passes, one lane. It is the crate's default, and a
/// test below holds it to that.
fn argon2() -> Argon2<'static> {
    Argon2::default()
}

/// The PHC form of a password, under a salt of its own; `None` when there is no randomness.
pub fn hash(password: &str) -> Option<String> {
    let hash = argon2().hash_password(password.as_bytes()).ok()?;
    Some(hash.to_string())
}

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

    #[test]
    fn a_password_is_known_by_its_hash() {
        let stored = hash("correct horse").unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert!(is_right("correct horse", Some(&stored)));
        assert!(!is_right("correct horsf", Some(&stored)));
        assert_ne!(Some(stored), hash("correct horse"));
    }

    #[test]
    fn nobody_is_as_much_work_as_somebody() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = PasswordHash::new(&hash("correct horse").unwrap()).unwrap();
        assert_eq!(nobody.params, somebody.params);
        assert_eq!(nobody.algorithm, somebody.algorithm);
        let length = |it: &PasswordHash| it.hash.as_ref().map(|it| it.as_bytes().len());
        assert_eq!(length(&nobody), length(&somebody));
        assert!(!is_right("", None));
    }
}
