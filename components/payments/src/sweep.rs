//! What the tick and wake-ups set in motion: events are heard, and one pass is made over what is due. It may run
//! anywhere, at any time, several times at once.

use jiff::SignedDuration;
use kit::now;
use kit::store::{drain_in_turn, purge_keys, relay};

use crate::error::Error;
use crate::hear::hear;
use crate::psp::mercadopago::{self, MercadoPago};
use crate::settlement;
use crate::store;

/// Bounds a sweep, however slow the PSP is: the host gives a tick half a minute.
const MAX_DURATION: SignedDuration = SignedDuration::from_secs(8);
/// Rows of each kind that one round takes on: each costs next to nothing.
const BATCH: i32 = 500;

/// Bounds the users of a sweep whose debts are settled, and those whose money is set aside.
const MAX_SETTLED: u32 = 16;

/// A wake-up, or the tick.
pub async fn handle_message(payload: &[u8]) -> Result<(), Error> {
    let heard = drain_in_turn("payments", payload, hear_events).await;
    if payload == b"tick" {
        sweep().await?;
    }
    heard
}

/// Does everything that is due, each part whatever the others meet.
pub async fn tick() -> Result<(), Error> {
    let heard = hear_events().await;
    sweep().await?;
    heard
}

async fn hear_events() -> Result<(), Error> {
    relay::drain(&store::open().await?, hear).await?;
    Ok(())
}

/// Releases holds, opens checkouts that the PSP has not seen, asks the PSP about those of which no webhook came, ends
/// those that were not paid in time, sends back what came too late.
async fn sweep() -> Result<(), Error> {
    let began = now();
    let is_over = || now().duration_since(began) >= MAX_DURATION;
    let db = store::open().await?;
    while store::ledger::release_due(&db, BATCH).await? == BATCH && !is_over() {}
    purge_keys(&db, BATCH.into()).await?;
    let db = store::open_to_move().await?;
    for _ in 0..MAX_SETTLED {
        if !store::manual::settle_next(&db).await? {
            break;
        }
    }
    for _ in 0..MAX_SETTLED {
        if !store::manual::set_aside_next(&db).await? {
            break;
        }
    }
    while !is_over() && !mercadopago::is_away() {
        // One at a time: those that a crashed sweep has claimed wait for their next turn.
        let Some(due) = store::checkout::claim_checkouts(&db, 1).await?.pop() else {
            break;
        };
        let id = due.id;
        let psp = MercadoPago::configured().await?;
        if let Err(error) = settlement::follow_up(&db, &psp, due, now()).await {
            eprintln!("payment {id} is left to a later sweep: {error}");
        }
    }
    Ok(())
}
