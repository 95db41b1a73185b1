//! Notices to the merchant: a signed webhook about a payment, sent once. When it is lost, the merchant has to ask, as
//! with a real provider.

use axum::http::{Request, header};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use jiff::Timestamp;
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;

use crate::bill::{Bill, Kind, Payment};

/// Tells the merchant about a payment; answers whether the webhook was received.
pub async fn send(bill: &Bill, payment: &Payment, secret: &str, now: Timestamp) -> bool {
    let (subject, topic) = match bill.kind {
        Kind::Preference => (payment.id.to_string(), "payment"),
        Kind::Order => (bill.id.clone(), "order"),
    };
    let request_id = Uuid::new_v4().to_string();
    let ts = now.as_second().to_string();
    let body = json!({
        "action": format!("{topic}.updated"),
        "api_version": "v1",
        "data": { "id": subject },
        "date_created": now.to_string(),
        "id": now.as_millisecond(),
        "live_mode": false,
        "type": topic,
    });
    let request = Request::post(format!(
        "{}?data.id={subject}&type={topic}",
        bill.notification_url
    ))
    .header(header::CONTENT_TYPE, "application/json")
    .header(
        "x-signature",
        format!(
            "ts={ts},v1={}",
            signature(&subject, &request_id, &ts, secret)
        ),
    )
    .header("x-request-id", request_id)
    .body(Full::new(Bytes::from(body.to_string())));
    let Ok(request) = request else {
        return false;
    };
    match spin_sdk::http::send(request).await {
        Ok(response) => response.status().is_success(),
        Err(lost) => {
            eprintln!("the webhook about {subject} was lost: {lost}");
            false
        }
    }
}

/// The `v1` of `x-signature`, over the id in lower case.
fn signature(subject: &str, request_id: &str, ts: &str, secret: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of any length.
        return String::new();
    };
    mac.update(
        format!(
            "id:{};request-id:{request_id};ts:{ts};",
            subject.to_lowercase()
        )
        .as_bytes(),
    );
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_the_provider_documents() {
        let signed = signature("ORD01", "r-1", "1704908010", "secret");
        assert_eq!(signed, signature("ord01", "r-1", "1704908010", "secret"));
        assert_eq!(signed.len(), 64);
        assert_ne!(signed, signature("ord01", "r-1", "1704908011", "secret"));
    }
}
