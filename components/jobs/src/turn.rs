//! One turn: what a message or a clock sets going.

use kit::{Db, relay};

use crate::consumers;
use crate::error::Error;
use crate::message::Message;
use crate::{store, sweep};

/// A message came.
pub async fn hear(payload: &[u8]) -> Result<(), Error> {
    let message = Message::read(payload)?;
    let db = store::open().await?;
    match message {
        Message::Wake => pass_on(&db).await,
        Message::Tick => tick(&db).await,
        Message::Told(event) => {
            store::hear(&db, payload, &event).await?;
            // Wakes whoever it is for, which may be this function.
            kit::event::wake();
            Ok(())
        }
    }
}

/// Time has passed: carries out what nobody was woken for, then cleans up.
pub async fn tick(db: &Db) -> Result<(), Error> {
    let passed_on = pass_on(db).await;
    sweep::run_due(db).await?;
    passed_on
}

async fn pass_on(db: &Db) -> Result<(), Error> {
    relay::drain(db, consumers::deliver).await?;
    Ok(())
}
