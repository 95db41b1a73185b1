//! Checks, fines and zones, as in `components/fines`, without its error handling.

use anyhow::{Context as _, Result, anyhow};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use kit::identity::Role;
use kit::money::decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::native::caller::Caller;
use crate::native::{self, Failed, query_all, query_one};

#[derive(Deserialize)]
pub struct Looked {
    plate: String,
}

#[derive(Serialize)]
pub struct Check {
    id: i64,
    zone_id: i64,
    plate: String,
    checked_at: Timestamp,
    result: String,
    ticket_id: Option<i64>,
    valid_until: Option<Timestamp>,
    grace_minutes: i32,
}

pub async fn check_plate(
    State(shared): native::State,
    Caller(caller): Caller,
    Path(zone): Path<i64>,
    Json(looked): Json<Looked>,
) -> Result<(StatusCode, Json<Check>), Failed> {
    let db = shared.fines.get().await?;
    let sql = include_str!("../../../../components/fines/src/sql/check_plate.sql");
    let row = query_one(
        &db,
        sql,
        &[
            &zone,
            &caller.sub,
            &caller.roles.has(Role::Admin),
            &looked.plate,
            &None::<Value>,
        ],
    )
    .await?;
    require(&row, "shown")?;
    let check = Check {
        id: row.try_get("id")?,
        zone_id: row.try_get("zone_id")?,
        plate: row.try_get("plate")?,
        checked_at: moment(&row, "checked_at")?,
        result: row.try_get("result")?,
        ticket_id: row.try_get("ticket_id")?,
        valid_until: optional_moment(&row, "valid_until")?,
        grace_minutes: row.try_get("grace_minutes")?,
    };
    Ok((StatusCode::CREATED, Json(check)))
}

fn require(row: &Row, outcome: &str) -> Result<()> {
    let answered: &str = row.try_get("outcome")?;
    if answered == outcome {
        return Ok(());
    }
    Err(anyhow!("not {outcome}: {answered}"))
}

fn moment(row: &Row, column: &str) -> Result<Timestamp> {
    optional_moment(row, column)?.context("a moment")
}

fn optional_moment(row: &Row, column: &str) -> Result<Option<Timestamp>> {
    let moment: Option<i64> = row.try_get(column)?;
    Ok(moment.map(Timestamp::from_millisecond).transpose()?)
}

#[derive(Serialize)]
pub struct Fine {
    id: i64,
    plate: String,
    #[serde(with = "decimal")]
    amount: i64,
    date: Timestamp,
    paid: bool,
    zone_id: i64,
    currency: String,
    status: String,
    #[serde(with = "decimal")]
    due: i64,
    due_until: Option<Timestamp>,
    due_if_waived: Option<i64>,
    paid_amount: Option<i64>,
    code: Option<String>,
    place: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    note: Option<String>,
    appeal: Option<String>,
    plan: Value,
    reference: String,
    cursor: Option<i64>,
}

fn fine(row: &Row, cursor: Option<i64>) -> Result<Fine> {
    Ok(Fine {
        id: row.try_get("id")?,
        plate: row.try_get("plate")?,
        amount: row.try_get("amount")?,
        date: moment(row, "date")?,
        paid: row.try_get("paid")?,
        zone_id: row.try_get("zone_id")?,
        currency: row.try_get("currency")?,
        status: row.try_get("status")?,
        due: row.try_get("due")?,
        due_until: optional_moment(row, "due_until")?,
        due_if_waived: row.try_get("due_if_waived")?,
        paid_amount: row.try_get("paid_amount")?,
        code: row.try_get("code")?,
        place: row.try_get("place")?,
        latitude: row.try_get("latitude")?,
        longitude: row.try_get("longitude")?,
        note: row.try_get("note")?,
        appeal: row.try_get("appeal")?,
        plan: row.try_get("plan")?,
        reference: row.try_get("reference")?,
        cursor,
    })
}

/// Rows of a list when the client does not say how many.
const PAGE: i64 = 100;

