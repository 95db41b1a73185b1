//! The SQL of accounts, sessions and proofs, one function per statement.
//!
//! What is done on behalf of somebody takes their session first; a session
//! that is over is refused by the statement itself.

use jiff::Timestamp;
use kit::db::{Only, ParameterValue};
use kit::token::Claims;
use kit::{Caller, Db, DbError, FromRow, Page, Role, Roles, Row, params, sql};
use serde_json::Value;
use uuid::Uuid;

use crate::account::{Account, Cpf, Email, ForeignName, NewAccount, TelegramId, Text};
use crate::client::Client;
use crate::error::Error;
use crate::factor::Code;
use crate::issue::Start;
use crate::tries::Gate;

pub async fn open() -> Result<Db, Error> {
    Ok(Db::open("signin_database_url").await?)
}

/// An account with what proves that somebody is its person.
#[derive(Debug)]
pub struct Proven {
    pub account: Account,
    pub password: Option<String>,
    /// The enrolment of the second factor, and which backup codes of it count.
    pub totp: Option<Uuid>,
    pub backup_batch: i32,
    /// What was proven holds as long as the account still carries this seal.
    seal: Uuid,
}

// Coming in.

/// Finds who is called so, by login or e-mail.
pub async fn find_by_name(db: &Db, name: &str) -> Result<Option<Proven>, Error> {
    Ok(db.optional(sql!("find_by_name"), params![name]).await?)
}

/// Makes an account, tells of it, and begins its first session if one is given.
pub async fn register(
    db: &Db,
    new: &NewAccount,
    hash: Option<&str>,
    start: Option<&Start>,
    client: &Client,
) -> Result<Account, Error> {
    let params = params![
        new.id,
        new.login.as_str(),
        new.email.as_ref().map(Email::as_str),
        new.name.as_ref().map(Text::as_str),
        new.surname.as_ref().map(Text::as_str),
        new.cpf.as_ref().map(Cpf::as_str),
        new.telegram_id.and_then(TelegramId::get),
        hash,
        new.roles.names(),
        new.created_by,
        start.map(|it| it.session),
        start.map(|it| it.kind),
        start.map(|it| it.seconds),
        start.and_then(|it| it.refresh),
        &client.address,
        client.agent.as_deref(),
        client.request_id.as_str(),
        new.known_as.as_ref().map(|it| it.issuer.as_str()),
        new.known_as.as_ref().map(|it| it.subject.as_str()),
    ];
    Ok(db.one(sql!("register"), params).await?)
}

/// Begins a session, unless what was proven holds no more.
pub async fn open_session(
    db: &Db,
    proven: &Proven,
    start: &Start,
    client: &Client,
) -> Result<bool, Error> {
    let params = params![
        proven.account.id,
        proven.seal,
        start.session,
        start.kind,
        start.seconds,
        start.refresh,
        &client.address,
        client.agent.as_deref(),
        client.request_id.as_str(),
    ];
    let opened: Option<Only<Uuid>> = db.optional(sql!("open_session"), params).await?;
    Ok(opened.is_some())
}

/// Puts a new password in place and begins a session under it, unless what was proven holds no
/// more. Answers which sessions that ended.
pub async fn change_password(
    db: &Db,
    proven: &Proven,
    hash: &str,
    start: &Start,
    client: &Client,
) -> Result<Option<Vec<Uuid>>, Error> {
    let params = params![
        proven.account.id,
        proven.seal,
        hash,
        start.session,
        start.kind,
        start.seconds,
        start.refresh,
        &client.address,
        client.agent.as_deref(),
        client.request_id.as_str(),
    ];
    ended(db, sql!("change_password"), params).await
}

/// Notes that somebody did not get in.
pub async fn refused(
    db: &Db,
    account: Option<Uuid>,
    why: &Error,
    client: &Client,
) -> Result<(), Error> {
    let why = why.to_string();
    let params = params![account, &why, &client.address, client.request_id.as_str()];
    db.run(sql!("refused"), params).await?;
    Ok(())
}

