//! Other issuers, as a Keycloak realm: which of their tokens are accepted, and what those say of a user. No I/O.
//!
//! The operator configures the issuers; a token cannot name a key or an address of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header};
use kit::identity::{Role, Roles};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::account::{ForeignIdentity, NewAccount, RoleChange};
use crate::name::{Email, Login, Text};

/// An issuer whose tokens are accepted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// As `iss` says it.
    pub issuer: String,
    pub jwks_url: String,
    /// What `aud` must contain: tokens for other clients of the issuer are not for us.
    audience: String,
    /// Where the roles stand in the claims.
    #[serde(default = "keycloak_roles")]
    roles_claim: String,
    /// Our role by the issuer's name of it; other names grant nothing.
    #[serde(default)]
    roles: BTreeMap<String, Role>,
    /// Whether an account here with the same verified e-mail is the same person.
    #[serde(default)]
    pub link_by_email: bool,
}

fn keycloak_roles() -> String {
    "realm_access.roles".to_owned()
}

impl Issuer {
    /// The roles of a user after signing in: those held there, and those here that the issuer does not decide.
    pub fn role_change(&self, user: &ForeignUser) -> RoleChange {
        RoleChange {
            add: user.roles,
            drop: self.roles.values().copied().collect(),
        }
    }
}

/// A user of another issuer, as its token describes them.
#[derive(Debug, PartialEq, Eq)]
pub struct ForeignUser {
    subject: String,
    username: Option<String>,
    email: Option<String>,
    is_email_verified: bool,
    name: Option<String>,
    surname: Option<String>,
    roles: Roles,
    /// When the user last proved there who they are, in Unix seconds.
    proven_at: i64,
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

/// The signing key of that id. Only that one is read: an issuer may publish keys of kinds that we cannot read.
pub fn find_key(jwks: &str, kid: &str) -> Option<Jwk> {
    let jwks: Value = serde_json::from_str(jwks).ok()?;
    let is_it = |key: &&Value| {
        key.get("kid").and_then(Value::as_str) == Some(kid)
            && key.get("use").and_then(Value::as_str) != Some("enc")
    };
    let key = jwks.get("keys")?.as_array()?.iter().find(is_it)?;
    serde_json::from_value(key.clone()).ok()
}

/// The claims of a token that the key signed, for us, and that is in force.
pub fn verify(token: &str, key: &Jwk, issuer: &Issuer) -> Option<Map<String, Value>> {
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
    let key = DecodingKey::from_jwk(key).ok()?;
    Some(decode(token, &key, &rules).ok()?.claims)
}

impl ForeignUser {
    pub fn of(claims: &Map<String, Value>, issuer: &Issuer) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut path = issuer.roles_claim.split('.');
        let first = path.next().and_then(|it| claims.get(it));
        let named = path.fold(first, |value, step| value?.get(step));
        let named = named
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        Some(Self {
            subject: text("sub").filter(|it| !it.is_empty())?,
            username: text("preferred_username"),
            email: text("email"),
            is_email_verified: claims.get("email_verified") == Some(&Value::Bool(true)),
            name: text("given_name"),
            surname: text("family_name"),
            roles: named
                .iter()
                .filter_map(Value::as_str)
                .filter_map(|it| issuer.roles.get(it).copied())
                .collect(),
            proven_at: ["auth_time", "iat"]
                .iter()
                .find_map(|it| claims.get(*it)?.as_i64())
                .unwrap_or(0),
        })
    }

    /// Never in the future, whatever the issuer's clock says.
    pub fn proven_at(&self) -> Timestamp {
        let now = kit::now();
        Timestamp::from_second(self.proven_at).map_or(Timestamp::UNIX_EPOCH, |it| it.min(now))
    }

    pub fn identity(&self, issuer: &Issuer) -> ForeignIdentity {
        ForeignIdentity {
            issuer: issuer.issuer.clone(),
            subject: self.subject.clone(),
        }
    }

    /// The mailbox that the issuer verified.
    pub fn verified_email(&self) -> Option<Email> {
        let email = self.email.clone().filter(|_| self.is_email_verified)?;
        Email::try_from(email).ok()
    }

    /// The account of a user who signs in for the first time, or for the first time after being erased.
    pub fn account(&self, issuer: &Issuer) -> NewAccount {
        let id = Uuid::new_v4();
        let login = self
            .username
            .clone()
            .and_then(|it| Login::try_from(it).ok());
        let text = |it: &Option<String>| it.clone().and_then(|it| Text::try_from(it).ok());
        NewAccount {
            id,
            login: login.unwrap_or_else(|| Login::from(id)),
            email: self.verified_email(),
            name: text(&self.name),
            surname: text(&self.surname),
            cpf: None,
            telegram_id: None,
            roles: self.roles,
            created_by: None,
            foreign_identity: Some(self.identity(issuer)),
        }
    }
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
            "roles": {"driver": "driver", "boss": "owner"},
        }))
        .unwrap()
    }

    fn claims() -> Map<String, Value> {
        let claims = json!({
            "iss": "https://id.test/realms/parking-users",
            "aud": ["account", "parking-auth"],
            "sub": "f:1",
            "exp": 4_000_000_000_u64,
            "preferred_username": "ana",
            "email": "ana@example.org",
            "email_verified": true,
            "realm_access": {"roles": ["boss", "uma_authorization", "admin"]},
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
        verify(&signed(&claims), &pair().1, &issuer()).is_some()
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
        assert!(verify(&token.unwrap(), &jwk, &issuer()).is_none());
    }

    #[test]
    fn only_mapped_roles_are_granted() {
        let user = ForeignUser::of(&claims(), &issuer()).unwrap();
        assert_eq!(user.roles, Roles::default().with(Role::Owner));
        let account = user.account(&issuer());
        assert_eq!(account.login.as_str(), "ana");
        assert_eq!(
            account.email.as_ref().map(Email::as_str),
            Some("ana@example.org")
        );
        assert_eq!(account.foreign_identity, Some(user.identity(&issuer())));
    }

    #[test]
    fn an_unverified_email_is_ignored() {
        let mut claims = claims();
        claims.insert("email_verified".into(), json!("true"));
        let user = ForeignUser::of(&claims, &issuer()).unwrap();
        assert!(user.account(&issuer()).email.is_none());
    }

    #[test]
    fn a_key_is_found_by_its_id_among_keys_that_cannot_be_read() {
        let (_, jwk) = pair();
        let mut signing = serde_json::to_value(&jwk).unwrap();
        signing["kid"] = json!("k");
        let jwks = json!({"keys": [{"kty": "RSA", "kid": "e", "use": "enc", "alg": "RSA-OAEP"}, {"kty": "new"}, signing]});
        assert!(find_key(&jwks.to_string(), "k").is_some());
        assert!(find_key(&jwks.to_string(), "e").is_none());
        assert!(find_key(&jwks.to_string(), "x").is_none());
    }
}
