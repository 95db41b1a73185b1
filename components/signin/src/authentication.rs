//! Registering, signing in, staying signed in and changing the password, the same for every dialect. What a
//! client sends and reads is decided in [`crate::routes`].

use kit::identity::Caller;
use kit::store::{Db, event};
use serde_json::json;
use uuid::Uuid;

use crate::account::{Account, Credentials, NewAccount};
use crate::calls::passwords;
use crate::client::{Actor, Client};
use crate::error::Error;
use crate::factor::Factor;
use crate::first_admin;
use crate::issue::{self, Renewal};
use crate::name::Email;
use crate::password::Password;
use crate::revocation::mark_revoked;
use crate::session::{SessionKind, SignedIn, Start};
use crate::store::{self, accounts, audit, factors, sessions};
use crate::{limit, throttle};

/// Creates an account without signing its person in.
pub async fn register(
    new: NewAccount,
    password: Option<&Password>,
    client: &Client,
) -> Result<Account, Error> {
    create(new, password, None, client).await
}

/// Creates an account and signs its person in.
pub async fn register_and_sign_in(
    new: NewAccount,
    password: &Password,
    renewal: Renewal,
    client: &Client,
) -> Result<SignedIn, Error> {
    let start = issue::start(SessionKind::Registration, renewal).await?;
    let account = create(new, Some(password), Some(&start), client).await?;
    issue::tokens(&start, account).await
}

async fn create(
    new: NewAccount,
    password: Option<&Password>,
    start: Option<&Start>,
    client: &Client,
) -> Result<Account, Error> {
    let (login, email) = (new.login.as_str(), new.email.as_ref().map(Email::as_str));
    first_admin::check_names(Some(login), email).await?;
    let db = store::open().await?;
    let limits = limit::registrations(new.created_by, client);
    throttle::count(&db, &limits).await?;
    let hash = match password {
        Some(password) if password.is_name(login, email) => return Err(Error::PasswordIsName),
        Some(password) => Some(passwords::hash(password.as_str()).await?),
        None => None,
    };
    let account = accounts::create_account(&db, &new, hash.as_deref(), start, client).await?;
    announce(&account);
    Ok(account)
}

/// Publishes on Redis that an account is new, or has another e-mail. The event in the outbox is what counts.
pub fn announce(account: &Account) {
    let payload = json!({ "id": account.id, "email": account.email });
    event::announce("user:created", payload.to_string());
    event::wake();
}

/// What a person types to sign in.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// A login or an e-mail.
    pub name: &'a str,
    pub password: &'a str,
    /// Of the second factor.
    pub code: Option<&'a str>,
}

pub async fn sign_in(
    attempt: Attempt<'_>,
    renewal: Renewal,
    client: &Client,
) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let proven = prove(&db, attempt, client).await?;
    let start = issue::start(SessionKind::Password, renewal).await?;
    // The password may have changed since it was checked.
    if !sessions::open_session(&db, &proven, &start, client).await? {
        return Err(Error::WrongPassword);
    }
    issue::tokens(&start, proven.account).await
}

/// Replaces the password. Every session ends and a new one begins.
pub async fn change_password(
    attempt: Attempt<'_>,
    new: &Password,
    renewal: Renewal,
    client: &Client,
) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let proven = prove(&db, attempt, client).await?;
    if new.is_name(&proven.account.login, proven.account.email.as_deref()) {
        return Err(Error::PasswordIsName);
    }
    let hash = passwords::hash(new.as_str()).await?;
    let start = issue::start(SessionKind::Password, renewal).await?;
    let ended = sessions::change_password(&db, &proven, &hash, &start, client)
        .await?
        .ok_or(Error::WrongPassword)?;
    mark_revoked(&ended).await?;
    event::wake();
    issue::tokens(&start, proven.account).await
}

/// A new access token for a caller whose present one is still valid.
pub async fn renew(caller: &Caller) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let seconds = issue::access_seconds().await?;
    let session = sessions::prolong_session(&db, caller.session, seconds).await?;
    let seconds = seconds.min(session.seconds_left);
    issue::access_token(session.account, caller.session, seconds, None).await
}

/// The next pair of tokens, for a refresh token that is spent by it.
pub async fn refresh(token: &str, client: &Client) -> Result<SignedIn, Error> {
    let claims = issue::read_refresh_token(token).await?;
    let db = store::open().await?;
    let next = match sessions::refresh_session(&db, &claims, client).await {
        Err(Error::RefreshTokenReused) => {
            mark_revoked(&[claims.sid]).await?;
            event::wake();
            return Err(Error::RefreshTokenReused);
        }
        refreshed => refreshed?,
    };
    let refresh_token =
        issue::refresh_token(&next.account, claims.sid, next.token, next.seconds_left).await?;
    let seconds = issue::access_seconds().await?.min(next.seconds_left);
    let signed_in = issue::access_token(next.account, claims.sid, seconds, None).await?;
    Ok(SignedIn {
        refresh_token: Some(refresh_token),
        ..signed_in
    })
}

