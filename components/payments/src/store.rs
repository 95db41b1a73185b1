//! The SQL of payments, one function per statement, by noun.
//!
//! Statements that move money call a function of the schema, which answers with an `outcome`: a refusal is an
//! [`Error`], an earlier copy of the same request is marked as replayed.

pub mod account;
pub mod checkout;
pub mod holder;
pub mod ledger;
pub mod promocode;

use kit::store::{Db, Decided, FromRow, ParameterValue};

use crate::error::Error;

pub async fn open() -> Result<Db, Error> {
    Ok(Db::open("payments_database_url").await?)
}

/// Runs a function of the schema that returns one row and may refuse.
async fn decide<T: FromRow>(
    db: &Db,
    sql: &'static str,
    params: Vec<ParameterValue>,
) -> Result<T, Error> {
    db.one::<Decided<T, Error>>(sql, params).await?.0
}
