//! The small function under load: a fixed text, the caller, a row read, a row written, each done as in the platform's
//! functions. The native server of `wharf-bench` serves the same routes.

#[cfg(target_family = "wasm")]
mod entry;
pub mod routes;
mod store;
