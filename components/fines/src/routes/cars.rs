//! Cars of drivers.

use axum::http::Uri;
use kit::identity::{Admin, Caller};
use kit::store::event;
use kit::web::{
    Created, Dialect, Json, Listed, NoContent, Page, Path, Problem, Query, Routes, Schema,
};
use plate::Plate;
use serde::Deserialize;

use crate::car::{Car, CarChange, NewCar, check_name};
use crate::error::Error;
use crate::identity::is_guest;
use crate::store;

pub fn routes() -> Routes {
    Routes::new("Cars", Dialect::Zones)
        .get("/api/v1/users/me/cars", list_own_cars, |it| {
            it.summary("List the caller's cars").note("Up to 5000.")
        })
        .post("/api/v1/users/me/cars", register_car, |it| {
            it.summary("Register a car")
                .note("Fines that wait for its plate are the caller's from now on. Plates that the shared guest registers have no owner until a driver registers them.")
                .refuses([Error::INVALID_CAR, Error::PLATE_TAKEN])
        })
        .patch("/api/v1/users/me/cars/{plate}", change_car, |it| {
            it.summary("Change a car").refuses([
                Error::INVALID_CAR,
                Error::UNKNOWN_CAR,
                Error::PLATE_TAKEN,
            ])
        })
        .delete("/api/v1/users/me/cars/{plate}", remove_car, |it| {
            it.summary("Remove a car")
                .note("Its tickets and fines stay.")
                .refuses([Error::UNKNOWN_CAR])
        })
        .get("/api/v1/cars", list_cars, |it| it.summary("List all cars"))
        .delete("/api/v1/cars", remove_all_cars, |it| {
            it.summary("Remove all cars").note("Their tickets and fines stay.")
        })
}

#[derive(Deserialize, Schema)]
struct Parked {
    /// With a valid ticket now, or without.
    currently_parked: Option<bool>,
}

async fn list_own_cars(
    caller: Caller,
    Query(wanted): Query<Parked>,
) -> Result<Json<Vec<Car>>, Problem> {
    let db = store::open().await?;
    let cars = store::list_cars_of(&db, caller.id, wanted.currently_parked).await?;
    Ok(Json(cars))
}

async fn register_car(caller: Caller, Json(new): Json<NewCar>) -> Result<Created<Car>, Problem> {
    check_name(new.brand.as_deref())?;
    check_name(new.model.as_deref())?;
    let db = store::open().await?;
    let car = store::register_car(&db, &new, caller.id, is_guest(&caller)).await?;
    Ok(Created::at("/api/v1/users/me/cars", car))
}

/// A segment of the path that is no plate names no car.
fn plate_of(text: String) -> Result<Plate, Error> {
    Plate::try_from(text).map_err(|_| Error::UnknownCar)
}

async fn change_car(
    caller: Caller,
    Path(plate): Path<String>,
    Json(change): Json<CarChange>,
) -> Result<Json<Car>, Problem> {
    check_name(change.brand.as_deref())?;
    check_name(change.model.as_deref())?;
    let db = store::open().await?;
    let car = store::change_car(&db, &plate_of(plate)?, caller.id, &change).await?;
    event::wake();
    Ok(Json(car))
}

async fn remove_car(caller: Caller, Path(plate): Path<String>) -> Result<NoContent, Problem> {
    store::remove_car(&store::open().await?, &plate_of(plate)?, caller.id).await?;
    Ok(NoContent)
}

async fn list_cars(
    _: Admin,
    uri: Uri,
    Query(wanted): Query<Parked>,
    Query(page): Query<Page>,
) -> Result<Listed<Car>, Problem> {
    let cars = store::list_cars(&store::open().await?, wanted.currently_parked, page).await?;
    Ok(Listed::page(&uri, page, store::PAGE, cars))
}

async fn remove_all_cars(_: Admin) -> Result<NoContent, Problem> {
    store::remove_all_cars(&store::open().await?).await?;
    Ok(NoContent)
}
