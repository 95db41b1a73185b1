//! The SQL of menus, orders and their money, one function per statement.

pub mod charges;
pub mod menu;
pub mod orders;
pub mod photos;
pub mod shops;

use kit::store::{Db, DbError, Decided, FromRow, ParameterValue};

use crate::error::Error;

pub async fn open() -> Result<Db, DbError> {
    Db::open("orders_database_url").await
}

/// Runs a function of the schema that returns one row and may refuse.
async fn decide<T: FromRow>(
    db: &Db,
    sql: &'static str,
    params: Vec<ParameterValue>,
) -> Result<T, Error> {
    db.one::<Decided<T, Error>>(sql, params).await?.0
}

/// Runs a list that may be refused. A refused or an empty list has one row, which says which of the two it is.
async fn decide_all<T: FromRow>(
    db: &Db,
    sql: &'static str,
    params: Vec<ParameterValue>,
) -> Result<Vec<T>, Error> {
    let rows: Vec<Decided<Option<T>, Error>> = db.all(sql, params).await?;
    rows.into_iter().filter_map(|it| it.0.transpose()).collect()
}
