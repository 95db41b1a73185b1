//! The function `issuers`: it verifies tokens of other issuers, so that no key of theirs is read here.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use kit::web::outbound::{self, Failed};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;

/// The function waits three seconds for an issuer.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Serialize)]
struct Given<'a> {
    token: &'a str,
}

/// A token that a configured issuer vouches for.
#[derive(Deserialize)]
pub struct Verified {
    pub issuer: String,
    pub claims: Map<String, Value>,
}

/// What a token of another issuer says, if it is in force and for us.
pub async fn verify(token: &str) -> Result<Verified, Error> {
    let question = Bytes::from(serde_json::to_vec(&Given { token })?);
    let request = Request::post("http://issuers.spin.internal/verify")
        .header(header::CONTENT_TYPE, "application/json")
        .body(question)
        .map_err(|_| Failed::NoAddress)?;
    let answer = outbound::send(request, PATIENCE).await?;
    match answer.status {
        StatusCode::OK => Ok(serde_json::from_slice(&answer.body)?),
        StatusCode::UNAUTHORIZED => Err(Error::BadForeignToken),
        other => Err(Failed::NoAnswer(format!("issuers: {other}")).into()),
    }
}
