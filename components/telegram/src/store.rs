//! The SQL of the bot, one function per statement.

use kit::db::Only;
use kit::{Db, DbError, params, sql};

use crate::error::Error;
use crate::platform::Token;

pub async fn open() -> Result<Db, DbError> {
    Db::open("telegram_database_url").await
}

/// In whose name the chat speaks.
pub async fn session(db: &Db, chat: i64) -> Result<Token, Error> {
    let found = db.optional(sql!("session"), params![chat]).await?;
    found
        .map(|Only(token)| Token(token))
        .ok_or(Error::SignedOut)
}

pub async fn sign_in(db: &Db, chat: i64, token: &Token, login: &str) -> Result<(), Error> {
    db.run(sql!("sign_in"), params![chat, &token.0, login])
        .await?;
    Ok(())
}

pub async fn sign_out(db: &Db, chat: i64) -> Result<(), Error> {
    db.run(sql!("sign_out"), params![chat]).await?;
    Ok(())
}

/// Whoever speaks to the bot wants to hear from us.
pub async fn tell_started(db: &Db, chat: i64) -> Result<(), Error> {
    db.run(sql!("tell_started"), params![chat]).await?;
    Ok(())
}
