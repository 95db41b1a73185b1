//! A request to another function over HTTP in memory, in the name of a person, by the contract of every client.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request, header, request};
use serde::Serialize;

use super::network::{CLIENT, client_address};
use super::outbound::{self, Answer, Failed};

/// Other functions answer in milliseconds, but hashing a password takes longer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// `Call::new(Method::GET, "payments", "/payment/balance").by(token).send()`.
pub struct Call {
    request: request::Builder,
    body: Bytes,
}

impl Call {
    pub fn new(method: Method, function: &str, path: &str) -> Self {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{function}.spin.internal{path}"));
        Self {
            request,
            body: Bytes::new(),
        }
    }

    /// In the name of the bearer of a token.
    #[must_use]
    pub fn by(mut self, token: &str) -> Self {
        self.request = self.request.header("api_key", token);
        self
    }

    /// For the client that sent a request: limits count what it does, and not what the calling function does for all. Its
    /// browser is named where sessions are listed.
    #[must_use]
    pub fn for_client(mut self, headers: &HeaderMap) -> Self {
        if let Some(agent) = headers.get(header::USER_AGENT) {
            self.request = self.request.header(header::USER_AGENT, agent);
        }
        if let Some(client) = client_address(headers) {
            self.request = self.request.header(CLIENT, client.to_string());
        }
        self
    }

    /// Calls with the same key are carried out once.
    #[must_use]
    pub fn once(mut self, key: &str) -> Self {
        self.request = self.request.header("idempotency-key", key);
        self
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    #[must_use]
    pub fn body(mut self, body: &impl Serialize) -> Self {
        self.request = self
            .request
            .header(header::CONTENT_TYPE, "application/json");
        self.body = serde_json::to_vec(body).unwrap_or_default().into();
        self
    }

    pub async fn send(self) -> Result<Answer, Failed> {
        let request = self
            .request
            .body(self.body)
            .map_err(|_| Failed::NoAddress)?;
        outbound::send_to_own(request, TIMEOUT).await
    }
}
