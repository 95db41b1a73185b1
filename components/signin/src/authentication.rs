//! Registering, signing in, staying signed in and changing the password, the same for every dialect. What a
//! client sends and reads is decided in [`crate::routes`].

use kit::identity::Caller;
use kit::store::{Db, event};
use serde_json::json;
use uuid::Uuid;

use crate::account::{Account, Credentials, Lookup, NewAccount};
use crate::calls::passwords;
use crate::client::{Actor, Client};
use crate::error::Error;
use crate::factor::Factor;
use crate::first_admin;
use crate::issue::{self, Renewal};
use crate::limit::{self, Limit};
use crate::name::Email;
use crate::password::Password;
use crate::revocation::mark_revoked;
use crate::session::{Proof, SessionKind, SignedIn, Start};
use crate::store::{self, accounts, audit, factors, sessions};
use crate::throttle;

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
    let proof = Proof::by_password(false, kit::now());
    let start = issue::start(SessionKind::Registration, proof, renewal).await?;
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
    if new.login.is_reserved() {
        return Err(Error::LoginTaken);
    }
    let db = store::open().await?;
    let limits = limit::registrations(new.created_by, client);
    throttle::count(&db, &limits).await?;
    let hash = match password {
        Some(password) if password.is_name(login, email) => return Err(Error::PasswordIsName),
        Some(password) => {
            // A taken name costs no hash.
            check_free(&db, login, email).await?;
            Some(passwords::hash(password.as_str(), client).await?)
        }
        None => None,
    };
    let account = accounts::create_account(&db, &new, hash.as_deref(), start, client).await?;
    announce(&account);
    Ok(account)
}

/// Refuses names of another account. The constraints of the table decide; this only comes before the work.
async fn check_free(db: &Db, login: &str, email: Option<&str>) -> Result<(), Error> {
    let lookups = [
        (
            Lookup {
                login: Some(login),
                ..Lookup::default()
            },
            Error::LoginTaken,
        ),
        (
            Lookup {
                email,
                ..Lookup::default()
            },
            Error::EmailTaken,
        ),
    ];
    for (lookup, taken) in lookups {
        if accounts::look_up_account(db, lookup).await?.is_some() {
            return Err(taken);
        }
    }
    Ok(())
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
    /// A code of the second factor.
    pub code: Option<&'a str>,
}

pub async fn sign_in(
    attempt: Attempt<'_>,
    renewal: Renewal,
    client: &Client,
) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let proven = prove(&db, attempt, client).await?;
    let start = issue::start(SessionKind::Password, proof_of(&proven), renewal).await?;
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
    let account = proven.account.id.to_string();
    throttle::count(&db, &limit::new_passwords(&account, client)).await?;
    let hash = passwords::hash(new.as_str(), client).await?;
    let start = issue::start(SessionKind::Password, proof_of(&proven), renewal).await?;
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
    let (seconds, max_seconds) = (
        issue::access_seconds().await?,
        issue::session_seconds().await?,
    );
    let session = sessions::prolong_session(&db, caller.session, seconds, max_seconds).await?;
    let seconds = seconds.min(session.seconds_left);
    issue::access_token(
        session.account,
        caller.session,
        &session.proof,
        seconds,
        None,
    )
    .await
}

/// What a sign-in by password has proven. A code was asked for when the account has a second factor.
fn proof_of(proven: &Credentials) -> Proof {
    Proof::by_password(proven.totp.is_some(), kit::now())
}

/// Spends a refresh token and returns the next pair of tokens.
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
    let signed_in =
        issue::access_token(next.account, claims.sid, &next.proof, seconds, None).await?;
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
        found = accounts::find_by_name(db, attempt.name, client).await?;
    }
    let account = found.as_ref().map(|it| it.account.id);
    let key = account.map_or_else(|| attempt.name.to_owned(), |it| it.to_string());
    let is_known = found.as_ref().is_some_and(|it| it.is_known_network);
    match count_at(db, &key, is_known, client).await {
        Ok(counted) => limits.extend(counted),
        Err(reached) => {
            audit::record_refusal(db, account, &reached, client).await?;
            return Err(reached);
        }
    }
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

