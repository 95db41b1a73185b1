//! A payment provider for trying things out: it speaks the part of MercadoPago's API that payments uses, and has a
//! page on which a person approves or declines. It exists only where the variable `sandbox` says `true`.
//!
//! Read in this order: [`routes`] is the API and the page, `bill` the bills and payments, `notice` the webhook to the
//! merchant, `store` the SQL, `error` every refusal.
//!
//! Cards, instalments, delays and wrong answers are left out on purpose; the tests have a provider that lies.

mod bill;
#[cfg(target_family = "wasm")]
mod entry;
mod error;
mod notice;
pub mod routes;
mod store;
#[cfg(test)]
mod tests;
