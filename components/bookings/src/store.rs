//! The SQL of places and bookings, one function per statement.

use jiff::Timestamp;
use kit::db::Only;
use kit::{Caller, Db, DbError, FromRow, Page, Row, params, sql};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::booking::{Booking, Status, Window};
use crate::error::Error;
use crate::place::{NewPlace, ParkingType, Place};

pub async fn open() -> Result<Db, DbError> {
    Db::open("bookings_database_url").await
}

/// Rows of a list when nobody said how many.
pub const PAGE: i64 = 100;

// Places.

pub async fn place_create(db: &Db, owner: Uuid, new: &NewPlace) -> Result<i64, Error> {
    let Only(id) = db
        .one(
            sql!("place_create"),
            params![
                owner,
                &new.name,
                &new.city,
                &new.address,
                new.parking_type.name(),
                new.hourly_rate,
                new.capacity,
                new.latitude,
                new.longitude
            ],
        )
        .await?;
    Ok(id)
}

pub async fn place(db: &Db, id: i64) -> Result<Option<Place>, Error> {
    Ok(db.optional(sql!("place_find"), params![id]).await?)
}

/// What a search asks for; what is absent does not matter.
pub struct Search<'a> {
    pub city: Option<&'a str>,
    pub name: Option<&'a str>,
    pub parking_type: Option<ParkingType>,
    pub owner: Option<Uuid>,
    pub window: Option<Window>,
    pub lowest_rate: Option<i64>,
    pub highest_rate: Option<i64>,
    pub near: Option<(f64, f64)>,
}

pub async fn place_search(db: &Db, search: Search<'_>, page: Page) -> Result<Vec<Place>, Error> {
    Ok(db
        .all(
            sql!("place_search"),
            params![
                search.city,
                search.name,
                search.parking_type.map(ParkingType::name),
                search.owner,
                search.window.map(|it| it.from),
                search.window.map(|it| it.to),
                search.lowest_rate,
                search.highest_rate,
                search.near.map(|it| it.0),
                search.near.map(|it| it.1),
                page.limit(PAGE),
                page.offset()
            ],
        )
        .await?)
}

pub async fn place_change(
    db: &Db,
    id: i64,
    caller: &Caller,
    new: &NewPlace,
) -> Result<Place, Error> {
    db.one::<Decided<Place>>(
        sql!("place_change"),
        params![
            id,
            caller.id,
            caller.is_admin(),
            &new.name,
            &new.city,
            &new.address,
            new.parking_type.name(),
            new.hourly_rate,
            new.capacity,
            new.latitude,
            new.longitude
        ],
    )
    .await?
    .0
}

pub async fn place_remove(db: &Db, id: i64, caller: &Caller) -> Result<(), Error> {
    let Only(outcome) = db
        .one::<Only<String>>(
            sql!("place_remove"),
            params![id, caller.id, caller.is_admin()],
        )
        .await?;
    match outcome.as_str() {
        "removed" => Ok(()),
        refused => Err(Error::of_outcome(refused)),
    }
}

// Bookings.

/// A booking for which the ledger is to be asked.
pub struct Charged {
    pub booking: Booking,
    pub charge: Uuid,
    pub amount: i64,
    pub payee: Uuid,
    /// What was paid for the booking before.
    pub earlier: Vec<Uuid>,
    /// Until when the owner spends none of it.
    pub kept_until: Timestamp,
}

/// What became of the wish to book or to move.
pub enum Taken {
    /// It costs nothing, was settled before, or gives back.
    Settled {
        booking: Booking,
        owed: Vec<Owed>,
    },
    ToPay(Charged),
}

pub async fn book(
    db: &Db,
    request: Uuid,
    place: i64,
    driver: Uuid,
    window: Window,
    expected_cost: Option<i64>,
) -> Result<Taken, Error> {
    db.one::<Decided<Taken>>(
        sql!("book"),
        params![
            request,
            place,
            driver,
            window.from,
            window.to,
            expected_cost
        ],
    )
    .await?
    .0
}

pub async fn move_end(
    db: &Db,
    booking: i64,
    caller: &Caller,
    to: Timestamp,
) -> Result<Taken, Error> {
    db.one::<Decided<Taken>>(
        sql!("move_end"),
        params![booking, caller.id, caller.is_admin(), to],
    )
    .await?
    .0
}

#[derive(Serialize)]
pub struct Quote {
    pub full_cost: i64,
    pub currency: &'static str,
    /// How many more cars fit during the whole window.
    pub free: i64,
    pub available: bool,
}

