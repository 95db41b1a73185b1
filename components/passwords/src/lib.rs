//! Hashing passwords, and nothing else: what makes signin wait.
//!
//! A hash takes a whole core and 19 MiB for tens of milliseconds, by design.
//! Here it holds nobody up but others that want a hash: this function has few
//! instances, each takes one request at a time, and beyond a short queue the
//! host refuses. It has no route of its own; signin asks it in memory.
//!
//! It stores nothing, knows no account and is granted nothing.

#[cfg(target_family = "wasm")]
mod entry;
mod hash;
pub mod routes;
