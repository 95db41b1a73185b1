//! The SQL of places and bookings, one function per statement.

use jiff::Timestamp;
use kit::db::Only;
use kit::{Caller, Db, DbError, FromRow, Page, Row, params, sql};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::booking::{Booking, Status, Window};
use crate::error::Error;
use crate::place::{NewPlace, ParkingType, Place};

pub async fn open() -> Result<Db, DbError> {
    Db::open("bookings_database_url").await
}

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
                page.limit(100),
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
    /// The end of the booking that the charge buys.
    pub until: Timestamp,
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
) -> Result<Taken, Error> {
    db.one::<Decided<Taken>>(
        sql!("book"),
        params![request, place, driver, window.from, window.to],
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

#[derive(serde::Serialize)]
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

pub async fn list(
    db: &Db,
    driver: Option<Uuid>,
    place: Option<i64>,
    page: Page,
) -> Result<Vec<Booking>, Error> {
    Ok(db
        .all(
            sql!("list"),
            params![driver, place, page.limit(100), page.offset()],
        )
        .await?)
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

pub async fn charge_void(db: &Db, charge: Uuid) -> Result<Booking, Error> {
    Ok(db.one(sql!("charge_void"), params![charge]).await?)
}

pub async fn charges_paid_for(db: &Db, booking: i64) -> Result<Vec<Uuid>, Error> {
    Ok(ids(db
        .all(sql!("charges_paid_for"), params![booking])
        .await?))
}

fn ids(rows: Vec<Only<Uuid>>) -> Vec<Uuid> {
    rows.into_iter().map(|it| it.0).collect()
}

/// Charges that nobody has settled in time.
pub async fn claim_charges(db: &Db, limit: i64) -> Result<Vec<Uuid>, Error> {
    Ok(ids(db.all(sql!("claim_charges"), params![limit]).await?))
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

pub async fn refunds_of(db: &Db, booking: i64) -> Result<Vec<Owed>, Error> {
    let Only(owed) = db
        .one::<Only<Value>>(sql!("refunds_of"), params![booking])
        .await?;
    Ok(owed_in(owed)?)
}

pub async fn refund_done(db: &Db, id: Uuid) -> Result<(), Error> {
    db.run(sql!("refund_done"), params![id]).await?;
    Ok(())
}

/// A paid charge of a booking that is over, whose money the ledger still keeps.
pub struct Kept {
    pub booking: i64,
    pub charge: Uuid,
}

pub async fn kept_too_long(db: &Db, limit: i64) -> Result<Vec<Kept>, Error> {
    Ok(db.all(sql!("kept_too_long"), params![limit]).await?)
}

pub async fn released(db: &Db, booking: i64) -> Result<(), Error> {
    db.run(sql!("released"), params![booking]).await?;
    Ok(())
}

/// How many people were told that their time is nearly over.
pub async fn remind(db: &Db, limit: i64) -> Result<u64, Error> {
    Ok(db.run(sql!("remind"), params![limit]).await?)
}

/// A row of a function that may say no: its `outcome` tells.
struct Decided<T>(Result<T, Error>);

impl<T: FromRow> FromRow for Decided<T> {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(match row.get::<String>("outcome")?.as_str() {
            "booked" | "to_pay" | "moved" | "canceled" | "changed" => Ok(T::from_row(row)?),
            refused => Err(Error::of_outcome(refused)),
        }))
    }
}

impl FromRow for Taken {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let booking = Booking::from_row(row)?;
        let Some(charge) = row.get("payment")? else {
            let owed = owed_in(row.get("refunds")?)?;
            return Ok(Self::Settled { booking, owed });
        };
        Ok(Self::ToPay(Charged {
            charge,
            amount: row.get("due")?,
            payee: row.get("payee")?,
            until: row.get("until")?,
            booking,
        }))
    }
}

impl FromRow for Canceled {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            booking: Booking::from_row(row)?,
            owed: owed_in(row.get("refunds")?)?,
        })
    }
}

/// Several rows in one column: what a function decided comes back with its one answer.
fn owed_in(refunds: Value) -> Result<Vec<Owed>, DbError> {
    serde_json::from_value(refunds).map_err(|_| DbError::Column("refunds".to_owned()))
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
