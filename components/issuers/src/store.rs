//! The SQL of published keys, one function per statement.

use kit::store::{Db, FromRow, Only};
use kit::{params, sql};
use serde_json::Value;

use crate::error::Error;

pub async fn open() -> Result<Db, Error> {
    Ok(Db::open("issuers_database_url").await?)
}

/// An issuer's keys as they were last fetched.
#[derive(FromRow)]
pub struct StoredKeys {
    pub jwks: String,
    /// Seconds since then.
    pub age_s: i64,
}

pub async fn find_keys(db: &Db, issuer: &str) -> Result<Option<StoredKeys>, Error> {
    Ok(db.optional(sql!("find_keys"), params![issuer]).await?)
}

/// Whether this request may ask the issuer: at most one does within the pause.
pub async fn claim_keys(db: &Db, issuer: &str, pause_s: i64) -> Result<bool, Error> {
    let claimed: Option<Only<String>> = db
        .optional(sql!("claim_keys"), params![issuer, pause_s])
        .await?;
    Ok(claimed.is_some())
}

pub async fn store_keys(db: &Db, issuer: &str, jwks: &Value) -> Result<(), Error> {
    db.run(sql!("store_keys"), params![issuer, jwks]).await?;
    Ok(())
}
