//! The SQL of the bot, one function per statement.

use jiff::Timestamp;
use kit::{Db, DbError, FromRow, Row, params, sql};

use crate::error::Error;
use crate::platform::{Token, Tokens};

pub async fn open() -> Result<Db, DbError> {
    Db::open("telegram_database_url").await
}

/// In whose name a chat speaks.
pub struct Session {
    pub token: Token,
    pub refresh_token: String,
    pub expires_at: Timestamp,
}

pub async fn session(db: &Db, chat: i64) -> Result<Session, Error> {
    db.optional(sql!("session"), params![chat])
        .await?
        .ok_or(Error::SignedOut)
}

pub async fn sign_in(db: &Db, chat: i64, tokens: &Tokens, login: &str) -> Result<(), Error> {
    let params = params![
        chat,
        &tokens.token.0,
        &tokens.refresh_token,
        login,
        tokens.seconds
    ];
    db.run(sql!("sign_in"), params).await?;
    Ok(())
}

/// The next pair in the place of one that was spent.
pub async fn renew(db: &Db, chat: i64, spent: &str, next: &Tokens) -> Result<(), Error> {
    let params = params![
        chat,
        spent,
        &next.token.0,
        &next.refresh_token,
        next.seconds
    ];
    db.run(sql!("renew"), params).await?;
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

/// A message must not stay in its chat.
pub async fn tell_to_hide(db: &Db, chat: i64, message: i64) -> Result<(), Error> {
    db.run(sql!("tell_to_hide"), params![chat, message]).await?;
    Ok(())
}

impl FromRow for Session {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            token: Token(row.get("token")?),
            refresh_token: row.get("refresh_token")?,
            expires_at: row.get("expires_at")?,
        })
    }
}
