//! The money of tickets and fines.

use kit::store::{Db, FromRow, Only};
use kit::{params, sql};
use uuid::Uuid;

use super::decide;
use crate::charge::{Charge, Hold, Method, OwedRefund, Unsettled};
use crate::error::Error;
use crate::fine::Fine;
use crate::plan::Portion;

/// Whether a fine or a part of it is to be paid, and the charge for it.
pub enum Due {
    Nothing(Fine),
    ToPay(Fine, Charge),
}

impl FromRow for Due {
    fn from_row(row: &kit::store::Row) -> Result<Self, kit::store::DbError> {
        let fine = Fine::from_row(row)?;
        match row.get::<Option<Uuid>>("charge_id")? {
            None => Ok(Self::Nothing(fine)),
            Some(_) => Ok(Self::ToPay(fine, Charge::from_row(row)?)),
        }
    }
}

pub async fn open_ticket_charge(
    db: &Db,
    ticket: i64,
    payer: Uuid,
    method: Method,
) -> Result<Charge, Error> {
    decide(
        db,
        sql!("open_ticket_charge"),
        params![ticket, payer, method],
    )
    .await
}

pub async fn open_fine_charge(
    db: &Db,
    fine: i64,
    payer: Uuid,
    method: Method,
    portion: Portion,
) -> Result<Due, Error> {
    let none: Option<&str> = None;
    let params = params![
        fine,
        none,
        payer,
        method,
        portion.waives(),
        portion.part(),
        portion.parts()
    ];
    decide(db, sql!("open_fine_charge"), params).await
}

/// The same by the reference of the fine, at the provider.
pub async fn open_reference_charge(
    db: &Db,
    reference: &str,
    payer: Uuid,
    portion: Portion,
) -> Result<Due, Error> {
    let none: Option<i64> = None;
    let params = params![
        none,
        reference,
        payer,
        Method::Checkout,
        portion.waives(),
        portion.part(),
        portion.parts()
    ];
    decide(db, sql!("open_fine_charge"), params).await
}

pub async fn charge_paid(db: &Db, charge: Uuid) -> Result<(), Error> {
    decide(db, sql!("charge_paid"), params![charge]).await
}

pub async fn charge_returned(db: &Db, charge: Uuid) -> Result<(), Error> {
    decide(db, sql!("charge_returned"), params![charge]).await
}

pub async fn charge_void(db: &Db, charge: Uuid) -> Result<(), Error> {
    let _: Only<bool> = db.one(sql!("charge_void"), params![charge]).await?;
    Ok(())
}

/// Charges that were not settled in time.
pub async fn claim_charges(db: &Db, limit: i64) -> Result<Vec<Unsettled>, Error> {
    Ok(db.all(sql!("claim_charges"), params![limit]).await?)
}

/// Payments of fines whose appeal is open.
pub async fn claim_holds(db: &Db, limit: i64) -> Result<Vec<Hold>, Error> {
    Ok(db.all(sql!("claim_holds"), params![limit]).await?)
}

pub async fn claim_refunds(db: &Db, limit: i64) -> Result<Vec<OwedRefund>, Error> {
    Ok(db.all(sql!("claim_refunds"), params![limit]).await?)
}

pub async fn list_refunds(db: &Db, charge: Uuid) -> Result<Vec<OwedRefund>, Error> {
    Ok(db.all(sql!("list_refunds"), params![charge]).await?)
}

pub async fn finish_refund(db: &Db, id: Uuid) -> Result<(), Error> {
    let _: Only<bool> = db.one(sql!("finish_refund"), params![id]).await?;
    Ok(())
}

/// Records that the amounts of fines have changed; answers how many.
pub async fn step_fines(db: &Db, limit: i64) -> Result<i64, Error> {
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    let Only(stepped) = db.one(sql!("step_fines"), params![limit]).await?;
    Ok(stepped)
}

/// Warns drivers whose discount ends soon or whose next part is due soon; answers how many.
pub async fn warn_discounts(db: &Db, limit: i64) -> Result<u64, Error> {
    Ok(db.run(sql!("warn_discounts"), params![limit]).await?)
}
