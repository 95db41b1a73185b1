//! Case files, the lists of controllers without a network, and statistics.

use jiff::Timestamp;
use kit::identity::Caller;
use kit::store::{Db, FromRow};
use kit::{params, sql};
use serde_json::Value;

use super::decide;
use crate::cover::ValidPlate;
use crate::error::Error;
use crate::statistics::Statistics;

/// A document that the database makes.
#[derive(FromRow)]
struct Document {
    document: Value,
}

/// The whole record of a fine.
pub async fn find_case(db: &Db, fine: i64, caller: &Caller) -> Result<Value, Error> {
    let params = params![fine, caller.id, caller.is_admin()];
    let found: Document = decide(db, sql!("find_case"), params).await?;
    Ok(found.document)
}

pub async fn list_valid_plates(
    db: &Db,
    zone: i64,
    caller: &Caller,
) -> Result<Vec<ValidPlate>, Error> {
    let params = params![zone, caller.id, caller.is_admin()];
    let found: Document = decide(db, sql!("list_valid_plates"), params).await?;
    serde_json::from_value(found.document).map_err(|_| Error::Stored("valid plates"))
}

pub async fn find_statistics(db: &Db, since: Option<Timestamp>) -> Result<Statistics, Error> {
    let found: Document = db.one(sql!("find_statistics"), params![since]).await?;
    serde_json::from_value(found.document).map_err(|_| Error::Stored("the statistics"))
}

/// Anonymizes closed cases; answers how many.
pub async fn anonymize(db: &Db, days: i32, limit: i32) -> Result<i64, Error> {
    let kit::store::Only(forgotten) = db.one(sql!("anonymize"), params![days, limit]).await?;
    Ok(forgotten)
}
