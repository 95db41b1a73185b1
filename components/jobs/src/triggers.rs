//! What a message or the tick sets in motion.

use jiff::SignedDuration;
use kit::store::{Db, event, relay};

use crate::error::Error;
use crate::message::Message;
use crate::sweep::Sweep;
use crate::{calls, consumers, store};

/// Rows that one round of another function's sweep takes on: each may cost it a call.
const CALL_BATCH: u32 = 100;
/// Rows that one statement deletes here: each costs next to nothing.
const PURGE_BATCH: u32 = 5_000;
/// No further round of a sweep is begun after it, so that all sweeps together end well within the time
/// that the host allows for a message.
const MAX_SWEEP: SignedDuration = SignedDuration::from_secs(5);

/// A message came.
pub async fn handle_message(payload: &[u8]) -> Result<(), Error> {
    let message = Message::read(payload)?;
    let db = store::open().await?;
    match message {
        Message::Wake => drain(&db).await,
        Message::Tick => tick(&db).await,
        Message::Event(event) => {
            store::record_message(&db, payload, &event).await?;
            // Its consumer may be this function.
            event::wake();
            Ok(())
        }
    }
}

/// Carries out events whose wake-up was lost, then runs the sweeps that are due.
pub async fn tick(db: &Db) -> Result<(), Error> {
    let drained = drain(db).await;
    run_due_sweeps(db).await?;
    drained
}

async fn drain(db: &Db) -> Result<(), Error> {
    relay::drain(db, consumers::deliver).await?;
    Ok(())
}

/// A sweep that fails is tried again a period later and does not keep the others from running.
async fn run_due_sweeps(db: &Db) -> Result<(), Error> {
    for sweep in store::take_due(db, &Sweep::ALL).await? {
        if let Err(error) = run(sweep, db).await {
            eprintln!("sweep {}: {error}", sweep.name());
        }
    }
    Ok(())
}

async fn run(sweep: Sweep, db: &Db) -> Result<(), Error> {
    let begun = kit::now();
    while run_round(sweep, db).await? && kit::now().duration_since(begun) < MAX_SWEEP {}
    Ok(())
}

/// Answers whether there may be more to do right now.
async fn run_round(sweep: Sweep, db: &Db) -> Result<bool, Error> {
    match sweep {
        Sweep::Payments => calls::sweep_payments(CALL_BATCH).await,
        Sweep::Signin => calls::sweep_signin(CALL_BATCH).await,
        Sweep::Outbox => store::purge_settled(db, PURGE_BATCH).await,
        Sweep::Heard => store::purge_messages(db, PURGE_BATCH).await,
    }
}
