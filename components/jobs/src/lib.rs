//! Jobs: the events of all functions as operators look after them, and the messages by which programs outside
//! announce events.
//!
//! Read in this order: [`triggers`] is what a message or the tick sets in motion, [`message`] the forms
//! of messages, [`sweep`] the sweeps and their periods, [`routes`] and [`queue`] the view of events, [`store`] the
//! SQL, [`error`] every refusal. Each function claims and settles its own events, by `kit::store::relay`.
//!
//! Invariant: an event is carried out at least once by every function that hears it, or becomes a dead letter that
//! admins see; none is dropped.

#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
mod message;
mod queue;
pub mod routes;
mod store;
mod sweep;
#[cfg(test)]
mod tests;
pub mod triggers;
