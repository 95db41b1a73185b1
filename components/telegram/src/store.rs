//! The SQL of the bot, one function per statement.

use jiff::Timestamp;
use kit::store::{Db, DbError, FromRow};
use kit::{params, sql};
use uuid::Uuid;

use crate::error::Error;
use crate::platform::Me;

pub async fn open() -> Result<Db, DbError> {
    Db::open("telegram_database_url").await
}

/// The sign-in of a chat.
#[derive(FromRow)]
pub struct Session {
    /// Its tokens, as [`crate::sealed`] keeps them.
    pub sealed: Vec<u8>,
    pub expires_at: Timestamp,
}

pub async fn find_session(db: &Db, chat: i64) -> Result<Session, Error> {
    db.optional(sql!("find_session"), params![chat])
        .await?
        .ok_or(Error::SignedOut)
}

/// Keeps the sign-in of a chat, and emits that the person signed in there.
pub async fn save_session(
    db: &Db,
    chat: i64,
    sealed: &[u8],
    seconds: i64,
    me: &Me,
) -> Result<(), Error> {
    let params = params![chat, sealed.to_vec(), &me.login, seconds, me.user_id];
    db.run(sql!("save_session"), params).await?;
    Ok(())
}

/// Replaces the tokens of a session, unless another update has replaced the spent ones.
pub async fn renew_session(
    db: &Db,
    chat: i64,
    spent: &[u8],
    next: &[u8],
    seconds: i64,
) -> Result<(), Error> {
    let params = params![chat, spent.to_vec(), next.to_vec(), seconds];
    db.run(sql!("renew_session"), params).await?;
    Ok(())
}

pub async fn delete_session(db: &Db, chat: i64) -> Result<(), Error> {
    db.run(sql!("delete_session"), params![chat]).await?;
    Ok(())
}

/// Removes all data of a person.
pub async fn erase(db: &Db, user: Uuid) -> Result<(), Error> {
    db.run(sql!("erase"), params![user]).await?;
    Ok(())
}

/// Writes the event that a chat wants notices again.
pub async fn emit_started(db: &Db, chat: i64) -> Result<(), Error> {
    db.run(sql!("emit_started"), params![chat]).await?;
    Ok(())
}

/// Writes the event that a message has to be deleted from its chat.
pub async fn emit_hide(db: &Db, chat: i64, message: i64) -> Result<(), Error> {
    db.run(sql!("emit_hide"), params![chat, message]).await?;
    Ok(())
}
