//! The SQL of zones, tickets and fines, one function per statement.

mod appeals;
mod cars;
mod cases;
mod charges;
mod fines;
mod photos;
mod tickets;
mod zones;

use kit::store::{Db, DbError, Decided, FromRow, ParameterValue};

use crate::error::Error;

pub use self::appeals::*;
pub use self::cars::*;
pub use self::cases::*;
pub use self::charges::*;
pub use self::fines::*;
pub use self::photos::*;
pub use self::tickets::*;
pub use self::zones::*;

/// Rows of a list when the client does not say how many.
pub const PAGE: i64 = 20;
/// The same for lists that the old server did not limit: its clients show what they get. Thousands, and still a body of a few
/// megabytes.
pub const LONG_PAGE: i64 = 5_000;
/// The same for zones, each of which may have a long shape.
pub const ZONE_PAGE: i64 = 1_000;

pub async fn open() -> Result<Db, DbError> {
    Db::open("fines_database_url").await
}

/// Runs a function of the schema that returns one row and may refuse.
async fn decide<T: FromRow>(
    db: &Db,
    sql: &'static str,
    params: Vec<ParameterValue>,
) -> Result<T, Error> {
    db.one::<Decided<T, Error>>(sql, params).await?.0
}

/// Runs a statement that says in its first row whether the caller may see the list.
async fn list<T: FromRow>(
    db: &Db,
    sql: &'static str,
    params: Vec<ParameterValue>,
) -> Result<Vec<T>, Error> {
    let rows: Vec<Decided<Option<T>, Error>> = db.all(sql, params).await?;
    // An empty list has one row, which says only that the caller may see it.
    rows.into_iter().filter_map(|it| it.0.transpose()).collect()
}
