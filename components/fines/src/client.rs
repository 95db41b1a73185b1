//! Where a request came from: wrong passcodes are counted there.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kit::web::{Input, Operation};

/// The address of a request, as the host says it. Headers of the client are not read: it could write anything there.
pub struct Address(pub String);

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts
            .headers
            .get("spin-client-addr")
            .and_then(|it| it.to_str().ok())
            .and_then(|it| it.parse::<SocketAddr>().ok());
        Ok(Self(address.map_or_else(
            || "unknown".to_owned(),
            |it| it.ip().to_canonical().to_string(),
        )))
    }
}

impl Input for Address {
    fn describe(_: &mut Operation) {}
}