/// Uses a code of the second factor up; false when it was before.
pub async fn spend_code(db: &Db, proven: &Proven, code: Code) -> Result<bool, Error> {
    let (step, bit) = match code {
        Code::Step(step) => (Some(step), 0),
        Code::Backup(bit) => (None, bit),
    };
    let (account, seal, batch) = (proven.account.id, proven.seal, proven.backup_batch);
    let params = params![account, seal, step, bit, batch];
    Ok(db.run(sql!("spend_code"), params).await? == 1)
}

/// Counts a try, unless one of the gates is full: how many seconds until it lets somebody through.
pub async fn take_try(db: &Db, gates: &[Gate]) -> Result<i64, Error> {
    let limits: Vec<i64> = gates.iter().map(|it| it.most).collect();
    let windows: Vec<i64> = gates.iter().map(|it| it.seconds).collect();
    let params = params![names(gates), limits, windows];
    let Only(seconds) = db.one(sql!("take_try"), params).await?;
    Ok(seconds)
}

pub async fn give_try_back(db: &Db, gates: &[Gate]) -> Result<(), Error> {
    db.run(sql!("give_try_back"), params![names(gates)]).await?;
    Ok(())
}

fn names(gates: &[Gate]) -> Vec<String> {
    gates.iter().map(|it| it.name.clone()).collect()
}

// Sessions.

/// What came of a refresh token.
#[derive(Debug)]
pub enum Refreshed {
    /// The next one, and for how long its session goes on.
    Next(Account, Uuid, i64),
    Over,
    /// It was spent before, so somebody else has it: the session is over now.
    Reused,
}

/// For how long a spent refresh token is answered like the first time: two tabs of a browser ask
/// within moments of each other.
const GRACE_S: i64 = 10;

pub async fn refresh_session(
    db: &Db,
    claims: &Claims,
    client: &Client,
) -> Result<Refreshed, Error> {
    let params = params![
        claims.sid,
        claims.jti,
        Uuid::new_v4(),
        GRACE_S,
        &client.address,
        client.request_id.as_str(),
    ];
    Ok(db.one(sql!("refresh_session"), params).await?)
}

/// Makes a session last for at least so long from now, if it is ours to prolong; says how long it
/// lasts.
pub async fn prolong_session(
    db: &Db,
    session: Uuid,
    seconds: i64,
) -> Result<(Account, i64), Error> {
    let Prolonged(account, seconds_left) = db
        .optional(sql!("prolong_session"), params![session, seconds])
        .await?
        .ok_or(Error::SessionOver)?;
    Ok((account, seconds_left))
}

/// A sign-in or a personal access token, as its person sees it.
#[derive(Debug)]
pub struct Session {
    pub id: Uuid,
    pub kind: String,
    pub address: String,
    pub agent: Option<String>,
    pub name: Option<String>,
    pub scope: Option<String>,
    pub started_at: Timestamp,
    pub expires_at: Timestamp,
    pub refreshed_at: Option<Timestamp>,
}

pub async fn sessions(db: &Db, session: Uuid) -> Result<Vec<Session>, Error> {
    Ok(db.all(sql!("sessions"), params![session, false]).await?)
}

/// Personal access tokens are sessions too.
pub async fn personal_tokens(db: &Db, session: Uuid) -> Result<Vec<Session>, Error> {
    Ok(db.all(sql!("sessions"), params![session, true]).await?)
}

/// Ends one session of whoever asks.
pub async fn end_session(
    db: &Db,
    session: Uuid,
    which: Uuid,
    client: &Client,
) -> Result<(), Error> {
    let params = params![session, which, &client.address, client.request_id.as_str()];
    let ended: Option<Only<Uuid>> = db.optional(sql!("end_session"), params).await?;
    ended.map(|_| ()).ok_or(Error::UnknownSession)
}

pub async fn end_all_sessions(db: &Db, session: Uuid, client: &Client) -> Result<Vec<Uuid>, Error> {
    let params = params![session, &client.address, client.request_id.as_str()];
    let ended = ended(db, sql!("end_all_sessions"), params).await?;
    ended.ok_or(Error::SessionOver)
}