/// Ends the caller's session.
pub async fn sign_out(actor: &Actor) -> Result<(), Error> {
    let db = store::open().await?;
    let session = actor.caller.session;
    sessions::end_session(&db, actor, session).await?;
    mark_revoked(&[session]).await
}

/// The account of an attempt, once name, password and code are right.
async fn prove(db: &Db, attempt: Attempt<'_>, client: &Client) -> Result<Credentials, Error> {
    let mut limits = limit::sign_ins_from(client);
    // Counted also when a later limit refuses the attempt: it still came from there.
    throttle::count(db, &limits).await?;
    let mut found = None;
    // PostgreSQL stores no such text, so no account has the name.
    if !attempt.name.contains('\0') {
        found = accounts::find_by_name(db, attempt.name).await?;
    }
    let account = found.as_ref().map(|it| it.account.id);
    let key = account.map_or_else(|| attempt.name.to_owned(), |it| it.to_string());
    let to_account = limit::sign_ins_to(&key, client);
    if let Err(reached) = throttle::count(db, &to_account).await {
        audit::record_refusal(db, account, &reached, client).await?;
        return Err(reached);
    }
    limits.extend(to_account);
    let checked = check(db, found, attempt, client).await;
    if !checked.as_ref().is_err_and(Error::is_wrong_attempt) {
        throttle::forgive(db, &limits).await?;
    }
    if let Err(refused) = &checked
        && (refused.is_wrong_attempt() || matches!(refused, Error::CodeRequired))
    {
        audit::record_refusal(db, account, refused, client).await?;
    }
    checked
}

async fn check(
    db: &Db,
    mut found: Option<Credentials>,
    attempt: Attempt<'_>,
    client: &Client,
) -> Result<Credentials, Error> {
    if found.is_none() && first_admin::is_meant(attempt.name, attempt.password).await? {
        found = create_first_admin(db, client).await?;
    }
    let stored = found.as_ref().and_then(|it| it.password.as_deref());
    // Asked also without an account: the same work, so that the time tells nothing.
    let is_right = passwords::check(attempt.password, stored).await?;
    let found = found.ok_or(Error::UnknownName)?;
    if !is_right || found.account.is_disabled {
        return Err(Error::WrongPassword);
    }
    spend_code(db, &found, attempt.code).await?;
    Ok(found)
}

async fn create_first_admin(db: &Db, client: &Client) -> Result<Option<Credentials>, Error> {
    let (new, password) = first_admin::account().await?;
    let login = new.login.clone();
    let hash = passwords::hash(password).await?;
    match accounts::create_account(db, &new, Some(&hash), None, client).await {
        Ok(account) => announce(&account),
        // Another request created the account at the same moment.
        Err(Error::LoginTaken | Error::EmailTaken) => {}
        Err(error) => return Err(error),
    }
    accounts::find_by_name(db, login.as_str()).await
}

/// Spends the code of the second factor, if the account has one.
pub async fn spend_code(
    db: &Db,
    credentials: &Credentials,
    code: Option<&str>,
) -> Result<(), Error> {
    let Some(enrolment) = credentials.totp else {
        return Ok(());
    };
    let text = code
        .filter(|it| !it.is_empty())
        .ok_or(Error::CodeRequired)?;
    let code = Factor::of(enrolment, credentials.backup_batch)
        .await?
        .read(text, kit::now().as_second())
        .ok_or(Error::WrongCode)?;
    match factors::spend_code(db, credentials, code).await? {
        true => Ok(()),
        false => Err(Error::WrongCode),
    }
}

/// Proves, with a code, that the caller has the second factor; answers its enrolment.
pub async fn prove_factor(db: &Db, actor: &Actor, code: &str) -> Result<Uuid, Error> {
    let limits = limit::sign_ins_to(&actor.caller.id.to_string(), &actor.client);
    throttle::count(db, &limits).await?;
    let proofs = factors::find_proofs(db, actor.caller.session).await?;
    let enrolment = proofs.credentials.totp.ok_or(Error::NoFactor)?;
    if let Err(wrong) = spend_code(db, &proofs.credentials, Some(code)).await {
        audit::record_refusal(db, Some(actor.caller.id), &wrong, &actor.client).await?;
        return Err(wrong);
    }
    throttle::forgive(db, &limits).await?;
    Ok(enrolment)
}
