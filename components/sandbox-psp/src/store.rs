//! The SQL of the sandbox, one function per statement.

use kit::db::Only;
use kit::{Db, DbError, FromRow, Row, params, sql};

use crate::bill::{Bill, Kind, Payment, Status};
use crate::error::Error;

pub async fn open() -> Result<Db, Error> {
    Ok(Db::open("sandbox_psp_database_url").await?)
}

/// Keeps a bill; asked for with the same key before, the first one.
pub async fn keep(db: &Db, bill: &Bill, asked_as: Option<&str>) -> Result<Bill, Error> {
    let params = params![
        &bill.id,
        bill.kind.name(),
        asked_as,
        &bill.reference,
        &bill.title,
        bill.amount,
        &bill.currency,
        &bill.notification_url,
        bill.back_url.as_deref(),
        bill.expires_at,
    ];
    Ok(db.one(sql!("keep"), params).await?)
}

pub async fn bill(db: &Db, id: &str) -> Result<Bill, Error> {
    db.optional(sql!("bill"), params![id])
        .await?
        .ok_or(Error::Unknown)
}

/// The bill that a payment is for.
pub async fn bill_of(db: &Db, payment: i64) -> Result<Bill, Error> {
    db.optional(sql!("bill_of"), params![payment])
        .await?
        .ok_or(Error::Unknown)
}

pub async fn bill_for(db: &Db, reference: &str) -> Result<Vec<Bill>, Error> {
    Ok(db.all(sql!("bill_for"), params![reference]).await?)
}

pub async fn payments(db: &Db, bill: &str) -> Result<Vec<Payment>, Error> {
    Ok(db.all(sql!("payments"), params![bill]).await?)
}

/// Somebody decided; `None` when it is paid or over already.
pub async fn decide(db: &Db, bill: &str, status: Status) -> Result<Option<Payment>, Error> {
    match db
        .optional(sql!("decide"), params![bill, status.name()])
        .await
    {
        // Two people approved at the same moment.
        Err(it) if it.violates("payment_approved_once") => Ok(None),
        decided => Ok(decided?),
    }
}

/// Gives an approved payment back; again, nothing happens.
pub async fn refund(db: &Db, payment: i64) -> Result<(), Error> {
    let refunded: Option<Only<i64>> = db.optional(sql!("refund"), params![payment]).await?;
    refunded.map(|_| ()).ok_or(Error::NotRefundable)
}

impl FromRow for Bill {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            kind: row.parse("kind", Kind::parse)?,
            reference: row.get("reference")?,
            title: row.get("title")?,
            amount: row.get("amount")?,
            currency: row.get("currency")?,
            notification_url: row.get("notification_url")?,
            back_url: row.get("back_url")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

impl FromRow for Payment {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.get("id")?,
            status: row.parse("status", Status::parse)?,
            approved_at: row.get("approved_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}
