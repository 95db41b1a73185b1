//! The work of ticks and wake-ups: hear events, then make one pass over everything that is due. It may run on any host,
//! at any time, several times at once.

use futures::future::{join, join_all};
use jiff::SignedDuration;
use kit::now;
use kit::store::{Db, drain_in_turn, purge_keys, relay};

use crate::error::Error;
use crate::hear::hear;
use crate::psp::mercadopago::{self, MercadoPago};
use crate::settlement;
use crate::store;

/// Bounds a sweep, however slow the PSP is: the host gives a tick half a minute.
const MAX_DURATION: SignedDuration = SignedDuration::from_secs(8);
/// Rows of each kind that one round takes on: each costs next to nothing.
const BATCH: i32 = 500;

/// Checkouts visited at once that wait for a payer or have to be sent back: a slow answer of the provider delays few
/// others.
const MAX_URGENT: i32 = 8;
/// Checkouts visited at once that are only watched. Two at a time are a million a day.
const MAX_AFTERCARE: i32 = 2;

/// Bounds the users of a sweep whose debts are settled, and those whose money is set aside.
const MAX_SETTLED: u32 = 16;

/// Refunds that one sweep names in the log, as alerts.
const MAX_ALERTS: i32 = 20;

/// A wake-up, or the tick.
pub async fn handle_message(payload: &[u8]) -> Result<(), Error> {
    let is_tick = payload == b"tick";
    let act = async || match is_tick {
        true => tick().await,
        false => hear_events().await,
    };
    drain_in_turn("payments", payload, act).await
}

/// Does everything that is due; a part that fails does not stop the others.
pub async fn tick() -> Result<(), Error> {
    let heard = hear_events().await;
    sweep().await?;
    heard
}

async fn hear_events() -> Result<(), Error> {
    relay::drain(&store::open().await?, hear).await?;
    Ok(())
}

/// Closes days, purges, releases holds, settles debts, opens checkouts that the PSP has not seen, asks the PSP about those
/// without a webhook, ends those that were not paid in time, sends back late payments. A part that fails does not stop
/// the others.
async fn sweep() -> Result<(), Error> {
    let began = now();
    let is_over = || now().duration_since(began) >= MAX_DURATION;
    let db = store::open().await?;
    let closed = close_days(&db, is_over).await;
    let purged = purge(&db).await;
    let db = store::open_to_move().await?;
    let released = release_holds(&db, is_over).await;
    let settled = settle_debts(&db).await;
    let alerted = alert(&db).await;
    // Settled checkouts never keep a payer waiting.
    let (urgent, aftercare) = join(
        visit_due(&db, MAX_URGENT, false, is_over),
        visit_due(&db, MAX_AFTERCARE, true, is_over),
    )
    .await;
    let all = [
        closed, purged, released, settled, alerted, urgent, aftercare,
    ];
    all.into_iter().collect()
}

async fn close_days(db: &Db, is_over: impl Fn() -> bool) -> Result<(), Error> {
    while store::ledger::close_next(db).await? && !is_over() {}
    Ok(())
}

async fn purge(db: &Db) -> Result<(), Error> {
    purge_keys(db, BATCH.into()).await?;
    store::promocode::purge_guesses(db, BATCH).await
}

async fn release_holds(db: &Db, is_over: impl Fn() -> bool) -> Result<(), Error> {
    while store::ledger::release_due(db, BATCH).await? == BATCH && !is_over() {}
    Ok(())
}

/// Settles the debts of users from their money, and sets aside the money of erased ones.
async fn settle_debts(db: &Db) -> Result<(), Error> {
    for _ in 0..MAX_SETTLED {
        if !store::manual::settle_next(db).await? {
            break;
        }
    }
    for _ in 0..MAX_SETTLED {
        if !store::manual::set_aside_next(db).await? {
            break;
        }
    }
    Ok(())
}

async fn alert(db: &Db) -> Result<(), Error> {
    for refund in store::stuck::alert_stuck(db, MAX_ALERTS).await? {
        eprintln!("ALERT stuck-refund: {refund}");
    }
    Ok(())
}

/// Visits checkouts that are due, `width` at a time.
async fn visit_due(
    db: &Db,
    width: i32,
    is_aftercare: bool,
    is_over: impl Fn() -> bool,
) -> Result<(), Error> {
    while !is_over() && !mercadopago::is_away() {
        // Claims only as many as are visited now, because claims of a crashed sweep wait until they come due again.
        let due = store::checkout::claim_checkouts(db, width, is_aftercare).await?;
        if due.is_empty() {
            break;
        }
        let psp = &MercadoPago::configured().await?;
        join_all(due.into_iter().map(|due| async move {
            let id = due.id;
            if let Err(error) = settlement::follow_up(db, psp, due, now()).await {
                eprintln!("payment {id} is left to a later sweep: {error}");
            }
        }))
        .await;
    }
    Ok(())
}