/// A personal access token that is about to be made.
pub struct NewPersonal<'a> {
    pub id: Uuid,
    pub digest: Vec<u8>,
    pub name: &'a str,
    pub scope: &'a str,
    pub seconds: i64,
}

pub async fn make_personal(
    db: &Db,
    session: Uuid,
    new: NewPersonal<'_>,
    client: &Client,
) -> Result<Timestamp, Error> {
    let params = params![
        session,
        new.id,
        new.digest,
        new.name,
        new.scope,
        new.seconds,
        &client.address,
        client.agent.as_deref(),
        client.request_id.as_str(),
    ];
    let made: Option<Only<Timestamp>> = db.optional(sql!("make_personal"), params).await?;
    made.map(|Only(it)| it).ok_or(Error::SessionOver)
}

/// A personal access token that is good.
#[derive(Debug)]
pub struct Personal {
    pub account: Account,
    pub session: Uuid,
    pub scope: String,
    pub seconds_left: i64,
}

pub async fn find_personal(
    db: &Db,
    digest: Vec<u8>,
    client: &Client,
) -> Result<Option<Personal>, Error> {
    let params = params![digest, &client.address, client.request_id.as_str()];
    Ok(db.optional(sql!("find_personal"), params).await?)
}

// Accounts.

/// The account of whoever asks.
pub async fn me(db: &Db, session: Uuid) -> Result<Account, Error> {
    Ok(db.one(sql!("me"), params![session]).await?)
}

/// By what somebody is looked up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whom<'a> {
    pub id: Option<Uuid>,
    pub number: Option<i64>,
    pub login: Option<&'a str>,
    pub email: Option<&'a str>,
    pub cpf: Option<&'a str>,
}

/// Looks an account up for somebody signed in, by whatever is given.
pub async fn find(db: &Db, session: Uuid, whom: Whom<'_>) -> Result<Account, Error> {
    let params = params![
        session,
        whom.id,
        whom.number,
        whom.login,
        whom.email,
        whom.cpf
    ];
    let found = db.optional(sql!("find"), params).await?;
    found.ok_or(Error::UnknownAccount)
}

/// An account that whoever asks may change.
pub async fn find_managed(db: &Db, caller: &Caller, login: &str) -> Result<Account, Error> {
    let params = params![caller.session, login, caller.is_admin()];
    let found = db.optional(sql!("find_managed"), params).await?;
    found.ok_or(Error::UnknownAccount)
}

pub async fn list(db: &Db, session: Uuid, page: Page, usual: i64) -> Result<Vec<Account>, Error> {
    let params = params![session, page.limit(usual), page.offset()];
    Ok(db.all(sql!("list"), params).await?)
}

pub async fn list_customers(
    db: &Db,
    caller: &Caller,
    number: Option<i64>,
    page: Page,
) -> Result<Vec<Account>, Error> {
    let (limit, offset) = (page.limit(10), page.offset());
    let params = params![caller.session, number, limit, offset, caller.is_admin()];
    Ok(db.all(sql!("list_customers"), params).await?)
}

/// What changes of an account; what is absent stays.
#[derive(Debug, Default)]
pub struct Change<'a> {
    pub login: Option<&'a str>,
    pub name: Option<&'a str>,
    pub surname: Option<&'a str>,
    pub email: Option<&'a str>,
    pub telegram_id: Option<TelegramId>,
    pub hash: Option<&'a str>,
    pub roles: Option<RoleChange>,
}

/// The roles held afterwards: `add`, and what was held before but for `drop`.
#[derive(Clone, Copy, Debug)]
pub struct RoleChange {
    pub add: Roles,
    pub drop: Roles,
}

impl RoleChange {
    /// Exactly these and no others.
    pub fn exactly(roles: Roles) -> Self {
        Self {
            add: roles,
            drop: Role::ALL.into_iter().collect(),
        }
    }
}

