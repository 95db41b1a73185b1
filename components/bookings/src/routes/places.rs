//! Parking places: what owners offer, and the search.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use kit::{Caller, Json, Keyed, Owner, Page, Path, Problem, Query};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::booking::Window;
use crate::error::Error;
use crate::place::{NewPlace, ParkingType, Place, on_earth};
use crate::routes::paged;
use crate::store::{self, Search};

#[derive(Deserialize)]
pub struct Wanted {
    city: Option<String>,
    name: Option<String>,
    parking_type: Option<ParkingType>,
    owner_id: Option<Uuid>,
    /// With both: only places with room for the whole window.
    date_from: Option<String>,
    date_to: Option<String>,
    lowest_rate: Option<i64>,
    highest_rate: Option<i64>,
    /// With both: the nearest first.
    latitude: Option<f64>,
    longitude: Option<f64>,
}

/// Search places. Nothing found is an empty list.
pub async fn search_places(
    uri: Uri,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let window = match (&wanted.date_from, &wanted.date_to) {
        (None, None) => None,
        (from, to) => Some(Window::bookable(
            from.as_deref(),
            to.as_deref(),
            kit::now(),
        )?),
    };
    let near = match (wanted.latitude, wanted.longitude) {
        (None, None) => None,
        (Some(latitude), Some(longitude)) if on_earth(latitude, longitude) => {
            Some((latitude, longitude))
        }
        _ => return Err(Error::Place("latitude and longitude do not fit".to_owned()).into()),
    };
    let db = store::open().await?;
    let search = Search {
        city: wanted.city.as_deref(),
        name: wanted.name.as_deref(),
        parking_type: wanted.parking_type,
        owner: wanted.owner_id,
        window,
        lowest_rate: wanted.lowest_rate,
        highest_rate: wanted.highest_rate,
        near,
    };
    let found = store::place_search(&db, search, page).await?;
    Ok(paged(&uri, page, found))
}

/// Offer a place.
pub async fn create_place(
    Owner(caller): Owner,
    Keyed { body, once }: Keyed<NewPlace>,
) -> Result<Response, Problem> {
    let new = body.checked()?;
    let db = store::open().await?;
    let offer = async {
        let id = store::place_create(&db, caller.id, &new).await?;
        Ok((StatusCode::OK, json!({ "id": id })))
    };
    once.answer(&db, &caller, offer).await
}

/// Show a place.
pub async fn show_place(Path(id): Path<i64>) -> Result<Json<Place>, Problem> {
    let db = store::open().await?;
    Ok(Json(
        store::place(&db, id).await?.ok_or(Error::UnknownPlace)?,
    ))
}

/// Replace what is said about a place.
pub async fn change_place(
    caller: Caller,
    Path(id): Path<i64>,
    Json(new): Json<NewPlace>,
) -> Result<Json<Place>, Problem> {
    let new = new.checked()?;
    let db = store::open().await?;
    Ok(Json(store::place_change(&db, id, &caller, &new).await?))
}

/// Take a place from the market. What is still booked stays.
pub async fn remove_place(caller: Caller, Path(id): Path<i64>) -> Result<Json<Value>, Problem> {
    let db = store::open().await?;
    store::place_remove(&db, id, &caller).await?;
    Ok(Json(
        json!({ "status": "success", "message": "Parking place deleted" }),
    ))
}
