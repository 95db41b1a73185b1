//! Jobs: what must happen although nobody waits for it.
//!
//! Read in this order: [`turn`] is what a message or a clock sets going,
//! [`message`] what a message says, [`consumers`] who each event is for, [`sweep`]
//! what a clock asks of everybody, [`routes`] and [`queue`] where people look after
//! the outbox, [`store`] the SQL, [`error`] every refusal. How events are claimed
//! and settled is `kit::relay`.
//!
//! Invariants:
//! - whatever came to be in the outbox is carried out at least once, or lies with
//!   the dead letters where people see it; nothing is dropped;
//! - nothing here reaches the outside world: other functions are reached through
//!   their interfaces, and people and programs outside are `notify`'s.

mod consumers;
#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
mod message;
mod others;
mod queue;
pub mod routes;
mod store;
mod sweep;
#[cfg(test)]
mod tests;
pub mod turn;
