//! Token exchange: a short access token of ours for a personal access token, or for a token of another issuer.
//!
//! Other functions never see such a token: they could not check it without asking its issuer.

use kit::setting;
use kit::store::Db;
use serde_json::{Map, Value};

use crate::account::{Account, Credentials, NewAccount};
use crate::authentication;
use crate::calls::issuers;
use crate::client::Client;
use crate::error::Error;
use crate::issue;
use crate::issuer::{self, ForeignUser, Issuer};
use crate::name::Login;
use crate::revocation::mark_revoked;
use crate::secret;
use crate::session::{Proof, SignedIn, Start};
use crate::store::{self, audit, issuers as keys, sessions};
use crate::{limit, throttle};

/// The prefix of personal access tokens.
pub const PERSONAL_TOKEN: &str = "wharf_pat";

/// Keys are fetched again after this, so that a withdrawn one stops working.
const FRESH_KEYS_S: i64 = 3_600;
/// While an issuer does not answer, its last keys work for this long.
const STALE_KEYS_S: i64 = 86_400;
/// An issuer is asked at most once within this, however many tokens name unknown keys.
const FETCH_PAUSE_S: i64 = 60;

/// An access token of ours for a token that stands for an account here. `code` is of the account's second factor:
/// another issuer vouches for a person, not for their factor here.
pub async fn exchange(token: &str, code: Option<&str>, client: &Client) -> Result<SignedIn, Error> {
    let limits = limit::exchanges(client);
    let db = store::open().await?;
    throttle::count(&db, &limits).await?;
    let exchanged = match token.starts_with(PERSONAL_TOKEN) {
        true => exchange_personal(token, client).await,
        false => exchange_foreign(token, code, client).await,
    };
    match &exchanged {
        Err(refused @ Error::BadForeignToken) => {
            audit::record_refusal(&db, None, refused, client).await?;
        }
        Ok(_) | Err(_) => throttle::forgive(&db, &limits).await?,
    }
    exchanged
}

async fn exchange_personal(token: &str, client: &Client) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let found = sessions::find_personal_token(&db, secret::digest(token), client).await?;
    let found = found.ok_or(Error::BadForeignToken)?;
    let seconds = issue::access_seconds().await?.min(found.seconds_left);
    let scope = Some(found.scope);
    issue::access_token(found.account, found.session, &found.proof, seconds, scope).await
}

async fn exchange_foreign(
    token: &str,
    code: Option<&str>,
    client: &Client,
) -> Result<SignedIn, Error> {
    let issuers: Vec<Issuer> = serde_json::from_str(setting("foreign_issuers").await?)?;
    let issuer = issuer::named_by(token, &issuers).ok_or(Error::BadForeignToken)?;
    let db = store::open().await?;
    let claims = verify(&db, token, issuer).await?;
    let user = ForeignUser::of(&claims, issuer).ok_or(Error::BadForeignToken)?;
    let found = find_or_register(&db, issuer, &user, client).await?;
    authentication::prove_code(&db, &found, code, client).await?;
    let words: &[&str] = if found.totp.is_some() { &["otp"] } else { &[] };
    let start = issue::start_foreign(Proof::of(words, user.proven_at())).await?;
    let account = sign_in(&db, issuer, &user, found, &start, client).await?;
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

/// The account of a user, which is created at their first sign-in.
async fn find_or_register(
    db: &Db,
    issuer: &Issuer,
    user: &ForeignUser,
    client: &Client,
) -> Result<Credentials, Error> {
    let identity = user.identity(issuer);
    if let Some(found) = keys::find_foreign_account(db, &identity).await? {
        return Ok(found);
    }
    link_or_register(db, issuer, user, client).await?;
    let found = keys::find_foreign_account(db, &identity).await?;
    // A user whose account is not found is disabled.
    found.ok_or(Error::BadForeignToken)
}

/// How often a session is opened anew because the account changed meanwhile, as by another sign-in of the user.
const MAX_TURNS: usize = 5;

async fn sign_in(
    db: &Db,
    issuer: &Issuer,
    user: &ForeignUser,
    mut found: Credentials,
    start: &Start,
    client: &Client,
) -> Result<Account, Error> {
    let (identity, roles) = (user.identity(issuer), issuer.role_change(user));
    let totp = found.totp;
    for _ in 0..MAX_TURNS {
        let opened =
            keys::open_foreign_session(db, &issuer.issuer, &found, roles, start, client).await?;
        if let Some((account, ended)) = opened {
            mark_revoked(&ended).await?;
            return Ok(account);
        }
        let now = keys::find_foreign_account(db, &identity).await?;
        // The code that was shown proves no other factor.
        found = now
            .filter(|it| it.totp == totp)
            .ok_or(Error::BadForeignToken)?;
    }
    Err(Error::BadForeignToken)
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
