//! Case files, lists for controllers without a network, statistics.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use kit::identity::{Admin, Caller};
use kit::setting;
use kit::web::{Dialect, Json, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::calls;
use crate::case::{CaseKey, Keys, SignedFile, digest};
use crate::cover::merge;
use crate::error::Error;
use crate::statistics::{Statistics, csv};
use crate::store;

pub fn routes() -> Routes {
    Routes::new("Case files", Dialect::Zones)
        .get("/api/v1/fines/keys", show_keys, |it| {
            it.summary("Show the keys of signed files").note("A JWKS: the first key signs, the others signed earlier files.")
        })
        .get("/api/v1/fines/{id}/case", show_case, |it| {
            it.summary("Download the case file of a fine")
                .note("For staff of its zone, and its driver. One signed document has the check, the rule with its digest and inputs, payments, deadlines, the appeal and the history. `cargo run --release -p wharf-verify` checks it offline against the published keys.")
                .refuses([Error::UNKNOWN_FINE, Error::FORBIDDEN])
        })
        .get("/api/v1/zones/{id}/offline", show_offline_list, |it| {
            it.summary("Download the covered plates of a zone")
                .note("For controllers without a network: a signed list of the plates with a valid ticket, with a booking of a place in the zone, or in the grace after them. It is valid for a quarter of an hour.")
                .refuses([
                    Error::UNKNOWN_ZONE,
                    Error::FORBIDDEN,
                    Error::BOOKINGS_UNAVAILABLE,
                ])
        })
        .about("Statistics")
        .get("/api/v1/statistics", show_statistics, |it| {
            it.summary("Show statistics")
                .note("Figures of tickets and fines since a moment, and the number of accounts; with `format=csv` as a table.")
                .refuses([Error::SIGNIN_UNAVAILABLE])
                .returns::<Statistics>(200)
                .returns_media(200, "text/csv")
        })
}

async fn key() -> Result<CaseKey, Problem> {
    Ok(CaseKey::of(setting("case_key").await?)?)
}

async fn show_keys() -> Result<Json<Keys>, Problem> {
    Ok(Json(
        key()
            .await?
            .published(setting("case_retired_keys").await?)?,
    ))
}

async fn show_case(caller: Caller, Path(id): Path<i64>) -> Result<Json<SignedFile>, Problem> {
    let mut case = store::find_case(&store::open().await?, id, &caller).await?;
    let rule = case.get("rule").cloned().unwrap_or(Value::Null);
    if let Some(members) = case.as_object_mut() {
        members.insert("format".to_owned(), json!("wharf-case-1"));
        members.insert("made_at".to_owned(), json!(kit::now()));
        members.insert("rule_sha256".to_owned(), json!(digest(&rule)));
    }
    Ok(Json(key().await?.sign(&case)))
}

/// Long enough for a street, short enough that a ticket bought meanwhile is rarely missed.
const OFFLINE: SignedDuration = SignedDuration::from_mins(15);

async fn show_offline_list(
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<SignedFile>, Problem> {
    let db = store::open().await?;
    let tickets = store::list_valid_plates(&db, id, &caller).await?;
    let shape = store::find_zone(&db, id).await?.shape()?;
    let booked = calls::find_booked_within(shape.bounds()).await?;
    let valid = merge(tickets, &booked, &shape);
    let now = kit::now();
    let document = json!({
        "format": "wharf-offline-1",
        "zone_id": id,
        "made_at": now,
        "good_until": now.checked_add(OFFLINE).unwrap_or(now),
        "plates": valid,
    });
    Ok(Json(key().await?.sign(&document)))
}

#[derive(Deserialize, Schema)]
struct Wanted {
    /// RFC 3339; everything when absent.
    since: Option<Timestamp>,
    /// `json` when absent.
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, kit::Word)]
enum Format {
    Json,
    Csv,
}

async fn show_statistics(_: Admin, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let mut found = store::find_statistics(&store::open().await?, wanted.since).await?;
    found.users = calls::count_users().await?;
    Ok(match wanted.format {
        None | Some(Format::Json) => Json(found).into_response(),
        Some(Format::Csv) => ([(header::CONTENT_TYPE, "text/csv")], csv(&found)).into_response(),
    })
}
