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
    key: &'static str,
    enrolment: Uuid,
    /// Which ten backup codes are valid.
    batch: i32,
}

impl Factor {
    pub async fn new(enrolment: Uuid) -> Result<Self, Error> {
        Self::of(enrolment, 0).await
    }

    pub async fn of(enrolment: Uuid, batch: i32) -> Result<Self, Error> {
        Ok(Self {
            key: setting("totp_key").await?,
            enrolment,
            batch,
        })
    }

    pub fn id(&self) -> Uuid {
        self.enrolment
    }

    pub fn enrolment(&self, login: &str) -> Result<Enrolment, Error> {
        let totp = self.totp(login)?;
        Ok(Enrolment {
            secret: totp.secret().to_base32(),
            uri: totp.to_url().map_err(|_| Error::Unenrollable)?,
        })
    }

    /// In two groups, so that people can copy them from paper.
    pub fn backup_codes(&self) -> Vec<String> {
        (0..BACKUP_CODES)
            .map(|it| {
                let code = self.backup_code(it);
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
        if let Some(step) = self.totp("").ok()?.check(&text, now) {
            return Some(Code::Step(i64::try_from(step).ok()?));
        }
        (0..BACKUP_CODES)
            .find(|it| self.backup_code(*it) == text)
            .map(|it| Code::Backup(1 << it))
    }

    fn totp(&self, login: &str) -> Result<Totp, Error> {
        let secret: Vec<u8> = self.derive("totp").into_iter().take(20).collect();
        Builder::new()
            .with_secret(Secret::from(secret))
            .with_skew(1)
            .with_account_name(login)
            .with_issuer(Some("Wharf"))
            .build()
            .map_err(|_| Error::Unenrollable)
    }

    /// 40 bits: with the limits of attempts, guessing one is hopeless.
    fn backup_code(&self, number: u32) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        self.derive(&format!("backup {} {number}", self.batch))
            .into_iter()
            .take(8)
            .filter_map(|it| LETTERS.get(usize::from(it % 32)))
            .map(|it| char::from(*it))
            .collect()
    }

    fn derive(&self, purpose: &str) -> Vec<u8> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_bytes()) else {
            // HMAC takes keys of any length.
            return Vec::new();
        };
        mac.update(purpose.as_bytes());
        mac.update(self.enrolment.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn factor(enrolment: u128) -> Factor {
        Factor {
            key: "a key that only this function has",
            enrolment: Uuid::from_u128(enrolment),
            batch: 0,
        }
    }

    #[test]
    fn a_code_of_the_app_is_valid_for_its_step_and_the_two_beside_it() {
        let factor = factor(1);
        let code = factor.totp("ana").unwrap().generate(NOW as u64).to_string();
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
        let enrolment = factor(1).enrolment("ana@example.org").unwrap();
        assert!(
            enrolment
                .uri
                .starts_with("otpauth://totp/Wharf:ana%40example.org?"),
            "{}",
            enrolment.uri
        );
        assert!(
            enrolment
                .uri
                .contains(&format!("secret={}", enrolment.secret))
        );
    }
}
