//! The errors of a store, in the words of the WIT interface.

pub use crate::bindings::spin::key_value::key_value::Error;

pub fn to_error(error: impl std::fmt::Display) -> Error {
    Error::Other(error.to_string())
}
