//! What is asked of issuers: the keys that they publish.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use kit::web::outbound::{self, Failed};
use serde_json::Value;

/// A person who signs in waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The JWKS at an address.
pub async fn fetch_keys(address: &str) -> Result<Value, Failed> {
    let request = Request::get(address)
        .header(header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|_| Failed::NoAddress)?;
    let answer = outbound::send(request, PATIENCE).await?;
    if answer.status != StatusCode::OK {
        let status = answer.status;
        return Err(Failed::NoAnswer(format!("the issuer's keys: {status}")));
    }
    serde_json::from_slice(&answer.body).map_err(|it| Failed::NoAnswer(it.to_string()))
}
