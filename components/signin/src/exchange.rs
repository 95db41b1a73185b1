//! Token exchange: a short access token of ours for a personal access token, or for a token of another issuer.
//!
//! Other functions never see such a token: they could not check it without asking its issuer.

use kit::setting;
use kit::store::Db;

use crate::account::{Account, Credentials, NewAccount};
use crate::authentication;
use crate::calls;
use crate::client::Client;
use crate::error::Error;
use crate::issue;
use crate::issuer::{ForeignUser, Issuer};
use crate::name::Login;
use crate::revocation::mark_revoked;
use crate::secret;
use crate::session::{Proof, SignedIn, Start};
use crate::store::{self, audit, issuers, sessions};
use crate::{limit, throttle};

/// The prefix of personal access tokens.
pub const PERSONAL_TOKEN: &str = "wharf_pat";

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
    if issuers.is_empty() {
        return Err(Error::BadForeignToken);
    }
    let verified = calls::issuers::verify(token).await?;
    let issuer = issuers.iter().find(|it| it.issuer == verified.issuer);
    let issuer = issuer.ok_or(Error::BadForeignToken)?;
    let user = ForeignUser::of(&verified.claims, issuer).ok_or(Error::BadForeignToken)?;
    let db = store::open().await?;
    let found = find_or_register(&db, issuer, &user, client).await?;
    authentication::prove_code(&db, &found, code, client).await?;
    let words: &[&str] = if found.totp.is_some() { &["otp"] } else { &[] };
    let start = issue::start_foreign(Proof::of(words, user.proven_at())).await?;
    let account = sign_in(&db, issuer, &user, found, &start, client).await?;
    issue::tokens(&start, account).await
}

/// The account of a user, which is created at their first sign-in.
async fn find_or_register(
    db: &Db,
    issuer: &Issuer,
    user: &ForeignUser,
    client: &Client,
) -> Result<Credentials, Error> {
    let identity = user.identity(issuer);
    if let Some(found) = issuers::find_foreign_account(db, &identity).await? {
        return Ok(found);
    }
    link_or_register(db, issuer, user, client).await?;
    let found = issuers::find_foreign_account(db, &identity).await?;
    // Not found now means that the account is disabled.
    found.ok_or(Error::BadForeignToken)
}

/// How often opening a session is tried again because the account changed meanwhile, as by another sign-in of the user.
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
            issuers::open_foreign_session(db, &issuer.issuer, &found, roles, start, client).await?;
        if let Some((account, ended)) = opened {
            mark_revoked(&ended).await?;
            return Ok(account);
        }
        let now = issuers::find_foreign_account(db, &identity).await?;
        // Refused when the second factor changed: the code was one of the old factor.
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
        && issuers::link_foreign_by_email(db, &user.identity(issuer), &email).await?
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
