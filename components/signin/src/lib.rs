//! Sign-in: accounts, and the tokens by which every other function knows its callers.
//!
//! Read in this order: [`routes`] is what can be asked over HTTP, in five dialects, and `serves` what other
//! functions ask; `authentication` registers people, signs them in and out, `exchange` takes tokens of programs
//! and of other issuers; `account`, `session` and the other nouns are the rules; `issue` says what a token
//! contains, `revocation` how a token stops working early; `store` is the SQL; `calls` what is asked of others;
//! `error` every refusal.
//!
//! Invariant: a session that ended stays ended. Every statement on behalf of a signed-in caller begins with
//! `caller(session)`, which refuses a session that is over, so nothing here trusts a token alone.

kit::bindings!("wharf:signin/signin", ["../../wit/signin.wit"]);

mod account;
mod authentication;
mod calls;
mod client;
#[cfg(target_family = "wasm")]
mod entry;
mod error;
mod exchange;
mod factor;
mod first_admin;
mod hash_queue;
mod identity;
mod imported;
mod issue;
mod issuer;
mod kiosk;
mod letter;
mod limit;
mod name;
mod passcode;
mod password;
mod revocation;
pub mod routes;
mod secret;
mod serves;
mod session;
mod store;
mod sweep;
#[cfg(test)]
mod tests;
mod throttle;
pub mod token;
