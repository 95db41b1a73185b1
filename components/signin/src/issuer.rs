//! Tokens of other issuers, as a Keycloak realm: whose word is taken, for
//! what, and who their people are here.
//!
//! Other functions never see such a token: it is exchanged here for one of
//! ours, since none of them could check it without asking its issuer. Issuers
//! are configured by the operator; a token cannot name a key or an address of
//! its own.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header};
use kit::outbound::{self, Failed};
use kit::{Db, Role, Roles, setting};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::account::{Account, Email, ForeignName, Login, NewAccount, Text};
use crate::client::Client;
use crate::entering;
use crate::error::Error;
use crate::issue::{SignedIn, Start};
use crate::store::{self, RoleChange};

/// Keys are read again after this, so that one that was withdrawn stops counting.
const KEYS_LAST_S: i64 = 3_600;
/// Where an issuer does not answer, what it said last counts for so long and no longer.
const KEYS_COUNT_S: i64 = 86_400;
/// However many tokens with unknown keys arrive, an issuer is not asked more often.
const PAUSE_S: i64 = 60;
/// Whoever signs in waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// An issuer whose word is taken.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Issuer {
    /// As `iss` says it.
    issuer: String,
    jwks_url: String,
    /// What `aud` must contain: the realm's other clients' tokens are not for us.
    audience: String,
    /// Where the roles stand in the claims, as `realm_access.roles`.
    #[serde(default = "realm_roles")]
    roles_claim: String,
    /// Their names of roles to ours; other names give nothing.
    #[serde(default)]
    roles: BTreeMap<String, Role>,
    /// Whether somebody with the same verified e-mail here is the same person.
    #[serde(default)]
    link_by_email: bool,
}

fn realm_roles() -> String {
    "realm_access.roles".to_owned()
}

/// Somebody an issuer vouches for.
#[derive(Debug, PartialEq, Eq)]
struct Stranger {
    subject: String,
    username: Option<String>,
    email: Option<String>,
    is_email_verified: bool,
    name: Option<String>,
    surname: Option<String>,
    roles: Roles,
}

/// A session of ours for the bearer of a token of theirs.
pub async fn enter(token: &str, client: &Client) -> Result<SignedIn, Error> {
    let issuers: Vec<Issuer> = serde_json::from_str(setting("foreign_issuers").await?)?;
    let issuer = named_by(token, &issuers).ok_or(Error::BadForeignToken)?;
    let db = store::open().await?;
    let claims = verified(&db, token, issuer).await?;
    let stranger = Stranger::of(&claims, issuer).ok_or(Error::BadForeignToken)?;
    let start = Start::brief("foreign").await?;
    let account = welcomed(&db, issuer, &stranger, &start, client).await?;
    start.tokens(account).await
}

/// The configured issuer that the token says it is from. Nothing else of an unverified token is read.
fn named_by<'a>(token: &str, issuers: &'a [Issuer]) -> Option<&'a Issuer> {
    let claims: Map<String, Value> = dangerous::insecure_decode_claims(token).ok()?;
    let name = claims.get("iss")?.as_str()?;
    issuers.iter().find(|it| it.issuer == name)
}

async fn verified(db: &Db, token: &str, issuer: &Issuer) -> Result<Map<String, Value>, Error> {
    let kid = decode_header(token).ok().and_then(|it| it.kid);
    let kid = kid.ok_or(Error::BadForeignToken)?;
    let mut key = None;
    if let Some(keys) = store::foreign_keys(db, &issuer.issuer).await?
        && keys.age_s < KEYS_LAST_S
    {
        key = key_of(&keys.jwks, &kid);
    }
    if key.is_none() {
        key = read_again(db, issuer)
            .await?
            .and_then(|it| key_of(&it, &kid));
    }
    let key = key.ok_or(Error::BadForeignToken)?;
    claims_of(token, &key, issuer).ok_or(Error::BadForeignToken)
}