pub async fn quote(db: &Db, place: i64, window: Window) -> Result<Quote, Error> {
    db.optional(sql!("quote"), params![place, window.from, window.to])
        .await?
        .ok_or(Error::UnknownPlace)
}

/// A booking with the owner of its place, for whoever asks to see it.
pub async fn find(db: &Db, id: i64) -> Result<(Booking, Uuid), Error> {
    let found: Owned = db
        .optional(sql!("find"), params![id])
        .await?
        .ok_or(Error::UnknownBooking)?;
    Ok((found.booking, found.owner))
}

/// Which bookings are wanted, and who wants them.
pub struct Listing {
    pub driver: Option<Uuid>,
    pub place: Option<i64>,
    /// Sees the bookings of a place of theirs; without one, everything is seen.
    pub viewer: Option<Uuid>,
    /// Whether the viewer sees their own bookings of anybody's place.
    pub sees_own: bool,
    pub status: Option<Status>,
    /// What overlaps it.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

pub async fn list(db: &Db, listing: Listing, page: Page) -> Result<Vec<Booking>, Error> {
    let rows: Vec<Decided<Listed>> = db
        .all(
            sql!("list"),
            params![
                listing.driver,
                listing.place,
                listing.viewer,
                listing.sees_own,
                listing.status.map(Status::name),
                listing.from,
                listing.to,
                page.limit(PAGE),
                page.offset()
            ],
        )
        .await?;
    rows.into_iter()
        .filter_map(|it| it.0.map(|Listed(booking)| booking).transpose())
        .collect()
}

/// The booking, called off, and what its driver is to get back.
pub struct Canceled {
    pub booking: Booking,
    pub owed: Vec<Owed>,
}

pub async fn cancel(db: &Db, id: i64, caller: &Caller, hide: bool) -> Result<Canceled, Error> {
    db.one::<Decided<Canceled>>(
        sql!("cancel"),
        params![id, caller.id, caller.is_admin(), hide],
    )
    .await?
    .0
}

// The money of bookings.

pub async fn charge_paid(db: &Db, charge: Uuid) -> Result<Booking, Error> {
    Ok(db.one(sql!("charge_paid"), params![charge]).await?)
}

/// Its driver is told, unless this is the answer to their request.
pub async fn charge_void(db: &Db, charge: Uuid, is_answer: bool) -> Result<Booking, Error> {
    Ok(db
        .one(sql!("charge_void"), params![charge, is_answer])
        .await?)
}

/// Charges that nobody has settled in time.
pub async fn claim_charges(db: &Db, limit: i64) -> Result<Vec<Uuid>, Error> {
    let claimed: Vec<Only<Uuid>> = db.all(sql!("claim_charges"), params![limit]).await?;
    Ok(claimed.into_iter().map(|it| it.0).collect())
}

#[derive(Deserialize)]
pub struct Owed {
    pub id: Uuid,
    pub booking_id: i64,
    pub charge_id: Uuid,
    pub amount: i64,
}

pub async fn claim_refunds(db: &Db, limit: i64) -> Result<Vec<Owed>, Error> {
    Ok(db.all(sql!("claim_refunds"), params![limit]).await?)
}

/// What is owed and not paid back yet, as people look at it.
#[derive(Serialize)]
pub struct OwedRefund {
    pub id: Uuid,
    pub booking_id: i64,
    pub charge_id: Uuid,
    pub amount: i64,
    pub owed_since: Timestamp,
    pub tried_again_at: Timestamp,
}

pub async fn owed_refunds(db: &Db, page: Page) -> Result<Vec<OwedRefund>, Error> {
    Ok(db
        .all(
            sql!("owed_refunds"),
            params![page.limit(PAGE), page.offset()],
        )
        .await?)
}

pub async fn refunds_of(db: &Db, booking: i64) -> Result<Vec<Owed>, Error> {
    let Only(owed) = db
        .one::<Only<Value>>(sql!("refunds_of"), params![booking])
        .await?;
    Ok(read("refunds", owed)?)
}

pub async fn refund_done(db: &Db, id: Uuid) -> Result<(), Error> {
    db.run(sql!("refund_done"), params![id]).await?;
    Ok(())
}

/// A booking that is over and a charge that was paid for it, whose money the ledger still keeps.
pub struct Kept {
    pub booking: i64,
    pub charge: Option<Uuid>,
}

pub async fn kept_too_long(db: &Db, limit: i64) -> Result<Vec<Kept>, Error> {
    Ok(db.all(sql!("kept_too_long"), params![limit]).await?)
}

pub async fn released(db: &Db, bookings: Vec<i64>) -> Result<(), Error> {
    db.run(sql!("released"), params![bookings]).await?;
    Ok(())
}

/// How many people were told that their time is nearly over.
pub async fn remind(db: &Db, limit: i64) -> Result<u64, Error> {
    Ok(db.run(sql!("remind"), params![limit]).await?)
}

pub async fn forget_keys(db: &Db, limit: i64) -> Result<(), Error> {
    db.run(sql!("forget_keys"), params![limit]).await?;
    Ok(())
}

/// How many bookings were called off because this person, the driver or the owner, was erased.
pub async fn forget(db: &Db, user: Uuid, limit: i32) -> Result<i64, Error> {
    let Only(called_off) = db.one(sql!("forget"), params![user, limit]).await?;
    Ok(called_off)
}

/// A row of a function that may say no: its `outcome` tells.
struct Decided<T>(Result<T, Error>);

impl<T: FromRow> FromRow for Decided<T> {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(match row.get::<String>("outcome")?.as_str() {
            "booked" | "to_pay" | "moved" | "canceled" | "changed" | "listed" => {
                Ok(T::from_row(row)?)
            }
            refused => Err(Error::of_outcome(refused)),
        }))
    }
}

