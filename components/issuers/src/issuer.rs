//! Other issuers: which of their tokens are accepted. No I/O.
//!
//! The operator configures the issuers; a token cannot name a key or an address of its own.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

/// An issuer whose tokens are accepted. What its claims mean here stands in the same configuration and is for signin.
#[derive(Debug, Deserialize)]
pub struct Issuer {
    /// As `iss` says it.
    pub issuer: String,
    pub jwks_url: String,
    /// What `aud` must contain: tokens for other clients of the issuer are not for us.
    audience: String,
}

/// The configured issuer that a token names. Nothing else of an unverified token is read.
pub fn named_by<'a>(token: &str, issuers: &'a [Issuer]) -> Option<&'a Issuer> {
    let claims: Map<String, Value> = dangerous::insecure_decode_claims(token).ok()?;
    let name = claims.get("iss")?.as_str()?;
    issuers.iter().find(|it| it.issuer == name)
}

/// The id of the key that signed a token.
pub fn key_id(token: &str) -> Option<String> {
    decode_header(token).ok()?.kid
}

/// The signing keys of that id: keys of several kinds may share one. Only those are read: an issuer may publish keys of
/// kinds that we cannot read.
pub fn find_keys(jwks: &str, kid: &str) -> Vec<Jwk> {
    let jwks = serde_json::from_str(jwks).unwrap_or(Value::Null);
    let is_it = |key: &&Value| {
        key.get("kid").and_then(Value::as_str) == Some(kid)
            && key.get("use").and_then(Value::as_str) != Some("enc")
    };
    let keys = jwks.get("keys").and_then(Value::as_array);
    let keys = keys.into_iter().flatten().filter(is_it);
    keys.filter_map(|it| serde_json::from_value(it.clone()).ok())
        .collect()
}

/// The claims of a token that one of the keys signed, for us, and that is in force.
pub fn verify(token: &str, keys: &[Jwk], issuer: &Issuer) -> Option<Map<String, Value>> {
    // Asymmetric ones only: a public key must never serve as the secret of an HMAC.
    const ALGORITHMS: [Algorithm; 6] = [
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
    ];
    let algorithm = decode_header(token).ok()?.alg;
    if !ALGORITHMS.contains(&algorithm) {
        return None;
    }
    let mut rules = Validation::new(algorithm);
    rules.set_issuer(&[&issuer.issuer]);
    rules.set_audience(&[&issuer.audience]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.validate_nbf = true;
    rules.leeway = 5;
    keys.iter().find_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        Some(decode(token, &key, &rules).ok()?.claims)
    })
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    fn issuer() -> Issuer {
        serde_json::from_value(json!({
            "issuer": "https://id.test/realms/parking-users",
            "jwks_url": "https://id.test/certs",
            "audience": "parking-auth",
            "roles": {"driver": "driver"},
        }))
        .unwrap()
    }

    fn claims() -> Map<String, Value> {
        let claims = json!({
            "iss": "https://id.test/realms/parking-users",
            "aud": ["account", "parking-auth"],
            "sub": "f:1",
            "exp": 4_000_000_000_u64,
        });
        claims.as_object().unwrap().clone()
    }

    /// A key pair, in PKCS#8 and as the JWK of its public half.
    fn pair() -> (EncodingKey, Jwk) {
        use ed25519_dalek::SigningKey;
        use ed25519_dalek::pkcs8::EncodePrivateKey;
        let key = SigningKey::from_bytes(&[7; 32]);
        let der = key.to_pkcs8_der().unwrap();
        let x = base64::Engine::encode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            key.verifying_key().as_bytes(),
        );
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x});
        (
            EncodingKey::from_ed_der(der.as_bytes()),
            serde_json::from_value(jwk).unwrap(),
        )
    }

    fn signed(claims: &Map<String, Value>) -> String {
        let header = Header {
            kid: Some("k".to_owned()),
            ..Header::new(Algorithm::EdDSA)
        };
        encode(&header, claims, &pair().0).unwrap()
    }

    fn is_accepted(change: impl Fn(&mut Map<String, Value>)) -> bool {
        let mut claims = claims();
        change(&mut claims);
        verify(&signed(&claims), &[pair().1], &issuer()).is_some()
    }

    #[test]
    fn a_token_is_accepted_that_is_for_us_and_in_force() {
        assert!(is_accepted(|_| {}));
        assert!(!is_accepted(|it| drop(
            it.insert("aud".into(), json!("account"))
        )));
        assert!(!is_accepted(|it| drop(it.remove("aud"))));
        assert!(!is_accepted(|it| drop(
            it.insert("iss".into(), json!("https://evil.test"))
        )));
        assert!(!is_accepted(|it| drop(it.insert("exp".into(), json!(1)))));
        assert!(!is_accepted(|it| drop(it.remove("exp"))));
        assert!(!is_accepted(|it| drop(
            it.insert("nbf".into(), json!(3_999_999_999_u64))
        )));
    }

    #[test]
    fn a_public_key_never_serves_as_an_hmac_secret() {
        let (_, jwk) = pair();
        let secret = serde_json::to_vec(&jwk).unwrap();
        let token = encode(
            &Header::new(Algorithm::HS256),
            &claims(),
            &EncodingKey::from_secret(&secret),
        );
        assert!(verify(&token.unwrap(), &[jwk], &issuer()).is_none());
    }

    #[test]
    fn a_key_is_found_by_its_id_among_keys_that_cannot_be_read() {
        let (_, jwk) = pair();
        let mut signing = serde_json::to_value(&jwk).unwrap();
        signing["kid"] = json!("k");
        let jwks = json!({"keys": [{"kty": "RSA", "kid": "e", "use": "enc", "alg": "RSA-OAEP"}, {"kty": "new"}, signing]});
        let count = |kid: &str| find_keys(&jwks.to_string(), kid).len();
        assert_eq!(["k", "e", "x"].map(count), [1, 0, 0]);
    }

    #[test]
    fn either_of_two_keys_of_one_id_may_have_signed() {
        let other = json!({"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"});
        let jwks = json!({"keys": [other, pair().1]}).to_string();
        let mut keys = find_keys(&jwks, "k");
        assert_eq!(keys.len(), 2);
        assert!(verify(&signed(&claims()), &keys, &issuer()).is_some());
        keys.pop();
        assert!(verify(&signed(&claims()), &keys, &issuer()).is_none());
    }
}
