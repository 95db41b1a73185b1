//! The SQL of jobs, one function per statement.

use kit::db::Only;
use kit::relay::NewEvent;
use kit::{Db, DbError, FromRow, Row, params, sql};
use uuid::Uuid;

use crate::error::Error;
use crate::queue::{self, Backlog, Entry, Failure, State};
use crate::sweep::Sweep;

pub async fn open() -> Result<Db, DbError> {
    Db::open("jobs_database_url").await
}

/// Writes down what a message told, unless another copy just did.
pub async fn hear(db: &Db, message: &[u8], told: &NewEvent) -> Result<(), Error> {
    let params = params![message.to_vec(), told.kind, &told.aggregate, &told.payload];
    db.run(sql!("hear"), params).await?;
    Ok(())
}

/// The sweeps whose time has come: this copy runs them.
pub async fn take_due(db: &Db, sweeps: &[Sweep]) -> Result<Vec<Sweep>, Error> {
    let names: Vec<String> = sweeps.iter().map(|it| it.name().to_owned()).collect();
    let periods: Vec<i64> = sweeps.iter().map(|it| it.period_s()).collect();
    Ok(db.all(sql!("take_due"), params![names, periods]).await?)
}

/// Whether there may be more.
pub async fn forget_settled(db: &Db, at_most: u32) -> Result<bool, Error> {
    let at_most = i64::from(at_most);
    Ok(db.run(sql!("forget_settled"), params![at_most]).await? == at_most.unsigned_abs())
}

pub async fn forget_heard(db: &Db, at_most: u32) -> Result<bool, Error> {
    let at_most = i64::from(at_most);
    Ok(db.run(sql!("forget_heard"), params![at_most]).await? == at_most.unsigned_abs())
}

pub async fn backlog(db: &Db) -> Result<Vec<Backlog>, Error> {
    Ok(db.all(sql!("backlog"), params![]).await?)
}

/// Which events are wanted; what is absent does not matter.
pub struct Wanted<'a> {
    pub state: Option<State>,
    pub kind: Option<&'a str>,
    pub aggregate: Option<&'a str>,
    /// Only those before this place in the queue.
    pub before: Option<i64>,
    pub limit: i64,
}

/// Newest first.
pub async fn list(db: &Db, wanted: Wanted<'_>) -> Result<Vec<Entry>, Error> {
    let params = params![
        wanted.state.map(State::name),
        wanted.kind,
        wanted.aggregate,
        wanted.before,
        wanted.limit
    ];
    Ok(db.all(sql!("list"), params).await?)
}

pub async fn find(db: &Db, id: Uuid) -> Result<Entry, Error> {
    db.optional(sql!("find"), params![id])
        .await?
        .ok_or(Error::UnknownEvent)
}

/// What went wrong with an event, last attempt first.
pub async fn failures(db: &Db, id: Uuid) -> Result<Vec<Failure>, Error> {
    Ok(db.all(sql!("failures"), params![id]).await?)
}

pub async fn requeue(db: &Db, id: Uuid) -> Result<(), Error> {
    match db.optional(sql!("requeue"), params![id]).await? {
        Some(Only(true)) => Ok(()),
        Some(Only(false)) => Err(Error::NotWaiting),
        None => Err(Error::UnknownEvent),
    }
}

/// Gives a dead event up.
pub async fn discard(db: &Db, id: Uuid, by: Uuid) -> Result<(), Error> {
    match db.optional(sql!("discard"), params![id, by]).await? {
        Some(Only(true)) => Ok(()),
        Some(Only(false)) => Err(Error::NotDead),
        None => Err(Error::UnknownEvent),
    }
}

/// Dead events, of one kind or all; says how many.
pub async fn requeue_all(db: &Db, kind: Option<&str>) -> Result<u64, Error> {
    Ok(db.run(sql!("requeue_all"), params![kind]).await?)
}

pub async fn pause(db: &Db, kind: &str, by: Uuid) -> Result<(), Error> {
    db.run(sql!("pause"), params![kind, by]).await?;
    Ok(())
}

pub async fn resume(db: &Db, kind: &str) -> Result<(), Error> {
    match db.run(sql!("resume"), params![kind]).await? {
        0 => Err(Error::NotPaused),
        _ => {
            db.run(sql!("call_back"), params![kind]).await?;
            Ok(())
        }
    }
}

impl FromRow for Sweep {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        row.parse("name", Self::parse)
    }
}

impl FromRow for Backlog {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            kind: row.get("kind")?,
            waiting: row.get("waiting")?,
            failing: row.get("failing")?,
            due: row.get("due")?,
            dead: row.get("dead")?,
            done_last_minute: row.get("done_last_minute")?,
            oldest_s: row.get("oldest_s")?,
            paused: row.get("paused")?,
        })
    }
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            seq: row.get("seq")?,
            kind: row.get("kind")?,
            aggregate: row.get("aggregate")?,
            consumer: row.get("consumer")?,
            state: row.parse("state", State::parse)?,
            attempts: row.get("attempts")?,
            due_at: row.get("due_at")?,
            created_at: row.get("created_at")?,
            settled_at: row.get("settled_at")?,
            payload: queue::covered(row.get("payload")?),
            last_error: row.get("last_error")?,
        })
    }
}

impl FromRow for Failure {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            attempt: row.get("attempt")?,
            failed_at: row.get("failed_at")?,
            error: row.get("error")?,
        })
    }
}
