//! Issues tokens: what they say, how long they live, and the key that signs them.

use std::cell::RefCell;

use kit::identity::token::{Claims, Keys};
use kit::identity::{Role, Roles};
use kit::setting;
use uuid::Uuid;

use crate::account::Account;
use crate::error::Error;
use crate::session::{Proof, SessionKind, SignedIn, Start};
use crate::token::SigningPair;

/// How a client stays signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It asks for the next token in time, so each may be short.
    Refresh,
    /// It signs in again tomorrow: one token for the day.
    SignIn,
}

/// A session that is about to begin.
pub async fn start(kind: SessionKind, proof: Proof, renewal: Renewal) -> Result<Start, Error> {
    let (token_seconds, seconds, refresh) = match renewal {
        Renewal::Refresh => (
            access_seconds().await?,
            session_seconds().await?,
            Some(Uuid::new_v4()),
        ),
        Renewal::SignIn => {
            let day = seconds("login_token_seconds", 86_400).await?;
            (day, day, None)
        }
    };
    Ok(Start {
        session: Uuid::new_v4(),
        kind,
        proof,
        seconds,
        refresh,
        token_seconds,
    })
}

/// A session of one short token: another issuer vouches for its person.
pub async fn start_foreign(proof: Proof) -> Result<Start, Error> {
    let seconds = access_seconds().await?;
    Ok(Start {
        session: Uuid::new_v4(),
        kind: SessionKind::Foreign,
        proof,
        seconds,
        refresh: None,
        token_seconds: seconds,
    })
}

/// The first tokens of a session that has begun.
pub async fn tokens(start: &Start, account: Account) -> Result<SignedIn, Error> {
    let (session, seconds) = (start.session, start.token_seconds);
    let mut signed_in = access_token(account, session, &start.proof, seconds, None).await?;
    if let Some(id) = start.refresh {
        let token = refresh_token(&signed_in.account, start.session, id, start.seconds).await?;
        signed_in.refresh_token = Some(token);
    }
    Ok(signed_in)
}

/// How long an access token lives that can be refreshed or exchanged.
pub async fn access_seconds() -> Result<i64, Error> {
    seconds("access_token_seconds", 3_600).await
}

/// How long a session lasts at most that its client keeps alive.
pub async fn session_seconds() -> Result<i64, Error> {
    seconds("refresh_token_seconds", 30 * 86_400).await
}

/// How long any access token may live: marks of ended sessions are kept for this.
pub async fn max_token_seconds() -> Result<i64, Error> {
    let day = seconds("login_token_seconds", 86_400).await?;
    Ok(access_seconds().await?.max(day))
}

/// A lifetime from the configuration. It is bounded, so that a typing error neither ends all sign-ins nor makes
/// tokens that last for years.
async fn seconds(name: &'static str, default: i64) -> Result<i64, Error> {
    let seconds = setting(name).await?.parse().unwrap_or(default);
    Ok(seconds.clamp(1, 90 * 86_400))
}

thread_local! {
    static PAIR: RefCell<Option<&'static SigningPair>> = const { RefCell::new(None) };
}

/// The signing key, read once per instance.
pub async fn signing_pair() -> Result<&'static SigningPair, Error> {
    if let Some(pair) = PAIR.with_borrow(|it| *it) {
        return Ok(pair);
    }
    let pair = SigningPair::from_pem(setting("jwt_private_key").await?)?;
    let pair: &'static SigningPair = Box::leak(Box::new(pair));
    PAIR.set(Some(pair));
    Ok(pair)
}

/// An access token of a session.
pub async fn access_token(
    account: Account,
    session: Uuid,
    proof: &Proof,
    expires_in_s: i64,
    scope: Option<String>,
) -> Result<SignedIn, Error> {
    let audience = setting("jwt_audience").await?.to_owned();
    let claims = Claims {
        username: account.login.clone(),
        roles: roles_of(&account, proof).await?,
        scope,
        auth_time: Some(proof.authenticated_at.as_second()),
        amr: proof.amr.clone(),
        ..claims(account.id, session, Uuid::new_v4(), audience, expires_in_s).await?
    };
    Ok(SignedIn {
        token: signing_pair().await?.sign(&claims)?,
        account,
        expires_in_s,
        refresh_token: None,
    })
}

/// The roles in a token. Where admins must have a second factor, one who did not show it in this session is no admin.
async fn roles_of(account: &Account, proof: &Proof) -> Result<Roles, Error> {
    let is_required = setting("admin_totp").await? == "required";
    let has_shown = account.has_totp && proof.has_code();
    Ok(if is_required && !has_shown {
        account.roles.without(Role::Admin)
    } else {
        account.roles
    })
}

/// A refresh token. Its audience is another one, so that no function takes it for an access token.
pub async fn refresh_token(
    account: &Account,
    session: Uuid,
    id: Uuid,
    expires_in_s: i64,
) -> Result<String, Error> {
    let audience = refresh_audience().await?;
    let claims = claims(account.id, session, id, audience, expires_in_s).await?;
    Ok(signing_pair().await?.sign(&claims)?)
}

/// The claims of a refresh token that we signed and that has not expired. The row of its session says whether it was
/// spent.
pub async fn read_refresh_token(token: &str) -> Result<Claims, Error> {
    let keys = Keys::parse(setting("jwt_public_keys").await?)?;
    let (issuer, audience) = (setting("jwt_issuer").await?, refresh_audience().await?);
    Ok(keys.verify(token, issuer, &audience, kit::now().as_second())?)
}

async fn refresh_audience() -> Result<String, Error> {
    Ok(format!("{}/refresh", setting("jwt_audience").await?))
}

async fn claims(
    account: Uuid,
    session: Uuid,
    id: Uuid,
    audience: String,
    expires_in_s: i64,
) -> Result<Claims, Error> {
    let now = kit::now().as_second();
    Ok(Claims {
        iss: setting("jwt_issuer").await?.to_owned(),
        aud: audience,
        sub: account,
        username: String::new(),
        roles: Roles::default(),
        sid: session,
        jti: id,
        iat: now,
        exp: now.saturating_add(expires_in_s),
        nbf: None,
        scope: None,
        auth_time: None,
        amr: Vec::new(),
    })
}
