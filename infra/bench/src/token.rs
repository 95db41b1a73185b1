//! The key of a run, and a token that both servers take.

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use kit::Roles;
use kit::token::{Claims, SigningPair};
use serde_json::json;
use uuid::Uuid;

pub const ISSUER: &str = "bench";

pub struct Keys {
    /// As the variable `jwt_public_keys` has it.
    pub jwks: String,
    pair: SigningPair,
}

impl Keys {
    pub fn make() -> Result<Self> {
        // Nothing is kept secret here.
        let key = SigningKey::from_bytes(&[7; 32]);
        let pair = SigningPair::from_pem(&key.to_pkcs8_pem(LineEnding::LF)?)?;
        let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        // The name under which `sign` calls it.
        let kid = serde_json::from_slice::<serde_json::Value>(
            &URL_SAFE_NO_PAD.decode(pair.sign(&claims())?.split('.').next().unwrap_or_default())?,
        )?;
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid["kid"] });
        Ok(Self {
            jwks: json!({ "keys": [key] }).to_string(),
            pair,
        })
    }

    pub fn token(&self) -> Result<String> {
        Ok(self.pair.sign(&claims())?)
    }
}

fn claims() -> Claims {
    let now = kit::now().as_second();
    Claims {
        iss: ISSUER.to_owned(),
        aud: ISSUER.to_owned(),
        sub: Uuid::from_u128(1),
        username: "bench".to_owned(),
        roles: Roles::default(),
        sid: Uuid::from_u128(2),
        jti: Uuid::from_u128(3),
        iat: now,
        exp: now + 86_400,
        nbf: None,
        scope: None,
    }
}
