//! SQL statements of items, one function each.

use kit::store::{Db, DbError};
use kit::{params, sql};

use crate::routes::{Item, NewItem};

pub async fn open() -> Result<Db, DbError> {
    Db::open("bench_database_url").await
}

pub async fn find(db: &Db, id: i64) -> Result<Option<Item>, DbError> {
    db.optional(sql!("find"), params![id]).await
}

pub async fn create(db: &Db, new: &NewItem) -> Result<Item, DbError> {
    db.one(sql!("create"), params![&new.name, new.owner, new.cents])
        .await
}
