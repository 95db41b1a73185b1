//! The SQL of parts of payments that go back.

use kit::money::Cents;
use kit::store::{Db, Only};
use kit::{params, sql};
use uuid::Uuid;

use super::decide;
use crate::checkout::Checkout;
use crate::error::Error;
use crate::part::{Part, Parted, Return};

/// Books a part as sent back, once per `part`.
pub async fn refund_part(
    db: &Db,
    checkout: Uuid,
    part: Uuid,
    amount: Cents,
) -> Result<Checkout, Error> {
    let parted: Parted = decide(db, sql!("refund_part"), params![checkout, part, amount]).await?;
    if let Some(left) = parted.left_over {
        return Err(Error::NothingLeft(left));
    }
    let checkout = parted.checkout.ok_or(Error::UnknownPayment)?;
    match parted.is_stale {
        true => Err(Error::WrongStatus(checkout.status)),
        false => Ok(checkout),
    }
}

/// Ends the parts of a payment that the PSP has carried out.
pub async fn finish_parts(
    db: &Db,
    checkout: Uuid,
    payment: &str,
    reported: i64,
) -> Result<(), Error> {
    let params = params![checkout, payment, reported];
    let _: Only<bool> = db.one(sql!("finish_parts"), params).await?;
    Ok(())
}

pub async fn note_refused_part(db: &Db, part: Uuid, why: &str) -> Result<(), Error> {
    let _: Only<bool> = db
        .one(sql!("note_refused_part"), params![part, why])
        .await?;
    Ok(())
}

/// The part of a payment that the PSP has to carry out next.
pub async fn next_owed_part(db: &Db, checkout: Uuid) -> Result<Option<Part>, Error> {
    Ok(db
        .optional(sql!("next_owed_part"), params![checkout])
        .await?)
}

/// Money that the PSP has not sent back yet, the oldest first.
pub async fn list_returns(db: &Db, limit: i64, offset: i64) -> Result<Vec<Return>, Error> {
    Ok(db.all(sql!("list_returns"), params![limit, offset]).await?)
}
