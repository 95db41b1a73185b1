//! The SQL of jobs, one function per statement.

use kit::store::relay::NewEvent;
use kit::store::{Db, DbError, Decided, Only};
use kit::{params, sql};
use uuid::Uuid;

use crate::error::Error;
use crate::queue::{Backlog, Entry, Failure, Lane, Listing};
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

/// Writes an event that a program outside announced, once.
pub async fn record_event(db: &Db, id: Uuid, event: &NewEvent) -> Result<(), Error> {
    let params = params![id, event.kind, &event.aggregate, &event.payload];
    db.run(sql!("record_event"), params).await?;
    Ok(())
}

/// The sweeps that are due; until their next period no other copy is given them.
pub async fn take_due(db: &Db, sweeps: &[Sweep]) -> Result<Vec<Sweep>, Error> {
    let names: Vec<String> = sweeps.iter().map(|it| it.name().to_owned()).collect();
    let periods: Vec<i64> = sweeps.iter().map(|it| it.period_s()).collect();
    let due = db.all(sql!("take_due"), params![names, periods]).await?;
    Ok(due.into_iter().map(|Only(sweep)| sweep).collect())
}

/// Parks deliveries of paused kinds that are ready. Answers whether there may be more.
pub async fn park_paused(db: &Db, limit: i32) -> Result<bool, Error> {
    let Only(parked) = db.one(sql!("park_paused"), params![limit]).await?;
    Ok(parked)
}

/// Makes partitions, drops old ones and deletes old dead letters. Answers whether there may be more of these.
pub async fn keep_days(db: &Db, limit: i32) -> Result<bool, Error> {
    let Only(purged) = db.one(sql!("keep_days"), params![limit]).await?;
    Ok(purged)
}

/// Answers whether there may be more.
pub async fn purge_messages(db: &Db, limit: i32) -> Result<bool, Error> {
    let purged = db
        .run(sql!("purge_messages"), params![i64::from(limit)])
        .await?;
    Ok(i64::try_from(purged) == Ok(i64::from(limit)))
}

pub async fn measure_backlog(db: &Db) -> Result<Vec<Backlog>, Error> {
    Ok(db.all(sql!("measure_backlog"), params![]).await?)
}

/// Newest first.
pub async fn list_events(db: &Db, listing: Listing<'_>) -> Result<Vec<Entry>, Error> {
    let params = params![
        listing.state,
        listing.kind,
        listing.consumer,
        listing.aggregate,
        listing.before,
        listing.limit
    ];
    Ok(db.all(sql!("list_events"), params).await?)
}

/// The deliveries of an event; one without a consumer while none is made.
pub async fn find_event(db: &Db, id: Uuid) -> Result<Vec<Entry>, Error> {
    let found: Vec<Entry> = db.all(sql!("find_event"), params![id]).await?;
    match found.is_empty() {
        true => Err(Error::UnknownEvent),
        false => Ok(found),
    }
}

/// The failed attempts of an event, the last one first.
pub async fn list_failures(db: &Db, id: Uuid) -> Result<Vec<Failure>, Error> {
    Ok(db.all(sql!("list_failures"), params![id]).await?)
}

/// Requeues the deliveries of an event to one consumer, or to all.
pub async fn requeue_event(db: &Db, id: Uuid, consumer: Option<&str>) -> Result<(), Error> {
    let requeued = db.one::<Decided<(), Error>>(sql!("requeue_event"), params![id, consumer]);
    requeued.await?.0
}

/// Discards the dead deliveries of an event to one consumer, or to all.
pub async fn discard_event(
    db: &Db,
    id: Uuid,
    consumer: Option<&str>,
    by: Uuid,
) -> Result<(), Error> {
    let params = params![id, consumer, by];
    let discarded = db.one::<Decided<(), Error>>(sql!("discard_event"), params);
    discarded.await?.0
}

/// Requeues dead letters of one kind and consumer, or all, up to `limit`; answers how many.
pub async fn requeue_dead(
    db: &Db,
    kind: Option<&str>,
    consumer: Option<&str>,
    limit: i32,
) -> Result<i64, Error> {
    let Only(requeued) = db
        .one(sql!("requeue_dead"), params![kind, consumer, limit])
        .await?;
    Ok(requeued)
}

pub async fn pause_kind(db: &Db, kind: &str, by: Uuid) -> Result<(), Error> {
    db.run(sql!("pause_kind"), params![kind, by]).await?;
    Ok(())
}

/// Ends the pause of a kind; whether there was one.
pub async fn resume_kind(db: &Db, kind: &str) -> Result<bool, Error> {
    Ok(db.run(sql!("resume_kind"), params![kind]).await? > 0)
}

/// Lets up to `limit` deliveries go on that were parked for something, as the pause of a kind; answers how many.
pub async fn unpark(db: &Db, what: &str, limit: i32) -> Result<i64, Error> {
    let Only(freed) = db.one(sql!("unpark"), params![what, limit]).await?;
    Ok(freed)
}

/// By function and rank; at most a thousand.
pub async fn list_lanes(db: &Db) -> Result<Vec<Lane>, Error> {
    Ok(db.all(sql!("list_lanes"), params![]).await?)
}

/// Pauses a lane of a function, or all of them.
pub async fn pause_lanes(
    db: &Db,
    consumer: &str,
    lane: Option<&str>,
    by: Uuid,
) -> Result<(), Error> {
    let params = params![consumer, lane, by];
    let Only(paused): Only<i64> = db.one(sql!("pause_lanes"), params).await?;
    match paused {
        0 => Err(Error::UnknownLane),
        _ => Ok(()),
    }
}

/// Ends the pause of a lane of a function, or of all of them.
pub async fn resume_lanes(db: &Db, consumer: &str, lane: Option<&str>) -> Result<(), Error> {
    let params = params![consumer, lane];
    let Only(resumed): Only<i64> = db.one(sql!("resume_lanes"), params).await?;
    match resumed {
        0 => Err(Error::NotPaused),
        _ => Ok(()),
    }
}
