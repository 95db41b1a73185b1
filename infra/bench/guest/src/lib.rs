//! The component under load: a greeting, a caller, a row read, a row written, each as a function of
//! the platform would do it. The native server beside it (`wharf-bench`) answers the same.

#[cfg(target_family = "wasm")]
mod entry;
pub mod routes;
mod store;
