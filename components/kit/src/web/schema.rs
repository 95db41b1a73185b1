//! JSON schemas of what crosses the wire: `#[derive(Schema)]` on the types of bodies and queries.
//!
//! Natively it is the derive of `schemars`, which reads serde's attributes and has its own
//! (`#[schemars(example = &"Porto")]`). A component's wasm carries no description: there the derive
//! makes nothing, and every type counts as described.

#[cfg(not(target_family = "wasm"))]
pub use schemars::JsonSchema as Schema;

#[cfg(target_family = "wasm")]
pub use {kit_derive::Schema, wasm::Schema};

#[cfg(target_family = "wasm")]
mod wasm {
    pub trait Schema {}

    impl<T: ?Sized> Schema for T {}
}
