//! Sign-in: who people are, and the tokens by which every other function
//! knows them.
//!
//! Read in this order: [`routes`] is what the world can ask, in five dialects,
//! and `functions` what other functions can; `entering` what happens when
//! somebody registers, signs in, stays in or leaves; `account`, `password`,
//! `factor`, `passcode` and `secret` the rules of names and proofs; `foreign`
//! whose word is taken besides; `issue` what a token says; `tries` how often
//! one may be wrong; `store` the SQL; `error` every refusal.
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
mod factor;
mod foreign;
mod functions;
mod issue;
mod passcode;
mod password;
pub mod routes;
mod secret;
mod store;
#[cfg(test)]
mod tests;
mod tries;
