//! A client of MercadoPago's API: a preference for a page to pay on, an order for a QR code to scan, payments and
//! refunds.

mod wire;

use std::cell::Cell;
use std::time::Duration;

use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use kit::money::decimal;
use kit::setting;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use self::wire::{NewOrder, Preference, SearchResult, WireOrder, WirePayment, word_for_refund};
use super::{Failure, Opened, Payment, State, Subject};
use crate::checkout::{Checkout, Method as How, line};
use crate::part::Part;

/// How long one try may take. The shops that move here tried three times for 2 s each.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pauses between the three tries.
const PAUSES: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(600)];
/// Bounds all tries together: a client waits for them, and they occupy an instance. The sweep goes on later.
const MAX_TOTAL: Duration = Duration::from_secs(3);
/// After `MAX_TOTAL` without an answer, or when the provider takes no more requests, an instance does not ask again for so
/// long: it keeps its time for requests that need no provider.
const AWAY_S: i64 = 10;
/// An answer is a few kilobytes; a larger one must not fill the memory.
const MAX_ANSWER_BYTES: usize = 512 * 1024;
/// A QR code holds 2331 bytes; a longer text cannot be drawn.
const MAX_SCAN_BYTES: usize = 2_000;
/// The newest attempts to pay a checkout that one look covers: as many as fit into an answer.
const MAX_ATTEMPTS: u32 = 50;
/// The most instalments that the shops that move here offered.
const INSTALMENTS: u32 = 12;
/// The longest description of an order that the provider takes.
const MAX_DESCRIPTION: usize = 150;
/// The shortest time to pay that the provider takes.
const MIN_EXPIRATION_S: i64 = 30;

thread_local! {
    static AWAY_UNTIL: Cell<i64> = const { Cell::new(0) };
}

