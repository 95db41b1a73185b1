//! Versions and files of modpacks, as in `components/modpacks`, without its error handling.

use std::time::Duration;

use anyhow::anyhow;
use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use rusty_s3::actions::S3Action as _;
use rusty_s3::{Bucket, Credentials, UrlStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::native::{self, Failed, query_all, query_one};

const NO_TEXT: Option<String> = None;
const NO_VIEWER: Option<Uuid> = None;
const NO_ROLES: [&str; 0] = [];

#[derive(Serialize)]
pub struct Version {
    id: i64,
    pack_id: i64,
    name: String,
    channel: String,
    mc_version: String,
    loader: Option<String>,
    loader_version: Option<String>,
    changelog: String,
    dependencies: Value,
    status: String,
    file_count: i32,
    total_size: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    published_at: Timestamp,
}

pub async fn show_latest(
    State(shared): native::State,
    Path(pack): Path<i64>,
) -> Result<Json<Version>, Failed> {
    let db = shared.modpacks.get().await?;
    let sql = include_str!("../../../../components/modpacks/src/sql/find_latest.sql");
    let row = query_one(
        &db,
        sql,
        &[
            &pack,
            &NO_VIEWER,
            &NO_ROLES.as_slice(),
            &NO_TEXT,
            &NO_TEXT,
            &NO_TEXT,
            &NO_TEXT,
        ],
    )
    .await?;
    let outcome: &str = row.try_get("outcome")?;
    if outcome != "done" {
        return Err(anyhow!("not found: {outcome}").into());
    }
    let moment = |name| Ok::<_, Failed>(Timestamp::from_millisecond(row.try_get(name)?)?);
    Ok(Json(Version {
        id: row.try_get("id")?,
        pack_id: row.try_get("pack_id")?,
        name: row.try_get("name")?,
        channel: row.try_get("channel")?,
        mc_version: row.try_get("mc_version")?,
        loader: row.try_get("loader")?,
        loader_version: row.try_get("loader_version")?,
        changelog: row.try_get("changelog")?,
        dependencies: row.try_get("dependencies")?,
        status: row.try_get("status")?,
        file_count: row.try_get("file_count")?,
        total_size: row.try_get("total_size")?,
        created_at: moment("created_at")?,
        updated_at: moment("updated_at")?,
        published_at: moment("published_at")?,
    }))
}

#[derive(Deserialize)]
pub struct Lookup {
    hashes: Vec<String>,
}

#[derive(Serialize)]
pub struct Found {
    hash: String,
    file_id: i64,
    pack_id: i64,
    pack_name: String,
    version_id: i64,
    version_name: String,
    path: String,
    size: i64,
}

pub async fn look_up(
    State(shared): native::State,
    Json(wanted): Json<Lookup>,
) -> Result<Json<Vec<Found>>, Failed> {
    let db = shared.modpacks.get().await?;
    let sql = include_str!("../../../../components/modpacks/src/sql/look_up.sql");
    let rows = query_all(
        &db,
        sql,
        &[&wanted.hashes, &NO_VIEWER, &NO_ROLES.as_slice()],
    )
    .await?;
    let found = rows.iter().map(|row| {
        Ok(Found {
            hash: row.try_get("hash")?,
            file_id: row.try_get("file_id")?,
            pack_id: row.try_get("pack_id")?,
            pack_name: row.try_get("pack_name")?,
            version_id: row.try_get("version_id")?,
            version_name: row.try_get("version_name")?,
            path: row.try_get("path")?,
            size: row.try_get("size")?,
        })
    });
    Ok(Json(found.collect::<Result<_, Failed>>()?))
}

/// An address of some S3: nothing is sent there.
pub async fn show_address(
    State(shared): native::State,
    Path(file): Path<i64>,
) -> Result<Json<Value>, Failed> {
    let db = shared.modpacks.get().await?;
    let sql = include_str!("../../../../components/modpacks/src/sql/find_file.sql");
    let row = query_one(
        &db,
        sql,
        &[&file, &NO_VIEWER, &NO_ROLES.as_slice(), &NO_TEXT],
    )
    .await?;
    let (object, name): (Uuid, &str) = (row.try_get("object")?, row.try_get("original_name")?);
    let endpoint = "http://127.0.0.1:9000".parse()?;
    let bucket = Bucket::new(endpoint, UrlStyle::Path, "wharf", "us-east-1")?;
    let key = Credentials::new("key", "secret");
    let object = format!("objects/{object}");
    let mut action = bucket.get_object(Some(&key), &object);
    let query = action.query_mut();
    query.insert(
        "response-content-disposition",
        format!("attachment; filename=\"{name}\""),
    );
    query.insert("response-content-type", "application/java-archive");
    query.insert("response-cache-control", "private, max-age=60");
    let url = action.sign(Duration::from_secs(60));
    Ok(Json(
        json!({ "url": url.as_str(), "expires_in_seconds": 60 }),
    ))
}