/// Counts an attempt at an account; answers the limits whose count is taken back when the attempt was right.
async fn count_at(
    db: &Db,
    account: &str,
    is_known_network: bool,
    client: &Client,
) -> Result<Vec<Limit>, Error> {
    let mut limits = limit::sign_ins_to(account, client);
    let mut counted = limit::checks(account);
    counted.extend(limit::sign_ins_to(account, client));
    throttle::count(db, &counted).await?;
    if !is_known_network {
        let strangers = limit::strangers(account);
        match throttle::count(db, &strangers).await {
            Ok(()) => limits.extend(strangers),
            Err(Error::TooManyTries(_)) => {
                throttle::count(db, &limit::slow_strangers(account)).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(limits)
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
    // Also without an account: the same work, so that the time does not tell whether the account exists.
    let checked = passwords::check(attempt.password, stored, client).await?;
    let found = found.ok_or(Error::UnknownName)?;
    if !checked.is_right || found.account.is_disabled {
        return Err(Error::WrongPassword);
    }
    if let (Some(stronger), Some(stored)) = (&checked.new_hash, &found.password) {
        accounts::update_password_hash(db, found.account.id, stored, stronger).await?;
    }
    spend_code(db, &found, attempt.code).await?;
    Ok(found)
}

async fn create_first_admin(db: &Db, client: &Client) -> Result<Option<Credentials>, Error> {
    if accounts::has_first_admin(db).await? {
        return Ok(None);
    }
    let (new, password) = first_admin::account().await?;
    let login = new.login.clone();
    let hash = passwords::hash(password, client).await?;
    match accounts::create_first_admin(db, &new, &hash, client).await {
        Ok(Some(account)) => announce(&account),
        // Another request created the account at the same moment.
        Ok(None) | Err(Error::LoginTaken | Error::EmailTaken) => {}
        Err(error) => return Err(error),
    }
    accounts::find_by_name(db, login.as_str(), client).await
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
    let proofs = factors::find_proofs(db, actor).await?;
    let enrolment = proofs.credentials.totp.ok_or(Error::NoFactor)?;
    prove_code(db, &proofs.credentials, Some(code), &actor.client).await?;
    Ok(enrolment)
}

/// Spends the code of an account's second factor, if it has one. Wrong codes count as sign-ins.
pub async fn prove_code(
    db: &Db,
    credentials: &Credentials,
    code: Option<&str>,
    client: &Client,
) -> Result<(), Error> {
    if credentials.totp.is_none() {
        return Ok(());
    }
    let account = credentials.account.id;
    let limits = count_at(
        db,
        &account.to_string(),
        credentials.is_known_network,
        client,
    )
    .await?;
    let spent = spend_code(db, credentials, code).await;
    if !spent.as_ref().is_err_and(Error::is_wrong_attempt) {
        throttle::forgive(db, &limits).await?;
    }
    if let Err(wrong) = &spent {
        audit::record_refusal(db, Some(account), wrong, client).await?;
    }
    spent
}

/// Proves again who the caller is: by a code when the account has a second factor, otherwise by its password.
pub async fn prove_again(
    actor: &Actor,
    password: Option<&str>,
    code: Option<&str>,
) -> Result<SignedIn, Error> {
    let db = store::open().await?;
    let credentials = factors::find_proofs(&db, actor).await?.credentials;
    let amr: &[&str] = if credentials.totp.is_some() {
        prove_code(&db, &credentials, code, &actor.client).await?;
        &["otp"]
    } else {
        prove_password(&db, &credentials, password, &actor.client).await?;
        &["pwd"]
    };
    let proven = sessions::record_proof(&db, actor, amr).await?;
    let seconds = match proven.is_refreshed {
        true => issue::access_seconds().await?,
        false => issue::max_token_seconds().await?,
    };
    let seconds = seconds.min(proven.seconds_left);
    let session = actor.caller.session;
    issue::access_token(proven.account, session, &proven.proof, seconds, None).await
}

async fn prove_password(
    db: &Db,
    credentials: &Credentials,
    password: Option<&str>,
    client: &Client,
) -> Result<(), Error> {
    let stored = credentials.password.as_deref().ok_or(Error::NoPassword)?;
    let given = password.ok_or(Error::PasswordRequired)?;
    let account = credentials.account.id;
    let key = account.to_string();
    let limits = count_at(db, &key, credentials.is_known_network, client).await?;
    if !passwords::check(given, Some(stored), client)
        .await?
        .is_right
    {
        let wrong = Error::WrongPassword;
        audit::record_refusal(db, Some(account), &wrong, client).await?;
        return Err(wrong);
    }
    throttle::forgive(db, &limits).await
}
