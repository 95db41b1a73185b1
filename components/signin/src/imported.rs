//! Accounts of replaced systems, as they are brought along: one JSON object a line. No I/O.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kit::identity::Role;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::name::{Cpf, Email, Login, Malformed, TelegramId, Text};

/// A line of an import.
#[derive(Debug, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct ImportedAccount {
    /// Kept as it is. Derived from the login when absent, so that a repeated import finds it again.
    pub id: Option<Uuid>,
    /// The serial number that clients show in place of the id; the next free one when absent.
    #[schemars(range(min = 1))]
    pub number: Option<i64>,
    /// The e-mail when absent.
    pub login: Option<Login>,
    pub email: Option<Email>,
    /// Whether the other system proved that the mailbox is the person's.
    #[serde(default)]
    pub email_verified: bool,
    pub name: Option<Text>,
    pub surname: Option<Text>,
    pub cpf: Option<Cpf>,
    pub telegram_id: Option<TelegramId>,
    #[serde(default)]
    pub roles: Vec<Role>,
    /// bcrypt or Argon2 in their usual form, or PBKDF2 as `$pbkdf2-sha256$i=27500$salt$hash`.
    #[schemars(example = &"$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy")]
    pub password_hash: Option<String>,
    /// A credential as Keycloak exports it, in place of `password_hash`.
    pub keycloak: Option<KeycloakCredential>,
}

/// Both members are JSON in a string.
#[derive(Debug, Deserialize, Schema)]
#[serde(rename_all = "camelCase")]
pub struct KeycloakCredential {
    pub credential_data: String,
    pub secret_data: String,
}

