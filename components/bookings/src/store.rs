//! The SQL of places and bookings, one function per statement.

use std::time::Duration;

use jiff::Timestamp;
use kit::identity::Caller;
use kit::store::{Db, DbError, Decided, FromRow, Only};
use kit::{params, sql};
use plate::Plate;
use serde_json::json;
use spin_sdk::time::sleep;
use uuid::Uuid;

use crate::booking::{Agreed, Booking, Listing, Quote, Window};
use crate::charge::{Canceled, Held, OwedRefund, Owing, Taken, TakenRow, WaitingRefund};
use crate::cover::{Bounds, Cover};
use crate::error::Error;
use crate::list::{Next, Part};
use crate::place::{NewPlace, Place, Search};
use crate::rules::Rules;

pub async fn open() -> Result<Db, DbError> {
    Db::open("bookings_database_url").await
}

/// Runs a function of the schema that returns one row and may refuse.
async fn decide<T: FromRow>(
    db: &Db,
    sql: &'static str,
    params: Vec<kit::store::ParameterValue>,
) -> Result<T, Error> {
    db.one::<Decided<T, Error>>(sql, params).await?.0
}

/// How long a request comes again to a place or a booking that too many want, and how often at first and at last.
const MAX_WAIT: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LAST_PAUSE: Duration = Duration::from_millis(50);

/// Like [`decide`], for what queues at a place or a booking. A request that is not admitted waits here and holds no connection.
async fn decide_in_turn<T: FromRow>(
    db: &Db,
    sql: &'static str,
    params: impl Fn() -> Vec<kit::store::ParameterValue>,
) -> Result<T, Error> {
    let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
    loop {
        match decide(db, sql, params()).await {
            Err(Error::PlaceCrowded) if waited < MAX_WAIT => {
                sleep(pause).await;
                waited = waited.saturating_add(pause);
                pause = pause.saturating_mul(2).min(LAST_PAUSE);
            }
            decided => return decided,
        }
    }
}

// Places.

/// A copy of the request is answered with the place that the first one made.
pub async fn create_place(
    db: &Db,
    request: Uuid,
    owner: Uuid,
    new: &NewPlace,
) -> Result<i64, Error> {
    let Only(id) = db
        .one(
            sql!("create_place"),
            params![
                request,
                owner,
                &new.name,
                &new.city,
                &new.address,
                new.parking_type,
                new.hourly_rate,
                new.capacity,
                new.latitude,
                new.longitude
            ],
        )
        .await?;
    Ok(id)
}

pub async fn find_place(db: &Db, id: i64) -> Result<Option<Place>, Error> {
    Ok(db.optional(sql!("find_place"), params![id]).await?)
}

/// A row of a search: a place, or where the search goes on.
#[derive(FromRow)]
struct Found {
    #[row(flatten)]
    place: Option<Place>,
    reached: Option<i64>,
    left_out: i64,
}

/// A page of a search, and where it goes on. The page may be shorter than was asked for although it goes on.
pub async fn search_places(
    db: &Db,
    search: Search<'_>,
    part: Part,
) -> Result<(Vec<Place>, Option<Next>), Error> {
    let mut rows: Vec<Found> = db
        .all(
            sql!("search_places"),
            params![
                search.city,
                search.name,
                search.parking_type,
                search.owner,
                search.window.map(|it| it.from),
                search.window.map(|it| it.to),
                search.min_rate,
                search.max_rate,
                search.near.map(|it| it.0),
                search.near.map(|it| it.1),
                part.after,
                part.offset,
                part.limit
            ],
        )
        .await?;
    let next = rows
        .pop_if(|it| it.place.is_none())
        .and_then(|it| it.reached.map(|after| (after, it.left_out)))
        .map(|(after, offset)| Next { after, offset });
    Ok((rows.into_iter().filter_map(|it| it.place).collect(), next))
}

pub async fn change_place(
    db: &Db,
    id: i64,
    caller: &Caller,
    new: &NewPlace,
) -> Result<Place, Error> {
    let params = params![
        id,
        caller.id,
        caller.is_admin(),
        &new.name,
        &new.city,
        &new.address,
        new.parking_type,
        new.hourly_rate,
        new.capacity,
        new.latitude,
        new.longitude
    ];
    decide_in_turn(db, sql!("change_place"), || params.clone()).await
}

pub async fn remove_place(db: &Db, id: i64, caller: &Caller) -> Result<(), Error> {
    let params = params![id, caller.id, caller.is_admin()];
    decide_in_turn(db, sql!("remove_place"), || params.clone()).await
}