pub async fn poll(
    State(shared): native::State,
    Caller(caller): Caller,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let known = headers.get(header::IF_NONE_MATCH);
    let known = known
        .and_then(|it| it.to_str().ok())
        .and_then(|it| it.trim_matches('"').parse::<i64>().ok());
    let db = shared.fines.get().await?;
    let sql = include_str!("../../../../components/fines/src/sql/poll_fines.sql");
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&caller.sub, &known, &None::<i64>, &PAGE, &0_i64];
    let rows = query_all(&db, sql, &params).await?;
    let first = rows.first().context("the version")?;
    let version: i64 = first.try_get("version")?;
    let tag = [(header::ETAG, format!("\"{version}\""))];
    if known == Some(version) {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    let fines = rows.iter().map(|row| fine(row, row.try_get("cursor")?));
    let fines: Vec<Fine> = fines.collect::<Result<_>>()?;
    Ok((tag, Json(fines)).into_response())
}

#[derive(Deserialize)]
pub struct NewFine {
    plate: String,
    #[serde(with = "decimal")]
    amount: i64,
}

pub async fn issue(
    State(shared): native::State,
    Caller(caller): Caller,
    Path(zone): Path<i64>,
    Json(new): Json<NewFine>,
) -> Result<(StatusCode, Json<Fine>), Failed> {
    let none = None::<String>;
    let bookings = shared.bookings.get().await?;
    let sql = include_str!("../../../../components/bookings/src/sql/list_covering.sql");
    query_all(&bookings, sql, &[&new.plate, &3_600_i32]).await?;
    drop(bookings);
    let db = shared.fines.get().await?;
    let sql = include_str!("../../../../components/fines/src/sql/issue_fine.sql");
    let row = query_one(
        &db,
        sql,
        &[
            &Uuid::now_v7(),
            &Uuid::new_v4().to_string(),
            &zone,
            &caller.sub,
            &caller.roles.has(Role::Admin),
            &new.plate,
            &new.plate,
            &Some(new.amount),
            &none,
            &none,
            &None::<f64>,
            &None::<f64>,
            &none,
            &none,
            &json!({}),
        ],
    )
    .await?;
    require(&row, "created")?;
    Ok((StatusCode::CREATED, Json(fine(&row, None)?)))
}

#[derive(Deserialize)]
pub struct Place {
    lat: f64,
    lon: f64,
}

#[derive(Serialize)]
pub struct Zone {
    id: i64,
    name: String,
    available: bool,
    geometry: String,
    metadata: Option<Value>,
    currency: String,
    rules: Value,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Deserialize)]
struct Geometry {
    coordinates: Vec<Vec<Vec<(f64, f64)>>>,
}

pub async fn find_zone(
    State(shared): native::State,
    Query(place): Query<Place>,
) -> Result<Json<Zone>, Failed> {
    let db = shared.fines.get().await?;
    let sql = include_str!("../../../../components/fines/src/sql/list_zones_at.sql");
    for row in query_all(&db, sql, &[&place.lat, &place.lon]).await? {
        let geometry: String = row.try_get("geometry")?;
        let shape: Geometry = serde_json::from_str(&geometry)?;
        let mut rings = shape.coordinates.iter().flatten();
        if !rings.any(|it| is_inside(it, place.lon, place.lat)) {
            continue;
        }
        return Ok(Json(Zone {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            available: row.try_get("available")?,
            geometry,
            metadata: row.try_get("metadata")?,
            currency: row.try_get("currency")?,
            rules: row.try_get("rules")?,
            created_at: moment(&row, "created_at")?,
            updated_at: moment(&row, "updated_at")?,
        }));
    }
    Err(anyhow!("no zone here").into())
}

/// By the sides that a line to the east crosses. The zones here have no holes.
fn is_inside(ring: &[(f64, f64)], x: f64, y: f64) -> bool {
    let sides = ring.iter().zip(ring.iter().skip(1));
    let crossed = sides.filter(|((ax, ay), (bx, by))| {
        (*ay > y) != (*by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax
    });
    crossed.count() % 2 == 1
}
