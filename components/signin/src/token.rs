//! The key that signs tokens. Verifying them, and what both sides agree on, is [`kit::identity::token`].

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use kit::identity::token::{Claims, signing_input};
use sha2::{Digest, Sha256};

/// A private key, with the id under which its public half is published.
pub struct SigningPair {
    kid: String,
    key: SigningKey,
}

/// The private key cannot be read. Its text is never part of an error.
#[derive(Debug, thiserror::Error)]
#[error("the signing key is no Ed25519 key in PKCS#8 PEM")]
pub struct BadKey;

impl SigningPair {
    pub fn from_pem(pem: &str) -> Result<Self, BadKey> {
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| BadKey)?;
        Ok(Self {
            kid: thumbprint(&key.verifying_key()),
            key,
        })
    }

    pub fn sign(&self, claims: &Claims) -> Result<String, serde_json::Error> {
        let input = signing_input(&self.kid, claims)?;
        let signature = self.key.sign(input.as_bytes()).to_bytes();
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    pub fn public(&self) -> VerifyingKey {
        self.key.verifying_key()
    }
}

/// The id of a key: its JWK thumbprint (RFC 7638).
fn thumbprint(key: &VerifyingKey) -> String {
    let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::pkcs8::EncodePrivateKey;
    use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
    use kit::identity::token::Keys;
    use kit::identity::{Role, Roles};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_signed_token_is_verified_by_the_published_key() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        let pair = SigningPair::from_pem(&pem).unwrap();
        let claims = Claims {
            iss: "wharf".to_owned(),
            aud: "wharf".to_owned(),
            sub: Uuid::from_u128(7),
            username: "ana".to_owned(),
            roles: Roles::default().with(Role::Driver),
            sid: Uuid::from_u128(8),
            jti: Uuid::from_u128(9),
            iat: 1_800_000_000,
            exp: 1_800_000_060,
            nbf: None,
            scope: None,
            auth_time: Some(1_800_000_000),
            amr: vec!["pwd".to_owned()],
        };
        let token = pair.sign(&claims).unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public().as_bytes());
        let (kid, jwk) = (&pair.kid, r#""kty":"OKP","crv":"Ed25519""#);
        let jwks = format!(r#"{{"keys":[{{{jwk},"kid":"{kid}","x":"{x}"}}]}}"#);
        let keys = Keys::parse(&jwks).unwrap();
        assert_eq!(
            keys.verify(&token, "wharf", "wharf", 1_800_000_000),
            Ok(claims)
        );
    }

    #[test]
    fn a_text_that_is_no_key_is_refused() {
        assert!(SigningPair::from_pem("-----BEGIN PRIVATE KEY-----").is_err());
    }
}
