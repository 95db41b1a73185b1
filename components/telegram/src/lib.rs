//! Telegram: a bot through which people book, cancel and offer parking places.
//!
//! Read in this order: [`routes`] is where Telegram delivers updates, [`update`] their form, [`dialogue`]
//! the rules of the conversation, [`say`] the texts in each language, [`bot`] carries out an update,
//! [`platform`] holds the types of other functions, [`calls`] the requests to them, [`bot_api`] those to Telegram,
//! [`memory`] and [`store`] the state of chats, [`sealed`] the encryption of tokens, [`hear`] the events that it hears,
//! [`error`] every refusal.
//!
//! The bot is one more client. It signs people in with their own password and makes requests in their
//! name, so every rule stays with its function. Notices (a booking ends soon) are sent by `notify`.

mod bot;
mod bot_api;
mod calls;
mod dialogue;
#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
pub mod hear;
mod memory;
mod platform;
pub mod routes;
mod say;
mod sealed;
mod store;
#[cfg(test)]
mod tests;
mod update;