/// Changes an account of one's own, or one that is managed. Answers which sessions that ended.
pub async fn update(
    db: &Db,
    caller: &Caller,
    whom: Uuid,
    change: Change<'_>,
    client: &Client,
) -> Result<(Account, Vec<Uuid>), Error> {
    let params = params![
        caller.session,
        whom,
        change.login,
        change.name,
        change.surname,
        change.email,
        change.telegram_id.map(|it| it.get().unwrap_or(0)),
        change.hash,
        change.roles.map(|it| it.add.names()),
        change.roles.map(|it| it.drop.names()),
        caller.is_admin(),
        &client.address,
        client.request_id.as_str(),
    ];
    let Changed(account, ended) = db
        .optional(sql!("update_account"), params)
        .await?
        .ok_or(Error::UnknownAccount)?;
    Ok((account, ended))
}

/// Keeps somebody out, or lets them in again.
pub async fn set_disabled(
    db: &Db,
    session: Uuid,
    whom: Uuid,
    is_disabled: bool,
    client: &Client,
) -> Result<(Account, Vec<Uuid>), Error> {
    let (address, request_id) = (&client.address, client.request_id.as_str());
    let params = params![session, whom, is_disabled, address, request_id];
    let Changed(account, ended) = db
        .optional(sql!("set_disabled"), params)
        .await?
        .ok_or(Error::UnknownAccount)?;
    Ok((account, ended))
}

/// Forgets a person: one's own account, or one that is managed.
pub async fn erase(
    db: &Db,
    caller: &Caller,
    whom: Uuid,
    client: &Client,
) -> Result<Vec<Uuid>, Error> {
    let params = params![
        caller.session,
        whom,
        &client.address,
        client.request_id.as_str(),
        caller.is_admin(),
    ];
    ended(db, sql!("erase"), params)
        .await?
        .ok_or(Error::UnknownAccount)
}

/// Forgets everybody but admins.
pub async fn erase_all(db: &Db, session: Uuid, client: &Client) -> Result<(), Error> {
    let params = params![session, &client.address, client.request_id.as_str()];
    let _: Only<i64> = db.one(sql!("erase_all"), params).await?;
    Ok(())
}

/// Everything that is kept about whoever asks.
pub async fn export(db: &Db, session: Uuid, client: &Client) -> Result<Value, Error> {
    let params = params![session, &client.address, client.request_id.as_str()];
    let Only(everything) = db.one(sql!("export"), params).await?;
    Ok(everything)
}

/// A row of the audit trail.
#[derive(Debug)]
pub struct Event {
    pub id: i64,
    pub at: Timestamp,
    pub what: String,
    pub session: Option<Uuid>,
    pub actor: Option<Uuid>,
    pub address: String,
    pub request_id: String,
    pub detail: Option<String>,
}

/// What happened to somebody, newest first: for themselves and for admins.
pub async fn audit(
    db: &Db,
    session: Uuid,
    whom: Uuid,
    before: Option<i64>,
    page: Page,
) -> Result<Vec<Event>, Error> {
    let params = params![session, whom, before, page.limit(50)];
    Ok(db.all(sql!("audit"), params).await?)
}

// The second factor.

/// The account of whoever asks, with what proves that they are its person.
pub async fn proofs(db: &Db, session: Uuid) -> Result<(Proven, Option<Uuid>), Error> {
    let Proofs(proven, offered) = db.one(sql!("proofs"), params![session]).await?;
    Ok((proven, offered))
}

pub async fn offer_totp(db: &Db, session: Uuid, enrolment: Uuid) -> Result<(), Error> {
    match db
        .run(sql!("offer_totp"), params![session, enrolment])
        .await?
    {
        0 => Err(Error::FactorExists),
        _ => Ok(()),
    }
}

pub async fn confirm_totp(
    db: &Db,
    session: Uuid,
    enrolment: Uuid,
    step: i64,
    client: &Client,
) -> Result<(), Error> {
    let (address, request_id) = (&client.address, client.request_id.as_str());
    let params = params![session, enrolment, step, address, request_id];
    let confirmed: Option<Only<Uuid>> = db.optional(sql!("confirm_totp"), params).await?;
    confirmed.map(|_| ()).ok_or(Error::NoFactor)
}

