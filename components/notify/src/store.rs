//! The SQL of notify, one function per statement.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use kit::store::{Db, DbError, Decided, Only};
use kit::{params, sql};
use serde_json::json;
use uuid::Uuid;

use crate::digest::{Digest, Due};
use crate::error::Error;
use crate::inbox::{Kept, MAX_COUNTED};
use crate::plan::{Channels, Planned};
use crate::preference::Preferences;
use crate::webhook::{Address, Attempt, Call, Callee, MAX_TESTS, MAX_WEBHOOKS, Secret, Webhook};

pub async fn open() -> Result<Db, DbError> {
    Db::open("notify_database_url").await
}

/// Puts notices into the inboxes of their persons, except notices with a code. Returns the channels of each notice by its
/// event. A notice that can wait is left to the digest of its person, if they want one.
pub async fn find_channels(
    db: &Db,
    notices: &[Planned<'_>],
) -> Result<HashMap<Uuid, Channels>, Error> {
    let rows: Vec<Channels> = db
        .all(sql!("find_channels"), params![&json!(notices)])
        .await?;
    Ok(rows.into_iter().map(|it| (it.event, it)).collect())
}

/// The newest first.
pub async fn list_inbox(
    db: &Db,
    user: Uuid,
    before: Option<i64>,
    only_unread: bool,
    limit: i64,
) -> Result<Vec<Kept>, Error> {
    let params = params![user, before, only_unread, limit];
    Ok(db.all(sql!("list_inbox"), params).await?)
}

/// Unread notices, at most `MAX_COUNTED`.
pub async fn count_unread(db: &Db, user: Uuid) -> Result<i64, Error> {
    let params = params![user, MAX_COUNTED];
    let Only(unread) = db.one(sql!("count_unread"), params).await?;
    Ok(unread)
}

/// Marks the notices of a person as read, up to one of them.
pub async fn mark_read(db: &Db, user: Uuid, up_to: i64) -> Result<(), Error> {
    db.run(sql!("mark_read"), params![user, up_to]).await?;
    Ok(())
}

pub async fn purge_inbox(db: &Db, limit: i64) -> Result<(), Error> {
    db.run(sql!("purge_inbox"), params![limit]).await?;
    Ok(())
}

pub async fn silence_chat(db: &Db, chat: i64, reason: &str) -> Result<(), Error> {
    db.run(sql!("silence_chat"), params![chat, reason]).await?;
    Ok(())
}

/// The reason for which a chat is silent; absent when it is not.
pub async fn find_silence(db: &Db, chat: i64) -> Result<Option<String>, Error> {
    let found = db.optional(sql!("find_silence"), params![chat]).await?;
    Ok(found.map(|Only(reason)| reason))
}

pub async fn unsilence_chat(db: &Db, chat: i64) -> Result<(), Error> {
    db.run(sql!("unsilence_chat"), params![chat]).await?;
    Ok(())
}

/// A person signed in in a chat.
pub async fn link_chat(db: &Db, user: Uuid, chat: i64) -> Result<(), Error> {
    db.run(sql!("link_chat"), params![user, chat]).await?;
    Ok(())
}

pub async fn find_preferences(db: &Db, user: Uuid) -> Result<Preferences, Error> {
    let found = db.optional(sql!("find_preferences"), params![user]).await?;
    Ok(found.unwrap_or_default())
}

pub async fn save_preferences(db: &Db, user: Uuid, wanted: &Preferences) -> Result<(), Error> {
    let hours = wanted.quiet_hours.as_ref();
    let params = params![
        user,
        wanted.language,
        wanted.telegram,
        wanted.email,
        wanted.webhook,
        &wanted.time_zone,
        hours.map(|it| &it.from),
        hours.map(|it| &it.until),
        wanted.digest_at.as_ref()
    ];
    db.one::<Decided<(), Error>>(sql!("save_preferences"), params)
        .await?
        .0
}

// Digests.

/// Claims digests that are due.
pub async fn claim_digests(db: &Db, limit: i64) -> Result<Vec<Due>, Error> {
    Ok(db.all(sql!("claim_digests"), params![limit]).await?)
}

/// The notices that wait for a person's digest, the oldest first.
pub async fn list_digest(db: &Db, user: Uuid, limit: i64) -> Result<Vec<Kept>, Error> {
    Ok(db.all(sql!("list_digest"), params![user, limit]).await?)
}

/// Sends the letter, once for its notices, and sets when the next one is due. Nothing happens when the claim was lost.
pub async fn send_digest(db: &Db, due: &Due, digest: &Digest) -> Result<(), Error> {
    let params = params![
        due.user_id,
        due.claimed_until.as_millisecond(),
        &json!(digest.notices),
        digest.letter.as_ref().map(|it| json!(it)).as_ref(),
        digest.has_more
    ];
    db.run(sql!("send_digest"), params).await?;
    Ok(())
}

/// Removes everything that is kept of a person.
pub async fn erase(db: &Db, user: Uuid) -> Result<(), Error> {
    db.run(sql!("erase"), params![user]).await?;
    Ok(())
}

// Webhooks.

pub async fn create_webhook(
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
        MAX_WEBHOOKS
    ];
    db.optional(sql!("create_webhook"), params)
        .await?
        .ok_or(Error::TooManyWebhooks(MAX_WEBHOOKS))
}

