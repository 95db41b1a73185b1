//! Token exchange: a short access token of ours for a personal access token, or for a token of another issuer.
//!
//! Other functions never see such a token: they could not check it without asking its issuer.

use kit::setting;
use kit::store::Db;
use serde_json::{Map, Value};

use crate::account::{Account, NewAccount};
use crate::authentication;
use crate::calls::issuers;
use crate::client::Client;
use crate::error::Error;
use crate::issue;
use crate::issuer::{self, ForeignUser, Issuer};
use crate::name::Login;
use crate::revocation::mark_revoked;
use crate::secret;
use crate::session::{SignedIn, Start};
use crate::store::{self, audit, issuers as keys, sessions};

/// The prefix of personal access tokens.
pub const PERSONAL_TOKEN: &str = "wharf_pat";

/// Keys are fetched again after this, so that a withdrawn one stops working.
const FRESH_KEYS_S: i64 = 3_600;
/// While an issuer does not answer, its last keys work for this long.
const STALE_KEYS_S: i64 = 86_400;
/// An issuer is asked at most once within this, however many tokens name unknown keys.
const FETCH_PAUSE_S: i64 = 60;

/// An access token of ours for a token that stands for an account here.
pub async fn exchange(token: &str, client: &Client) -> Result<SignedIn, Error> {
    let exchanged = match token.starts_with(PERSONAL_TOKEN) {
        true => exchange_personal(token, client).await,
        false => exchange_foreign(token, client).await,
    };
    if let Err(refused @ Error::BadForeignToken) = &exchanged {
        audit::record_refusal(&store::open().await?, None, refused, client).await?;
    }
    exchanged
}

async fn exchange_personal(token: &str, client: &Client) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let found = sessions::find_personal_token(&db, secret::digest(token), client).await?;
    let found = found.ok_or(Error::BadForeignToken)?;
    let seconds = issue::access_seconds().await?.min(found.seconds_left);
    issue::access_token(found.account, found.session, seconds, Some(found.scope)).await
}

async fn exchange_foreign(token: &str, client: &Client) -> Result<SignedIn, Error> {
    let issuers: Vec<Issuer> = serde_json::from_str(setting("foreign_issuers").await?)?;
    let issuer = issuer::named_by(token, &issuers).ok_or(Error::BadForeignToken)?;
    let db = store::open().await?;
    let claims = verify(&db, token, issuer).await?;
    let user = ForeignUser::of(&claims, issuer).ok_or(Error::BadForeignToken)?;
    let start = issue::start_foreign().await?;
    let account = sign_in(&db, issuer, &user, &start, client).await?;
    issue::tokens(&start, account).await
}

async fn verify(db: &Db, token: &str, issuer: &Issuer) -> Result<Map<String, Value>, Error> {
    let kid = issuer::key_id(token).ok_or(Error::BadForeignToken)?;
    let mut key = None;
    if let Some(stored) = keys::find_foreign_keys(db, &issuer.issuer).await?
        && stored.age_s < FRESH_KEYS_S
    {
        key = issuer::find_key(&stored.jwks, &kid);
    }
    if key.is_none() {
        key = fetch_keys(db, issuer)
            .await?
            .and_then(|it| issuer::find_key(&it, &kid));
    }
    let key = key.ok_or(Error::BadForeignToken)?;
    issuer::verify(token, &key, issuer).ok_or(Error::BadForeignToken)
}

/// The issuer's keys as they are now. If it was asked a moment ago or does not answer, as they were last.
async fn fetch_keys(db: &Db, issuer: &Issuer) -> Result<Option<String>, Error> {
    let mut unanswered = None;
    if keys::claim_foreign_keys(db, &issuer.issuer, FETCH_PAUSE_S).await? {
        match issuers::fetch_keys(&issuer.jwks_url).await {
            Ok(jwks) => {
                keys::store_foreign_keys(db, &issuer.issuer, &jwks).await?;
                return Ok(Some(jwks.to_string()));
            }
            Err(failed) => unanswered = Some(failed),
        }
    }
    let stored = keys::find_foreign_keys(db, &issuer.issuer).await?;
    match (stored.filter(|it| it.age_s < STALE_KEYS_S), unanswered) {
        (Some(stored), _) => Ok(Some(stored.jwks)),
        (None, Some(failed)) => Err(failed.into()),
        (None, None) => Ok(None),
    }
}

/// Opens the session of a user, whose account is created at their first sign-in.
async fn sign_in(
    db: &Db,
    issuer: &Issuer,
    user: &ForeignUser,
    start: &Start,
    client: &Client,
) -> Result<Account, Error> {
    let identity = user.identity(issuer);
    let roles = issuer.role_change(user);
    let mut opened = keys::open_foreign_session(db, &identity, roles, start, client).await?;
    if opened.is_none() {
        link_or_register(db, issuer, user, client).await?;
        opened = keys::open_foreign_session(db, &identity, roles, start, client).await?;
    }
    // A user whose account does not open is disabled.
    let (account, ended) = opened.ok_or(Error::BadForeignToken)?;
    mark_revoked(&ended).await?;
    Ok(account)
}

/// Gives a user an account here: the one with their verified e-mail, or a new one.
async fn link_or_register(
    db: &Db,
    issuer: &Issuer,
    user: &ForeignUser,
    client: &Client,
) -> Result<(), Error> {
    if let Some(email) = user.verified_email()
        && issuer.link_by_email
        && keys::link_foreign_by_email(db, &user.identity(issuer), &email).await?
    {
        return Ok(());
    }
    // Another account may have the login or the e-mail: then this one goes without.
    let without_login = |new: NewAccount| NewAccount {
        login: Login::from(new.id),
        ..new
    };
    let choices = [
        user.account(issuer),
        without_login(user.account(issuer)),
        NewAccount {
            email: None,
            ..without_login(user.account(issuer))
        },
    ];
    for new in choices {
        match authentication::register(new, None, client).await {
            Ok(_) | Err(Error::AccountExists) => return Ok(()),
            Err(Error::LoginTaken | Error::EmailTaken) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::BadForeignToken)
}
