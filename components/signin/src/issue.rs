//! What tokens say, how long they live, and the key they are signed with.

use std::cell::RefCell;

use kit::token::{Claims, Keys, SigningPair};
use kit::{Role, Roles, setting};
use uuid::Uuid;

use crate::account::Account;
use crate::error::Error;

/// Somebody who is in.
#[derive(Debug)]
pub struct SignedIn {
    pub account: Account,
    pub token: String,
    pub expires_in_s: i64,
    /// For the next token, when the client can ask for one.
    pub refresh_token: Option<String>,
}

/// A session that is about to begin.
#[derive(Debug)]
pub struct Start {
    pub session: Uuid,
    pub kind: &'static str,
    pub seconds: i64,
    pub refresh: Option<Uuid>,
    token_seconds: i64,
}

/// What kind of client it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// It asks for the next token in time, so each may be short.
    Refreshes,
    /// It cannot: it signs in again tomorrow.
    SignsInAgain,
}

impl Start {
    pub async fn new(kind: &'static str, patience: Patience) -> Result<Self, Error> {
        let (session, short) = (Uuid::new_v4(), short_seconds().await?);
        Ok(match patience {
            Patience::Refreshes => Self {
                session,
                kind,
                seconds: seconds("refresh_token_seconds", 30 * 86_400).await?,
                refresh: Some(Uuid::new_v4()),
                token_seconds: short,
            },
            Patience::SignsInAgain => {
                let day = seconds("login_token_seconds", 86_400).await?;
                Self {
                    session,
                    kind,
                    seconds: day,
                    refresh: None,
                    token_seconds: day,
                }
            }
        })
    }

    /// One token and no more, from somebody else's word.
    pub async fn brief(kind: &'static str) -> Result<Self, Error> {
        let short = short_seconds().await?;
        Ok(Self {
            session: Uuid::new_v4(),
            kind,
            seconds: short,
            refresh: None,
            token_seconds: short,
        })
    }

    /// The tokens of the session, now that it has begun.
    pub async fn tokens(&self, account: Account) -> Result<SignedIn, Error> {
        let mut signed_in = access_token(account, self.session, self.token_seconds, None).await?;
        if let Some(refresh) = self.refresh {
            let token = refresh_token(&signed_in.account, self.session, refresh, self.seconds);
            signed_in.refresh_token = Some(token.await?);
        }
        Ok(signed_in)
    }
}

/// How long an access token lives that is not a client's only one.
pub async fn short_seconds() -> Result<i64, Error> {
    seconds("access_token_seconds", 3_600).await
}

/// How long any access token may live: the marks of ended sessions are kept for this.
pub async fn longest_seconds() -> Result<i64, Error> {
    Ok(short_seconds()
        .await?
        .max(seconds("login_token_seconds", 86_400).await?))
}

/// An operator's slip must neither end all sign-ins nor make tokens for ever.
async fn seconds(name: &'static str, default: i64) -> Result<i64, Error> {
    let seconds = setting(name).await?.parse().unwrap_or(default);
    Ok(seconds.clamp(1, 90 * 86_400))
}

thread_local! {
    static PAIR: RefCell<Option<&'static SigningPair>> = const { RefCell::new(None) };
}

/// Read once per instance.
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
    expires_in_s: i64,
    scope: Option<String>,
) -> Result<SignedIn, Error> {
    let audience = setting("jwt_audience").await?.to_owned();
    let claims = Claims {
        username: account.login.clone(),
        roles: roles_of(&account).await?,
        scope,
        ..claims(account.id, session, Uuid::new_v4(), audience, expires_in_s).await?
    };
    Ok(SignedIn {
        token: signing_pair().await?.sign(&claims)?,
        account,
        expires_in_s,
        refresh_token: None,
    })
}

/// Where admins must have a second factor, one without it is none until it is there.
async fn roles_of(account: &Account) -> Result<Roles, Error> {
    let is_required = setting("admin_totp").await? == "required";
    Ok(if is_required && !account.has_totp {
        account.roles.without(Role::Admin)
    } else {
        account.roles
    })
}

/// A token that buys the next access token, and nothing else: it is written for another audience,
/// so no function takes it for an access token.
pub async fn refresh_token(
    account: &Account,
    session: Uuid,
    refresh: Uuid,
    expires_in_s: i64,
) -> Result<String, Error> {
    let audience = refresh_audience().await?;
    let claims = claims(account.id, session, refresh, audience, expires_in_s).await?;
    Ok(signing_pair().await?.sign(&claims)?)
}

/// The claims of a refresh token that we signed and that has not expired. Whether it may still be
/// used is for its session to say.
pub async fn read_refresh_token(token: &str) -> Result<Claims, Error> {
    let keys = Keys::parse(setting("jwt_public_keys").await?)?;
    let (issuer, audience) = (setting("jwt_issuer").await?, refresh_audience().await?);
    keys.verify(token, issuer, &audience, kit::now().as_second())
        .map_err(Error::BadRefreshToken)
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
    })
}
