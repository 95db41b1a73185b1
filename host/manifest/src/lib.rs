//! Reads `spin.toml` and the files that belong to it into checked types.
//!
//! The crate reports all faults of a file at once and answers questions about it. It runs no component, opens no
//! connection and does not depend on wasmtime. Start reading at [`manifest::load`].

mod document;
pub mod egress;
pub mod faults;
pub mod manifest;
mod names;
pub mod networks;
pub mod routes;
pub mod runtime_config;
pub mod template;
pub mod variables;
