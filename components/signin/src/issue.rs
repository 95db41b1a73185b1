//! What a token says, and the key it is signed with.

use std::cell::RefCell;

use kit::setting;
use kit::token::{Claims, SigningPair};
use uuid::Uuid;

use crate::account::Account;
use crate::error::Error;

/// A token that was just written.
#[derive(Debug)]
pub struct Token {
    pub text: String,
    pub expires_in_s: i64,
}

/// How long a token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Of a client that asks for the next one in time.
    Short,
    /// Of a client that cannot: it signs in again tomorrow.
    Day,
}

impl Lifetime {
    pub async fn seconds(self) -> Result<i64, Error> {
        let (name, default) = match self {
            Self::Short => ("access_token_seconds", 3_600),
            Self::Day => ("login_token_seconds", 86_400),
        };
        // An operator's slip must neither end all sign-ins nor make tokens for ever.
        let seconds = setting(name).await?.parse().unwrap_or(default);
        Ok(seconds.clamp(60, 30 * 86_400))
    }
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
    account: &Account,
    session: Uuid,
    expires_in_s: i64,
) -> Result<Token, Error> {
    let now = kit::now().as_second();
    let claims = Claims {
        iss: setting("jwt_issuer").await?.to_owned(),
        aud: setting("jwt_audience").await?.to_owned(),
        sub: account.id,
        username: account.login.clone(),
        roles: account.roles,
        sid: session,
        jti: Uuid::new_v4(),
        iat: now,
        exp: now + expires_in_s,
        nbf: None,
        scope: None,
    };
    Ok(Token {
        text: signing_pair().await?.sign(&claims)?,
        expires_in_s,
    })
}