#[derive(Serialize)]
struct Price(#[serde(with = "decimal")] i64);

/// Whether the provider failed to answer within the last `AWAY_S` seconds.
pub fn is_away() -> bool {
    is_ahead(AWAY_UNTIL.get(), kit::now().as_second())
}

/// A moment that is more than `AWAY_S` ahead was written before the clock was set back, and does not count.
fn is_ahead(until: i64, now: i64) -> bool {
    (1..=AWAY_S).contains(&until.saturating_sub(now))
}

/// The provider that the variables name.
pub struct MercadoPago {
    /// The URL at which its API begins.
    base: String,
    token: &'static str,
    /// The till that QR codes are for.
    till: &'static str,
    /// The URL at which clients reach this platform.
    public_url: &'static str,
}

impl MercadoPago {
    pub async fn configured() -> Result<Self, Failure> {
        let url = setting("psp_url").await?.trim_end_matches('/');
        let path = setting("psp_path").await?.trim_end_matches('/');
        Ok(Self {
            base: format!("{url}{path}"),
            token: setting("psp_token").await?,
            till: setting("psp_till").await?,
            public_url: setting("public_url").await?.trim_end_matches('/'),
        })
    }

    /// Makes a checkout known to the provider, so that it can be paid. Repeated: the same answer.
    pub async fn open(&self, checkout: &Checkout) -> Result<Opened, Failure> {
        let opened = match checkout.method {
            How::Link => {
                let body = self.preference(checkout);
                let preference: Preference = self
                    .post("/checkout/preferences", checkout.id, body)
                    .await?;
                Opened {
                    id: preference.id,
                    scan: preference.init_point.clone(),
                    link: Some(preference.init_point),
                }
            }
            How::Qr => {
                let body = self.order(checkout);
                let order: NewOrder = self.post("/v1/orders", checkout.id, body).await?;
                Opened {
                    id: order.id,
                    link: None,
                    scan: order.type_response.qr_data,
                }
            }
        };
        match opened.scan.len() {
            0..=MAX_SCAN_BYTES => Ok(opened),
            length => Err(Failure::Nonsense(format!("{length} bytes to scan"))),
        }
    }

    fn preference(&self, checkout: &Checkout) -> Value {
        let back = format!("{}/payments/{}/done", self.public_url, checkout.id);
        json!({
            "items": [{
                "id": checkout.reference,
                "title": checkout.description,
                "quantity": 1,
                "unit_price": Price(checkout.amount.get()),
                "currency_id": checkout.currency,
            }],
            "payer": { "email": checkout.email },
            "external_reference": checkout.id,
            "notification_url": format!("{}/payments/webhook", self.public_url),
            "back_urls": { "success": back, "pending": back, "failure": back },
            "auto_return": "approved",
            "payment_methods": { "installments": INSTALMENTS },
            "expires": true,
            "expiration_date_to": checkout.expires_at.to_string(),
        })
    }

    fn order(&self, checkout: &Checkout) -> Value {
        let amount = decimal::text(checkout.amount.get());
        let description: String = checkout.description.chars().take(MAX_DESCRIPTION).collect();
        // The whole time and not the rest of it, because a repeated request must be the same.
        let time_s = checkout
            .expires_at
            .as_second()
            .saturating_sub(checkout.created_at.as_second())
            .max(MIN_EXPIRATION_S);
        json!({
            "type": "qr",
            "total_amount": amount,
            "description": description,
            "external_reference": checkout.id,
            "expiration_time": format!("PT{time_s}S"),
            "config": { "qr": { "external_pos_id": self.till, "mode": "dynamic" } },
            "transactions": { "payments": [{ "amount": amount }] },
        })
    }

    /// The payments that a webhook is about.
    pub async fn look_up(&self, subject: &Subject) -> Result<Vec<Payment>, Failure> {
        match subject {
            Subject::Payment(id) => {
                let payment: WirePayment =
                    self.get(&format!("/v1/payments/{}", segment(id)?)).await?;
                Ok(vec![payment.read()?])
            }
            Subject::Order(id) => {
                let order: WireOrder = self.get(&format!("/v1/orders/{}", segment(id)?)).await?;
                order.read()
            }
        }
    }

    /// Every attempt to pay a checkout, for when no webhook came.
    pub async fn payments_of(&self, checkout: &Checkout) -> Result<Vec<Payment>, Failure> {
        match (checkout.method, &checkout.psp_id) {
            (_, None) => Ok(Vec::new()),
            (How::Qr, Some(order)) => self.look_up(&Subject::Order(order.clone())).await,
            (How::Link, Some(_)) => {
                let found: SearchResult = self
                    .get(&format!(
                        "/v1/payments/search?external_reference={}&sort=date_created&criteria=desc&limit={MAX_ATTEMPTS}",
                        checkout.id
                    ))
                    .await?;
                let mut payments = found.read()?;
                // A payment stays with the checkout for which it was seen first, so payments of others are left out.
                payments.retain(|it| it.checkout == Some(checkout.id));
                // In the order of their creation: the newest attempt decides the status that the payer sees.
                payments.reverse();
                Ok(payments)
            }
        }
    }

    /// Sends back the rest of a payment. Answers whether it has gone: the answer to the refund is not believed, the provider
    /// is asked afterwards. Repeated: no effect.
    pub async fn send_back(&self, checkout: &Checkout, payment: &str) -> Result<bool, Failure> {
        let (path, body) = match (checkout.method, &checkout.psp_id) {
            (How::Qr, Some(order)) => {
                let held = self.held(checkout, payment).await?;
                if held.state == State::Refunded {
                    return Ok(true);
                }
                if held.left() <= 0 {
                    return Ok(false);
                }
                refund_in_order(order, payment, held.left())?
            }
            (How::Qr, None) | (How::Link, _) => (
                format!("/v1/payments/{}/refunds", segment(payment)?),
                json!({}),
            ),
        };
        let key = Uuid::new_v5(&checkout.id, payment.as_bytes());
        let answer: Value = self.post(&path, key, body).await?;
        if self.held(checkout, payment).await?.state == State::Refunded {
            return Ok(true);
        }
        match word_for_refund(&answer) {
            None => Ok(false),
            Some(word) => Err(Failure::NotMade(word)),
        }
    }

    /// How much of a payment has not gone back, where the provider says so.
    pub async fn left(&self, checkout: &Checkout, payment: &str) -> Option<i64> {
        let held = self.held(checkout, payment).await.ok()?;
        Some(held.left()).filter(|left| *left > 0)
    }

    /// The present state of a payment at the provider.
    async fn held(&self, checkout: &Checkout, payment: &str) -> Result<Payment, Failure> {
        let held = self.look_up(&Subject::of(checkout, payment)).await?;
        held.into_iter()
            .find(|it| it.id == payment)
            .ok_or(Failure::Unknown)
    }

    /// Sends a part of a payment back. Answers the provider's word for the refund, or nothing when it is under way.
    /// Repeated: no effect, as long as the provider remembers the key.
    pub async fn send_part_back(
        &self,
        checkout: &Checkout,
        part: &Part,
    ) -> Result<Option<String>, Failure> {
        let (path, body) = match (checkout.method, &checkout.psp_id) {
            (How::Qr, Some(order)) => refund_in_order(order, &part.payment, part.amount)?,
            (How::Qr, None) | (How::Link, _) => (
                format!("/v1/payments/{}/refunds", segment(&part.payment)?),
                json!({ "amount": Price(part.amount) }),
            ),
        };
        let answer: Value = self.post(&path, part.id, body).await?;
        Ok(word_for_refund(&answer))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(Method::GET, path, None, Bytes::new()).await
    }

    /// The idempotency key is made of the subject and the body: the same request has the same key.
    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        subject: Uuid,
        body: Value,
    ) -> Result<T, Failure> {
        let body = body.to_string();
        let key = Uuid::new_v5(&subject, body.as_bytes());
        self.ask(Method::POST, path, Some(key), body.into()).await
    }

    /// Asks, and asks again when that may help. Every POST carries a key, so a repetition has no second effect.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        key: Option<Uuid>,
        body: Bytes,
    ) -> Result<T, Failure> {
        if is_away() {
            return Err(Failure::Away("it did not answer a moment ago".to_owned()));
        }
        let tries = async {
            let mut pauses = PAUSES.into_iter();
            loop {
                let asked = self.once(method.clone(), path, key, body.clone());
                let answer = within(PATIENCE, asked)
                    .await
                    .unwrap_or_else(|| Err(Failure::Away("no answer in time".to_owned())));
                match (answer, pauses.next()) {
                    (Err(Failure::Away(_) | Failure::Crowded), Some(pause)) => {
                        spin_sdk::time::sleep(pause).await;
                    }
                    (answer, _) => return answer,
                }
            }
        };
        let answer = within(MAX_TOTAL, tries).await;
        if let None | Some(Err(Failure::Crowded)) = answer {
            AWAY_UNTIL.set(kit::now().as_second().saturating_add(AWAY_S));
        }
        match answer {
            Some(answer) => parsed(&answer?),
            None => Err(Failure::Away(format!("nothing within {MAX_TOTAL:?}"))),
        }
    }

    async fn once(
        &self,
        method: Method,
        path: &str,
        key: Option<Uuid>,
        body: Bytes,
    ) -> Result<Bytes, Failure> {
        let away = |it: &dyn std::fmt::Display| Failure::Away(it.to_string());
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::ACCEPT, "application/json");
        if let Some(key) = key {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .header("x-idempotency-key", key.to_string());
        }
        let request = request
            .body(Full::new(body))
            .map_err(|it| Failure::Nonsense(it.to_string()))?;
        let response = spin_sdk::http::send(request)
            .await
            .map_err(|it| away(&it))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await
            .map_err(|it| away(&it))?
            .to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        let text = || line(&String::from_utf8_lossy(&body));
        Err(match status {
            StatusCode::NOT_FOUND => Failure::Unknown,
            StatusCode::TOO_MANY_REQUESTS => Failure::Crowded,
            StatusCode::REQUEST_TIMEOUT => away(&status),
            // A copy of the same request is still running there.
            StatusCode::CONFLICT | StatusCode::LOCKED => away(&status),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Denied {
                status: status.as_u16(),
                text: text(),
            },
            // The URL is wrong, or leads to a proxy in front of the provider.
            _ if status.is_server_error() || status.is_redirection() => away(&status),
            _ => Failure::Refused {
                status: status.as_u16(),
                text: text(),
            },
        })
    }
}

