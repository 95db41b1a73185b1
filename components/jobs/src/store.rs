//! The SQL of jobs, one function per statement.

use kit::store::relay::NewEvent;
use kit::store::{Db, DbError, Decided, Only};
use kit::{params, sql};
use uuid::Uuid;

use crate::error::Error;
use crate::queue::{Backlog, Entry, Failure, Listing};
use crate::sweep::Sweep;

pub async fn open() -> Result<Db, DbError> {
    Db::open("jobs_database_url").await
}

/// Writes the event that a message tells of, unless another copy just did.
pub async fn record_message(db: &Db, message: &[u8], event: &NewEvent) -> Result<(), Error> {
    let params = params![
        message.to_vec(),
        event.kind,
        &event.aggregate,
        &event.payload
    ];
    db.run(sql!("record_message"), params).await?;
    Ok(())
}

/// The sweeps that are due; until their next period no other copy is given them.
pub async fn take_due(db: &Db, sweeps: &[Sweep]) -> Result<Vec<Sweep>, Error> {
    let names: Vec<String> = sweeps.iter().map(|it| it.name().to_owned()).collect();
    let periods: Vec<i64> = sweeps.iter().map(|it| it.period_s()).collect();
    let due = db.all(sql!("take_due"), params![names, periods]).await?;
    Ok(due.into_iter().map(|Only(sweep)| sweep).collect())
}

/// Answers whether there may be more.
pub async fn purge_settled(db: &Db, limit: u32) -> Result<bool, Error> {
    purge(db, sql!("purge_settled"), limit).await
}

/// Answers whether there may be more.
pub async fn purge_messages(db: &Db, limit: u32) -> Result<bool, Error> {
    purge(db, sql!("purge_messages"), limit).await
}

async fn purge(db: &Db, sql: &'static str, limit: u32) -> Result<bool, Error> {
    let purged = db.run(sql, params![i64::from(limit)]).await?;
    Ok(purged == u64::from(limit))
}

pub async fn measure_backlog(db: &Db) -> Result<Vec<Backlog>, Error> {
    Ok(db.all(sql!("measure_backlog"), params![]).await?)
}

/// Newest first.
pub async fn list_events(db: &Db, listing: Listing<'_>) -> Result<Vec<Entry>, Error> {
    let params = params![
        listing.state,
        listing.kind,
        listing.aggregate,
        listing.before,
        listing.limit
    ];
    Ok(db.all(sql!("list_events"), params).await?)
}

pub async fn find_event(db: &Db, id: Uuid) -> Result<Entry, Error> {
    db.optional(sql!("find_event"), params![id])
        .await?
        .ok_or(Error::UnknownEvent)
}

/// The failed attempts of an event, the last one first.
pub async fn list_failures(db: &Db, id: Uuid) -> Result<Vec<Failure>, Error> {
    Ok(db.all(sql!("list_failures"), params![id]).await?)
}

pub async fn requeue_event(db: &Db, id: Uuid) -> Result<(), Error> {
    db.optional::<Decided<(), Error>>(sql!("requeue_event"), params![id])
        .await?
        .ok_or(Error::UnknownEvent)?
        .0
}

/// Discards a dead event.
pub async fn discard_event(db: &Db, id: Uuid, by: Uuid) -> Result<(), Error> {
    db.optional::<Decided<(), Error>>(sql!("discard_event"), params![id, by])
        .await?
        .ok_or(Error::UnknownEvent)?
        .0
}

/// Requeues the dead events of one kind, or all; answers how many.
pub async fn requeue_dead(db: &Db, kind: Option<&str>) -> Result<u64, Error> {
    Ok(db.run(sql!("requeue_dead"), params![kind]).await?)
}

pub async fn pause_kind(db: &Db, kind: &str, by: Uuid) -> Result<(), Error> {
    db.run(sql!("pause_kind"), params![kind, by]).await?;
    Ok(())
}

/// Ends the pause of a kind, and lets the events that stepped aside for it be claimed.
pub async fn resume_kind(db: &Db, kind: &str) -> Result<(), Error> {
    if db.run(sql!("resume_kind"), params![kind]).await? == 0 {
        return Err(Error::NotPaused);
    }
    db.run(sql!("call_back_kind"), params![kind]).await?;
    Ok(())
}
