//! The client's address, by which wrong passcodes are counted.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kit::web::{Input, Operation, client_address};

/// The address of a request.
pub struct Address(pub String);

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = client_address(&parts.headers);
        Ok(Self(
            address.map_or_else(|| "unknown".to_owned(), |it| it.to_string()),
        ))
    }
}

impl Input for Address {
    fn describe(_: &mut Operation) {}
}
