//! Keeps tickets, fines and their money together although they live in two schemas.
//!
//! A charge is written before money is asked for and settled afterwards; a refund is owed before it is paid and done
//! afterwards. A host that dies in between leaves rows that [`sweep`] finds, asks about by id, and finishes.

use kit::setting;
use kit::store::photo::delete;
use kit::store::relay::{self, Event, Outcome};
use kit::store::s3::S3;
use kit::store::{Db, erasure, event, purge_keys};
use serde::Deserialize;
use uuid::Uuid;

use crate::calls::{self, Standing};
use crate::charge::{Charge, Method, OwedRefund};
use crate::error::Error;
use crate::photo::Stored;
use crate::store;

/// Rows of each kind that one sweep takes on: it has to end before the host gives up on the tick.
const SWEEP_BATCH: i64 = 50;
/// Each writes several tables.
const FORGET_BATCH: i32 = 20;
/// Deleting a key costs next to nothing.
const PURGE_BATCH: i64 = 1_000;

/// Asks the ledger to pay from the wallet, and records the answer. Answers whether it is paid.
pub async fn pay_by_wallet(db: &Db, charge: &Charge) -> Result<bool, Error> {
    match calls::pay(charge).await {
        Ok(()) => {
            record_paid(db, charge.id).await?;
            Ok(true)
        }
        Err(Error::PaymentUnavailable) => Err(Error::PaymentUnavailable),
        // The ledger leaves no trace of a refusal, so a copy of this request may be paying right now: only the ledger
        // can say that it is not.
        Err(refusal) => match settle_wallet(db, charge.id).await? {
            true => Ok(true),
            false if matches!(refusal, Error::InsufficientFunds) => Ok(false),
            false => Err(refusal),
        },
    }
}

/// Opens a payment at the provider; answers where to pay.
pub async fn open_checkout(charge: &Charge) -> Result<Option<String>, Error> {
    calls::open_checkout(charge, kit::now()).await
}

async fn settle_wallet(db: &Db, charge: Uuid) -> Result<bool, Error> {
    if calls::was_paid(charge).await? {
        record_paid(db, charge).await?;
        return Ok(true);
    }
    store::charge_void(db, charge).await?;
    Ok(false)
}

async fn settle_checkout(db: &Db, charge: Uuid, is_wanted: bool) -> Result<(), Error> {
    let standing = match is_wanted {
        true => calls::find_checkout(charge).await?,
        false => calls::cancel_checkout(charge).await?,
    };
    match standing {
        Standing::Open => Ok(()),
        Standing::Paid => record_paid(db, charge).await,
        Standing::Over => store::charge_void(db, charge).await,
        Standing::Returned => {
            store::charge_returned(db, charge).await?;
            event::wake();
            Ok(())
        }
    }
}

async fn record_paid(db: &Db, charge: Uuid) -> Result<(), Error> {
    store::charge_paid(db, charge).await?;
    event::wake();
    pay_refunds(db, store::list_refunds(db, charge).await?).await;
    Ok(())
}

/// Pays refunds. One that fails now is left to the sweep.
async fn pay_refunds(db: &Db, owed: Vec<OwedRefund>) {
    for refund in owed {
        let paid = async {
            calls::refund(&refund).await?;
            store::finish_refund(db, refund.id).await
        };
        if let Err(error) = paid.await {
            eprintln!("refund {} is left to the sweep: {error}", refund.id);
        }
    }
}

/// Pays refunds that are due.
pub async fn pay_due_refunds(db: &Db) -> Result<(), Error> {
    pay_refunds(db, store::claim_refunds(db, SWEEP_BATCH).await?).await;
    Ok(())
}

/// Finishes interrupted requests and does the work that is due. It may run on any host, at any time, several times at once.
pub async fn sweep() -> Result<(), Error> {
    let db = store::open().await?;
    // A part that fails does not keep the next one from running.
    [
        tell(&db).await,
        settle_all(&db).await,
        hold_appealed(&db).await,
        pay_due_refunds(&db).await,
        forget(&db).await,
        purge_keys(&db, PURGE_BATCH).await.map_err(Error::from),
        relay::drain(&db, hear).await.map(drop).map_err(Error::from),
    ]
    .into_iter()
    .collect()
}

