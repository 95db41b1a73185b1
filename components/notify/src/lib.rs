//! Notify: people and their programs are told what concerns them.
//!
//! Read in this order: [`turn`] is what a wake-up sets going, `notice` what can be
//! said, `text` how it is said in each language, `plan` who hears it by which
//! channel, `telegram`, `email` and `webhook` the channels, [`routes`] what people
//! decide about all that, `store` the SQL, [`error`] every refusal.
//!
//! A `notify` event becomes one `deliver:…` event per channel, in one statement with
//! its own end; from then on each is tried, and fails, on its own.
//!
//! This function alone speaks to the world outside; it knows nothing that it was
//! not told by an event, by signin, or by the person concerned.

mod contact;
mod email;
#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
mod notice;
mod plan;
pub mod routes;
mod store;
mod telegram;
#[cfg(test)]
mod tests;
mod text;
pub mod turn;
mod webhook;
