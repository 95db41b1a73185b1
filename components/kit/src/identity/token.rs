//! Access tokens: compact JWTs signed with Ed25519, and nothing else.
//!
//! One algorithm is known, and the key is found by `kid` among our own: a token cannot bring its key or
//! choose how it is checked. The format stands here for both sides ([`signing_input`]); signin alone holds
//! the private key and signs.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::generations::Generations;
use super::role::Roles;
use crate::setting::setting;

/// Clocks of two machines differ by this much at most.
const LEEWAY_S: i64 = 5;
/// A token is a few hundred bytes; what is longer is not looked at.
const LONGEST: usize = 8 * 1024;

/// What a token says about its bearer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: Uuid,
    pub username: String,
    pub roles: Roles,
    /// The sign-in this token descends from.
    pub sid: Uuid,
    pub jti: Uuid,
    pub iat: i64,
    pub exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// What the token may be used for, separated by spaces; absent means everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// When the person last proved who they are, in Unix seconds. Tokens of earlier releases lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How they proved it, in the words of RFC 8176.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the token is not one of ours")]
    Invalid,
    #[error("the token has expired")]
    Expired,
}

/// The published keys, by `kid`.
#[derive(Debug)]
pub struct Keys(Vec<(String, VerifyingKey)>);

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

/// Keys of other kinds have other members, and may stand beside ours.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kid: String,
    kty: String,
    crv: String,
    x: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: String,
    /// Extensions that a verifier must understand: we understand none.
    #[serde(default, skip_serializing)]
    crit: Option<serde_json::Value>,
}

impl Keys {
    /// Reads a JWKS; a key that is not Ed25519 is passed over.
    pub fn parse(jwks: &str) -> Result<Self, serde_json::Error> {
        let jwks: Jwks = serde_json::from_str(jwks)?;
        Ok(Self(
            jwks.keys
                .into_iter()
                .filter(|it| it.kty == "OKP" && it.crv == "Ed25519")
                .filter_map(|it| {
                    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(it.x).ok()?.try_into().ok()?;
                    Some((it.kid, VerifyingKey::from_bytes(&bytes).ok()?))
                })
                .collect(),
        ))
    }

    fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.0.iter().find(|it| it.0 == kid).map(|it| &it.1)
    }

    /// The claims of a token that we signed for `audience` and that is in force `now`.
    pub fn verify(
        &self,
        token: &str,
        issuer: &str,
        audience: &str,
        now: i64,
    ) -> Result<Claims, Refused> {
        let claims = self.signed(token).ok_or(Refused::Invalid)?;
        claims.accepted(issuer, audience, now)
    }

    fn signed(&self, token: &str) -> Option<Claims> {
        if token.len() > LONGEST {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Header = parsed(header)?;
        if header.alg != "EdDSA" || header.crit.is_some() {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let signature = Signature::from_slice(&signature).ok()?;
        self.get(&header.kid)?
            .verify_strict(message.as_bytes(), &signature)
            .ok()?;
        parsed(claims)
    }
}

impl Claims {
    /// What a token says whose signature the host has checked.
    fn vouched_for(token: &str) -> Option<Self> {
        let (_, rest) = token.split_once('.')?;
        let (claims, _) = rest.split_once('.')?;
        parsed(claims)
    }

    fn accepted(self, issuer: &str, audience: &str, now: i64) -> Result<Self, Refused> {
        if self.iss != issuer || self.aud != audience {
            return Err(Refused::Invalid);
        }
        in_force(&self, now)?;
        Ok(self)
    }
}

fn parsed<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn in_force(claims: &Claims, now: i64) -> Result<(), Refused> {
    let starts = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
    if starts > now.saturating_add(LEEWAY_S) {
        return Err(Refused::Invalid);
    }
    if claims.exp <= now {
        return Err(Refused::Expired);
    }
    Ok(())
}

/// What is signed of a token (the JWS signing input of RFC 7515): header and claims. The signature follows
/// behind another dot.
pub fn signing_input(kid: &str, claims: &Claims) -> Result<String, serde_json::Error> {
    let header = Header {
        alg: "EdDSA".to_owned(),
        typ: Some("JWT".to_owned()),
        kid: kid.to_owned(),
        crit: None,
    };
    let mut input = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?);
    input.push('.');
    input.push_str(&URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?));
    Ok(input)
}

/// Verified tokens of one generation: an Ed25519 check costs more than the rest of a small request.
const REMEMBERED: usize = 512;

/// Half of a signature: no two tokens of ours end alike, and it is quicker to hash than a whole one.
type Ending = [u8; 32];

/// The whole token and what it says.
type Verified = (Box<str>, Arc<Claims>);

thread_local! {
    static KEYS: Cell<Option<&'static Keys>> = const { Cell::new(None) };
    static VERIFIED: RefCell<Generations<Ending, Verified>> = RefCell::new(Generations::new(REMEMBERED));
}

/// Why a token could not even be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Unverifiable {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Setting(#[from] crate::setting::Unset),
    #[error("`jwt_public_keys` is no JWKS: {0}")]
    Keys(#[from] serde_json::Error),
}