pub async fn remove_totp(
    db: &Db,
    session: Uuid,
    enrolment: Uuid,
    client: &Client,
) -> Result<(), Error> {
    let (address, request_id) = (&client.address, client.request_id.as_str());
    let params = params![session, enrolment, address, request_id];
    let removed: Option<Only<Uuid>> = db.optional(sql!("remove_totp"), params).await?;
    removed.map(|_| ()).ok_or(Error::NoFactor)
}

/// Puts other backup codes in the place of those there were; says which ones.
pub async fn renew_backup_codes(
    db: &Db,
    session: Uuid,
    enrolment: Uuid,
    client: &Client,
) -> Result<i32, Error> {
    let (address, request_id) = (&client.address, client.request_id.as_str());
    let params = params![session, enrolment, address, request_id];
    let batch: Option<Only<i32>> = db.optional(sql!("renew_backup_codes"), params).await?;
    batch.map(|Only(it)| it).ok_or(Error::NoFactor)
}

/// Takes the second factor off somebody who lost it.
pub async fn take_totp_off(
    db: &Db,
    session: Uuid,
    whom: Uuid,
    client: &Client,
) -> Result<(), Error> {
    let params = params![session, whom, &client.address, client.request_id.as_str()];
    let taken: Option<Only<Uuid>> = db.optional(sql!("take_totp_off"), params).await?;
    taken.map(|_| ()).ok_or(Error::UnknownAccount)
}

// Letters and passcodes.

/// A secret that goes out in a letter, and what is kept of it.
pub struct Letter<'a> {
    pub digest: Vec<u8>,
    pub secret: &'a str,
    pub seconds: i64,
}

/// Sends a letter to that mailbox if it is somebody's.
pub async fn send_reset(
    db: &Db,
    email: &str,
    letter: Letter<'_>,
    client: &Client,
) -> Result<(), Error> {
    let params = params![
        email,
        letter.digest,
        letter.secret,
        letter.seconds,
        &client.address,
        client.request_id.as_str(),
    ];
    db.run(sql!("send_reset"), params).await?;
    Ok(())
}

/// Whose letter it was, without using it up.
pub async fn read_letter(db: &Db, digest: Vec<u8>, purpose: &str) -> Result<Account, Error> {
    let read = db
        .optional(sql!("read_letter"), params![digest, purpose])
        .await?;
    read.ok_or(Error::BadSecret)
}

pub async fn reset_password(
    db: &Db,
    digest: Vec<u8>,
    hash: &str,
    client: &Client,
) -> Result<Vec<Uuid>, Error> {
    let params = params![digest, hash, &client.address, client.request_id.as_str()];
    ended(db, sql!("reset_password"), params)
        .await?
        .ok_or(Error::BadSecret)
}

/// Sends a letter to the mailbox of whoever asks; false when there is none, or it is known.
pub async fn send_verification(
    db: &Db,
    session: Uuid,
    letter: Letter<'_>,
    client: &Client,
) -> Result<bool, Error> {
    let params = params![
        session,
        letter.digest,
        letter.secret,
        letter.seconds,
        &client.address,
        client.request_id.as_str(),
    ];
    let sent: Option<Only<Uuid>> = db.optional(sql!("send_verification"), params).await?;
    Ok(sent.is_some())
}

pub async fn verify_email(db: &Db, digest: Vec<u8>, client: &Client) -> Result<(), Error> {
    let params = params![digest, &client.address, client.request_id.as_str()];
    let verified: Option<Only<Uuid>> = db.optional(sql!("verify_email"), params).await?;
    verified.map(|_| ()).ok_or(Error::BadSecret)
}

