//! The SQL of destinations and of cash-outs to them.

use kit::money::Cents;
use kit::store::Db;
use kit::{params, sql};
use uuid::Uuid;

use super::decide;
use crate::destination::{Account, CashOut, Destination, Kind};
use crate::error::Error;
use crate::ledger::Moved;
use crate::receipt::Receipt;

/// A destination that is to be added.
pub struct NewDestination<'a> {
    pub id: Uuid,
    pub owner: Uuid,
    pub kind: Kind,
    pub holder_name: &'a str,
    pub account: &'a Account,
    pub wait_hours: i32,
}

pub async fn add_destination(db: &Db, new: NewDestination<'_>) -> Result<Destination, Error> {
    let params = params![
        new.id,
        new.owner,
        new.kind,
        new.kind.currency(),
        new.holder_name,
        new.account.text.as_str(),
        new.account.mask.as_str(),
        new.wait_hours,
    ];
    let added: Option<Destination> = decide(db, sql!("add_destination"), params).await?;
    // An earlier copy of the request added it, and it was removed since.
    added.ok_or(Error::UnknownDestination)
}

pub async fn list_destinations(db: &Db, owner: Uuid) -> Result<Vec<Destination>, Error> {
    Ok(db.all(sql!("list_destinations"), params![owner]).await?)
}

pub async fn remove_destination(db: &Db, id: Uuid, owner: Uuid) -> Result<(), Error> {
    decide(db, sql!("remove_destination"), params![id, owner]).await
}

pub async fn start_cash_out(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    destination: Uuid,
    amount: Cents,
) -> Result<Moved, Error> {
    decide(
        db,
        sql!("start_cash_out"),
        params![id, owner, destination, amount],
    )
    .await
}

/// Gives the money of a cash-out back to its wallet, unless an admin has approved it.
pub async fn cancel_cash_out(db: &Db, id: Uuid, owner: Uuid) -> Result<(), Error> {
    decide(db, sql!("cancel_cash_out"), params![id, owner]).await
}

pub async fn find_cash_out(db: &Db, id: Uuid, owner: Uuid) -> Result<CashOut, Error> {
    db.optional(sql!("find_cash_out"), params![id, owner])
        .await?
        .ok_or(Error::UnknownCashOut)
}

/// Cash-outs, the newest first.
pub async fn list_cash_outs(
    db: &Db,
    owner: Uuid,
    only_open: bool,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<CashOut>, Error> {
    let params = params![owner, only_open, before, limit];
    Ok(db.all(sql!("list_cash_outs"), params).await?)
}

pub async fn find_receipt(db: &Db, transfer: Uuid, user: Uuid) -> Result<Receipt, Error> {
    db.optional(sql!("find_receipt"), params![transfer, user])
        .await?
        .ok_or(Error::UnknownReceipt)
}
