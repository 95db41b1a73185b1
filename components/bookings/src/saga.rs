//! How a booking and its money stay together although they live in two schemas.
//!
//! Every step is idempotent and finds its place from the rows alone: a charge is written before the
//! ledger is asked and settled afterwards; a refund is owed before it is paid and done afterwards. A
//! host that dies in between leaves rows that [`sweep`] finds, asks the ledger about by id, and
//! finishes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kit::identity::Caller;
use kit::store::relay::{self, Event, Outcome};
use kit::store::{Db, erasure, event, purge_keys};
use uuid::Uuid;

use crate::booking::{Agreed, Booking, Status, Window};
use crate::calls;
use crate::charge::{Charge, Held, OwedRefund, Owing, Taken};
use crate::error::Error;
use crate::store;

/// Rows of each kind that one sweep takes on: it has to end before the host gives up on the tick.
const SWEEP_BATCH: i64 = 50;
/// Deleting a key costs next to nothing.
const PURGE_BATCH: i64 = 1_000;
/// Bookings that one statement of an erasure cancels: each writes notices and refunds, and all of
/// them stay locked until it ends.
const ERASE_BATCH: i32 = 100;

/// Takes a place. The funds of a driver who is not known to pay are looked at first, so that drivers without money neither queue
/// at a place nor keep it from others. For all other drivers that look would be one more statement, and the ledger alone decides.
pub async fn book(
    db: &Db,
    request: Uuid,
    place: i64,
    driver: Uuid,
    window: Window,
    agreed: Agreed<'_>,
) -> Result<Taken, Error> {
    match store::book(db, request, place, driver, window, agreed, None).await {
        Err(Error::UnknownFunds) => {}
        taken => return taken,
    }
    let funds = calls::free_funds(driver).await.unwrap_or(i64::MAX);
    store::book(db, request, place, driver, window, agreed, Some(funds)).await
}

