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
use crate::store::{self, Charged};
use kit::Db;

/// One sweep looks at this many of each kind: it must end within a tick's patience.
const SWEPT_AT_ONCE: i64 = 50;

/// Asks the ledger for what a booking or its extension costs, and notes the answer.
pub async fn charge(db: &Db, charged: Charged) -> Result<Booking, Error> {
    let payment = Payment {
        id: charged.charge,
        payer: charged.booking.driver,
        payee: charged.payee,
        amount: charged.amount,
        booking: charged.booking.id,
        held_until: charged.until,
    };
    match ledger::pay(payment).await {
        Ok(()) => paid(db, charged.charge, &charged).await,
        Err(Error::PaymentUnavailable) => Err(Error::PaymentUnavailable),
        Err(refusal) => {
            // The ledger leaves no trace of a refusal, so a copy of this request may be paying
            // right now: only `void` settles that it is not.
            if ledger::settled(charged.charge).await? {
                return paid(db, charged.charge, &charged).await;
            }
            store::charge_void(db, charged.charge).await?;
            Err(refusal)
        }
    }
}

async fn paid(db: &Db, charge: Uuid, charged: &Charged) -> Result<Booking, Error> {
    if charged.booking.status == Status::Confirmed {
        // An extension: what was paid before is kept as long as the booking now lasts.
        for earlier in store::charges_paid_for(db, charged.booking.id).await? {
            ledger::hold(earlier, charged.until).await?;
        }
    }
    let booking = store::charge_paid(db, charge).await?;
    if booking.status == Status::Canceled {
        repay(db, booking.id).await;
    }
    Ok(booking)
}

/// Pays back what a booking is owed. What fails now is the sweep's.
pub async fn repay(db: &Db, booking: i64) {
    if let Err(error) = repay_owed(db, Some(booking)).await {
        eprintln!("refund of booking {booking} is left to the sweep: {error}");
    }
}

async fn repay_owed(db: &Db, booking: Option<i64>) -> Result<(), Error> {
    for owed in store::refunds_owed(db, booking, SWEPT_AT_ONCE).await? {
        ledger::refund(owed.id, owed.charge, owed.amount, owed.booking).await?;
        store::refund_done(db, owed.id).await?;
    }
    Ok(())
}

/// Finishes what others left, and reminds drivers. Safe anywhere, at any time, many times.
pub async fn sweep() -> Result<(), Error> {
    let db = store::open().await?;
    for charged in store::charges_unsettled(&db, SWEPT_AT_ONCE).await? {
        if ledger::settled(charged.charge).await? {
            paid(&db, charged.charge, &charged).await?;
        } else {
            store::charge_void(&db, charged.charge).await?;
        }
    }
    repay_owed(&db, None).await?;
    if store::remind(&db, SWEPT_AT_ONCE).await? > 0 {
        kit::event::wake();
    }
    Ok(())
}
