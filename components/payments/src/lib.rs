//! Payments: one double-entry ledger, shown to clients as wallets, promo codes, accounts that users open, and payments
//! through a payment service provider (PSP).
//!
//! Read in this order: [`routes`] holds the HTTP operations; [`ledger`], [`wallet`], [`account`], [`promocode`],
//! [`destination`], [`commission`], [`statement`] and [`receipt`] are the ledger as its clients see it; [`manual`] the
//! acts of admins; [`checkout`], [`attempt`] and [`part`] the rules of a payment through the PSP; [`psp`] its client;
//! [`settlement`] keeps PSP and ledger together; [`stuck`] holds refused refunds, [`provider_file`] the provider's
//! settlement reports, [`sweep`] the work that comes due, [`hear`] the events about users, [`store`] the SQL, [`error`]
//! every refusal, [`serves`] the interfaces for other functions.
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
