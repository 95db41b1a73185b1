//! Reads an API description: [`document`] names its parts, [`schema`] checks values against its schemas, [`clients`] writes
//! a typed client for a language.
//!
//! It knows the subset of OpenAPI 3.1 and JSON Schema that the description uses, and fails on anything else
//! rather than leave it out.

pub mod clients;
pub mod document;
pub mod schema;

pub use document::{Answer, Body, Document, Operation, Parameter, Place};
