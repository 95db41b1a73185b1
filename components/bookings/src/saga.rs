//! How a booking and its money stay together although they live in two schemas.
//!
//! Every step is idempotent and knows where it is from the rows alone: the
//! charge is written before the ledger is asked and settled after; a refund is
//! owed before it is made and done after. Whoever dies in between leaves rows
//! that [`sweep`] finds, asks the ledger about by id, and finishes.

use uuid::Uuid;

use crate::booking::{Booking, Status};
use crate::error::Error;
use crate::ledger::{self, Payment};
use crate::store::{self, Charged, Owed};
use kit::Db;

/// One sweep looks at this many of each kind: it must end within a tick's patience.
const SWEPT_AT_ONCE: i64 = 50;

/// Asks the ledger for what a booking or its extension costs, and notes the answer.
pub async fn charge(db: &Db, charged: Charged) -> Result<Booking, Error> {
    if charged.booking.status == Status::Confirmed {
        // An extension: what was paid before is kept as long as the booking is going to last.
        for earlier in store::charges_paid_for(db, charged.booking.id).await? {
            ledger::hold(earlier, charged.until).await?;
        }
    }
    let payment = Payment {
        id: charged.charge,
        payer: charged.booking.driver,
        payee: charged.payee,
        amount: charged.amount,
        booking: charged.booking.id,
        held_until: charged.until,
    };
    match ledger::pay(payment).await {
        Ok(()) => paid(db, charged.charge).await,
        Err(Error::PaymentUnavailable) => Err(Error::PaymentUnavailable),
        // The ledger leaves no trace of a refusal, so a copy of this request may be paying right
        // now: only the ledger's own word settles that it is not.
        Err(refusal) => settle(db, charged.charge).await?.ok_or(refusal),
    }
}

/// Ends a charge as the ledger has it: the booking when it was paid; if not, it never will be.
async fn settle(db: &Db, charge: Uuid) -> Result<Option<Booking>, Error> {
    if ledger::settled(charge).await? {
        return paid(db, charge).await.map(Some);
    }
    store::charge_void(db, charge).await?;
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
    for charged in store::claim_charges(&db, SWEPT_AT_ONCE).await? {
        if let Err(error) = settle(&db, charged).await {
            eprintln!("charge {charged} is left to a later sweep: {error}");
        }
    }
    repay(&db, store::claim_refunds(&db, SWEPT_AT_ONCE).await?).await;
    release(&db).await?;
    if store::remind(&db, SWEPT_AT_ONCE).await? > 0 {
        kit::event::wake();
    }
    Ok(())
}

/// Lets owners spend what is theirs since a booking ended sooner than was first paid for.
async fn release(db: &Db) -> Result<(), Error> {
    let kept = store::kept_too_long(db, SWEPT_AT_ONCE).await?;
    for it in &kept {
        ledger::release(it.charge).await?;
    }
    for it in &kept {
        store::released(db, it.booking).await?;
    }
    Ok(())
}