/// When the code stops working; `None` when somebody else holds the same digits.
pub async fn issue_passcode(
    db: &Db,
    session: Uuid,
    code: &str,
    seconds: i64,
    client: &Client,
) -> Result<Option<Timestamp>, Error> {
    let (address, request_id) = (&client.address, client.request_id.as_str());
    let params = params![session, code, seconds, address, request_id];
    let issued = db.optional(sql!("issue_passcode"), params).await?;
    Ok(issued.map(|Only(it)| it))
}

pub async fn passcode_owner(
    db: &Db,
    code: &str,
    client: &Client,
) -> Result<Option<Account>, Error> {
    let params = params![code, &client.address, client.request_id.as_str()];
    Ok(db.optional(sql!("passcode_owner"), params).await?)
}

/// The same for the last time.
pub async fn redeem_passcode(
    db: &Db,
    code: &str,
    client: &Client,
) -> Result<Option<Account>, Error> {
    let params = params![code, &client.address, client.request_id.as_str()];
    Ok(db.optional(sql!("redeem_passcode"), params).await?)
}

// Other issuers.

/// An issuer's keys as they were last read, and how many seconds ago that was.
pub struct ForeignKeys {
    pub jwks: String,
    pub age_s: i64,
}

pub async fn foreign_keys(db: &Db, issuer: &str) -> Result<Option<ForeignKeys>, Error> {
    Ok(db.optional(sql!("foreign_keys"), params![issuer]).await?)
}

/// Whether it is time to ask the issuer again, and nobody else does.
pub async fn claim_foreign_keys(db: &Db, issuer: &str, pause_s: i64) -> Result<bool, Error> {
    let claimed: Option<Only<String>> = db
        .optional(sql!("claim_foreign_keys"), params![issuer, pause_s])
        .await?;
    Ok(claimed.is_some())
}

pub async fn keep_foreign_keys(db: &Db, issuer: &str, jwks: &Value) -> Result<(), Error> {
    db.run(sql!("keep_foreign_keys"), params![issuer, jwks])
        .await?;
    Ok(())
}

/// Begins a session for whoever is known by that name there, with the roles they hold there.
/// Answers which sessions that ended.
pub async fn enter_foreign(
    db: &Db,
    known_as: &ForeignName,
    roles: RoleChange,
    start: &Start,
    client: &Client,
) -> Result<Option<(Account, Vec<Uuid>)>, Error> {
    let params = params![
        &known_as.issuer,
        &known_as.subject,
        roles.add.names(),
        roles.drop.names(),
        start.session,
        start.seconds,
        &client.address,
        client.agent.as_deref(),
        client.request_id.as_str(),
    ];
    let entered: Option<Changed> = db.optional(sql!("enter_foreign"), params).await?;
    Ok(entered.map(|Changed(account, ended)| (account, ended)))
}

/// Whether an account that was seen to own that mailbox is now known by that name there.
pub async fn link_foreign_by_email(
    db: &Db,
    known_as: &ForeignName,
    email: &str,
) -> Result<bool, Error> {
    let params = params![&known_as.issuer, &known_as.subject, email];
    Ok(db.run(sql!("link_foreign_by_email"), params).await? == 1)
}

// For other functions and the clock: they were let in by the manifest, there is no session.

pub async fn look_up(db: &Db, whom: Whom<'_>) -> Result<Option<Account>, Error> {
    let params = params![whom.id, whom.number, whom.login, whom.email, whom.cpf];
    Ok(db.optional(sql!("look_up"), params).await?)
}

pub async fn look_up_all(db: &Db, ids: &[Uuid]) -> Result<Vec<Account>, Error> {
    Ok(db.all(sql!("look_up_all"), params![texts(ids)]).await?)
}

pub async fn with_telegram_id(db: &Db, telegram_id: i64) -> Result<Vec<Account>, Error> {
    Ok(db
        .all(sql!("with_telegram_id"), params![telegram_id])
        .await?)
}

/// Sessions that are over and that other functions may not have heard of.
pub async fn untold(db: &Db, limit: i64) -> Result<Vec<Uuid>, Error> {
    let ids: Vec<Only<String>> = db.all(sql!("untold"), params![limit]).await?;
    Ok(ids.iter().filter_map(|Only(it)| it.parse().ok()).collect())
}

