//! Hello: the smallest function. It greets people, remembers them, and hears of every greeting again as an
//! event.
//!
//! Read in this order: [`routes`] is what can be asked over HTTP, [`greeting`] the types and rules,
//! [`store`] the SQL, [`error`] every refusal; `entry` is what the host calls. `docs/new-component.md` leads
//! from here to a function of the platform.

#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
pub mod greeting;
pub mod routes;
pub mod store;
#[cfg(test)]
mod tests;
