//! The money of orders.

use kit::store::{Db, Only};
use kit::{params, sql};
use uuid::Uuid;

use super::decide;
use crate::charge::{Asked, OpenCharge, OwedRefund};
use crate::error::Error;
use crate::order::{Order, PaymentStatus};

pub async fn charge_paid(db: &Db, charge: Uuid) -> Result<Order, Error> {
    decide(db, sql!("charge_paid"), params![charge]).await
}

/// Its customer gets a notice, unless the answer of this request tells them.
pub async fn charge_void(db: &Db, charge: Uuid, is_answer: bool) -> Result<Order, Error> {
    decide(db, sql!("charge_void"), params![charge, is_answer]).await
}

pub async fn charge_open(
    db: &Db,
    charge: Uuid,
    status: PaymentStatus,
    asked: &Asked,
) -> Result<Order, Error> {
    let params = params![
        charge,
        status,
        asked.link.as_deref(),
        asked.qr_code.as_deref()
    ];
    decide(db, sql!("charge_open"), params).await
}

pub async fn charge_refunded(db: &Db, charge: Uuid) -> Result<Order, Error> {
    decide(db, sql!("charge_refunded"), params![charge]).await
}

/// The payment of an order that the provider has and that is not settled yet.
pub async fn find_charge(db: &Db, order: i64) -> Result<Option<Uuid>, Error> {
    let found: Option<Only<Uuid>> = db.optional(sql!("find_charge"), params![order]).await?;
    Ok(found.map(|it| it.0))
}

/// Makes the sweep ask soon for the status of an order's payment.
pub async fn hurry_charge(db: &Db, order: i64) -> Result<(), Error> {
    db.run(sql!("hurry_charge"), params![order]).await?;
    Ok(())
}

pub async fn is_known(db: &Db, charge: Uuid) -> Result<bool, Error> {
    let Only(is_known) = db.one(sql!("is_known"), params![charge]).await?;
    Ok(is_known)
}

/// Charges that were not settled in time.
pub async fn claim_charges(db: &Db, limit: i64) -> Result<Vec<OpenCharge>, Error> {
    Ok(db.all(sql!("claim_charges"), params![limit]).await?)
}

pub async fn claim_refunds(db: &Db, limit: i64) -> Result<Vec<OwedRefund>, Error> {
    Ok(db.all(sql!("claim_refunds"), params![limit]).await?)
}

pub async fn find_refunds(db: &Db, order: i64) -> Result<Vec<OwedRefund>, Error> {
    Ok(db.all(sql!("find_refunds"), params![order]).await?)
}

pub async fn finish_refund(db: &Db, id: Uuid) -> Result<(), Error> {
    let _: Only<bool> = db.one(sql!("finish_refund"), params![id]).await?;
    Ok(())
}
