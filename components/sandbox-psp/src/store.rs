//! The SQL of the sandbox, one function per statement.

use kit::store::{Db, Decided};
use kit::{params, sql};

use crate::bill::{Bill, Payment, Refund, Status};
use crate::error::Error;

pub async fn open() -> Result<Db, Error> {
    Ok(Db::open("sandbox_psp_database_url").await?)
}

/// Creates a bill; answers the first one when the idempotency key was used before.
pub async fn create_bill(db: &Db, bill: &Bill, key: Option<&str>) -> Result<Bill, Error> {
    let params = params![
        &bill.id,
        bill.kind,
        key,
        &bill.reference,
        &bill.title,
        bill.amount,
        &bill.currency,
        &bill.notification_url,
        bill.back_url.as_deref(),
        bill.expires_at,
    ];
    Ok(db.one(sql!("create_bill"), params).await?)
}

pub async fn find_bill(db: &Db, id: &str) -> Result<Bill, Error> {
    db.optional(sql!("find_bill"), params![id])
        .await?
        .ok_or(Error::Unknown)
}

pub async fn find_bill_of_payment(db: &Db, payment: i64) -> Result<Bill, Error> {
    db.optional(sql!("find_bill_of_payment"), params![payment])
        .await?
        .ok_or(Error::Unknown)
}

pub async fn list_bills(db: &Db, reference: &str) -> Result<Vec<Bill>, Error> {
    Ok(db.all(sql!("list_bills"), params![reference]).await?)
}

pub async fn list_payments(db: &Db, bill: &str) -> Result<Vec<Payment>, Error> {
    Ok(db.all(sql!("list_payments"), params![bill]).await?)
}

/// Records the payer's decision.
pub async fn create_payment(db: &Db, bill: &str, status: Status) -> Result<Payment, Error> {
    db.optional(sql!("create_payment"), params![bill, status])
        .await?
        .ok_or(Error::Closed)
}

/// Refunds a part of an approved payment, or all that is left of it. Repeated with the same key: no effect.
pub async fn refund(
    db: &Db,
    payment: i64,
    amount: Option<i64>,
    key: Option<&str>,
) -> Result<Refund, Error> {
    let params = params![payment, amount, key];
    db.one::<Decided<Refund, Error>>(sql!("refund"), params)
        .await?
        .0
}

pub async fn list_refunds(db: &Db, bill: &str) -> Result<Vec<Refund>, Error> {
    Ok(db.all(sql!("list_refunds"), params![bill]).await?)
}
