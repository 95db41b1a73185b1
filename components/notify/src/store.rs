//! The SQL of notify, one function per statement.

use std::time::Duration;

use kit::db::Only;
use kit::{Db, DbError, FromRow, Language, Row, params, sql};
use uuid::Uuid;

use crate::error::Error;
use crate::notice::Notify;
use crate::plan::Channels;
use crate::routes::{Preferences, Webhook};
use crate::webhook::{Address, Secret};

pub async fn open() -> Result<Db, DbError> {
    Db::open("notify_database_url").await
}

/// How the person of a notice is to be told.
pub async fn channels(db: &Db, notify: &Notify, chat: Option<i64>) -> Result<Channels, Error> {
    let params = params![notify.user_id, chat, &notify.template];
    Ok(db.one(sql!("channels"), params).await?)
}

pub async fn silence(db: &Db, chat: i64, why: &str) -> Result<(), Error> {
    db.run(sql!("silence"), params![chat, why]).await?;
    Ok(())
}

/// Why nothing is said in a chat, if nothing is.
pub async fn silence_of(db: &Db, chat: i64) -> Result<Option<String>, Error> {
    let found = db.optional(sql!("silence_of"), params![chat]).await?;
    Ok(found.map(|Only(reason)| reason))
}

pub async fn unsilence(db: &Db, chat: i64) -> Result<(), Error> {
    db.run(sql!("unsilence"), params![chat]).await?;
    Ok(())
}

pub async fn preferences(db: &Db, user: Uuid) -> Result<Preferences, Error> {
    Ok(db
        .optional(sql!("preferences"), params![user])
        .await?
        .unwrap_or_default())
}

pub async fn prefer(db: &Db, user: Uuid, wanted: &Preferences) -> Result<(), Error> {
    let params = params![
        user,
        wanted.language.code(),
        wanted.telegram,
        wanted.email,
        wanted.webhook
    ];
    db.run(sql!("prefer"), params).await?;
    Ok(())
}

/// All that a person decided.
pub async fn forget(db: &Db, user: Uuid) -> Result<(), Error> {
    db.run(sql!("forget"), params![user]).await?;
    Ok(())
}

// Webhooks.

/// One person's programs; nobody needs more.
pub const MOST_WEBHOOKS: i64 = 10;

pub async fn webhook_create(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    address: &Address,
    secret: &Secret,
    templates: Option<Vec<String>>,
) -> Result<Webhook, Error> {
    let params = params![
        id,
        owner,
        address.as_str(),
        secret.as_stored(),
        templates,
        MOST_WEBHOOKS
    ];
    db.optional(sql!("webhook_create"), params)
        .await?
        .ok_or(Error::TooManyWebhooks(MOST_WEBHOOKS))
}

pub async fn webhooks(db: &Db, owner: Uuid) -> Result<Vec<Webhook>, Error> {
    Ok(db.all(sql!("webhooks"), params![owner]).await?)
}

pub async fn webhook_delete(db: &Db, id: Uuid, owner: Uuid) -> Result<(), Error> {
    match db.run(sql!("webhook_delete"), params![id, owner]).await? {
        0 => Err(Error::UnknownWebhook),
        _ => Ok(()),
    }
}

/// A new key; those before it sign too for a day each.
pub async fn webhook_rotate(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    secret: &Secret,
) -> Result<Webhook, Error> {
    db.optional(
        sql!("webhook_rotate"),
        params![id, owner, secret.as_stored()],
    )
    .await?
    .ok_or(Error::UnknownWebhook)
}

pub async fn webhook_enable(db: &Db, id: Uuid, owner: Uuid) -> Result<Webhook, Error> {
    db.optional(sql!("webhook_enable"), params![id, owner])
        .await?
        .ok_or(Error::UnknownWebhook)
}

pub async fn webhook_disable(db: &Db, id: Uuid, why: &str) -> Result<(), Error> {
    db.run(sql!("webhook_disable"), params![id, why]).await?;
    Ok(())
}

/// It took a call, after some that it did not take.
pub async fn webhook_took(db: &Db, id: Uuid) -> Result<(), Error> {
    db.run(sql!("webhook_took"), params![id]).await?;
    Ok(())
}

/// It did not take a call, and may have said when to come again.
pub async fn webhook_failed(db: &Db, id: Uuid, after: Option<Duration>) -> Result<(), Error> {
    let after_ms = after.map(|it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX));
    db.run(sql!("webhook_failed"), params![id, after_ms])
        .await?;
    Ok(())
}

/// What a call needs.
pub struct Callee {
    pub owner: Uuid,
    pub url: String,
    /// Calls in a row that it did not take.
    pub failures: i32,
    /// For how long it is left alone.
    pub rests: Duration,
    /// Those in force, the newest first.
    pub keys: Vec<Secret>,
}

/// None when it was deleted or disabled.
pub async fn webhook_to_call(db: &Db, id: Uuid) -> Result<Option<Callee>, Error> {
    Ok(db.optional(sql!("webhook_to_call"), params![id]).await?)
}

impl FromRow for Channels {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let webhooks: Vec<String> = row.get("webhooks")?;
        Ok(Self {
            language: row.parse("language", Language::parse)?,
            telegram: row.get("telegram")?,
            email: row.get("email")?,
            chat_is_silent: row.get("chat_is_silent")?,
            webhooks: webhooks.iter().filter_map(|it| it.parse().ok()).collect(),
        })
    }
}

impl FromRow for Preferences {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            language: row.parse("language", Language::parse)?,
            telegram: row.get("telegram")?,
            email: row.get("email")?,
            webhook: row.get("webhook")?,
        })
    }
}

impl FromRow for Webhook {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            url: row.get("url")?,
            templates: row.get("templates")?,
            created_at: row.get("created_at")?,
            disabled_at: row.get("disabled_at")?,
            disabled_because: row.get("disabled_because")?,
            failures: row.get("failures")?,
        })
    }
}

impl FromRow for Callee {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let keys: Vec<String> = row.get("keys")?;
        Ok(Self {
            owner: row.get("owner")?,
            url: row.get("url")?,
            failures: row.get("failures")?,
            rests: Duration::from_millis(row.get::<i64>("rests_ms")?.unsigned_abs()),
            keys: keys.into_iter().map(Secret::stored).collect(),
        })
    }
}
