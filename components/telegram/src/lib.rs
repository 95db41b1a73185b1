//! Telegram: a bot through which people book, cancel and offer parking places.
//!
//! Read in this order: [`routes`] is where Telegram brings what people write,
//! `update` what it brings, `dialogue` what the bot does about it, `say` the words
//! in each language, `bot` how these come together, `platform` the other functions
//! as the bot asks them, `memory` and `store` what it remembers.
//!
//! The bot is one more client: it signs people in with their own password and
//! asks in their name, so every rule is where it always is. Messages that nobody
//! asked for (a booking ends soon) are `notify`'s.

mod bot;
mod dialogue;
#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
mod memory;
mod platform;
pub mod routes;
mod say;
mod store;
#[cfg(test)]
mod tests;
mod update;
