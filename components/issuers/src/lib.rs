//! Tokens of other issuers, as a Keycloak realm, verified in a function of their own.
//!
//! Read in this order: [`routes`] is what signin asks, `issuer` which tokens are accepted, `keys` where the keys
//! come from; `store` is the SQL, `calls` what is asked of issuers, `error` every refusal.
//!
//! RSA and elliptic curves of every kind, and the only door to the issuers' servers, are in here and not in signin:
//! a fault in them reaches no account and no key of ours. The function has no public route; signin asks it by local
//! service chaining. It says that a token is true; whose account that is, signin decides.

mod calls;
#[cfg(target_family = "wasm")]
mod entry;
mod error;
mod issuer;
mod keys;
pub mod routes;
mod store;
