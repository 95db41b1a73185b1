//! Zones: where parking costs, and how much.

use axum::http::Uri;
use kit::identity::{Caller, FORBIDDEN};
use kit::money::Currency;
use kit::setting;
use kit::store::{Db, Keyed, Replayable};
use kit::web::{
    Created, Dialect, Json, Listed, NoContent, Page, Path, Problem, Query, Routes, Schema,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::calls;
use crate::car::is_on_earth;
use crate::client::Address;
use crate::error::Error;
use crate::geometry::Shape;
use crate::identity::Founder;
use crate::store;
use crate::zone::{NewZone, Occupancy, Zone, ZoneChange};

pub fn routes() -> Routes {
    Routes::new("Zones", Dialect::Zones)
        .get("/api/v1/zones", list_zones, |it| {
            it.summary("List zones")
                .note("Without `limit` everything, up to 1000 zones.")
        })
        .post("/api/v1/zones", create_zone, |it| {
            it.summary("Create a zone")
                .note("The creator becomes an admin of the zone. No two zones cover the same ground; zones may share a border.")
                .note("A stay costs `price_offset + (price_lin × hours) ^ price_exp`, rounded to the nearest cent, halves up. `rules` may weigh the hours, leave the first minutes free and cap a day.")
                .refuses(changing())
        })
        .get("/api/v1/zones/location", find_zone_at, |it| {
            it.summary("Find the zone of a place")
                .note("A zone covers its border; on a border of two zones the older one is found.")
                .refuses([Error::INVALID_PLACE, Error::NO_ZONE_HERE])
        })
        .get("/api/v1/zones/me", list_own_zones, |it| {
            it.summary("List the caller's zones").note("The zones in which the caller holds a role.")
        })
        .get("/api/v1/zones/me/{otp}", list_passcode_zones, |it| {
            it.summary("List the zones of a passcode")
                .note("The passcode stays valid.")
                .refuses([Error::NO_ZONES, Error::TOO_MANY_TRIES, Error::SIGNIN_UNAVAILABLE])
        })
        .get("/api/v1/zones/{id}", show_zone, |it| {
            it.summary("Show a zone").refuses([Error::UNKNOWN_ZONE])
        })
        .patch("/api/v1/zones/{id}", change_zone, |it| {
            it.summary("Change a zone")
                .note("Absent members stay as they are; `rules` are replaced as a whole. Tickets and fines keep the rules under which they were sold and issued.")
                .refuses(changing())
                .refuses([Error::UNKNOWN_ZONE, Error::FORBIDDEN])
        })
        .delete("/api/v1/zones/{id}", remove_zone, |it| {
            it.summary("Remove a zone")
                .note("Its tickets and fines stay. Its kiosks are removed, too.")
                .refuses([Error::UNKNOWN_ZONE, Error::FORBIDDEN])
        })
        .get("/api/v1/zones/{id}/occupancy", show_occupancy, |it| {
            it.summary("Show how full a zone is")
                .note("Counts the cars with a valid ticket.")
                .refuses([Error::UNKNOWN_ZONE])
        })
}

fn changing() -> [Problem; 6] {
    [
        Error::INVALID_ZONE,
        Error::INVALID_GEOMETRY,
        Error::INVALID_RULES,
        Error::ZONE_OVERLAP,
        Error::ZONE_EXISTS,
        Error::STALE,
    ]
}

/// How often a comparison with the neighbours is made anew because one of them changed meanwhile.
const MAX_COMPARISONS: usize = 5;

async fn list_zones(uri: Uri, Query(page): Query<Page>) -> Result<Listed<Zone>, Problem> {
    let zones = store::list_zones(&store::open().await?, page).await?;
    Ok(Listed::page(&uri, page, store::ZONE_PAGE, zones))
}

async fn list_own_zones(caller: Caller) -> Result<Json<Vec<Zone>>, Problem> {
    Ok(Json(
        store::list_zones_of(&store::open().await?, caller.id).await?,
    ))
}

async fn list_passcode_zones(
    Address(address): Address,
    Path(otp): Path<String>,
) -> Result<Json<Vec<Zone>>, Problem> {
    let owner = calls::passcode_owner(&otp, &address)
        .await
        .map_err(|it| match it {
            Error::WrongPasscode => Error::NoZones,
            other => other,
        })?;
    let zones = store::list_zones_of(&store::open().await?, owner.id).await?;
    if zones.is_empty() {
        return Err(Error::NoZones.into());
    }
    Ok(Json(zones))
}

#[derive(Deserialize, Schema)]
struct Place {
    #[schemars(range(min = -90, max = 90), example = 46.07)]
    lat: f64,
    #[schemars(range(min = -180, max = 180), example = 11.12)]
    lon: f64,
}

async fn find_zone_at(Query(Place { lat, lon }): Query<Place>) -> Result<Json<Zone>, Problem> {
    if !is_on_earth(lat, lon) {
        return Err(Error::InvalidPlace.into());
    }
    let zones = store::list_zones_at(&store::open().await?, lat, lon).await?;
    for zone in zones {
        if zone.shape()?.covers(lat, lon) {
            return Ok(Json(zone));
        }
    }
    Err(Error::NoZoneHere.into())
}

async fn show_zone(Path(id): Path<i64>) -> Result<Json<Zone>, Problem> {
    Ok(Json(store::find_zone(&store::open().await?, id).await?))
}

async fn show_occupancy(Path(id): Path<i64>) -> Result<Json<Occupancy>, Problem> {
    Ok(Json(
        store::find_occupancy(&store::open().await?, id).await?,
    ))
}

async fn create_zone(
    Founder(caller): Founder,
    Keyed { body, once }: Keyed<NewZone>,
) -> Result<Replayable<Created<Zone>>, Problem> {
    let mut new = body.checked()?;
    if new.payee.is_some() && !caller.is_admin() {
        return Err(FORBIDDEN);
    }
    let currency = Currency::parse(setting("zone_currency").await?);
    new.currency = new.currency.or(currency);
    let payee = match new.payee {
        Some(payee) => payee,
        None => setting("zone_payee")
            .await?
            .parse::<Uuid>()
            .map_err(|_| Error::Stored("the variable zone_payee"))?,
    };
    let db = store::open().await?;
    let request = once.id(&caller);
    let create = async {
        for _ in 0..MAX_COMPARISONS {
            let seen = compare(&db, new.shape.as_ref(), None).await?;
            match store::create_zone(&db, request, &caller, &new, seen, payee).await {
                Err(Error::Stale) => {}
                Err(error) => return Err(error.into()),
                Ok(zone) => return Ok(Created::at(format!("/api/v1/zones/{}", zone.id), zone)),
            }
        }
        Err(Error::Stale.into())
    };
    once.answer(&db, &caller, create).await
}

/// Refuses a shape that covers ground of a zone; answers the newest change among those it was compared with.
async fn compare(db: &Db, shape: Option<&Shape>, except: Option<i64>) -> Result<i64, Error> {
    let Some(shape) = shape else { return Ok(0) };
    let neighbours = store::find_neighbours(db, shape, except).await?;
    match neighbours.overlapping(shape) {
        Some(zone) => Err(Error::ZoneOverlap(zone)),
        None => Ok(neighbours.seen),
    }
}

async fn change_zone(
    caller: Caller,
    Path(id): Path<i64>,
    Json(change): Json<ZoneChange>,
) -> Result<Json<Zone>, Problem> {
    let db = store::open().await?;
    store::check_zone_admin(&db, id, &caller).await?;
    let change = change.checked()?;
    for _ in 0..MAX_COMPARISONS {
        let seen = compare(&db, change.shape.as_ref(), Some(id)).await?;
        match store::change_zone(&db, id, &caller, &change, seen).await {
            Err(Error::Stale) => {}
            changed => return Ok(Json(changed?)),
        }
    }
    Err(Error::Stale.into())
}

async fn remove_zone(caller: Caller, Path(id): Path<i64>) -> Result<NoContent, Problem> {
    store::remove_zone(&store::open().await?, id, &caller).await?;
    Ok(NoContent)
}
