//! The signing key of a run, and tokens that both servers accept.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use kit::identity::token::Claims;
use kit::identity::{Role, Roles};
use serde_json::{Value, json};
use signin::token::SigningPair;
use uuid::Uuid;

/// The issuer and audience in the manifests.
pub const ISSUER: &str = "wharf";

pub struct Keys {
    /// PKCS#8 in PEM.
    pub private: String,
    pub jwks: String,
    pair: SigningPair,
}

impl Keys {
    pub fn new() -> Result<Self> {
        // Not secret: the stores are deleted after the run.
        let key = SigningKey::from_bytes(&[7; 32]);
        let private = key.to_pkcs8_pem(LineEnding::LF)?.to_string();
        let pair = SigningPair::from_pem(&private)?;
        let kid = key_id(&pair.sign(&claims(0))?)?;
        let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let jwks = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": x }] });
        Ok(Self {
            private,
            jwks: jwks.to_string(),
            pair,
        })
    }

    /// A new token of this user.
    pub fn token(&self, number: u64) -> Result<String> {
        Ok(self.pair.sign(&claims(number))?)
    }
}

/// Reads the key id that `sign` puts into tokens.
fn key_id(token: &str) -> Result<Value> {
    let header = token.split('.').next().unwrap_or_default();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header)?)?;
    header.get("kid").cloned().context("a kid")
}

pub fn user_id(number: u64) -> Uuid {
    Uuid::from_u128(0x4000_8000_0000_0000_0000 + u128::from(number))
}

fn claims(number: u64) -> Claims {
    let now = kit::now().as_second();
    let roles = [Role::Driver, Role::Owner, Role::Admin];
    Claims {
        iss: ISSUER.to_owned(),
        aud: ISSUER.to_owned(),
        sub: user_id(number),
        username: format!("user-{number}"),
        roles: roles.into_iter().fold(Roles::default(), Roles::with),
        sid: user_id(number),
        jti: Uuid::now_v7(),
        iat: now,
        exp: now + 86_400,
        nbf: None,
        scope: None,
        auth_time: Some(now),
        amr: vec!["pwd".to_owned()],
    }
}
