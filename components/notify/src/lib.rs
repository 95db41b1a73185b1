//! Notify: people and their programs are told about what concerns them, by Telegram, e-mail and webhook.
//!
//! Read in this order: [`drain`] carries out events, [`notice`] is every notice there is, [`payment`] those that events of payments become, [`text`] its
//! words in each language, [`plan`] the rules of who is told by which channel, [`preference`] and
//! [`webhook`] what people choose, [`inbox`] what they were told, [`digest`] the same once a day by e-mail, [`deliver`] the channels, [`routes`] the HTTP face, [`calls`] what is
//! asked of signin, [`store`] the SQL, [`error`] every refusal.
//!
//! A `notify` event becomes one `deliver:…` event per channel, by the statement that settles it. From
//! then on each delivery is tried, and fails, on its own.
//!
//! Of all functions only this one makes requests to addresses that users choose. It knows nothing but
//! what events, signin and the person concerned told it.

kit::bindings!("wharf:signin/accounts-caller", ["../../wit/signin.wit"]);

mod calls;
mod deliver;
mod digest;
pub mod drain;
#[cfg(target_family = "wasm")]
mod entry;
pub mod error;
mod inbox;
mod notice;
mod payment;
mod plan;
mod preference;
pub mod routes;
mod store;
#[cfg(test)]
mod tests;
mod text;
mod webhook;