pub async fn find_rules(db: &Db, place: i64) -> Result<Rules, Error> {
    db.optional(sql!("find_rules"), params![place])
        .await?
        .ok_or(Error::UnknownPlace)
}

pub async fn set_rules(db: &Db, place: i64, caller: &Caller, rules: &Rules) -> Result<(), Error> {
    let hours = rules.opening_hours.as_ref().map(|it| json!(it));
    let params = params![
        place,
        caller.id,
        caller.is_admin(),
        &rules.time_zone,
        hours.as_ref(),
        &json!(rules.blackouts),
        rules.refund_policy.map(|it| it.free_hours),
        rules.refund_policy.map_or(0, |it| it.least_percent),
        rules.overstay.map(|it| json!(it)).as_ref()
    ];
    decide_in_turn(db, sql!("set_rules"), || params.clone()).await
}

// Bookings.

/// `funds` is what the driver can spend; absent when that was not looked at.
pub async fn book(
    db: &Db,
    request: Uuid,
    place: i64,
    driver: Uuid,
    window: Window,
    agreed: Agreed<'_>,
    funds: Option<i64>,
) -> Result<Taken, Error> {
    let params = params![
        request,
        place,
        driver,
        window.from,
        window.to,
        agreed.expected_cost,
        agreed.plate.map(Plate::as_str),
        agreed.plate.map(Plate::shown),
        funds
    ];
    let taken: TakenRow = decide_in_turn(db, sql!("book"), || params.clone()).await?;
    Ok(taken.into())
}

/// Moves the start or the end of a booking; what is absent stays. `funds` is what the driver can spend; absent when that was
/// not looked at.
pub async fn move_booking(
    db: &Db,
    booking: i64,
    caller: &Caller,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    funds: Option<i64>,
) -> Result<Taken, Error> {
    let params = params![booking, caller.id, caller.is_admin(), from, to, funds];
    let taken: TakenRow = decide_in_turn(db, sql!("move_booking"), || params.clone()).await?;
    Ok(taken.into())
}

pub async fn quote(db: &Db, place: i64, window: Window) -> Result<Quote, Error> {
    db.optional(sql!("quote"), params![place, window.from, window.to])
        .await?
        .ok_or(Error::UnknownPlace)
}

/// A booking with the owner of its place.
#[derive(FromRow)]
struct Owned {
    #[row(flatten)]
    booking: Booking,
    owner: Uuid,
}

/// A booking and the owner of its place, who decide who may see it.
pub async fn find_booking(db: &Db, id: i64) -> Result<(Booking, Uuid), Error> {
    let found: Owned = db
        .optional(sql!("find_booking"), params![id])
        .await?
        .ok_or(Error::UnknownBooking)?;
    Ok((found.booking, found.owner))
}

pub async fn list_bookings(db: &Db, listing: Listing, part: Part) -> Result<Vec<Booking>, Error> {
    let rows: Vec<Decided<Option<Booking>, Error>> = db
        .all(
            sql!("list_bookings"),
            params![
                listing.driver,
                listing.place,
                listing.viewer,
                listing.sees_own,
                listing.status,
                listing.from,
                listing.to,
                part.after,
                part.limit,
                part.offset
            ],
        )
        .await?;
    // The one row of an empty list says only that it may be seen.
    rows.into_iter().filter_map(|it| it.0.transpose()).collect()
}

pub async fn cancel(db: &Db, id: i64, caller: &Caller, hide: bool) -> Result<Canceled, Error> {
    let params = params![id, caller.id, caller.is_admin(), hide];
    decide_in_turn(db, sql!("cancel"), || params.clone()).await
}

/// Notes the car of a booking.
pub async fn set_plate(db: &Db, id: i64, caller: &Caller, plate: &Plate) -> Result<Booking, Error> {
    let params = params![
        id,
        caller.id,
        caller.is_admin(),
        plate.as_str(),
        plate.shown()
    ];
    decide_in_turn(db, sql!("set_plate"), || params.clone()).await
}

/// A car comes to a place.
pub async fn check_in(
    db: &Db,
    place: i64,
    caller: &Caller,
    plate: &Plate,
) -> Result<Booking, Error> {
    let params = params![place, caller.id, caller.is_admin(), plate.as_str()];
    decide_in_turn(db, sql!("check_in"), || params.clone()).await
}

/// A car leaves a place.
pub async fn check_out(
    db: &Db,
    place: i64,
    caller: &Caller,
    plate: &Plate,
) -> Result<Booking, Error> {
    let params = params![place, caller.id, caller.is_admin(), plate.as_str()];
    decide_in_turn(db, sql!("check_out"), || params.clone()).await
}

