//! Payments: one double-entry ledger, and what its clients see of it: wallets, promo codes, accounts that
//! users open, payments through a payment service provider (PSP).
//!
//! Read in this order: [`routes`] is what can be asked over HTTP, [`ledger`], [`wallet`], [`account`],
//! [`promocode`], [`destination`], [`commission`], [`statement`] and [`receipt`] are the ledger as its clients see it, [`manual`] what admins do by hand, [`checkout`],
//! [`attempt`] and [`part`] the rules of a payment through the PSP, [`psp`] what a PSP is asked and answers, [`settlement`] how PSP and ledger stay
//! together, [`stuck`] the refunds that are refused, [`provider_file`] the provider's own account of it, [`sweep`] what comes due, [`hear`] what events say of users, [`store`] the SQL, [`error`] every refusal, [`serves`] what other
//! functions ask.
//!
//! Invariants, held by the schema and not by this code: a transfer never changes, the balance of a user's
//! account never falls below what is held on it, a checkout is credited once. Every movement of money is one
//! statement.

kit::bindings!("wharf:payments/payments", ["../../wit/payments.wit"]);

mod account;
mod attempt;
mod checkout;
mod commission;
mod destination;
#[cfg(target_family = "wasm")]
mod entry;
mod error;
mod hear;
mod ledger;
mod manual;
mod part;
mod promocode;
mod provider_file;
mod psp;
mod qr;
mod receipt;
mod reference;
pub mod routes;
pub mod serves;
mod settlement;
mod statement;
mod store;
mod stuck;
pub mod sweep;
#[cfg(test)]
mod tests;
mod wallet;
