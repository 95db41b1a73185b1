//! The SQL of greetings, one function per statement.

use kit::store::relay::{Event, Outcome};
use kit::store::{Db, DbError};
use kit::{params, sql};

use crate::error::Error;
use crate::greeting::Greeting;

pub async fn open() -> Result<Db, DbError> {
    Db::open("hello_database_url").await
}

pub async fn create_greeting(db: &Db, name: &str) -> Result<Greeting, Error> {
    Ok(db.one(sql!("create_greeting"), params![name]).await?)
}

pub async fn find_greeting(db: &Db, id: i64) -> Result<Option<Greeting>, Error> {
    Ok(db.optional(sql!("find_greeting"), params![id]).await?)
}

/// Carries out an event `hello:greeted`. It may arrive twice, so the statement may run twice.
pub async fn hear(db: &Db, event: &Event) -> Outcome {
    let id = event.payload.get("id").and_then(|it| it.as_i64());
    match db.run(sql!("mark_heard"), params![id]).await {
        Ok(_) => Outcome::DONE,
        Err(error) => Outcome::again(error),
    }
}
