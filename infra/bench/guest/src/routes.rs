//! Routes and handlers.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use kit::{Caller, Json, Path, Problem};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store;

pub fn router() -> Router {
    Router::new()
        .route("/hello", get(hello))
        .route("/me", get(show_me))
        .route("/items/{id}", get(show_item))
        .route("/items", post(create_item))
}

async fn hello() -> &'static str {
    "hello"
}

#[derive(Serialize)]
struct Me {
    id: Uuid,
    username: String,
}

async fn show_me(caller: Caller) -> Json<Me> {
    let (id, username) = (caller.id, caller.username);
    Json(Me { id, username })
}

#[derive(Serialize)]
pub struct Item {
    pub id: i64,
    pub name: String,
    pub owner: Uuid,
    pub cents: i64,
}

async fn show_item(Path(id): Path<i64>) -> Result<Json<Item>, Problem> {
    let db = store::open().await?;
    let found = store::find(&db, id).await?;
    let unknown = Problem::new(
        StatusCode::NOT_FOUND,
        "unknown-item",
        "There is no such item",
    );
    found.map(Json).ok_or(unknown)
}

#[derive(Deserialize)]
pub struct NewItem {
    pub name: String,
    pub owner: Uuid,
    pub cents: i64,
}

async fn create_item(Json(new): Json<NewItem>) -> Result<Json<Item>, Problem> {
    let db = store::open().await?;
    Ok(Json(store::create(&db, &new).await?))
}
