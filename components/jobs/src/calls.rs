//! What jobs asks of payments and signin, over WIT.

use kit::store::relay::{Event, Outcome};

use crate::bindings::wharf::payments::upkeep as payments;
use crate::bindings::wharf::signin::upkeep as signin;
use crate::error::Error;

/// Hands an event to payments. `Err` says why it was not taken.
pub async fn tell_payments(event: &Event) -> Result<(), Outcome> {
    let told = payments::on_event(payments::Event {
        id: event.id.to_string(),
        seq: event.seq,
        kind: event.kind.clone(),
        payload: event.payload.to_string(),
    });
    told.await.map_err(|failure| match failure {
        payments::Failure::Unavailable => Outcome::again("payments does not answer"),
        payments::Failure::Malformed(why) => Outcome::Never(why),
    })
}

/// One round of the sweep of payments; answers whether more is due.
pub async fn sweep_payments(limit: u32) -> Result<bool, Error> {
    match payments::sweep(limit).await {
        Ok(swept) => Ok(swept.more),
        Err(_) => Err(Error::Unavailable("payments")),
    }
}

/// One round of the sweep of signin; answers whether more is due.
pub async fn sweep_signin(limit: u32) -> Result<bool, Error> {
    match signin::sweep(limit).await {
        Ok(swept) => Ok(swept.more),
        Err(_) => Err(Error::Unavailable("signin")),
    }
}
