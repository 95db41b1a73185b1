//! Counts of attempts, kept here only while Redis is away.

use kit::store::{Db, Only};
use kit::{params, sql};

use crate::error::Error;
use crate::limit::Limit;

/// Counts an attempt, unless a limit is reached: answers in how many seconds it opens again, or 0.
pub async fn count_attempt(db: &Db, limits: &[Limit]) -> Result<i64, Error> {
    let most: Vec<i64> = limits.iter().map(|it| it.most).collect();
    let seconds: Vec<i64> = limits.iter().map(|it| it.seconds).collect();
    let params = params![names(limits), most, seconds];
    let Only(wait) = db.one(sql!("count_attempt"), params).await?;
    Ok(wait)
}

pub async fn forgive_attempt(db: &Db, limits: &[Limit]) -> Result<(), Error> {
    db.run(sql!("forgive_attempt"), params![names(limits)])
        .await?;
    Ok(())
}

fn names(limits: &[Limit]) -> Vec<String> {
    limits.iter().map(|it| it.name.clone()).collect()
}
