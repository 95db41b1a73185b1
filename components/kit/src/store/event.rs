//! Events: facts that other functions have to hear.
//!
//! An event is a row in `events.outbox`, written by the same statement as the change it reports; that statement
//! stands in the component's SQL. Redis only wakes the reader: a lost wake-up costs latency, nothing else.

use super::redis;

/// The channel on which the outbox reader listens.
pub const WAKE: &str = "outbox";

/// Wakes the readers of the outbox. Never waits, never fails.
pub fn wake() {
    announce(WAKE, String::new());
}

/// The message by which a worker without room for more events wakes one more worker.
pub(super) const HELP: &str = "help";

pub(super) fn ask_for_help() {
    announce(WAKE, HELP.to_owned());
}

/// Publishes `payload` on a channel that outsiders listen to. Never waits, never fails.
#[cfg(target_family = "wasm")]
pub fn announce(channel: &'static str, payload: String) {
    spin_sdk::wit_bindgen::spawn(async move {
        if let Err(away) = redis::publish(channel, payload.as_bytes()).await {
            eprintln!("{channel} was not published: {away}");
        }
    });
}

/// Router tests run without a host, so nothing is published.
#[cfg(not(target_family = "wasm"))]
pub fn announce(_: &'static str, _: String) {
    let _ = redis::publish;
}