/// A mark of requests over `wharf:http`: the host vouches for the token in the header (`wit/http.wit`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vouched;

/// Checks a token against the variables `jwt_public_keys`, `jwt_issuer` and `jwt_audience`.
pub(super) async fn verify(
    token: &str,
    vouched: Option<Vouched>,
    now: i64,
) -> Result<Arc<Claims>, Unverifiable> {
    let ending: Ending = *token.as_bytes().last_chunk().ok_or(Refused::Invalid)?;
    let verified = VERIFIED.with_borrow_mut(|it| {
        let (whole, claims) = it.get(&ending)?;
        (**whole == *token).then(|| Arc::clone(claims))
    });
    if let Some(claims) = verified {
        in_force(&claims, now)?;
        return Ok(claims);
    }
    let claims = match vouched {
        Some(Vouched) => Claims::vouched_for(token),
        None => published_keys().await?.signed(token),
    };
    let claims = claims.ok_or(Refused::Invalid)?;
    let (issuer, audience) = (setting("jwt_issuer").await?, setting("jwt_audience").await?);
    let claims = Arc::new(claims.accepted(issuer, audience, now)?);
    VERIFIED.with_borrow_mut(|it| it.insert(ending, (token.into(), Arc::clone(&claims))));
    Ok(claims)
}

async fn published_keys() -> Result<&'static Keys, Unverifiable> {
    if let Some(keys) = KEYS.get() {
        return Ok(keys);
    }
    let keys: &'static Keys = Box::leak(Box::new(Keys::parse(setting("jwt_public_keys").await?)?));
    KEYS.set(Some(keys));
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;
    use crate::identity::Role;

    const NOW: i64 = 1_800_000_000;

    struct Signer {
        kid: String,
        key: SigningKey,
    }

    impl Signer {
        fn sign(&self, claims: &Claims) -> String {
            let input = signing_input(&self.kid, claims).unwrap();
            let signature = self.key.sign(input.as_bytes()).to_bytes();
            format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn signer(seed: u8) -> Signer {
        Signer {
            kid: format!("k{seed}"),
            key: SigningKey::from_bytes(&[seed; 32]),
        }
    }

    fn keys(signer: &Signer) -> Keys {
        Keys(vec![(signer.kid.clone(), signer.key.verifying_key())])
    }

    fn claims() -> Claims {
        Claims {
            iss: "wharf".to_owned(),
            aud: "wharf".to_owned(),
            sub: Uuid::from_u128(7),
            username: "ana".to_owned(),
            roles: Roles::default().with(Role::Driver),
            sid: Uuid::from_u128(8),
            jti: Uuid::from_u128(9),
            iat: NOW,
            exp: NOW + 60,
            nbf: None,
            scope: None,
            auth_time: None,
            amr: Vec::new(),
        }
    }

    #[test]
    fn what_we_signed_is_ours_until_it_expires() {
        let signer = signer(1);
        let token = signer.sign(&claims());
        let keys = keys(&signer);
        assert_eq!(keys.verify(&token, "wharf", "wharf", NOW), Ok(claims()));
        assert_eq!(
            keys.verify(&token, "wharf", "wharf", NOW + 60),
            Err(Refused::Expired)
        );
        assert_eq!(
            keys.verify(&token, "other", "wharf", NOW),
            Err(Refused::Invalid)
        );
    }

    #[test]
    fn a_stranger_key_under_our_name_is_refused() {
        let ours = signer(1);
        let mut forger = signer(2);
        forger.kid.clone_from(&ours.kid);
        let token = forger.sign(&claims());
        assert_eq!(
            keys(&ours).verify(&token, "wharf", "wharf", NOW),
            Err(Refused::Invalid)
        );
    }

    #[test]
    fn a_token_cannot_choose_its_algorithm() {
        let signer = signer(1);
        let token = signer.sign(&claims());
        let (_, rest) = token.split_once('.').unwrap();
        for alg in ["none", "HS256", "eddsa"] {
            let header = format!(r#"{{"alg":"{alg}","kid":"{}"}}"#, signer.kid);
            let forged = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(
                keys(&signer).verify(&forged, "wharf", "wharf", NOW),
                Err(Refused::Invalid)
            );
        }
    }

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let signer = signer(1);
        let x = URL_SAFE_NO_PAD.encode(signer.key.verifying_key().as_bytes());
        let jwks = format!(
            r#"{{"keys":[{{"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB"}},{{}},
                {{"kty":"OKP","crv":"Ed25519","kid":"{}","x":"{x}"}}]}}"#,
            signer.kid
        );
        let token = signer.sign(&claims());
        let keys = Keys::parse(&jwks).unwrap();
        assert_eq!(keys.verify(&token, "wharf", "wharf", NOW), Ok(claims()));
    }

    #[test]
    fn any_cut_token_is_refused() {
        let signer = signer(1);
        let token = signer.sign(&claims());
        for length in 0..token.len() {
            assert_eq!(
                keys(&signer).verify(&token[..length], "wharf", "wharf", NOW),
                Err(Refused::Invalid)
            );
        }
    }
}
