//! Accounts: creating, finding, changing and erasing them.

use kit::identity::Caller;
use kit::store::{Db, Only};
use kit::web::Page;
use kit::{params, sql};
use uuid::Uuid;

use super::{Changed, Ids, acting, opening};
use crate::account::{Account, Change, Credentials, Export, Lookup, NewAccount};
use crate::client::{Actor, Client};
use crate::error::Error;
use crate::name::TelegramId;
use crate::session::Start;

/// By login or e-mail.
pub async fn find_by_name(db: &Db, name: &str) -> Result<Option<Credentials>, Error> {
    Ok(db.optional(sql!("find_by_name"), params![name]).await?)
}

/// Creates an account with its event, and its first session if one is given.
pub async fn create_account(
    db: &Db,
    new: &NewAccount,
    password_hash: Option<&str>,
    start: Option<&Start>,
    client: &Client,
) -> Result<Account, Error> {
    let foreign = new.foreign_identity.as_ref();
    let params = opening(
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
        ],
    );
    Ok(db.one(sql!("create_account"), params).await?)
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

/// Erases everyone but admins.
pub async fn erase_all_accounts(db: &Db, actor: &Actor) -> Result<(), Error> {
    let params = acting(actor, Vec::new());
    let _: Only<i64> = db.one(sql!("erase_all_accounts"), params).await?;
    Ok(())
}

/// Everything that is kept about the caller.
pub async fn export_account(db: &Db, actor: &Actor) -> Result<Export, Error> {
    let params = acting(actor, Vec::new());
    Ok(db.one(sql!("export_account"), params).await?)
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

pub async fn list_by_telegram_id(db: &Db, telegram_id: i64) -> Result<Vec<Account>, Error> {
    Ok(db
        .all(sql!("list_by_telegram_id"), params![telegram_id])
        .await?)
}
