//! Tokens that the host checks for the components: in wasm an Ed25519 signature costs several times as much, and each
//! instance would check it again.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use http::{HeaderMap, header};
use lru::LruCache;
use serde::Deserialize;

/// A token is a few hundred bytes; the host does not look at longer ones.
const MAX_TOKEN_BYTES: usize = 8 << 10;
/// Tokens whose signature is known to be right.
const MAX_KNOWN: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);

/// Checks the signatures of tokens with the keys of the manifest's `bearer_keys`.
pub struct Bearer {
    keys: Vec<(String, VerifyingKey)>,
    known: Mutex<LruCache<Box<str>, ()>>,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

/// Keys of other kinds have other members, and may stand beside these.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kid: String,
    kty: String,
    crv: String,
    x: String,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    /// Extensions that must be understood; none is.
    crit: Option<serde_json::Value>,
}

impl Bearer {
    /// From a JWKS, of which the Ed25519 keys count.
    pub fn parse(jwks: &str) -> Result<Self> {
        let jwks: Jwks = serde_json::from_str(jwks).context("bearer_keys is no JWKS")?;
        let keys = jwks.keys.into_iter().filter_map(|key| {
            let bytes = (key.kty == "OKP" && key.crv == "Ed25519").then(|| decode(&key.x))??;
            let bytes = bytes.try_into().ok()?;
            Some((key.kid, VerifyingKey::from_bytes(&bytes).ok()?))
        });
        Ok(Self {
            keys: keys.collect(),
            known: Mutex::new(LruCache::new(MAX_KNOWN)),
        })
    }

    /// Whether the only `authorization` of a request is a token that one of the keys has signed.
    pub fn vouches_for(&self, headers: &HeaderMap) -> bool {
        let Some(token) = token(headers) else {
            return false;
        };
        if self.lock_known().get(token).is_some() {
            return true;
        }
        let is_signed = self.check(token).is_some();
        if is_signed {
            self.lock_known().put(token.into(), ());
        }
        is_signed
    }

    fn lock_known(&self) -> MutexGuard<'_, LruCache<Box<str>, ()>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, token: &str) -> Option<()> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, _) = message.split_once('.')?;
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        if header.alg != "EdDSA" || header.crit.is_some() {
            return None;
        }
        let (_, key) = self.keys.iter().find(|(kid, _)| *kid == header.kid)?;
        let signature = Signature::from_slice(&decode(signature)?).ok()?;
        key.verify_strict(message.as_bytes(), &signature).ok()
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(given), None) = (given.next(), given.next()) else {
        return None;
    };
    let (scheme, token) = given.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= MAX_TOKEN_BYTES).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};
    use http::HeaderValue;
    use serde_json::{Value, json};

    fn sign(key: &SigningKey, header: &Value) -> String {
        let [header, claims] =
            [header, &json!({ "sub": "1" })].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature = key.sign(message.as_bytes()).to_bytes();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn headers(given: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for given in given {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(given).unwrap());
        }
        headers
    }

    #[test]
    fn the_host_vouches_only_for_what_a_known_key_signed() {
        let [ours, other] = [1, 2].map(|seed| SigningKey::from_bytes(&[seed; 32]));
        let x = URL_SAFE_NO_PAD.encode(ours.verifying_key().as_bytes());
        let jwks = json!({ "keys": [
            { "kty": "RSA", "kid": "old", "n": "AQAB" },
            { "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x },
        ] });
        let bearer = Bearer::parse(&jwks.to_string()).unwrap();
        let header = json!({ "alg": "EdDSA", "kid": "k" });
        let good = sign(&ours, &header);
        let vouches = |given: &[&str]| bearer.vouches_for(&headers(given));
        for _ in 0..2 {
            assert!(vouches(&[&format!("Bearer {good}")]));
            assert!(vouches(&[&format!("bearer  {good} ")]));
        }
        assert_eq!(bearer.lock_known().len(), 1);

        let (message, signature) = good.rsplit_once('.').unwrap();
        for wrong in [
            sign(&other, &header),
            sign(&ours, &json!({ "alg": "EdDSA", "kid": "other" })),
            sign(&ours, &json!({ "alg": "none", "kid": "k" })),
            sign(
                &ours,
                &json!({ "alg": "EdDSA", "kid": "k", "crit": ["b64"] }),
            ),
            format!("{message}A.{signature}"),
            message.to_owned(),
            String::new(),
            format!("{good}{}", "A".repeat(MAX_TOKEN_BYTES)),
        ] {
            assert!(!vouches(&[&format!("Bearer {wrong}")]), "{wrong}");
        }
        let (given, basic) = (format!("Bearer {good}"), format!("Basic {good}"));
        for wrong in [&[][..], &[&*good], &[&*given, &*given], &[&*basic]] {
            assert!(!vouches(wrong), "{wrong:?}");
        }
        assert_eq!(bearer.lock_known().len(), 1);
        assert!(Bearer::parse("{}").is_err());
    }
}
