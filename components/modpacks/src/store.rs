//! The SQL of packs, versions and files, one function per statement.

pub mod files;
pub mod imports;
pub mod packs;
pub mod uploads;
pub mod versions;

use kit::store::{Db, DbError, Decided, FromRow, ParameterValue};

use crate::error::Error;

/// Rows of a list when the client does not say how many.
pub const PAGE: i64 = 50;

pub async fn open() -> Result<Db, DbError> {
    Db::open("modpacks_database_url").await
}

/// Runs a function of the schema that returns one row and may refuse.
async fn decide<T: FromRow>(
    db: &Db,
    sql: &'static str,
    params: Vec<ParameterValue>,
) -> Result<T, Error> {
    db.one::<Decided<T, Error>>(sql, params).await?.0
}

/// The parameters of a statement: some, then those of a viewer, then more.
fn around<const N: usize>(
    mut before: Vec<ParameterValue>,
    viewer: [ParameterValue; N],
    after: Vec<ParameterValue>,
) -> Vec<ParameterValue> {
    before.extend(viewer);
    before.extend(after);
    before
}