/// The result of a future that is ready in time.
async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut over = std::pin::pin!(spin_sdk::time::sleep(time));
    std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(value));
        }
        over.as_mut().poll(context).map(|()| None)
    })
    .await
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|it| Failure::Nonsense(it.to_string()))
}

/// The path and the body of a refund of one payment in an order. A body that names none sends back all of them.
fn refund_in_order(order: &str, payment: &str, amount: i64) -> Result<(String, Value), Failure> {
    Ok((
        format!("/v1/orders/{}/refund", segment(order)?),
        json!({ "transactions": [{ "id": payment, "amount": decimal::text(amount) }] }),
    ))
}

/// An id as a segment of a path: one that could lead to another address is refused.
fn segment(id: &str) -> Result<&str, Failure> {
    let fits = (1..=100).contains(&id.len())
        && id
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'));
    fits.then_some(id).ok_or(Failure::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_keeps_the_provider_away_no_longer() {
        for (left, is_away) in [
            (-1, false),
            (0, false),
            (1, true),
            (AWAY_S, true),
            (3_600, false),
        ] {
            assert_eq!(is_ahead(1_000 + left, 1_000), is_away, "{left}");
        }
        assert!(!is_ahead(0, 1_000));
    }

    #[test]
    fn an_id_cannot_become_another_address() {
        for id in ["", "../v1/users", "1?x=", "1/2", "%2e"] {
            assert!(segment(id).is_err(), "{id}");
        }
        assert!(segment("PAY01-ab").is_ok());
    }
}
