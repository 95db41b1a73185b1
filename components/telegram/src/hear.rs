//! The event that the bot hears: a person was erased.

use kit::store::relay::{self, Event, Outcome};
use kit::store::{Db, erasure};

use crate::error::Error;
use crate::store;

pub async fn hear_events() -> Result<(), Error> {
    relay::drain(&store::open().await?, hear).await?;
    Ok(())
}

async fn hear(db: &Db, event: &Event) -> Outcome {
    // One statement removes all data of a person.
    let erase = async |user| store::erase(db, user).await.map(|()| false);
    erasure::carry_out(erasure::ERASED, event, erase).await
}
