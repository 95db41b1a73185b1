//! Payments: one ledger, and the four ways in which people meet it.
//!
//! Read in this order: [`routes`] is what the world can ask, [`wallet`],
//! [`account`], [`promocode`] and [`statement`] are what the ledger looks like
//! from outside, [`checkout`] the rules of a payment through the PSP, [`psp`]
//! what a PSP is to us, [`cashier`] how the two go together, [`store`] the SQL,
//! [`error`] every refusal. [`functions`] is what other functions can ask.
//!
//! Invariants, held by the schema and not by this code: no transfer is ever
//! changed, no user's account goes below what is held on it, a checkout is
//! credited once. Every movement of money is one statement.

mod account;
mod cashier;
mod checkout;
#[cfg(target_family = "wasm")]
mod entry;
mod error;
pub mod functions;
mod ledger;
mod promocode;
mod psp;
mod qr;
mod reference;
pub mod routes;
mod statement;
mod store;
#[cfg(test)]
mod tests;
mod wallet;