pub async fn told(db: &Db, sessions: &[Uuid]) -> Result<(), Error> {
    db.run(sql!("told"), params![texts(sessions)]).await?;
    Ok(())
}

/// Makes every session count as untold again of which a token may still be around.
pub async fn tell_again(db: &Db, token_seconds: i64) -> Result<(), Error> {
    db.run(sql!("tell_again"), params![token_seconds]).await?;
    Ok(())
}

/// Deletes what is long over; says how much that was.
pub async fn forget(db: &Db, limit: i64, token_seconds: i64) -> Result<i64, Error> {
    let Only(forgotten) = db
        .one(sql!("forget"), params![limit, token_seconds])
        .await?;
    Ok(forgotten)
}

/// Arrays of uuid do not cross the interface to PostgreSQL.
fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

/// The sessions that a statement ended, if it did what it was to do.
async fn ended(
    db: &Db,
    sql: &'static str,
    params: Vec<ParameterValue>,
) -> Result<Option<Vec<Uuid>>, Error> {
    let ended: Option<Ended> = db.optional(sql, params).await?;
    Ok(ended.map(|Ended(it)| it))
}

struct Ended(Vec<Uuid>);

struct Changed(Account, Vec<Uuid>);

struct Prolonged(Account, i64);

struct Proofs(Proven, Option<Uuid>);

impl FromRow for Ended {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let ids: Vec<String> = row.get("ended")?;
        Ok(Self(ids.iter().filter_map(|it| it.parse().ok()).collect()))
    }
}

impl FromRow for Changed {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let Ended(ended) = Ended::from_row(row)?;
        Ok(Self(Account::from_row(row)?, ended))
    }
}

impl FromRow for Prolonged {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(Account::from_row(row)?, row.get("seconds_left")?))
    }
}

impl FromRow for Account {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            number: row.get("number")?,
            login: row.get("login")?,
            email: row.get("email")?,
            name: row.get("name")?,
            surname: row.get("surname")?,
            cpf: row.get("cpf")?,
            telegram_id: row.get("telegram_id")?,
            roles: Roles::from(row.get::<Vec<String>>("roles")?),
            is_email_verified: row.get("is_email_verified")?,
            has_totp: row.get("has_totp")?,
            is_disabled: row.get("is_disabled")?,
        })
    }
}

impl FromRow for Proven {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            account: Account::from_row(row)?,
            password: row.get("password")?,
            totp: row.get("totp")?,
            backup_batch: row.get("backup_batch")?,
            seal: row.get("seal")?,
        })
    }
}

impl FromRow for Proofs {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(Proven::from_row(row)?, row.get("totp_offered")?))
    }
}

impl FromRow for Refreshed {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(match row.get::<String>("outcome")?.as_str() {
            "refreshed" => Self::Next(
                Account::from_row(row)?,
                row.get("token")?,
                row.get("seconds_left")?,
            ),
            "reused" => Self::Reused,
            _ => Self::Over,
        })
    }
}

impl FromRow for Session {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            kind: row.get("kind")?,
            address: row.get("address")?,
            agent: row.get("agent")?,
            name: row.get("name")?,
            scope: row.get("scope")?,
            started_at: row.get("started_at")?,
            expires_at: row.get("expires_at")?,
            refreshed_at: row.get("refreshed_at")?,
        })
    }
}

impl FromRow for Personal {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            account: Account::from_row(row)?,
            session: row.get("session")?,
            scope: row.get("scope")?,
            seconds_left: row.get("seconds_left")?,
        })
    }
}

impl FromRow for ForeignKeys {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            jwks: row.get("jwks")?,
            age_s: row.get("age_s")?,
        })
    }
}

impl FromRow for Event {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            at: row.get("at")?,
            what: row.get("what")?,
            session: row.get("session")?,
            actor: row.get("actor")?,
            address: row.get("address")?,
            request_id: row.get("request_id")?,
            detail: row.get("detail")?,
        })
    }
}