/// The issuer's keys as they are now; if it was asked a moment ago or does not answer, as they
/// were a while ago.
async fn read_again(db: &Db, issuer: &Issuer) -> Result<Option<String>, Error> {
    let mut unanswered = None;
    if store::claim_foreign_keys(db, &issuer.issuer, PAUSE_S).await? {
        match published(&issuer.jwks_url).await {
            Ok(jwks) => {
                store::keep_foreign_keys(db, &issuer.issuer, &jwks).await?;
                return Ok(Some(jwks.to_string()));
            }
            Err(failed) => unanswered = Some(failed),
        }
    }
    let kept = store::foreign_keys(db, &issuer.issuer).await?;
    match (kept.filter(|it| it.age_s < KEYS_COUNT_S), unanswered) {
        (Some(keys), _) => Ok(Some(keys.jwks)),
        (None, Some(failed)) => Err(failed.into()),
        (None, None) => Ok(None),
    }
}

async fn published(address: &str) -> Result<Value, Failed> {
    let request = Request::get(address)
        .header(header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|_| Failed::NoAddress)?;
    let answer = outbound::send(request, PATIENCE).await?;
    if answer.status != StatusCode::OK {
        return Err(Failed::NoAnswer(format!(
            "the issuer's keys: {}",
            answer.status
        )));
    }
    serde_json::from_slice(&answer.body).map_err(|it| Failed::NoAnswer(it.to_string()))
}

/// One key is read, not the set: an issuer may publish others that we cannot read.
fn key_of(jwks: &str, kid: &str) -> Option<Jwk> {
    let jwks: Value = serde_json::from_str(jwks).ok()?;
    let is_it = |key: &&Value| {
        key.get("kid").and_then(Value::as_str) == Some(kid)
            && key.get("use").and_then(Value::as_str) != Some("enc")
    };
    let key = jwks.get("keys")?.as_array()?.iter().find(is_it)?;
    serde_json::from_value(key.clone()).ok()
}

fn claims_of(token: &str, key: &Jwk, issuer: &Issuer) -> Option<Map<String, Value>> {
    // With a public key nothing symmetric can be meant.
    const SIGNED: [Algorithm; 6] = [
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
    ];
    let algorithm = decode_header(token).ok()?.alg;
    if !SIGNED.contains(&algorithm) {
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

impl Stranger {
    fn of(claims: &Map<String, Value>, issuer: &Issuer) -> Option<Self> {
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
        })
    }

    fn known_as(&self, issuer: &Issuer) -> ForeignName {
        ForeignName {
            issuer: issuer.issuer.clone(),
            subject: self.subject.clone(),
        }
    }

    /// The account they get on their first visit, and on the first one after they were erased.
    fn account(&self, issuer: &Issuer) -> NewAccount {
        let id = Uuid::new_v4();
        let login = self
            .username
            .clone()
            .and_then(|it| Login::try_from(it).ok());
        let email = self.email.clone().and_then(|it| Email::try_from(it).ok());
        let text = |it: &Option<String>| it.clone().and_then(|it| Text::try_from(it).ok());
        NewAccount {
            id,
            login: login.unwrap_or_else(|| Login::from(id)),
            email: email.filter(|_| self.is_email_verified),
            name: text(&self.name),
            surname: text(&self.surname),
            cpf: None,
            telegram_id: None,
            roles: self.roles,
            created_by: None,
            known_as: Some(self.known_as(issuer)),
        }
    }
}

/// Their account here, with a session that has begun.
async fn welcomed(
    db: &Db,
    issuer: &Issuer,
    stranger: &Stranger,
    start: &Start,
    client: &Client,
) -> Result<Account, Error> {
    let known_as = stranger.known_as(issuer);
    let roles = RoleChange {
        add: stranger.roles,
        drop: issuer.roles.values().copied().collect(),
    };
    let mut entered = store::enter_foreign(db, &known_as, roles, start, client).await?;
    if entered.is_none() {
        introduce(db, issuer, stranger, client).await?;
        entered = store::enter_foreign(db, &known_as, roles, start, client).await?;
    }
    // Whoever is known and cannot enter is disabled.
    let (account, ended) = entered.ok_or(Error::BadForeignToken)?;
    entering::tell_ended(ended).await?;
    Ok(account)
}

