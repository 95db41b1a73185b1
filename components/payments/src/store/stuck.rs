//! The SQL of refunds that were refused.

use kit::store::{Db, Only};
use kit::{params, sql};
use uuid::Uuid;

use super::decide;
use crate::error::Error;
use crate::manual::{Hand, Handled};
use crate::stuck::{Known, Measure, StuckRefund};

/// Refunds that are not resolved, the oldest first.
pub async fn list_stuck_refunds(
    db: &Db,
    limit: i64,
    offset: i64,
) -> Result<Vec<StuckRefund>, Error> {
    let params = params![limit, offset];
    Ok(db.all(sql!("list_stuck_refunds"), params).await?)
}

pub async fn find_stuck_refund(db: &Db, id: &str) -> Result<Known, Error> {
    db.optional(sql!("find_stuck_refund"), params![id])
        .await?
        .ok_or(Error::UnknownRefund)
}

/// Settles a refund by hand: the house pays the missing part, or the refund was paid another way.
pub async fn settle_stuck(db: &Db, id: &str, hand: &Hand) -> Result<Handled, Error> {
    let params = params![id, hand.admin, hand.reason(), hand.alone_up_to];
    decide(db, sql!("settle_stuck"), params).await
}

/// Keeps that an admin had a refund tried again.
pub async fn note_retry(db: &Db, id: &str, hand: &Hand) -> Result<(), Error> {
    db.run(sql!("note_retry"), params![id, hand.admin, hand.reason()])
        .await?;
    Ok(())
}

/// Lets the PSP be asked again.
pub async fn retry_stuck(db: &Db, id: &str) -> Result<(), Error> {
    let _: Only<bool> = db.one(sql!("retry_stuck"), params![id]).await?;
    Ok(())
}

/// Records that the PSP refuses to send a payment back.
pub async fn note_refused_attempt(
    db: &Db,
    checkout: Uuid,
    payment: &str,
    why: &str,
    left: Option<i64>,
) -> Result<(), Error> {
    let params = params![checkout, payment, why, left];
    let _: Only<bool> = db.one(sql!("note_refused_attempt"), params).await?;
    Ok(())
}

/// Stuck refunds for the log, each named once.
pub async fn alert_stuck(db: &Db, limit: i32) -> Result<Vec<String>, Error> {
    let alerts: Vec<Only<String>> = db.all(sql!("alert_stuck"), params![limit]).await?;
    Ok(alerts.into_iter().map(|it| it.0).collect())
}

pub async fn measure_stuck(db: &Db) -> Result<Vec<Measure>, Error> {
    Ok(db.all(sql!("measure_stuck"), params![]).await?)
}
