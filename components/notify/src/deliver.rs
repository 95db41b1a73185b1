//! The channels. Each carries out one delivery and answers whether it is tried again.

pub mod email;
pub mod telegram;
pub mod webhook;

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Error, Request};
use kit::web::outbound::{self, Answer, Failed};

/// An attempt without an answer by then has failed.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a request and reads no more than the head of its answer: the body, be it large, slow or broken,
/// changes nothing.
async fn send(request: Result<Request<Bytes>, Error>) -> Result<Answer, Failed> {
    let request = request.map_err(|_| Failed::NoAddress)?;
    outbound::send_for_status(request, TIMEOUT).await
}
