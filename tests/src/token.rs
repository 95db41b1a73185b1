//! Tokens taken apart, changed and signed again.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::Value;

/// A token taken apart.
pub struct Token {
    pub header: Value,
    pub claims: Value,
}

impl Token {
    pub fn of(text: &str) -> Self {
        let mut parts = text
            .split('.')
            .map(|it| URL_SAFE_NO_PAD.decode(it).expect("a token"));
        let mut part = || serde_json::from_slice(&parts.next().expect("a token")).expect("a token");
        Self {
            header: part(),
            claims: part(),
        }
    }

    pub fn with_header(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.header[member] = value.into();
        self
    }

    pub fn with_claim(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.claims[member] = value.into();
        self
    }

    /// What is signed.
    pub fn message(&self) -> String {
        let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }

    pub fn signed_by(&self, key: &SigningKey) -> String {
        let message = self.message();
        let signature = key.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}
