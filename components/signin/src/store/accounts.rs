//! Accounts: creating, finding, changing and erasing them.

use kit::identity::{Caller, Role, Roles};
use kit::store::{Db, Decided, FromRow, Only, ParameterValue};
use kit::web::Page;
use kit::{params, sql};
use uuid::Uuid;

use super::{Changed, Ids, acting, opening};
use crate::account::{Account, Change, Credentials, Export, Identified, Known, Lookup, NewAccount};
use crate::client::{Actor, Client};
use crate::error::Error;
use crate::imported::Checked;
use crate::name::{Cpf, TelegramId};
use crate::session::Start;

/// By login or e-mail.
pub async fn find_by_name(
    db: &Db,
    name: &str,
    client: &Client,
) -> Result<Option<Credentials>, Error> {
    let params = params![name, client.network()];
    Ok(db.optional(sql!("find_by_name"), params).await?)
}

/// Whether the admin of the configuration was made in this database before.
pub async fn has_first_admin(db: &Db) -> Result<bool, Error> {
    let Only(has) = db.one(sql!("has_first_admin"), Vec::new()).await?;
    Ok(has)
}

/// Creates an account with its event, and its first session if one is given.
pub async fn create_account(
    db: &Db,
    new: &NewAccount,
    password_hash: Option<&str>,
    start: Option<&Start>,
    client: &Client,
) -> Result<Account, Error> {
    let params = creating(new, password_hash, start, client, false);
    Ok(db.one(sql!("create_account"), params).await?)
}

/// Creates the account of the first admin, unless there was one before.
pub async fn create_first_admin(
    db: &Db,
    new: &NewAccount,
    password_hash: &str,
    client: &Client,
) -> Result<Option<Account>, Error> {
    let params = creating(new, Some(password_hash), None, client, true);
    Ok(db.optional(sql!("create_account"), params).await?)
}

fn creating(
    new: &NewAccount,
    password_hash: Option<&str>,
    start: Option<&Start>,
    client: &Client,
    is_first_admin: bool,
) -> Vec<ParameterValue> {
    let foreign = new.foreign_identity.as_ref();
    opening(
        start,
        client,
        params![
            new.id,
            &new.login,
            new.email.as_ref(),
            new.name.as_ref(),
            new.surname.as_ref(),
            new.cpf.as_ref(),
            new.telegram_id.and_then(TelegramId::get),
            password_hash,
            new.roles,
            new.created_by,
            foreign.map(|it| it.issuer.as_str()),
            foreign.map(|it| it.subject.as_str()),
            is_first_admin,
        ],
    )
}

/// The caller's own account.
pub async fn find_caller(db: &Db, session: Uuid) -> Result<Account, Error> {
    Ok(db.one(sql!("find_caller"), params![session]).await?)
}

/// Looks an account up for a signed-in caller.
pub async fn find_account(db: &Db, session: Uuid, lookup: Lookup<'_>) -> Result<Account, Error> {
    let params = params![
        session,
        lookup.id,
        lookup.number,
        lookup.login,
        lookup.email,
        lookup.cpf
    ];
    let found = db.optional(sql!("find_account"), params).await?;
    found.ok_or(Error::UnknownAccount)
}

/// What an admin is told of a user.
pub async fn find_user(db: &Db, session: Uuid, id: Uuid) -> Result<Known, Error> {
    let found = db.optional(sql!("find_user"), params![session, id]).await?;
    found.ok_or(Error::UnknownAccount)
}

/// Looks a customer up for a signed-in caller, and whether their personal data is for that caller.
pub async fn identify_customer(db: &Db, caller: &Caller, cpf: &Cpf) -> Result<Identified, Error> {
    let params = params![caller.session, cpf, caller.is_admin()];
    let found = db.optional(sql!("identify_customer"), params).await?;
    found.ok_or(Error::UnknownAccount)
}

/// Whether another account has the e-mail.
pub async fn is_email_taken(db: &Db, email: &str, account: Uuid) -> Result<bool, Error> {
    let params = params![email, account];
    let Only(is_taken) = db.one(sql!("is_email_taken"), params).await?;
    Ok(is_taken)
}

/// Replaces the hash of a password that is right by a stronger one.
pub async fn update_password_hash(
    db: &Db,
    account: Uuid,
    checked: &str,
    hash: &str,
) -> Result<(), Error> {
    let params = params![account, checked, hash];
    db.run(sql!("update_password_hash"), params).await?;
    Ok(())
}

/// An account that the caller may change.
pub async fn find_managed_account(db: &Db, caller: &Caller, login: &str) -> Result<Account, Error> {
    let params = params![caller.session, login, caller.is_admin()];
    let found = db.optional(sql!("find_managed_account"), params).await?;
    found.ok_or(Error::UnknownAccount)
}

