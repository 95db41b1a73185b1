//! Tickets.

use jiff::Timestamp;
use kit::identity::Caller;
use kit::store::Db;
use kit::web::Page;
use kit::{params, sql};
use uuid::Uuid;

use super::{LONG_PAGE, PAGE, decide, list};
use crate::error::Error;
use crate::ticket::{Basis, Ending, NewTicket, Stay, Ticket};

/// The tickets that are wanted; an absent filter filters nothing.
#[derive(Clone, Copy, Default)]
pub struct Wanted {
    pub valid_only: bool,
    pub starts_after: Option<Timestamp>,
    pub ends_before: Option<Timestamp>,
}

/// The basis of the price of a stay.
pub async fn find_basis(db: &Db, zone: i64, new: &NewTicket, stay: Stay) -> Result<Basis, Error> {
    db.optional(sql!("find_basis"), params![zone, new.plates(), stay.from])
        .await?
        .ok_or(Error::UnknownZone)
}

pub async fn create_ticket(
    db: &Db,
    request: Uuid,
    new: &NewTicket,
    buyer: Uuid,
    stay: Stay,
    basis: &Basis,
    price: i64,
) -> Result<Ticket, Error> {
    let params = params![
        request,
        basis.zone.id,
        basis.zone.revision,
        new.plate.as_str(),
        buyer,
        stay.from,
        stay.to,
        price,
        basis.follows,
        basis.stay_from.unwrap_or(stay.from),
        new.other_plates()
    ];
    decide(db, sql!("create_ticket"), params).await
}

pub async fn find_ticket(db: &Db, id: i64, caller: &Caller) -> Result<Ticket, Error> {
    let params = params![id, caller.id, caller.is_admin()];
    decide(db, sql!("find_ticket"), params).await
}

/// The ticket after a payment; a refusal when the payment goes back.
pub async fn find_paid_ticket(db: &Db, id: i64) -> Result<Ticket, Error> {
    decide(db, sql!("find_paid_ticket"), params![id]).await
}

pub async fn list_tickets_of(
    db: &Db,
    driver: Uuid,
    valid_only: bool,
    page: Page,
) -> Result<Vec<Ticket>, Error> {
    let params = params![driver, valid_only, page.limit(LONG_PAGE), page.offset()];
    Ok(db.all(sql!("list_tickets_of"), params).await?)
}

pub async fn list_tickets(db: &Db, wanted: Wanted, page: Page) -> Result<Vec<Ticket>, Error> {
    let params = params![
        wanted.valid_only,
        wanted.starts_after,
        wanted.ends_before,
        page.limit(PAGE),
        page.offset()
    ];
    Ok(db.all(sql!("list_tickets"), params).await?)
}

pub async fn list_tickets_in(
    db: &Db,
    zone: i64,
    caller: &Caller,
    valid_only: bool,
    page: Page,
) -> Result<Vec<Ticket>, Error> {
    let params = params![
        zone,
        caller.id,
        caller.is_admin(),
        valid_only,
        page.limit(PAGE),
        page.offset()
    ];
    list(db, sql!("list_tickets_in"), params).await
}

pub async fn remove_ticket(db: &Db, id: i64, caller: Uuid) -> Result<(), Error> {
    decide(db, sql!("remove_ticket"), params![id, caller]).await
}

/// The basis of the price of a ticket that ends early.
pub async fn find_ending(db: &Db, id: i64) -> Result<Ending, Error> {
    db.optional(sql!("find_ending"), params![id])
        .await?
        .ok_or(Error::UnknownTicket)
}

pub async fn end_ticket(
    db: &Db,
    id: i64,
    caller: Uuid,
    was_until: Timestamp,
    ends: Timestamp,
    price: i64,
) -> Result<Ticket, Error> {
    let params = params![id, caller, was_until, ends, price];
    decide(db, sql!("end_ticket"), params).await
}

/// Warns drivers whose ticket ends soon; answers how many.
pub async fn warn_drivers(db: &Db, limit: i64) -> Result<u64, Error> {
    Ok(db.run(sql!("warn_drivers"), params![limit]).await?)
}

/// Tells controllers of tickets that ran out; answers how many notices that makes.
pub async fn alert_controllers(db: &Db, limit: i64) -> Result<u64, Error> {
    Ok(db.run(sql!("alert_controllers"), params![limit]).await?)
}

/// Removes the cars and roles of an erased person.
pub async fn erase(db: &Db, user: Uuid) -> Result<(), Error> {
    db.run(sql!("erase"), params![user]).await?;
    Ok(())
}
