//! How a booking and its money stay together although they live in two schemas.
//!
//! Every step is idempotent and knows where it is from the rows alone: the
//! charge is written before the ledger is asked and settled after; a refund is
//! owed before it is made and done after. Whoever dies in between leaves rows
//! that [`sweep`] finds, asks the ledger about by id, and finishes.

use std::collections::BTreeMap;

use kit::Db;
use uuid::Uuid;

use crate::booking::{Booking, Status};
use crate::erasure;
use crate::error::Error;
use crate::ledger::{self, Payment};
use crate::store::{self, Charged, Kept, Owed};

/// One sweep looks at this many of each kind: it must end within a tick's patience.
const SWEPT_AT_ONCE: i64 = 50;
/// These cost next to nothing.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// Asks the ledger for what a booking or its extension costs, and notes the answer.
pub async fn charge(db: &Db, charged: Charged) -> Result<Booking, Error> {
    match pay(&charged).await {
        Ok(()) => paid(db, charged.charge).await,
        Err(Error::PaymentUnavailable) => Err(Error::PaymentUnavailable),
        // The ledger leaves no trace of a refusal, so a copy of this request may be paying right
        // now: only the ledger's own word settles that it is not.
        Err(refusal) => settle(db, charged.charge, true).await?.ok_or(refusal),
    }
}

async fn pay(charged: &Charged) -> Result<(), Error> {
    // An extension: what was paid before is kept as long as the booking is going to last.
    for earlier in &charged.earlier {
        ledger::hold(*earlier, charged.kept_until).await?;
    }
    ledger::pay(Payment {
        id: charged.charge,
        payer: charged.booking.driver,
        payee: charged.payee,
        amount: charged.amount,
        booking: charged.booking.id,
        held_until: charged.kept_until,
    })
    .await
}

/// Ends a charge as the ledger has it: the booking when it was paid; if not, it never will be.
async fn settle(db: &Db, charge: Uuid, is_answer: bool) -> Result<Option<Booking>, Error> {
    if ledger::settled(charge).await? {
        return paid(db, charge).await.map(Some);
    }
    store::charge_void(db, charge, is_answer).await?;
    Ok(None)
}

async fn paid(db: &Db, charge: Uuid) -> Result<Booking, Error> {
    let booking = store::charge_paid(db, charge).await?;
    if booking.status == Status::Canceled {
        repay(db, store::refunds_of(db, booking.id).await?).await;
    }
    Ok(booking)
}

/// Pays back what is owed. What fails now is the sweep's.
pub async fn repay(db: &Db, owed: Vec<Owed>) {
    for refund in owed {
        let id = refund.id;
        if let Err(error) = repay_one(db, refund).await {
            eprintln!("refund {id} is left to the sweep: {error}");
        }
    }
}

async fn repay_one(db: &Db, owed: Owed) -> Result<(), Error> {
    ledger::refund(owed.id, owed.charge_id, owed.amount, owed.booking_id).await?;
    store::refund_done(db, owed.id).await
}

/// Finishes what others left, and tells people whose time is nearly over. Safe anywhere, at any
/// time, many times.
pub async fn sweep() -> Result<(), Error> {
    let db = store::open().await?;
    // Whatever one of them meets, all have their turn.
    [
        remind(&db).await,
        settle_all(&db).await,
        repay_all(&db).await,
        release(&db).await,
        store::forget_keys(&db, FORGOTTEN_AT_ONCE).await,
        erasure::hear(&db).await,
    ]
    .into_iter()
    .collect()
}

/// People first: what they are told is worth nothing later.
async fn remind(db: &Db) -> Result<(), Error> {
    if store::remind(db, SWEPT_AT_ONCE).await? > 0 {
        kit::event::wake();
    }
    Ok(())
}

async fn settle_all(db: &Db) -> Result<(), Error> {
    for charged in store::claim_charges(db, SWEPT_AT_ONCE).await? {
        if let Err(error) = settle(db, charged, false).await {
            eprintln!("charge {charged} is left to a later sweep: {error}");
        }
    }
    Ok(())
}

async fn repay_all(db: &Db) -> Result<(), Error> {
    repay(db, store::claim_refunds(db, SWEPT_AT_ONCE).await?).await;
    Ok(())
}

/// Lets owners spend what is theirs since a booking ended.
async fn release(db: &Db) -> Result<(), Error> {
    let mut over = BTreeMap::new();
    for Kept { booking, charge } in store::kept_too_long(db, SWEPT_AT_ONCE).await? {
        let all_released = over.entry(booking).or_insert(true);
        let Some(charge) = charge else { continue };
        if let Err(error) = ledger::release(charge).await {
            eprintln!("charge {charge} is released by a later sweep: {error}");
            *all_released = false;
        }
    }
    over.retain(|_, all_released| *all_released);
    if over.is_empty() {
        return Ok(());
    }
    store::released(db, over.into_keys().collect()).await
}