impl FromRow for Taken {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let booking = Booking::from_row(row)?;
        let Some(charge) = row.get("payment")? else {
            let owed = read("refunds", row.get("refunds")?)?;
            return Ok(Self::Settled { booking, owed });
        };
        Ok(Self::ToPay(Charged {
            charge,
            amount: row.get("due")?,
            payee: row.get("payee")?,
            earlier: read("earlier", row.get("earlier")?)?,
            kept_until: row.get("until")?,
            booking,
        }))
    }
}

impl FromRow for Canceled {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            booking: Booking::from_row(row)?,
            owed: read("refunds", row.get("refunds")?)?,
        })
    }
}

/// Several rows in one column: what a function decided comes back with its one answer.
fn read<T: DeserializeOwned>(column: &'static str, rows: Value) -> Result<Vec<T>, DbError> {
    serde_json::from_value(rows).map_err(|_| DbError::Column(column.to_owned()))
}

impl FromRow for OwedRefund {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            booking_id: row.get("booking_id")?,
            charge_id: row.get("charge_id")?,
            amount: row.get("amount")?,
            owed_since: row.get("owed_since")?,
            tried_again_at: row.get("tried_again_at")?,
        })
    }
}

impl FromRow for Kept {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            booking: row.get("booking_id")?,
            charge: row.get("charge_id")?,
        })
    }
}

impl FromRow for Booking {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            date_from: row.get("date_from")?,
            date_to: row.get("date_to")?,
            parking_place_id: row.get("place_id")?,
            full_cost: row.get("full_cost")?,
            status: row.parse("status", Status::parse)?,
            driver: row.get("driver")?,
        })
    }
}

/// The one row of a list that is empty says only that it may be seen.
struct Listed(Option<Booking>);

impl FromRow for Listed {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let id: Option<i64> = row.get("id")?;
        id.map(|_| Booking::from_row(row)).transpose().map(Self)
    }
}

struct Owned {
    booking: Booking,
    owner: Uuid,
}

impl FromRow for Owned {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            booking: Booking::from_row(row)?,
            owner: row.get("owner")?,
        })
    }
}

impl FromRow for Place {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            city: row.get("city")?,
            address: row.get("address")?,
            parking_type: row.parse("parking_type", ParkingType::parse)?,
            hourly_rate: row.get("hourly_rate")?,
            capacity: row.get("capacity")?,
            owner: row.get("owner")?,
            latitude: row.get("latitude")?,
            longitude: row.get("longitude")?,
            free: row.get("free")?,
            distance_km: row.get("distance_km")?,
        })
    }
}

impl FromRow for Quote {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let free: i64 = row.get("free")?;
        Ok(Self {
            full_cost: row.get("full_cost")?,
            currency: crate::ledger::CURRENCY,
            free,
            available: free > 0,
        })
    }
}

impl FromRow for Owed {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            booking_id: row.get("booking_id")?,
            charge_id: row.get("charge_id")?,
            amount: row.get("amount")?,
        })
    }
}