/// Moves the start or the end of a booking; an absent one stays. The funds of a driver who wants more time are looked at first, so
/// that drivers without money keep no time from others. Admins move bookings of others, so their own funds do not matter.
pub async fn move_booking(
    db: &Db,
    booking: i64,
    caller: &Caller,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Taken, Error> {
    let unlimited = caller.is_admin().then_some(i64::MAX);
    match store::move_booking(db, booking, caller, from, to, unlimited).await {
        Err(Error::UnknownFunds) => {}
        taken => return taken,
    }
    let funds = calls::free_funds(caller.id).await.unwrap_or(i64::MAX);
    store::move_booking(db, booking, caller, from, to, Some(funds)).await
}

/// Asks the ledger to pay a charge, and records the answer.
pub async fn settle_charge(db: &Db, charge: Charge) -> Result<Booking, Error> {
    match pay(&charge).await {
        Ok(()) => record_paid(db, charge.id).await,
        Err(Error::PaymentUnavailable) => Err(Error::PaymentUnavailable),
        // The ledger leaves no trace of a refusal, so a copy of this request may be paying right now:
        // only the ledger can say that it is not.
        Err(refusal) => settle(db, charge.id, true).await?.ok_or(refusal),
    }
}

async fn pay(charge: &Charge) -> Result<(), Error> {
    // An extension: earlier payments are held until the new end, too.
    for earlier in &charge.earlier {
        calls::hold(*earlier, charge.hold_until).await?;
    }
    calls::pay(charge).await
}

/// Settles a charge as the ledger has it. Answers the booking when the charge was paid; a charge that
/// was not is void and never will be.
async fn settle(db: &Db, charge: Uuid, is_answer: bool) -> Result<Option<Booking>, Error> {
    if calls::was_paid(charge).await? {
        return record_paid(db, charge).await.map(Some);
    }
    store::charge_void(db, charge, is_answer).await?;
    Ok(None)
}

async fn record_paid(db: &Db, charge: Uuid) -> Result<Booking, Error> {
    let booking = store::charge_paid(db, charge).await?;
    if booking.status == Status::Canceled {
        pay_refunds(db, store::find_refunds(db, booking.id).await?).await;
    }
    Ok(booking)
}

/// Pays refunds. One that fails now is left to the sweep.
pub async fn pay_refunds(db: &Db, owed: Vec<OwedRefund>) {
    for refund in owed {
        if let Err(error) = pay_refund(db, &refund).await {
            eprintln!("refund {} is left to the sweep: {error}", refund.id);
        }
    }
}

async fn pay_refund(db: &Db, owed: &OwedRefund) -> Result<(), Error> {
    calls::refund(owed).await?;
    store::finish_refund(db, owed.id).await
}

/// Charges an overstay, as far as the driver's wallet reaches. The rest stays owed, and the sweep comes again. Answers the booking
/// when something was charged.
pub async fn collect_overstay(db: &Db, owing: Owing) -> Result<Option<Booking>, Error> {
    let free = calls::free_funds(owing.driver).await?;
    if free == 0 {
        return Ok(None);
    }
    match store::charge_overstay(db, owing.booking, free).await? {
        Taken::ToPay(charge) => settle_charge(db, charge).await.map(Some),
        Taken::Settled { .. } => Ok(None),
    }
}

/// Finishes the work of interrupted requests, and reminds people whose booking ends soon. It may run
/// anywhere, at any time, several times at once.
pub async fn sweep() -> Result<(), Error> {
    let db = store::open().await?;
    // A failure of one does not keep the others from their turn.
    [
        remind(&db).await,
        settle_all(&db).await,
        collect_all(&db).await,
        refund_all(&db).await,
        release_all(&db).await,
        purge_keys(&db, PURGE_BATCH).await.map_err(Error::from),
        relay::drain(&db, hear).await.map(drop).map_err(Error::from),
    ]
    .into_iter()
    .collect()
}

/// Runs first, because a late reminder is worth nothing.
async fn remind(db: &Db) -> Result<(), Error> {
    if store::remind(db, SWEEP_BATCH).await? > 0 {
        event::wake();
    }
    Ok(())
}

async fn settle_all(db: &Db) -> Result<(), Error> {
    for charge in store::claim_charges(db, SWEEP_BATCH).await? {
        if let Err(error) = settle(db, charge, false).await {
            eprintln!("charge {charge} is left to a later sweep: {error}");
        }
    }
    Ok(())
}

async fn collect_all(db: &Db) -> Result<(), Error> {
    for owing in store::claim_overstays(db, SWEEP_BATCH).await? {
        let id = owing.booking;
        if let Err(error) = collect_overstay(db, owing).await {
            eprintln!("the overstay of booking {id} is left to a later sweep: {error}");
        }
    }
    Ok(())
}

async fn refund_all(db: &Db) -> Result<(), Error> {
    pay_refunds(db, store::claim_refunds(db, SWEEP_BATCH).await?).await;
    Ok(())
}

/// Lets owners spend the price of bookings that are over.
async fn release_all(db: &Db) -> Result<(), Error> {
    let mut over = BTreeMap::new();
    for Held { booking, charge } in store::list_held(db, SWEEP_BATCH).await? {
        let all_released = over.entry(booking).or_insert(true);
        let Some(charge) = charge else { continue };
        match calls::release(charge).await {
            Ok(true) => {}
            // This happens after a restore of one database. Nothing is held, and a later try would find no more.
            Ok(false) => eprintln!(
                "ALERT unknown-payment: the ledger does not know charge {charge} of booking {booking}"
            ),
            Err(error) => {
                eprintln!("charge {charge} is released by a later sweep: {error}");
                *all_released = false;
                store::put_off_release(db, charge).await?;
            }
        }
    }
    over.retain(|_, all_released| *all_released);
    if over.is_empty() {
        return Ok(());
    }
    store::mark_released(db, over.into_keys().collect()).await
}

/// An erased person offers no place and takes none. The sweep pays what is owed back.
async fn hear(db: &Db, event: &Event) -> Outcome {
    erasure::carry_out("bookings:forget", event, |user| erase(db, user)).await
}

async fn erase(db: &Db, user: Uuid) -> Result<bool, Error> {
    Ok(store::erase(db, user, ERASE_BATCH).await? > 0)
}
