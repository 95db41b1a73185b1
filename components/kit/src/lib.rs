//! What every function shares, in four rooms:
//!
//! - [`web`]: the route table, bodies and queries, answers, problems, the API description;
//! - [`identity`]: the caller of a request, tokens, sessions, roles, scopes;
//! - [`store`]: statements and rows, idempotency, the outbox, Redis;
//! - [`money`]: minor units and currencies.
//!
//! Beside them [`setting`] reads the variables of the manifest, [`Language`] names the languages that
//! people are written to in, [`minute_of_day`] reads times, and [`testing`] asks a router without a host.
//!
//! A handler meets them in this order: `Caller` (who asks), `Json`, `Query` or `Keyed` (what for), `Db`
//! (the store), `Problem` (the refusal). Nothing here knows a domain word.

// The derives name this crate as components do.
extern crate self as kit;

mod bindings;
mod host;
mod hours;
pub mod identity;
mod language;
pub mod money;
mod setting;
pub mod store;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod web;

pub use hours::{is_zone_name, minute_of_day};
pub use kit_derive::{Refusals, Word};
pub use language::{Language, shortened};
pub use setting::{Unset, flag, setting};

/// The current moment; a handler asks once per request and passes it on.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
