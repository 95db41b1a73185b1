//! The SQL of accounts and sessions, one function per statement.

use kit::db::Only;
use kit::{Db, DbError, FromRow, Roles, Row, params, sql};
use uuid::Uuid;

use crate::account::{Account, Cpf, Email, NewAccount, TelegramId, Text};
use crate::client::Client;
use crate::error::Error;

pub async fn open() -> Result<Db, Error> {
    Ok(Db::open("signin_database_url").await?)
}

/// An account with what proves that somebody is its person.
#[derive(Debug)]
pub struct Proven {
    pub account: Account,
    pub password: Option<String>,
    pub is_disabled: bool,
    /// What was proven holds as long as the account still carries this seal.
    seal: Uuid,
}

/// A session that is about to begin.
#[derive(Debug)]
pub struct Start {
    pub session: Uuid,
    pub kind: &'static str,
    pub seconds: i64,
}

impl Start {
    pub fn now(kind: &'static str, seconds: i64) -> Self {
        Self {
            session: Uuid::new_v4(),
            kind,
            seconds,
        }
    }
}

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
    let account = db
        .one(
            sql!("register"),
            params![
                Uuid::new_v4(),
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
                &client.address,
                client.agent.as_deref(),
                client.request_id.as_str(),
            ],
        )
        .await?;
    Ok(account)
}

/// Begins a session, unless what was proven holds no more.
pub async fn open_session(
    db: &Db,
    proven: &Proven,
    start: &Start,
    client: &Client,
) -> Result<bool, Error> {
    let opened: Option<Only<Uuid>> = db
        .optional(
            sql!("open_session"),
            params![
                proven.account.id,
                proven.seal,
                start.session,
                start.kind,
                start.seconds,
                &client.address,
                client.agent.as_deref(),
                client.request_id.as_str(),
            ],
        )
        .await?;
    Ok(opened.is_some())
}

/// Puts a new password in place and begins a session under it, unless what was proven holds no
/// more. The new seal ends every session of before.
pub async fn change_password(
    db: &Db,
    proven: &Proven,
    hash: &str,
    start: &Start,
    client: &Client,
) -> Result<bool, Error> {
    let changed: Option<Only<Uuid>> = db
        .optional(
            sql!("change_password"),
            params![
                proven.account.id,
                proven.seal,
                hash,
                start.session,
                start.kind,
                start.seconds,
                &client.address,
                client.agent.as_deref(),
                client.request_id.as_str(),
            ],
        )
        .await?;
    Ok(changed.is_some())
}

/// Notes that somebody did not get in.
pub async fn refused(db: &Db, account: Option<Uuid>, client: &Client) -> Result<(), Error> {
    db.run(
        sql!("refused"),
        params![account, &client.address, client.request_id.as_str()],
    )
    .await?;
    Ok(())
}

/// The account of whoever asks.
pub async fn me(db: &Db, session: Uuid) -> Result<Account, Error> {
    Ok(db.one(sql!("me"), params![session]).await?)
}

/// Looks an account up for somebody signed in; a name that is absent is not asked for.
pub async fn find(
    db: &Db,
    session: Uuid,
    id: Option<Uuid>,
    login: Option<&str>,
) -> Result<Account, Error> {
    db.optional(sql!("find"), params![session, id, login])
        .await?
        .ok_or(Error::UnknownAccount)
}

pub async fn sign_out(db: &Db, session: Uuid, client: &Client) -> Result<(), Error> {
    db.run(
        sql!("sign_out"),
        params![session, &client.address, client.request_id.as_str()],
    )
    .await?;
    Ok(())
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
        })
    }
}

impl FromRow for Proven {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            account: Account::from_row(row)?,
            password: row.get("password")?,
            is_disabled: row.get("is_disabled")?,
            seal: row.get("seal")?,
        })
    }
}