pub async fn list_webhooks(db: &Db, owner: Uuid) -> Result<Vec<Webhook>, Error> {
    Ok(db.all(sql!("list_webhooks"), params![owner]).await?)
}

pub async fn find_webhook(db: &Db, id: Uuid, owner: Uuid) -> Result<Webhook, Error> {
    db.optional(sql!("find_webhook"), params![id, owner])
        .await?
        .ok_or(Error::UnknownWebhook)
}

pub async fn delete_webhook(db: &Db, id: Uuid, owner: Uuid) -> Result<(), Error> {
    match db.run(sql!("delete_webhook"), params![id, owner]).await? {
        0 => Err(Error::UnknownWebhook),
        _ => Ok(()),
    }
}

/// Adds a key. Earlier keys go on signing for a day.
pub async fn rotate_secret(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    secret: &Secret,
) -> Result<Webhook, Error> {
    let params = params![id, owner, secret.as_stored()];
    db.optional(sql!("rotate_secret"), params)
        .await?
        .ok_or(Error::UnknownWebhook)
}

pub async fn enable_webhook(db: &Db, id: Uuid, owner: Uuid) -> Result<Webhook, Error> {
    db.optional(sql!("enable_webhook"), params![id, owner])
        .await?
        .ok_or(Error::UnknownWebhook)
}

pub async fn disable_webhook(db: &Db, id: Uuid, reason: &str) -> Result<(), Error> {
    db.all::<()>(sql!("disable_webhook"), params![id, reason])
        .await?;
    Ok(())
}

/// Records a call, and whether the webhook works.
pub async fn record_attempt(db: &Db, call: &Call<'_>) -> Result<(), Error> {
    let ms = |it: Duration| i64::try_from(it.as_millis()).unwrap_or(i64::MAX);
    let params = params![
        call.webhook,
        call.event,
        call.template,
        call.status,
        call.error,
        ms(call.took),
        call.retry_after.map(ms)
    ];
    db.all::<()>(sql!("record_attempt"), params).await?;
    Ok(())
}

/// The newest first.
pub async fn list_attempts(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Attempt>, Error> {
    let params = params![id, owner, before, limit];
    Ok(db.all(sql!("list_attempts"), params).await?)
}

pub async fn purge_attempts(db: &Db, limit: i64) -> Result<(), Error> {
    db.run(sql!("purge_attempts"), params![limit]).await?;
    Ok(())
}

/// Writes a test delivery, for the owner to see whether the webhook works.
pub async fn emit_test(db: &Db, id: Uuid, owner: Uuid) -> Result<(), Error> {
    let params = params![id, owner, MAX_TESTS];
    db.one::<Decided<(), Error>>(sql!("emit_test"), params)
        .await?
        .0
}

/// Frees up to `limit` deliveries that are parked for a webhook, of events since a moment; answers how many.
pub async fn release_parked(db: &Db, id: Uuid, since: Timestamp, limit: i32) -> Result<i64, Error> {
    let params = params![id.to_string(), since, limit];
    let Only(released) = db.one(sql!("release_parked"), params).await?;
    Ok(released)
}

/// What a call needs; absent when the webhook was deleted.
pub async fn find_callee(db: &Db, id: Uuid) -> Result<Option<Callee>, Error> {
    Ok(db.optional(sql!("find_callee"), params![id]).await?)
}
