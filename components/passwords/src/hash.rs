//! Password hashes: Argon2id for all that is stored anew; what people bring from other systems is only checked.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pbkdf2::pbkdf2_hmac;
use sha2::{Sha256, Sha512};

use crate::error::Error;

/// Checked when there is no account, so that an unknown name takes as long as a wrong password. No password has
/// this hash.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$d2hhcmYtbm9ib2R5LWhlcmU$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w";

/// Bounds the work of a check: an imported hash must not occupy this function for seconds. signin refuses such
/// hashes when they are imported, by the same numbers.
const MAX_BCRYPT_COST: u32 = 14;
const MAX_PBKDF2_ROUNDS: u32 = 2_000_000;
const MAX_ARGON2_KIB: u32 = 128 * 1024;
const MAX_ARGON2_PASSES: u32 = 16;

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
    let Some(stored) = stored else {
        let dummy = PasswordHash::new(DUMMY);
        let matches = dummy.is_ok_and(|it| argon2().verify_password(given.as_bytes(), &it).is_ok());
        // Otherwise the compiler may leave out work whose result is not used.
        std::hint::black_box(matches);
        return false;
    };
    if stored.starts_with("$2") {
        return is_right_bcrypt(given, stored);
    }
    if stored.starts_with("$pbkdf2-") {
        return Pbkdf2::read(stored).is_some_and(|it| it.is_right(given));
    }
    is_right_argon2(given, stored)
}

/// Whether a stored hash is of another kind, or of other parameters, than [`hash`] makes now.
pub fn is_outdated(stored: &str) -> bool {
    let Ok(hash) = PasswordHash::new(stored) else {
        return true;
    };
    let Ok(params) = Params::try_from(&hash) else {
        return true;
    };
    let present = Params::default();
    hash.algorithm != Algorithm::Argon2id.ident()
        || params.m_cost() < present.m_cost()
        || params.t_cost() < present.t_cost()
}

fn is_right_argon2(given: &str, stored: &str) -> bool {
    let Ok(hash) = PasswordHash::new(stored) else {
        return false;
    };
    let is_bounded = Params::try_from(&hash)
        .is_ok_and(|it| it.m_cost() <= MAX_ARGON2_KIB && it.t_cost() <= MAX_ARGON2_PASSES);
    is_bounded && argon2().verify_password(given.as_bytes(), &hash).is_ok()
}

/// `$2y$10$…`: of PHP, Node and Python. Only the first 72 bytes of a password count there.
fn is_right_bcrypt(given: &str, stored: &str) -> bool {
    let cost = stored.split('$').nth(2).and_then(|it| it.parse().ok());
    cost.is_some_and(|it: u32| it <= MAX_BCRYPT_COST)
        && bcrypt::verify(given, stored).unwrap_or(false)
}

/// `$pbkdf2-sha256$i=27500$salt$hash`, salt and hash in base64: how signin keeps what Keycloak exports.
struct Pbkdf2 {
    is_sha512: bool,
    rounds: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Pbkdf2 {
    fn read(stored: &str) -> Option<Self> {
        let mut parts = stored.split('$').skip(1);
        let is_sha512 = match parts.next()? {
            "pbkdf2-sha256" => false,
            "pbkdf2-sha512" => true,
            _ => return None,
        };
        let rounds: u32 = parts.next()?.strip_prefix("i=")?.parse().ok()?;
        let salt = STANDARD.decode(parts.next()?).ok()?;
        let hash = STANDARD.decode(parts.next()?).ok()?;
        let fits = (1..=MAX_PBKDF2_ROUNDS).contains(&rounds) && (16..=64).contains(&hash.len());
        fits.then_some(Self {
            is_sha512,
            rounds,
            salt,
            hash,
        })
    }

    fn is_right(&self, given: &str) -> bool {
        let mut computed = vec![0; self.hash.len()];
        let (given, salt) = (given.as_bytes(), self.salt.as_slice());
        match self.is_sha512 {
            false => pbkdf2_hmac::<Sha256>(given, salt, self.rounds, &mut computed),
            true => pbkdf2_hmac::<Sha512>(given, salt, self.rounds, &mut computed),
        }
        let differs = computed
            .iter()
            .zip(&self.hash)
            .fold(0, |differs, (a, b)| differs | (a ^ b));
        differs == 0
    }
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
        assert!(!is_outdated(&stored));
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

    #[test]
    fn a_bcrypt_hash_of_every_spelling_is_checked() {
        let made = bcrypt::hash("correct horse", 4).unwrap();
        for version in ["$2a$", "$2b$", "$2y$"] {
            let stored = format!("{version}{}", &made[4..]);
            assert!(is_right("correct horse", Some(&stored)), "{stored}");
            assert!(!is_right("correct horsf", Some(&stored)));
            assert!(is_outdated(&stored));
        }
    }

    /// The vectors are computed with Python's hashlib.
    #[test]
    fn a_pbkdf2_hash_is_checked() {
        for (stored, is_it) in [
            (
                "$pbkdf2-sha256$i=1000$c2FsdA==$YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM=",
                true,
            ),
            (
                "$pbkdf2-sha512$i=1000$c2FsdA==$r+bFUweFtsxrHGRTOEcxvV7kMu5Un9QvtmlXea2KHFv1neacSPd078QAfVKY+QM8AkHVq2kwXntk7O642DTP7A==",
                true,
            ),
            (
                "$pbkdf2-sha256$i=1001$c2FsdA==$YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM=",
                false,
            ),
        ] {
            assert_eq!(is_right("password", Some(stored)), is_it, "{stored}");
            assert!(!is_right("passwort", Some(stored)));
            assert!(is_outdated(stored));
        }
    }

    #[test]
    fn a_hash_that_is_broken_or_would_take_too_long_lets_no_password_in() {
        for stored in [
            "",
            "password",
            "$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcdefg",
            "$2b$",
            "$pbkdf2-sha256$i=0$c2FsdA==$YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM=",
            "$pbkdf2-sha256$i=4000000000$c2FsdA==$YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM=",
            "$pbkdf2-sha256$i=1000$c2FsdA==$",
            "$argon2id$v=19$m=4194304,t=2,p=1$d2hhcmYtbm9ib2R5LWhlcmU$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w",
        ] {
            assert!(!is_right("password", Some(stored)), "{stored}");
        }
    }

    #[test]
    fn weaker_parameters_and_other_kinds_are_outdated() {
        for stored in [
            "$argon2id$v=19$m=4096,t=3,p=1$d2hhcmYtbm9ib2R5LWhlcmU$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w",
            "$argon2i$v=19$m=19456,t=2,p=1$d2hhcmYtbm9ib2R5LWhlcmU$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w",
        ] {
            assert!(is_outdated(stored), "{stored}");
        }
        assert!(!is_outdated(DUMMY));
    }
}
