//! The second factor: codes of an authenticator app (RFC 6238), and backup codes for the day it is lost. No SQL.
//!
//! Secrets are derived from a key that only this function has and the id of the enrolment. The database keeps
//! the id alone, so a copy of it cannot compute codes.

use hmac::{Hmac, KeyInit, Mac};
use kit::setting;
use sha2::Sha256;
use totp_rs::{Builder, Secret, Totp};
use uuid::Uuid;

use crate::error::Error;

const BACKUP_CODES: u32 = 10;
/// What an app shows beside the login.
const ISSUER: &str = "Wharf";

/// What an authenticator app needs.
#[derive(Debug)]
pub struct Enrolment {
    pub secret: String,
    pub uri: String,
}

/// A code that was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Of the app, for this time step.
    Step(i64),
    /// A backup code, by the bit that marks it as used.
    Backup(i32),
}

pub struct Factor {
    /// Makes new enrolments.
    key: &'static str,
    /// The present key and earlier ones: an enrolment does not say under which it was made.
    keys: Vec<&'static str>,
    enrolment: Uuid,
    /// Which ten backup codes are valid.
    batch: i32,
}

impl Factor {
    pub async fn new(enrolment: Uuid) -> Result<Self, Error> {
        Self::of(enrolment, 0).await
    }

    pub async fn of(enrolment: Uuid, batch: i32) -> Result<Self, Error> {
        let key = setting("totp_key").await?;
        let retired = setting("totp_keys_retired").await?.split_ascii_whitespace();
        Ok(Self {
            key,
            keys: std::iter::once(key).chain(retired).collect(),
            enrolment,
            batch,
        })
    }

    pub fn id(&self) -> Uuid {
        self.enrolment
    }

    pub fn enrolment(&self, login: &str) -> Result<Enrolment, Error> {
        let secret = self.totp(self.key)?.secret().to_base32();
        // What is left out is the default of every app: SHA-1, six digits, 30 s.
        let login = percent_encode(login);
        let uri = format!("otpauth://totp/{ISSUER}:{login}?secret={secret}&issuer={ISSUER}");
        Ok(Enrolment { secret, uri })
    }

    /// In two groups, so that people can copy them from paper.
    pub fn backup_codes(&self) -> Vec<String> {
        (0..BACKUP_CODES)
            .map(|it| {
                let code = self.backup_code(self.key, it);
                let (left, right) = code.split_at(code.len() / 2);
                format!("{left}-{right}")
            })
            .collect()
    }

    /// Recognises a code of this enrolment.
    pub fn read(&self, text: &str, now: i64) -> Option<Code> {
        let text: String = text
            .chars()
            .filter(|it| it.is_ascii_alphanumeric())
            .map(|it| it.to_ascii_lowercase())
            .collect();
        let now = u64::try_from(now).ok()?;
        self.keys
            .iter()
            .find_map(|it| self.read_under(it, &text, now))
    }

    fn read_under(&self, key: &str, text: &str, now: u64) -> Option<Code> {
        if let Some(step) = self.totp(key).ok()?.check(text, now) {
            return Some(Code::Step(i64::try_from(step).ok()?));
        }
        (0..BACKUP_CODES)
            .find(|it| self.backup_code(key, *it) == text)
            .map(|it| Code::Backup(1 << it))
    }

    fn totp(&self, key: &str) -> Result<Totp, Error> {
        let secret: Vec<u8> = derive(key, "totp", self.enrolment)
            .into_iter()
            .take(20)
            .collect();
        Builder::new()
            .with_secret(Secret::from(secret))
            .with_skew(1)
            .build()
            .map_err(|_| Error::Unenrollable)
    }

    /// 40 bits: with the limits of attempts, guessing one is hopeless.
    fn backup_code(&self, key: &str, number: u32) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        derive(
            key,
            &format!("backup {} {number}", self.batch),
            self.enrolment,
        )
        .into_iter()
        .take(8)
        .filter_map(|it| LETTERS.get(usize::from(it % 32)))
        .map(|it| char::from(*it))
        .collect()
    }
}

/// As a segment of a path (RFC 3986).
fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn derive(key: &str, purpose: &str, enrolment: Uuid) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        // HMAC takes keys of any length.
        return Vec::new();
    };
    mac.update(purpose.as_bytes());
    mac.update(enrolment.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn factor(enrolment: u128) -> Factor {
        Factor {
            key: "a key that only this function has",
            keys: vec!["a key that only this function has"],
            enrolment: Uuid::from_u128(enrolment),
            batch: 0,
        }
    }

    #[test]
    fn a_code_of_the_app_is_valid_for_its_step_and_the_two_beside_it() {
        let factor = factor(1);
        let code = code_of(&factor);
        let step = NOW / 30;
        for (at, expected) in [
            (0, true),
            (30, true),
            (-30, true),
            (90, false),
            (-90, false),
        ] {
            let read = factor.read(&code, NOW + at);
            assert_eq!(read, expected.then_some(Code::Step(step)), "{at}");
        }
        assert_eq!(super::tests::factor(2).read(&code, NOW), None);
    }

    fn code_of(factor: &Factor) -> String {
        let totp = factor.totp(factor.key).unwrap();
        totp.generate(NOW as u64).to_string()
    }

    #[test]
    fn a_factor_of_a_retired_key_works_while_the_key_is_listed() {
        let old = factor(1);
        let (code, backup) = (code_of(&old), old.backup_codes()[3].clone());
        let rotated = Factor {
            key: "a new key",
            keys: vec!["a new key", "a key that only this function has"],
            ..factor(1)
        };
        assert_eq!(rotated.read(&code, NOW), Some(Code::Step(NOW / 30)));
        assert_eq!(rotated.read(&backup, NOW), Some(Code::Backup(1 << 3)));
        let dropped = Factor {
            keys: vec!["a new key"],
            ..rotated
        };
        assert_eq!(dropped.read(&code, NOW), None);
        assert_eq!(dropped.read(&backup, NOW), None);
    }

    #[test]
    fn every_backup_code_has_its_own_bit() {
        let factor = factor(1);
        let codes = factor.backup_codes();
        let bits = codes.iter().map(|it| factor.read(it, NOW));
        let expected = (0..10).map(|it| Some(Code::Backup(1 << it)));
        assert!(bits.eq(expected), "{codes:?}");
        assert_eq!(factor.read("aaaa-aaaa", NOW), None);
        assert_eq!(factor.read("", NOW), None);
        let renewed = Factor { batch: 1, ..factor };
        for code in &codes {
            assert_eq!(renewed.read(code, NOW), None);
        }
    }

    #[test]
    fn an_enrolment_names_issuer_account_and_secret() {
        let Enrolment { secret, uri } = factor(1).enrolment("ana b@example.org").unwrap();
        assert_eq!(secret.len(), 32);
        assert_eq!(
            uri,
            format!("otpauth://totp/Wharf:ana%20b%40example.org?secret={secret}&issuer=Wharf")
        );
    }
}
