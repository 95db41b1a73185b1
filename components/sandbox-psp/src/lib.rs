//! A payment provider to try things with: it speaks the part of MercadoPago's
//! API that payments uses, and has a page where a person approves or declines.
//! It exists only where the variable `sandbox` says `true`.
//!
//! Read in this order: [`routes`] is the API and the page, `bill` what is asked
//! for and paid, `notice` how the merchant hears of it, `store` the SQL.
//!
//! Deliberately missing: cards, instalments, waiting, lying. Fakes that lie are
//! part of the tests.

mod bill;
#[cfg(target_family = "wasm")]
mod entry;
mod error;
mod notice;
pub mod routes;
mod store;
#[cfg(test)]
mod tests;
