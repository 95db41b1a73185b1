//! Typed clients, one file a language.
//!
//! An operation is a method of the group named like its function: `bookings_create_booking` is
//! `bookings.createBooking`. Other spellings of an operation are left out; old forms carry a note that
//! names their replacement.

mod call;
mod name;
mod rust;
mod shape;
mod typescript;

use anyhow::Result;

use crate::document::Document;

/// The client for Rust, `wharf.rs`: it needs `http`, `serde` with `derive`, and `serde_json`.
pub fn rust(document: &Document) -> Result<String> {
    rust::write(document)
}

/// The client for TypeScript, `wharf.ts`: it needs `fetch`, as every browser and Node have it.
pub fn typescript(document: &Document) -> Result<String> {
    typescript::write(document)
}
