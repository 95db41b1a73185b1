//! Routes and handlers.

use kit::identity::Caller;
use kit::store::FromRow;
use kit::web::{Dialect, Json, Path, Problem, Routes, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store;

pub fn routes() -> Routes {
    Routes::new("Benchmark", Dialect::Plain)
        .get("/hello", hello, |it| it.summary("Say hello"))
        .get("/me", show_me, |it| it.summary("Show the caller"))
        .get("/items/{id}", show_item, |it| {
            it.summary("Show an item").refuses([UNKNOWN_ITEM])
        })
        .post("/items", create_item, |it| it.summary("Create an item"))
}

const UNKNOWN_ITEM: Problem = Problem::of_status(404, "unknown-item", "There is no such item");

async fn hello() -> &'static str {
    "hello"
}

#[derive(Serialize, Schema)]
struct Me {
    id: Uuid,
    username: String,
}

async fn show_me(caller: Caller) -> Json<Me> {
    let (id, username) = (caller.id, caller.username);
    Json(Me { id, username })
}

#[derive(Serialize, FromRow, Schema)]
pub struct Item {
    pub id: i64,
    pub name: String,
    pub owner: Uuid,
    pub cents: i64,
}

async fn show_item(Path(id): Path<i64>) -> Result<Json<Item>, Problem> {
    let db = store::open().await?;
    let found = store::find(&db, id).await?;
    found.map(Json).ok_or(UNKNOWN_ITEM)
}

#[derive(Deserialize, Schema)]
pub struct NewItem {
    pub name: String,
    pub owner: Uuid,
    pub cents: i64,
}

async fn create_item(Json(new): Json<NewItem>) -> Result<Json<Item>, Problem> {
    let db = store::open().await?;
    Ok(Json(store::create(&db, &new).await?))
}
