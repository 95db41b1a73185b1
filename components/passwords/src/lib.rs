//! Password hashes, in a function of their own.
//!
//! A hash takes a whole core and 19 MiB for tens of milliseconds, by design. In here it delays only other
//! hashes: the function has few instances, each takes one request at a time, and beyond a short queue the host
//! refuses. It has no public route; signin asks it by local service chaining.
//!
//! It stores nothing, knows no account and is granted nothing.

#[cfg(target_family = "wasm")]
mod entry;
mod error;
mod hash;
pub mod routes;
