//! Files that are verified without the platform: signed with a key of their own, whose public half is published.
//!
//! A file is a JWS in its flattened JSON form (RFC 7515) over a JSON document, with EdDSA (RFC 8037). `infra/verify`
//! checks one offline.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use kit::web::Schema;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::Error;

/// A signed document.
#[derive(Debug, Serialize, Schema)]
pub struct SignedFile {
    /// The JSON document, in base64url.
    pub payload: String,
    /// The JWS header: the algorithm and the id of the key, in base64url.
    pub protected: String,
    /// In base64url.
    pub signature: String,
}

/// Public keys as a JWKS (RFC 7517).
#[derive(Debug, Serialize, Schema)]
pub struct Keys {
    pub keys: Vec<Value>,
}

/// The key that signs.
pub struct CaseKey(SigningKey);

impl CaseKey {
    /// Derived from the secret of the variable `case_key`.
    pub fn of(secret: &str) -> Result<Self, Error> {
        if secret.is_empty() {
            return Err(Error::Stored("the variable case_key"));
        }
        let seed = Sha256::new()
            .chain_update("wharf case file\0")
            .chain_update(secret)
            .finalize();
        Ok(Self(SigningKey::from_bytes(&seed.into())))
    }

    fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.verifying_key().as_bytes())
    }

    /// The thumbprint of the public key (RFC 7638, RFC 8037).
    fn id(&self) -> String {
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.public());
        URL_SAFE_NO_PAD.encode(Sha256::digest(members))
    }

    pub fn sign(&self, document: &Value) -> SignedFile {
        let protected = json!({ "alg": "EdDSA", "kid": self.id() }).to_string();
        let protected = URL_SAFE_NO_PAD.encode(protected);
        let payload = URL_SAFE_NO_PAD.encode(document.to_string());
        let signature = self.0.sign(format!("{protected}.{payload}").as_bytes());
        SignedFile {
            signature: URL_SAFE_NO_PAD.encode(signature.to_bytes()),
            payload,
            protected,
        }
    }

    /// Its public half, and the retired ones of the variable `case_retired_keys`: a JSON list of JWKs.
    pub fn published(&self, retired: &str) -> Result<Keys, Error> {
        let mut keys: Vec<Value> = serde_json::from_str(retired)
            .map_err(|_| Error::Stored("the variable case_retired_keys"))?;
        let key = json!({
            "kty": "OKP", "crv": "Ed25519", "x": self.public(), "kid": self.id(), "alg": "EdDSA", "use": "sig",
        });
        keys.insert(0, key);
        Ok(Keys { keys })
    }
}

/// The digest of a rule, as it stands in the file.
pub fn digest(rule: &Value) -> String {
    hex(&Sha256::digest(rule.to_string()))
}

pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, VerifyingKey};

    use super::*;

    #[test]
    fn a_file_is_verified_with_the_published_key_and_no_other() {
        let key = CaseKey::of("a secret").unwrap();
        let file = key.sign(&json!({ "fine": 7 }));
        let published = key.published("[]").unwrap();
        let x = published.keys[0]["x"].as_str().unwrap();
        let public: [u8; 32] = URL_SAFE_NO_PAD.decode(x).unwrap().try_into().unwrap();
        let public = VerifyingKey::from_bytes(&public).unwrap();
        let signature: [u8; 64] = URL_SAFE_NO_PAD
            .decode(&file.signature)
            .unwrap()
            .try_into()
            .unwrap();
        let signature = Signature::from_bytes(&signature);
        let signed = |payload: &str| format!("{}.{payload}", file.protected);
        assert!(
            public
                .verify_strict(signed(&file.payload).as_bytes(), &signature)
                .is_ok()
        );
        let other = URL_SAFE_NO_PAD.encode(r#"{"fine":8}"#);
        assert!(
            public
                .verify_strict(signed(&other).as_bytes(), &signature)
                .is_err()
        );
        assert_ne!(CaseKey::of("another").unwrap().id(), key.id());
        assert!(CaseKey::of("").is_err());
    }
}