pub async fn list_accounts(
    db: &Db,
    session: Uuid,
    page: Page,
    default_limit: i64,
) -> Result<Vec<Account>, Error> {
    let params = params![session, page.limit(default_limit), page.offset()];
    Ok(db.all(sql!("list_accounts"), params).await?)
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

/// Changes the caller's own account, or one that they manage. Answers the sessions that this ended.
pub async fn update_account(
    db: &Db,
    actor: &Actor,
    account: Uuid,
    change: Change<'_>,
) -> Result<(Account, Vec<Uuid>), Error> {
    let params = acting(
        actor,
        params![
            account,
            change.login,
            change.name,
            change.surname,
            change.email,
            change.telegram_id.map(|it| it.get().unwrap_or(0)),
            change.password_hash,
            change.roles.map(|it| it.add),
            change.roles.map(|it| it.drop),
            actor.caller.is_admin(),
            change.letter.map(|it| it.digest.clone()),
            change.letter.map(|it| it.secret.as_str()),
            change.letter.map(|it| it.seconds),
        ],
    );
    let changed: Option<Changed> = db.optional(sql!("update_account"), params).await?;
    changed.map(Into::into).ok_or(Error::UnknownAccount)
}

/// Disables an account, or enables it again. Answers the sessions that this ended.
pub async fn set_disabled(
    db: &Db,
    actor: &Actor,
    account: Uuid,
    is_disabled: bool,
) -> Result<(Account, Vec<Uuid>), Error> {
    let params = acting(actor, params![account, is_disabled]);
    let changed: Option<Changed> = db.optional(sql!("set_disabled"), params).await?;
    changed.map(Into::into).ok_or(Error::UnknownAccount)
}

/// Erases the person of the caller's own account, or of one that they manage. Answers the sessions that ended.
pub async fn erase_account(db: &Db, actor: &Actor, account: Uuid) -> Result<Vec<Uuid>, Error> {
    let params = acting(actor, params![account, actor.caller.is_admin()]);
    let ended: Option<Only<Ids>> = db.optional(sql!("erase_account"), params).await?;
    ended.map(|it| it.0.0).ok_or(Error::UnknownAccount)
}

/// Erases all people but admins.
pub async fn erase_all_accounts(db: &Db, actor: &Actor) -> Result<(), Error> {
    let params = acting(actor, Vec::new());
    let _: Only<i64> = db.one(sql!("erase_all_accounts"), params).await?;
    Ok(())
}

/// Lines of the audit trail in one export.
const EXPORTED_LINES: i64 = 1_000;

/// Everything that is kept about the caller.
pub async fn export_account(db: &Db, actor: &Actor, before: Option<i64>) -> Result<Export, Error> {
    let params = acting(actor, params![before, EXPORTED_LINES]);
    Ok(db.one(sql!("export_account"), params).await?)
}

#[derive(FromRow)]
struct Outcome {
    outcome: String,
}

/// Takes over an account of a replaced system; false when it was taken over before.
pub async fn import_account(db: &Db, actor: &Actor, new: &Checked) -> Result<bool, Error> {
    let line = &new.line;
    let roles: Roles = line.roles.iter().copied().collect();
    let params = acting(
        actor,
        params![
            new.id,
            line.number,
            &new.login,
            line.email.as_ref(),
            line.email_verified && line.email.is_some(),
            line.name.as_ref(),
            line.surname.as_ref(),
            line.cpf.as_ref(),
            line.telegram_id.and_then(TelegramId::get),
            new.password_hash.as_deref(),
            roles,
        ],
    );
    let decided = db.one::<Decided<Outcome, Error>>(sql!("import_account"), params);
    Ok(decided.await?.0?.outcome == "imported")
}

// For other functions: the manifest let them in, there is no session.

pub async fn look_up_account(db: &Db, lookup: Lookup<'_>) -> Result<Option<Account>, Error> {
    let params = params![
        lookup.id,
        lookup.number,
        lookup.login,
        lookup.email,
        lookup.cpf
    ];
    Ok(db.optional(sql!("look_up_account"), params).await?)
}

pub async fn list_by_ids(db: &Db, ids: Vec<Uuid>) -> Result<Vec<Account>, Error> {
    Ok(db.all(sql!("list_by_ids"), params![Ids(ids)]).await?)
}

/// How many accounts hold a role; without one, how many there are.
#[derive(FromRow)]
pub struct Holders {
    pub role: Option<Role>,
    pub accounts: i64,
}

pub async fn count_accounts(db: &Db) -> Result<Vec<Holders>, Error> {
    Ok(db.all(sql!("count_accounts"), Vec::new()).await?)
}

pub async fn list_by_telegram_id(db: &Db, telegram_id: i64) -> Result<Vec<Account>, Error> {
    Ok(db
        .all(sql!("list_by_telegram_id"), params![telegram_id])
        .await?)
}
