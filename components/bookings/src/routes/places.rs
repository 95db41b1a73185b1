//! Parking places: what owners offer, and the search.

use axum::http::Uri;
use kit::identity::Caller;
use kit::store::{Keyed, Replayable};
use kit::web::{Created, Json, Network, Path, Problem, Query, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::booking::Window;
use crate::error::Error;
use crate::identity::Owner;
use crate::list::{Paging, Rows};
use crate::place::{NewPlace, ParkingType, Place, Search, on_earth};
use crate::routes::Done;
use crate::rules::Rules;
use crate::{store, throttle};

#[derive(Deserialize, Schema)]
pub struct Wanted {
    #[schemars(example = &"Porto")]
    city: Option<String>,
    /// A part of the name, in any case.
    #[schemars(example = &"central")]
    name: Option<String>,
    parking_type: Option<ParkingType>,
    owner_id: Option<Uuid>,
    /// RFC 3339; only together with `date_to`.
    #[schemars(extend("format" = "date-time"))]
    date_from: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    date_to: Option<String>,
    /// Minor units of USD per hour, at least.
    #[schemars(example = 1)]
    lowest_rate: Option<i64>,
    /// Minor units of USD per hour, at most.
    #[schemars(example = 100_000)]
    highest_rate: Option<i64>,
    /// Only together with the longitude.
    #[schemars(range(min = -90, max = 90), example = 41.1469)]
    latitude: Option<f64>,
    #[schemars(range(min = -180, max = 180), example = -8.6151)]
    longitude: Option<f64>,
}

pub async fn search_places(
    uri: Uri,
    network: Network,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<Rows<Place>, Problem> {
    let part = paging.part()?;
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
        _ => {
            return Err(Error::InvalidPlace("latitude and longitude do not fit".to_owned()).into());
        }
    };
    if wanted.name.is_some() || near.is_some() {
        throttle::count_search(&network).await?;
    }
    let db = store::open().await?;
    let search = Search {
        city: wanted.city.as_deref(),
        name: wanted.name.as_deref(),
        parking_type: wanted.parking_type,
        owner: wanted.owner_id,
        window,
        min_rate: wanted.lowest_rate,
        max_rate: wanted.highest_rate,
        near,
    };
    let (found, next) = store::search_places(&db, search, part).await?;
    Ok(Rows::of(&uri, part.limit, found, next))
}

#[derive(Serialize, Schema)]
pub struct NewId {
    id: i64,
}

pub async fn create_place(
    Owner(caller): Owner,
    Keyed { body, once }: Keyed<NewPlace>,
) -> Result<Replayable<Created<NewId, 200>>, Problem> {
    let new = body.checked()?;
    let db = store::open().await?;
    let request = once.id(&caller);
    let create = async {
        let id = store::create_place(&db, request, caller.id, &new).await?;
        Ok(Created::at(format!("/parking/{id}"), NewId { id }))
    };
    once.answer(&db, &caller, create).await
}

pub async fn show_place(Path(id): Path<i64>) -> Result<Json<Place>, Problem> {
    let db = store::open().await?;
    let place = store::find_place(&db, id).await?;
    Ok(Json(place.ok_or(Error::UnknownPlace)?))
}

pub async fn change_place(
    caller: Caller,
    Path(id): Path<i64>,
    Json(new): Json<NewPlace>,
) -> Result<Json<Place>, Problem> {
    let new = new.checked()?;
    let db = store::open().await?;
    Ok(Json(store::change_place(&db, id, &caller, &new).await?))
}

pub async fn show_rules(Path(id): Path<i64>) -> Result<Json<Rules>, Problem> {
    Ok(Json(store::find_rules(&store::open().await?, id).await?))
}

pub async fn set_rules(
    caller: Caller,
    Path(id): Path<i64>,
    Json(rules): Json<Rules>,
) -> Result<Json<Rules>, Problem> {
    let rules = rules.checked()?;
    let db = store::open().await?;
    store::set_rules(&db, id, &caller, &rules).await?;
    Ok(Json(rules))
}

pub async fn remove_place(caller: Caller, Path(id): Path<i64>) -> Result<Json<Done>, Problem> {
    let db = store::open().await?;
    store::remove_place(&db, id, &caller).await?;
    Ok(Json(Done::that("Parking place deleted")))
}