/// Makes sure that somebody here is known by their name there.
async fn introduce(
    db: &Db,
    issuer: &Issuer,
    stranger: &Stranger,
    client: &Client,
) -> Result<(), Error> {
    if let Some(email) = &stranger.email
        && issuer.link_by_email
        && stranger.is_email_verified
        && store::link_foreign_by_email(db, &stranger.known_as(issuer), email).await?
    {
        return Ok(());
    }
    // Somebody here may have their name or e-mail: then they go by another, or without.
    let by_id = |new: NewAccount| NewAccount {
        login: Login::from(new.id),
        ..new
    };
    let wishes = [
        stranger.account(issuer),
        by_id(stranger.account(issuer)),
        NewAccount {
            email: None,
            ..by_id(stranger.account(issuer))
        },
    ];
    for wish in wishes {
        match entering::register(wish, None, client).await {
            Ok(_) | Err(Error::KnownAlready) => return Ok(()),
            Err(Error::LoginTaken | Error::EmailTaken) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::BadForeignToken)
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

    /// A key pair of the tests alone, in PKCS#8 and as the JWK of its public half.
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

    fn is_taken(change: impl Fn(&mut Map<String, Value>)) -> bool {
        let mut claims = claims();
        change(&mut claims);
        claims_of(&signed(&claims), &pair().1, &issuer()).is_some()
    }

    #[test]
    fn a_token_counts_that_was_meant_for_us_and_is_in_force() {
        assert!(is_taken(|_| {}));
        assert!(!is_taken(|it| drop(
            it.insert("aud".into(), json!("account"))
        )));
        assert!(!is_taken(|it| drop(it.remove("aud"))));
        assert!(!is_taken(|it| drop(
            it.insert("iss".into(), json!("https://evil.test"))
        )));
        assert!(!is_taken(|it| drop(it.insert("exp".into(), json!(1)))));
        assert!(!is_taken(|it| drop(it.remove("exp"))));
        assert!(!is_taken(|it| drop(
            it.insert("nbf".into(), json!(3_999_999_999_u64))
        )));
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        let (_, jwk) = pair();
        let secret = serde_json::to_vec(&jwk).unwrap();
        let token = encode(
            &Header::new(Algorithm::HS256),
            &claims(),
            &EncodingKey::from_secret(&secret),
        );
        assert!(claims_of(&token.unwrap(), &jwk, &issuer()).is_none());
    }

    #[test]
    fn only_roles_that_are_mapped_are_taken_over() {
        let stranger = Stranger::of(&claims(), &issuer()).unwrap();
        assert_eq!(stranger.roles, Roles::default().with(Role::Owner));
        let account = stranger.account(&issuer());
        assert_eq!(account.login.as_str(), "ana");
        assert_eq!(
            account.email.as_ref().map(Email::as_str),
            Some("ana@example.org")
        );
        assert_eq!(account.known_as, Some(stranger.known_as(&issuer())));
    }

    #[test]
    fn an_email_nobody_verified_is_not_taken_over() {
        let mut claims = claims();
        claims.insert("email_verified".into(), json!("true"));
        let stranger = Stranger::of(&claims, &issuer()).unwrap();
        assert!(stranger.account(&issuer()).email.is_none());
    }

    #[test]
    fn a_key_is_found_by_its_name_among_others_that_cannot_be_read() {
        let (_, jwk) = pair();
        let mut signing = serde_json::to_value(&jwk).unwrap();
        signing["kid"] = json!("k");
        let jwks = json!({"keys": [{"kty": "RSA", "kid": "e", "use": "enc", "alg": "RSA-OAEP"}, {"kty": "new"}, signing]});
        assert!(key_of(&jwks.to_string(), "k").is_some());
        assert!(key_of(&jwks.to_string(), "e").is_none());
        assert!(key_of(&jwks.to_string(), "x").is_none());
    }
}