/// Warns people of tickets, discounts and parts that end soon. It is the first part of a sweep, because a late warning is
/// useless.
async fn tell(db: &Db) -> Result<(), Error> {
    let warned = store::warn_drivers(db, SWEEP_BATCH).await?;
    let alerted = store::alert_controllers(db, SWEEP_BATCH).await?;
    let stepped = store::step_fines(db, SWEEP_BATCH).await?;
    let closing = store::warn_discounts(db, SWEEP_BATCH).await?;
    if warned + alerted + closing > 0 || stepped > 0 {
        event::wake();
    }
    Ok(())
}

async fn settle_all(db: &Db) -> Result<(), Error> {
    for unsettled in store::claim_charges(db, SWEEP_BATCH).await? {
        let charge = unsettled.charge;
        let settled = match charge.method {
            Method::Wallet => settle_wallet(db, charge.id).await.map(drop),
            Method::Checkout => settle_checkout(db, charge.id, unsettled.is_wanted).await,
        };
        if let Err(error) = settled {
            eprintln!("charge {} is left to a later sweep: {error}", charge.id);
        }
    }
    Ok(())
}

/// Extends the holds of payments whose fine is appealed, until the appeal is decided. One that fails now is extended a day later.
async fn hold_appealed(db: &Db) -> Result<(), Error> {
    for hold in store::claim_holds(db, SWEEP_BATCH).await? {
        if let Err(error) = calls::hold(&hold).await {
            eprintln!(
                "the hold of {} is left to a later sweep: {error}",
                hold.charge_id
            );
        }
    }
    Ok(())
}

/// Anonymizes cases that were closed `case_retention_days` ago, and deletes photos of anonymized cases and photos that were
/// never completed.
async fn forget(db: &Db) -> Result<(), Error> {
    let days = setting("case_retention_days")
        .await
        .map_err(Error::Setting)?;
    let days = days
        .parse()
        .map_err(|_| Error::Stored("the variable case_retention_days"))?;
    store::anonymize(db, days, FORGET_BATCH).await?;
    let stale = store::claim_stale_photos(db, SWEEP_BATCH).await?;
    if stale.is_empty() {
        return Ok(());
    }
    let s3 = S3::open().await.map_err(Error::S3)?;
    for photo in stale {
        if let Err(error) = delete_photo(db, &s3, &photo).await {
            eprintln!("photo {} is left to a later sweep: {error}", photo.id);
        }
    }
    Ok(())
}

async fn delete_photo(db: &Db, s3: &S3, photo: &Stored) -> Result<(), Error> {
    delete(s3, &photo.key(), photo.upload.as_deref())
        .await
        .map_err(Error::S3)?;
    store::delete_photo(db, photo.id).await
}

/// The event that a payment at the provider has another status.
#[derive(Deserialize)]
struct CheckoutChanged {
    payment_id: Uuid,
    /// The function that asked for it.
    opener: String,
}

async fn hear(db: &Db, event: &Event) -> Outcome {
    if !event.kind.starts_with("payment:") {
        return erasure::carry_out(erasure::ERASED, event, |user| erase(db, user)).await;
    }
    let Ok(CheckoutChanged { payment_id, opener }) = CheckoutChanged::deserialize(&event.payload)
    else {
        return Outcome::Never("the payload does not fit the kind".to_owned());
    };
    if opener != calls::OPENER {
        return Outcome::DONE;
    }
    match settle_checkout(db, payment_id, true).await {
        Ok(()) => Outcome::DONE,
        Err(error) => Outcome::again(error),
    }
}

/// An erased person has no car and no role in a zone. Their fines stay, without a driver.
async fn erase(db: &Db, user: Uuid) -> Result<bool, Error> {
    store::erase(db, user).await?;
    Ok(false)
}
