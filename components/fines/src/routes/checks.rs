//! Checks of plates by controllers, and the catalogue of violations.

use axum::http::Uri;
use kit::identity::{Admin, Caller};
use kit::store::Db;
use kit::web::{
    Created, Dialect, Json, Listed, NoContent, Page, Path, Problem, Query, Routes, Schema,
};
use plate::Plate;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::calls;
use crate::cover::{here, needs_shape};
use crate::error::Error;
use crate::fine::{CheckedPlate, NewViolation, PlateCheck, Violation, wanted_plate};
use crate::store;

pub fn routes() -> Routes {
    Routes::new("Checks", Dialect::Zones)
        .get("/api/v1/zones/{id}/checks", list_checks, |it| {
            it.summary("List the checks of a zone")
                .note("The newest first.")
                .refuses([Error::UNKNOWN_ZONE, Error::FORBIDDEN])
        })
        .post("/api/v1/zones/{id}/checks", check_plate, |it| {
            it.summary("Check a plate")
                .note("Whether a ticket, or the booking of a place that lies in the zone, covers the car now; the check is kept. A booking of a place that is not on the map is shown and covers nothing.")
                .refuses([
                    Error::UNKNOWN_ZONE,
                    Error::FORBIDDEN,
                    Error::BOOKINGS_UNAVAILABLE,
                ])
        })
        .get("/api/v1/violations", list_violations, |it| {
            it.summary("List what can be fined")
        })
        .put("/api/v1/violations/{code}", save_violation, |it| {
            it.summary("Save a line of the catalogue")
                .note("Fines keep the amount with which they were issued.")
                .refuses([Error::INVALID_FINE])
        })
        .delete("/api/v1/violations/{code}", remove_violation, |it| {
            it.summary("Remove a line of the catalogue")
                .refuses([Error::UNKNOWN_CODE])
        })
}

#[derive(Deserialize, Schema)]
struct WantedPlate {
    plate: Option<String>,
}

async fn list_checks(
    caller: Caller,
    uri: Uri,
    Path(id): Path<i64>,
    Query(wanted): Query<WantedPlate>,
    Query(page): Query<Page>,
) -> Result<Listed<PlateCheck>, Problem> {
    let plate = wanted.plate.map(wanted_plate);
    let db = store::open().await?;
    let checks = store::list_checks(&db, id, &caller, plate.as_deref(), page).await?;
    Ok(Listed::page(&uri, page, store::PAGE, checks))
}

async fn check_plate(
    caller: Caller,
    Path(id): Path<i64>,
    Json(body): Json<CheckedPlate>,
) -> Result<Created<PlateCheck>, Problem> {
    let db = store::open().await?;
    let check = match store::check_plate(&db, id, &caller, &body.plate, None).await? {
        Some(check) => check,
        None => {
            let booked = booked(&db, id, &body.plate).await?;
            let check = store::check_plate(&db, id, &caller, &body.plate, Some(&booked));
            check.await?.ok_or(Error::Stored("a check"))?
        }
    };
    Ok(Created::at(format!("/api/v1/zones/{id}/checks"), check))
}

/// The booking to show for a car in a zone, in the form that statements take.
pub async fn booked(db: &Db, zone: i64, plate: &Plate) -> Result<Value, Error> {
    let booked = calls::find_booked(plate).await?;
    let shape = match needs_shape(&booked) {
        true => Some(store::find_zone(db, zone).await?.shape()?),
        false => None,
    };
    Ok(here(&booked, shape.as_ref()).map_or_else(|| json!({}), |it| json!(it)))
}

async fn list_violations(_: Caller) -> Result<Json<Vec<Violation>>, Problem> {
    Ok(Json(store::list_violations(&store::open().await?).await?))
}

async fn save_violation(
    _: Admin,
    Path(code): Path<String>,
    Json(new): Json<NewViolation>,
) -> Result<Json<Violation>, Problem> {
    new.check(&code)?;
    Ok(Json(
        store::save_violation(&store::open().await?, &code, &new).await?,
    ))
}

async fn remove_violation(_: Admin, Path(code): Path<String>) -> Result<NoContent, Problem> {
    store::remove_violation(&store::open().await?, &code).await?;
    Ok(NoContent)
}
