//! HTTP requests to other servers. A redirect is an answer and is not followed: it could lead to an address that
//! was not meant. The host decides by the manifest's grants whether an address may be reached at all.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, StatusCode, header};
use futures::future::{Either, select};
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use spin_sdk::http::{FullBody, send as send_out};
use spin_sdk::time::sleep;
use spin_sdk::wasip3::http::types::ErrorCode;

/// Upper bound for the body of an answer: only small ones are read here.
const MAX_BODY: usize = 256 * 1024;
/// The same for another function of the application. The longest of their lists are the files of a version.
const MAX_OWN_BODY: usize = 8 << 20;

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// No text here repeats the address, which may carry a secret.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("the address cannot be one")]
    NoAddress,
    #[error("the address is one that must not be reached from here")]
    Forbidden,
    #[error("no answer in time")]
    TooSlow,
    #[error("the answer is too long")]
    TooLong,
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// Sends a request and reads the answer to its end, all within `patience`.
pub async fn send(request: Request<Bytes>, patience: Duration) -> Result<Answer, Failed> {
    within(patience, ask(request.map(FullBody::new), Some(MAX_BODY))).await
}

/// Asks another function of the application.
pub(super) async fn send_to_own(
    request: Request<Bytes>,
    patience: Duration,
) -> Result<Answer, Failed> {
    within(
        patience,
        ask(request.map(FullBody::new), Some(MAX_OWN_BODY)),
    )
    .await
}

/// The same for callers that need only the status: the body is not read, so a large, slow or broken one does no harm.
pub async fn send_for_status(
    request: Request<Bytes>,
    patience: Duration,
) -> Result<Answer, Failed> {
    within(patience, ask(request.map(FullBody::new), None)).await
}

pub(crate) async fn within<T>(
    patience: Duration,
    asked: impl Future<Output = Result<T, Failed>>,
) -> Result<T, Failed> {
    let asked = std::pin::pin!(asked);
    let patience = std::pin::pin!(sleep(patience));
    match select(asked, patience).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(Failed::TooSlow),
    }
}

/// Reads no body when there is no bound for it.
async fn ask(request: Request<FullBody<Bytes>>, max_body: Option<usize>) -> Result<Answer, Failed> {
    let response = send_out(request).await.map_err(failed)?;
    let (parts, body) = response.into_parts();
    let Some(max_body) = max_body else {
        return Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: Bytes::new(),
        });
    };
    let body = Limited::new(body, max_body).collect().await;
    let body = body.map_err(|it| match it.downcast::<ErrorCode>() {
        Ok(code) => failed(*code),
        Err(_) => Failed::TooLong,
    })?;
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.to_bytes(),
    })
}

pub(crate) fn failed(code: ErrorCode) -> Failed {
    match code {
        ErrorCode::HttpRequestUriInvalid => Failed::NoAddress,
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Failed::Forbidden,
        ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionTimeout => Failed::TooSlow,
        code => Failed::NoAnswer(format!("{code:?}")),
    }
}

impl Answer {
    /// How long the other side asks to be left alone: seconds, or a date.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = DateTimeParser::new().parse_timestamp(text).ok()?;
        // A date that has passed means now.
        Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after(text: &'static str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, text.parse().unwrap());
        let answer = Answer {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers,
            body: Bytes::new(),
        };
        let now = "2026-10-21T07:28:00Z".parse().unwrap();
        answer.retry_after(now).map(|it| it.as_secs())
    }

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date() {
        assert_eq!(retry_after("120"), Some(120));
        assert_eq!(retry_after("Wed, 21 Oct 2026 07:28:30 GMT"), Some(30));
        assert_eq!(retry_after("Wed, 21 Oct 2020 07:28:30 GMT"), Some(0));
        assert_eq!(retry_after("soon"), None);
        assert_eq!(retry_after("-5"), None);
    }
}