/// What came of a line.
#[derive(Debug, Serialize, Schema)]
pub struct Imported {
    /// From 1.
    pub line: u64,
    /// `imported`, `present` (it was there before, and nothing changed), `refused` or `postponed` (to be sent again).
    #[schemars(example = &"imported")]
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Why it was not imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Imported {
    pub fn without(line: u64, outcome: &'static str, reason: &str) -> Self {
        Self {
            line,
            outcome,
            id: None,
            reason: Some(reason.to_owned()),
        }
    }
}

/// A line that fits.
#[derive(Debug)]
pub struct Checked {
    pub id: Uuid,
    pub login: Login,
    pub password_hash: Option<String>,
    pub line: ImportedAccount,
}

impl ImportedAccount {
    pub fn checked(mut self) -> Result<Checked, Malformed> {
        let login = match (self.login.take(), &self.email) {
            (Some(login), _) => login,
            (None, Some(email)) => Login::from(email),
            (None, None) => return Err(Malformed("a login or an e-mail is needed")),
        };
        if login.as_str().eq_ignore_ascii_case("me") {
            return Err(Malformed("`me` stands for the caller in paths"));
        }
        if self.number.is_some_and(|it| it < 1) {
            return Err(Malformed("a number is 1 or more"));
        }
        let password_hash = match (self.password_hash.take(), &self.keycloak) {
            (Some(_), Some(_)) => return Err(Malformed("`password_hash` or `keycloak`, not both")),
            (Some(hash), None) => Some(hash),
            (None, Some(credential)) => Some(credential.hash()?),
            (None, None) => None,
        };
        if let Some(hash) = &password_hash {
            check_hash(hash)?;
        }
        Ok(Checked {
            id: self.id.unwrap_or_else(|| derived(&login)),
            login,
            password_hash,
            line: self,
        })
    }
}

/// The same for every import of a login.
fn derived(login: &Login) -> Uuid {
    let digest = Sha256::digest(format!("wharf import {}", login.as_str().to_lowercase()));
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(digest.iter())
        .for_each(|(to, from)| *to = *from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialData {
    hash_iterations: u32,
    algorithm: String,
}

#[derive(Deserialize)]
struct SecretData {
    value: String,
    salt: String,
}

impl KeycloakCredential {
    /// The form in which we keep it.
    fn hash(&self) -> Result<String, Malformed> {
        const WRONG: Malformed = Malformed("a credential of Keycloak is pbkdf2-sha256 or -sha512");
        let data: CredentialData =
            serde_json::from_str(&self.credential_data).map_err(|_| WRONG)?;
        let secret: SecretData = serde_json::from_str(&self.secret_data).map_err(|_| WRONG)?;
        if !matches!(data.algorithm.as_str(), "pbkdf2-sha256" | "pbkdf2-sha512") {
            return Err(WRONG);
        }
        let (algorithm, rounds) = (data.algorithm, data.hash_iterations);
        Ok(format!(
            "${algorithm}$i={rounds}${}${}",
            secret.salt, secret.value
        ))
    }
}

/// Refuses hashes that are too quick to guess, and hashes that would occupy a core for seconds.
fn check_hash(hash: &str) -> Result<(), Malformed> {
    let mut parts = hash.split('$').skip(1);
    match parts.next() {
        Some("2a" | "2b" | "2y") => check_bcrypt(hash, parts.next()),
        Some("pbkdf2-sha256" | "pbkdf2-sha512") => {
            check_pbkdf2(parts.next(), parts.next(), parts.next(), parts.next())
        }
        Some("argon2id" | "argon2i" | "argon2d") => check_argon2(hash),
        _ => Err(Malformed(
            "a password hash is bcrypt, Argon2, pbkdf2-sha256 or pbkdf2-sha512",
        )),
    }
}

fn check_bcrypt(hash: &str, cost: Option<&str>) -> Result<(), Malformed> {
    let cost: Option<u32> = cost.and_then(|it| it.parse().ok());
    let is_whole = hash.len() == 60
        && hash
            .bytes()
            .skip(7)
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'/'));
    match is_whole && cost.is_some_and(|it| (8..=14).contains(&it)) {
        true => Ok(()),
        false => Err(Malformed("bcrypt has 60 characters and a cost of 8 to 14")),
    }
}

fn check_pbkdf2(
    rounds: Option<&str>,
    salt: Option<&str>,
    hash: Option<&str>,
    rest: Option<&str>,
) -> Result<(), Malformed> {
    let rounds = rounds.and_then(|it| it.strip_prefix("i=")?.parse().ok());
    let length = |text: Option<&str>| {
        text.and_then(|it| STANDARD.decode(it).ok())
            .map(|it| it.len())
    };
    let fits = rounds.is_some_and(|it: u32| (10_000..=2_000_000).contains(&it))
        && length(salt).is_some_and(|it| it >= 8)
        && length(hash).is_some_and(|it| (16..=64).contains(&it))
        && rest.is_none();
    match fits {
        true => Ok(()),
        false => Err(Malformed(
            "PBKDF2 is `$pbkdf2-sha256$i=27500$salt$hash` with 10000 to 2000000 rounds, salt and hash in base64",
        )),
    }
}

/// `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.
fn check_argon2(hash: &str) -> Result<(), Malformed> {
    let parts: Vec<&str> = hash.split('$').collect();
    let [_, _, "v=19", params, salt, digest] = parts.as_slice() else {
        return Err(ARGON2);
    };
    let param = |name: &str| -> Option<u32> {
        params
            .split(',')
            .find_map(|it| it.strip_prefix(name)?.parse().ok())
    };
    let fits = param("m=").is_some_and(|it| (4_096..=131_072).contains(&it))
        && param("t=").is_some_and(|it| (1..=16).contains(&it))
        && param("p=").is_some_and(|it| (1..=16).contains(&it))
        && salt.len() >= 11
        && (22..=86).contains(&digest.len());
    match fits {
        true => Ok(()),
        false => Err(ARGON2),
    }
}

const ARGON2: Malformed = Malformed(
    "Argon2 is in PHC form, v=19, with 4 to 128 MiB, 1 to 16 passes, and a salt of 8 bytes at least",
);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const BCRYPT: &str = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

