//! Sessions: opening, refreshing, listing and ending them, personal access tokens, and the marks of ended ones.

use jiff::Timestamp;
use kit::identity::token::Claims;
use kit::store::{Db, Decided, Only};
use kit::{params, sql};
use uuid::Uuid;

use super::{Ids, acting, opening};
use crate::account::Credentials;
use crate::client::{Actor, Client};
use crate::error::Error;
use crate::session::{
    NewPersonalToken, PersonalToken, Prolonged, ProvenAgain, Refreshed, Session, Start,
};

/// Opens a session, unless the account changed since it was proven.
pub async fn open_session(
    db: &Db,
    proven: &Credentials,
    start: &Start,
    client: &Client,
) -> Result<bool, Error> {
    let account = params![proven.account.id, proven.security_stamp];
    let params = opening(Some(start), client, account);
    let opened: Option<Only<Uuid>> = db.optional(sql!("open_session"), params).await?;
    Ok(opened.is_some())
}

/// Replaces the password and opens a session, unless the account changed since it was proven. Answers the
/// sessions that ended.
pub async fn change_password(
    db: &Db,
    proven: &Credentials,
    password_hash: &str,
    start: &Start,
    client: &Client,
) -> Result<Option<Vec<Uuid>>, Error> {
    let account = params![proven.account.id, proven.security_stamp, password_hash];
    let params = opening(Some(start), client, account);
    let ended: Option<Only<Ids>> = db.optional(sql!("change_password"), params).await?;
    Ok(ended.map(|it| it.0.0))
}

/// How long a spent refresh token gets the same answer again: two tabs of a browser may use it within moments of each
/// other.
const GRACE_S: i64 = 10;

/// Exchanges a refresh token for the next one.
pub async fn refresh_session(
    db: &Db,
    claims: &Claims,
    client: &Client,
) -> Result<Refreshed, Error> {
    let params = params![
        claims.sid,
        &client.address,
        client.request_id.as_str(),
        claims.jti,
        Uuid::new_v4(),
        GRACE_S,
        client.network(),
    ];
    db.one::<Decided<Refreshed, Error>>(sql!("refresh_session"), params)
        .await?
        .0
}

/// Makes a session last for at least so long from now, unless another issuer decides about it.
/// It never lasts longer than `max_seconds` from its start.
pub async fn prolong_session(
    db: &Db,
    session: Uuid,
    seconds: i64,
    max_seconds: i64,
) -> Result<Prolonged, Error> {
    let params = params![session, seconds, max_seconds];
    db.optional(sql!("prolong_session"), params)
        .await?
        .ok_or(Error::SessionOver)
}

/// The caller's sessions, or only those that are personal access tokens.
pub async fn list_sessions(
    db: &Db,
    session: Uuid,
    only_personal_tokens: bool,
) -> Result<Vec<Session>, Error> {
    let params = params![session, only_personal_tokens];
    Ok(db.all(sql!("list_sessions"), params).await?)
}

/// The caller's present session.
pub async fn find_session(db: &Db, session: Uuid) -> Result<Session, Error> {
    Ok(db.one(sql!("find_session"), params![session]).await?)
}

/// Records that the caller proved again who they are.
pub async fn record_proof(db: &Db, actor: &Actor, amr: &[&str]) -> Result<ProvenAgain, Error> {
    let amr: Vec<String> = amr.iter().map(|it| (*it).to_owned()).collect();
    let proven = db.optional(sql!("record_proof"), acting(actor, params![amr]));
    proven.await?.ok_or(Error::SessionOver)
}

/// Ends one session of the caller.
pub async fn end_session(db: &Db, actor: &Actor, session: Uuid) -> Result<(), Error> {
    let params = acting(actor, params![session]);
    let ended: Option<Only<Uuid>> = db.optional(sql!("end_session"), params).await?;
    ended.map(drop).ok_or(Error::UnknownSession)
}

/// Ends every session of the caller.
pub async fn end_all_sessions(db: &Db, actor: &Actor) -> Result<Vec<Uuid>, Error> {
    let params = acting(actor, Vec::new());
    let ended: Option<Only<Ids>> = db.optional(sql!("end_all_sessions"), params).await?;
    ended.map(|it| it.0.0).ok_or(Error::SessionOver)
}

/// Ends every session of another user.
pub async fn end_sessions_of(db: &Db, actor: &Actor, account: Uuid) -> Result<Vec<Uuid>, Error> {
    let params = acting(actor, params![account]);
    let ended: Option<Only<Ids>> = db.optional(sql!("end_sessions_of"), params).await?;
    ended.map(|it| it.0.0).ok_or(Error::UnknownAccount)
}

/// Creates a personal access token; answers when it expires.
pub async fn create_personal_token(
    db: &Db,
    actor: &Actor,
    new: NewPersonalToken<'_>,
) -> Result<Timestamp, Error> {
    let params = acting(
        actor,
        params![
            actor.client.agent.as_deref(),
            new.id,
            new.digest,
            new.name,
            new.scope,
            new.seconds,
        ],
    );
    let created: Option<Only<Timestamp>> =
        db.optional(sql!("create_personal_token"), params).await?;
    created.map(|it| it.0).ok_or(Error::SessionOver)
}

pub async fn find_personal_token(
    db: &Db,
    digest: Vec<u8>,
    client: &Client,
) -> Result<Option<PersonalToken>, Error> {
    let params = params![digest, &client.address, client.request_id.as_str()];
    Ok(db.optional(sql!("find_personal_token"), params).await?)
}

// Marks of ended sessions, and what is old.

/// Sessions that ended and may have no mark yet.
pub async fn list_unmarked(db: &Db, limit: i64) -> Result<Vec<Uuid>, Error> {
    let ids: Vec<Only<String>> = db.all(sql!("list_unmarked"), params![limit]).await?;
    Ok(ids.iter().filter_map(|it| it.0.parse().ok()).collect())
}

pub async fn record_marked(db: &Db, sessions: Vec<Uuid>) -> Result<(), Error> {
    db.run(sql!("record_marked"), params![Ids(sessions)])
        .await?;
    Ok(())
}

/// Makes the sweep mark every session again that ended while an access token of it may still be in use.
pub async fn unmark_all(db: &Db, token_seconds: i64) -> Result<(), Error> {
    db.run(sql!("unmark_all"), params![token_seconds]).await?;
    Ok(())
}

/// Deletes sessions, letters, passcodes and counts that are over, `limit` at most of each; answers how many.
pub async fn purge(db: &Db, limit: i64, token_seconds: i64) -> Result<i64, Error> {
    let params = params![limit, token_seconds];
    let Only(purged) = db.one(sql!("purge"), params).await?;
    Ok(purged)
}
