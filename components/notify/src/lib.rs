//! Notify: people and their programs are told about what concerns them, by Telegram, e-mail and webhook.
//!
//! Read in this order: [`drain`] carries out events; [`notice`] has a variant for every notice, [`payment`] makes notices
//! of the events of payments, [`text`] has their words in each language; [`plan`] decides who is told by which channel,
//! [`preference`] and [`webhook`] are what people choose; [`inbox`] keeps what they were told, [`digest`] sends it once a
//! day by e-mail; [`deliver`] has the channels; [`routes`] is the HTTP face, [`calls`] what is asked of signin, [`store`]
//! the SQL, [`error`] every refusal.
//!
//! A `notify` event becomes one `deliver:…` event per channel, by the statement that settles it. From
//! then on each delivery is tried, and fails, on its own.
//!
//! Only this function makes requests to addresses that users choose.

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
