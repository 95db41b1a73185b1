//! The manifest of an application: `spin.toml` and what belongs to it, read into checked types.
//!
//! Nothing here runs a component, opens a connection or knows wasmtime: it reads files, says everything that is wrong
//! with them at once, and answers questions about them. Begin with [`manifest::load`].

mod document;
pub mod egress;
pub mod faults;
pub mod manifest;
pub mod names;
pub mod networks;
pub mod routes;
pub mod runtime_config;
pub mod template;
pub mod variables;