/// Bookings of a car that hold now, or ended at most so many seconds ago; the last to end first.
pub async fn list_covering(db: &Db, plate: &Plate, ended_s: i32) -> Result<Vec<Cover>, Error> {
    let params = params![plate.as_str(), ended_s];
    Ok(db.all(sql!("list_covering"), params).await?)
}

/// The same of all cars, on the places of a part of the map.
pub async fn list_covering_within(
    db: &Db,
    bounds: Bounds,
    ended_s: i32,
) -> Result<Vec<Cover>, Error> {
    let params = params![
        bounds.west,
        bounds.south,
        bounds.east,
        bounds.north,
        ended_s
    ];
    Ok(db.all(sql!("list_covering_within"), params).await?)
}

// The money of bookings.

pub async fn charge_paid(db: &Db, charge: Uuid) -> Result<Booking, Error> {
    Ok(db.one(sql!("charge_paid"), params![charge]).await?)
}

/// Its driver gets a notice, unless the answer of this request tells them.
pub async fn charge_void(db: &Db, charge: Uuid, is_answer: bool) -> Result<Booking, Error> {
    Ok(db
        .one(sql!("charge_void"), params![charge, is_answer])
        .await?)
}

/// Charges that were not settled in time.
pub async fn claim_charges(db: &Db, limit: i64) -> Result<Vec<Uuid>, Error> {
    let claimed: Vec<Only<Uuid>> = db.all(sql!("claim_charges"), params![limit]).await?;
    Ok(claimed.into_iter().map(|it| it.0).collect())
}

pub async fn claim_refunds(db: &Db, limit: i64) -> Result<Vec<OwedRefund>, Error> {
    Ok(db.all(sql!("claim_refunds"), params![limit]).await?)
}

/// Charges what is owed for leaving late, `at_most` of it.
pub async fn charge_overstay(db: &Db, booking: i64, at_most: i64) -> Result<Taken, Error> {
    let params = params![booking, at_most];
    let taken: TakenRow = decide(db, sql!("charge_overstay"), params).await?;
    Ok(taken.into())
}

/// Forgives what a car's leaving late costs.
pub async fn waive_overstay(db: &Db, booking: i64, caller: &Caller) -> Result<Canceled, Error> {
    let params = params![booking, caller.id, caller.is_admin()];
    decide_in_turn(db, sql!("waive_overstay"), || params.clone()).await
}

/// Drivers who still owe for leaving late.
pub async fn claim_overstays(db: &Db, limit: i64) -> Result<Vec<Owing>, Error> {
    Ok(db.all(sql!("claim_overstays"), params![limit]).await?)
}

/// Bookings whose drivers still owe for leaving late, the oldest first.
pub async fn list_owing(db: &Db, after: Option<i64>, limit: i64) -> Result<Vec<Booking>, Error> {
    Ok(db.all(sql!("list_owing"), params![after, limit]).await?)
}

pub async fn list_waiting_refunds(
    db: &Db,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<WaitingRefund>, Error> {
    let params = params![after, limit];
    Ok(db.all(sql!("list_waiting_refunds"), params).await?)
}

pub async fn find_refunds(db: &Db, booking: i64) -> Result<Vec<OwedRefund>, Error> {
    Ok(db.all(sql!("find_refunds"), params![booking]).await?)
}

pub async fn finish_refund(db: &Db, id: Uuid) -> Result<(), Error> {
    let _: Only<bool> = db.one(sql!("finish_refund"), params![id]).await?;
    Ok(())
}

pub async fn list_held(db: &Db, limit: i64) -> Result<Vec<Held>, Error> {
    Ok(db.all(sql!("list_held"), params![limit]).await?)
}

/// A release failed: a later sweep tries again.
pub async fn put_off_release(db: &Db, charge: Uuid) -> Result<(), Error> {
    db.run(sql!("put_off_release"), params![charge]).await?;
    Ok(())
}

pub async fn mark_released(db: &Db, bookings: Vec<i64>) -> Result<(), Error> {
    db.run(sql!("mark_released"), params![bookings]).await?;
    Ok(())
}

/// Reminds people whose booking is nearly over; answers how many notices that makes.
pub async fn remind(db: &Db, limit: i64) -> Result<u64, Error> {
    Ok(db.run(sql!("remind"), params![limit]).await?)
}

/// Cancels bookings of an erased driver or owner, `limit` at most; answers how many.
pub async fn erase(db: &Db, user: Uuid, limit: i32) -> Result<i64, Error> {
    let Only(canceled) = db.one(sql!("erase"), params![user, limit]).await?;
    Ok(canceled)
}
