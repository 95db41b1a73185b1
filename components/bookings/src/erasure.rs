//! Whoever is erased offers no place and takes none: what the outbox tells this function.

use kit::Db;
use kit::relay::{self, Event, Outcome};
use serde::Deserialize;
use uuid::Uuid;

use crate::error::Error;
use crate::store;

/// One statement calls off this many bookings: each writes notices and what is owed back, and all of
/// them are locked until it ends.
const CALLED_OFF_AT_ONCE: i32 = 100;

pub async fn hear(db: &Db) -> Result<(), Error> {
    if relay::drain(db, carry_out).await? > 0 {
        kit::event::wake();
    }
    Ok(())
}

/// The payload of `bookings:forget`: somebody was erased.
#[derive(Deserialize)]
struct Forget {
    user_id: Uuid,
}

async fn carry_out(db: &Db, event: &Event) -> Outcome {
    if event.kind != "bookings:forget" {
        return Outcome::Never("nobody is there for this kind of event".to_owned());
    }
    match Forget::deserialize(&event.payload) {
        Ok(Forget { user_id }) => forget(db, user_id)
            .await
            .map_or_else(Outcome::again, |()| Outcome::DONE),
        Err(_) => Outcome::Never("the payload does not fit the kind".to_owned()),
    }
}

/// What is owed back is the sweep's to pay.
async fn forget(db: &Db, user: Uuid) -> Result<(), Error> {
    while store::forget(db, user, CALLED_OFF_AT_ONCE).await? > 0 {}
    Ok(())
}
