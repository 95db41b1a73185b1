//! Sign-in: who people are, and the tokens by which every other function
//! knows them.
//!
//! Read in this order: [`routes`] is what the world can ask, in five dialects;
//! `entering` what happens when somebody registers or signs in; `account` and
//! `password` the rules of names and secrets; `issue` what a token says;
//! `store` the SQL; `error` every refusal.
//!
//! Invariant: a session that ended stays ended. Every statement on behalf of
//! somebody signed in begins with `caller(session)`, which refuses one that is
//! over, so nothing here trusts a token alone.

mod account;
mod client;
mod entering;
#[cfg(target_family = "wasm")]
mod entry;
mod error;
mod issue;
mod password;
pub mod routes;
mod store;
#[cfg(test)]
mod tests;
