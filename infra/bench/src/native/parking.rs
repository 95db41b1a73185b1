//! Places and bookings, as in `components/bookings`, without its error handling.

use anyhow::{Result, anyhow};
use axum::Json;
use axum::extract::{Query, State};
use jiff::Timestamp;
use kit::identity::Role;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::native::caller::Caller;
use crate::native::payments::{self, Price};
use crate::native::{self, Failed, query_all, query_one};

#[derive(Deserialize)]
pub struct Wanted {
    city: Option<String>,
    name: Option<String>,
    parking_type: Option<String>,
    owner_id: Option<Uuid>,
    date_from: Option<Timestamp>,
    date_to: Option<Timestamp>,
    lowest_rate: Option<i64>,
    highest_rate: Option<i64>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    limit: Option<i64>,
    offset: Option<i64>,
}

#[derive(Serialize)]
pub struct Place {
    id: i64,
    name: String,
    city: String,
    address: String,
    parking_type: String,
    hourly_rate: i64,
    capacity: i32,
    owner_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    latitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_km: Option<f64>,
}

pub async fn search(
    State(shared): native::State,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Place>>, Failed> {
    let db = shared.bookings.get().await?;
    let sql = include_str!("../../../../components/bookings/src/sql/search_places.sql");
    let (from, to) = (
        wanted.date_from.map(Timestamp::as_millisecond),
        wanted.date_to.map(Timestamp::as_millisecond),
    );
    let (limit, offset) = (
        wanted.limit.unwrap_or(100).clamp(1, 100),
        wanted.offset.unwrap_or(0).max(0),
    );
    let rows = query_all(
        &db,
        sql,
        &[
            &wanted.city,
            &wanted.name,
            &wanted.parking_type,
            &wanted.owner_id,
            &from,
            &to,
            &wanted.lowest_rate,
            &wanted.highest_rate,
            &wanted.latitude,
            &wanted.longitude,
            &None::<i64>,
            &offset,
            &limit,
        ],
    )
    .await?;
    // The last row may only say where the list goes on.
    let found = rows
        .iter()
        .filter(|row| matches!(row.try_get::<_, Option<i64>>("id"), Ok(Some(_))));
    let places = found.map(|row| {
        Ok(Place {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            city: row.try_get("city")?,
            address: row.try_get("address")?,
            parking_type: row.try_get("parking_type")?,
            hourly_rate: row.try_get("hourly_rate")?,
            capacity: row.try_get("capacity")?,
            owner_id: row.try_get("owner")?,
            latitude: row.try_get("latitude")?,
            longitude: row.try_get("longitude")?,
            free: row.try_get("free")?,
            distance_km: row.try_get("distance_km")?,
        })
    });
    Ok(Json(places.collect::<Result<_, Failed>>()?))
}

#[derive(Deserialize)]
pub struct NewBooking {
    parking_place_id: i64,
    date_from: Timestamp,
    date_to: Timestamp,
}

#[derive(Serialize)]
pub struct Booked {
    booking_id: i64,
    status: String,
    full_cost: i64,
}

pub async fn book(
    State(shared): native::State,
    Caller(caller): Caller,
    Json(new): Json<NewBooking>,
) -> Result<Json<Booked>, Failed> {
    if !caller.roles.has(Role::Driver) {
        return Err(anyhow!("not a driver").into());
    }
    let (from, to) = (new.date_from.as_millisecond(), new.date_to.as_millisecond());
    let db = shared.bookings.get().await?;
    let sql = include_str!("../../../../components/bookings/src/sql/book.sql");
    let mut funds = None::<i64>;
    let row = loop {
        let row = query_one(
            &db,
            sql,
            &[
                &Uuid::now_v7(),
                &new.parking_place_id,
                &caller.sub,
                &from,
                &to,
                &None::<i64>,
                &None::<String>,
                &None::<String>,
                &funds,
            ],
        )
        .await?;
        if row.try_get::<_, &str>("outcome")? != "unknown_funds" {
            break row;
        }
        // The first booking of a driver: all of them have money.
        funds = Some(i64::MAX);
    };
    let outcome: &str = row.try_get("outcome")?;
    if outcome != "booked" {
        return Err(anyhow!("not booked: {outcome}").into());
    }
    let charge: Uuid = row.try_get("payment")?;
    let booking: i64 = row.try_get("id")?;
    let price = Price {
        id: charge,
        payer: caller.sub,
        payee: row.try_get("payee")?,
        amount: row.try_get("due")?,
        currency: "USD",
        reference: booking.to_string(),
        description: format!("Booking {booking}"),
        held_until: Timestamp::from_millisecond(row.try_get("until")?)?,
    };
    // The connection is not held during the call to the ledger.
    drop(db);
    payments::pay(&shared, price).await?;
    let db = shared.bookings.get().await?;
    let sql = include_str!("../../../../components/bookings/src/sql/charge_paid.sql");
    let row = query_one(&db, sql, &[&charge]).await?;
    Ok(Json(Booked {
        booking_id: row.try_get("id")?,
        status: row.try_get("status")?,
        full_cost: row.try_get("full_cost")?,
    }))
}