    fn checked(line: Value) -> Result<Checked, String> {
        let line: ImportedAccount = serde_json::from_value(line).map_err(|it| it.to_string())?;
        line.checked().map_err(|it| it.to_string())
    }

    #[test]
    fn a_login_is_given_the_same_id_by_every_import() {
        let id = |login: &str| checked(json!({ "login": login })).unwrap().id;
        assert_eq!(id("ana"), id("Ana"));
        assert_ne!(id("ana"), id("bob"));
        let given = Uuid::from_u128(7);
        let kept = checked(json!({ "login": "ana", "id": given })).unwrap().id;
        assert_eq!(kept, given);
    }

    #[test]
    fn an_email_serves_as_the_login() {
        let line = checked(json!({ "email": "ana@example.org", "roles": ["customer"] })).unwrap();
        assert_eq!(line.login.as_str(), "ana@example.org");
        assert!(checked(json!({})).is_err());
        assert!(checked(json!({ "login": "ME" })).is_err());
        assert!(checked(json!({ "login": "ana", "roles": ["root"] })).is_err());
        assert!(checked(json!({ "login": "ana", "rolls": [] })).is_err());
    }

    #[test]
    fn hashes_of_the_replaced_systems_fit() {
        for hash in [
            BCRYPT,
            &BCRYPT.replace("$2b$", "$2a$"),
            "$pbkdf2-sha256$i=27500$c2FsdHNhbHQ=$YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM=",
            "$argon2id$v=19$m=87795,t=1,p=2$c2FsdHNhbHRzYWx0$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w",
        ] {
            let line = checked(json!({ "login": "ana", "password_hash": hash })).unwrap();
            assert_eq!(line.password_hash.as_deref(), Some(hash));
        }
    }

    #[test]
    fn a_credential_of_keycloak_is_kept_in_our_form() {
        let credential = json!({
            "credentialData": "{\"hashIterations\":27500,\"algorithm\":\"pbkdf2-sha256\",\"additionalParameters\":{}}",
            "secretData": "{\"value\":\"YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM=\",\"salt\":\"c2FsdHNhbHQ=\",\"additionalParameters\":{}}",
        });
        let line = checked(json!({ "login": "ana", "keycloak": credential })).unwrap();
        assert_eq!(
            line.password_hash.as_deref(),
            Some(
                "$pbkdf2-sha256$i=27500$c2FsdHNhbHQ=$YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM="
            )
        );
        let both = json!({ "login": "ana", "keycloak": credential, "password_hash": BCRYPT });
        assert!(checked(both).is_err());
    }

    #[test]
    fn unsafe_and_unbounded_hashes_are_refused() {
        for hash in [
            "correct horse",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            &BCRYPT.replace("$10$", "$04$"),
            &BCRYPT.replace("$10$", "$31$"),
            &BCRYPT[..59],
            "$pbkdf2-sha1$i=27500$c2FsdHNhbHQ=$YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM=",
            "$pbkdf2-sha256$i=1000$c2FsdHNhbHQ=$YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM=",
            "$pbkdf2-sha256$i=27500$c2FsdA==$YywoEuRtRgQQK6dhjp1tfS+BKPYma0oDJk0qBGC33LM=",
            "$argon2id$v=19$m=1048576,t=1,p=2$c2FsdHNhbHRzYWx0$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w",
            "$argon2id$v=19$m=256,t=1,p=2$c2FsdHNhbHRzYWx0$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w",
            "$argon2id$v=16$m=19456,t=1,p=2$c2FsdHNhbHRzYWx0$DSIWbqYfGpHBsSnpXNTXXKEMUFKp3Hd0j8M9T1i2S7w",
        ] {
            assert!(
                checked(json!({ "login": "ana", "password_hash": hash })).is_err(),
                "{hash}"
            );
        }
    }
}
