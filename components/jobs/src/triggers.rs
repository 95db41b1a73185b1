//! What a message or the tick sets in motion.

use std::time::Duration;

use jiff::SignedDuration;
use kit::store::relay::NewEvent;
use kit::store::{Db, event, purge_keys};
use spin_sdk::time::sleep;

use crate::error::Error;
use crate::message::Message;
use crate::store;
use crate::sweep::Sweep;

/// Rows that one statement takes on: each costs next to nothing.
const BATCH: i32 = 5_000;
/// No further round of a sweep is begun after it, so that all sweeps together end well within the time
/// that the host allows for a message.
const MAX_SWEEP: SignedDuration = SignedDuration::from_secs(5);

/// A message came.
pub async fn handle_message(payload: &[u8]) -> Result<(), Error> {
    match Message::read(payload)? {
        Message::Tick => tick(&store::open().await?).await,
        Message::Event(event) => {
            record(payload, &event).await?;
            event::wake();
            Ok(())
        }
    }
}

/// Longer than a restart of PostgreSQL takes, and less than the host allows for a message.
const MAX_RECORDING: SignedDuration = SignedDuration::from_secs(90);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Stores what a message says. Redis does not send it again, so it is tried for as long as there is time.
async fn record(payload: &[u8], event: &NewEvent) -> Result<(), Error> {
    let begun = kit::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let recorded = async {
            let db = store::open().await?;
            store::record_message(&db, payload, event).await
        };
        match recorded.await {
            Err(error) if kit::now().duration_since(begun) < MAX_RECORDING => {
                eprintln!("a message is not stored yet: {error}");
                sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
            recorded => return recorded,
        }
    }
}

/// Runs the sweeps that are due. One that fails is tried again a period later and does not keep the others from
/// running.
pub async fn tick(db: &Db) -> Result<(), Error> {
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
        Sweep::Pauses => store::park_paused(db, BATCH).await,
        Sweep::Days => store::keep_days(db, BATCH).await,
        Sweep::Heard => {
            purge_keys(db, BATCH.into()).await?;
            store::purge_messages(db, BATCH).await
        }
    }
}
