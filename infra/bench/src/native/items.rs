//! Items, as in the small function.

use anyhow::Result;
use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::native::{self, Failed, query_one};

#[derive(Serialize)]
pub struct Item {
    id: i64,
    name: String,
    owner: Uuid,
    cents: i64,
}

#[derive(Deserialize)]
pub struct NewItem {
    name: String,
    owner: Uuid,
    cents: i64,
}

pub async fn show(State(shared): native::State, Path(id): Path<i64>) -> Result<Json<Item>, Failed> {
    let db = shared.bench.get().await?;
    item(&query_one(&db, include_str!("../../guest/src/sql/find.sql"), &[&id]).await?)
}

pub async fn create(
    State(shared): native::State,
    Json(new): Json<NewItem>,
) -> Result<Json<Item>, Failed> {
    let db = shared.bench.get().await?;
    let sql = include_str!("../../guest/src/sql/create.sql");
    item(&query_one(&db, sql, &[&new.name, &new.owner, &new.cents]).await?)
}

fn item(row: &Row) -> Result<Json<Item>, Failed> {
    Ok(Json(Item {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        owner: row.try_get("owner")?,
        cents: row.try_get("cents")?,
    }))
}
