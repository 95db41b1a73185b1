//! MercadoPago's API: a preference for a page to pay on, an order for a QR code
//! to scan, payments and refunds. Its words end in this file.

use std::cell::Cell;
use std::time::Duration;

use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use jiff::Timestamp;
use kit::setting;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Failure, Opened, Payment, State, Subject};
use crate::checkout::{Checkout, Method as How};

/// How often and how long the provider is asked, as the shops that move here did it: three tries of
/// 2 s. Somebody waits for it, and an instance too, so that all of them together end after [`IN_ALL`];
/// what they did not achieve is the sweep's.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSES: [Duration; 2] = [Duration::from_millis(150), Duration::from_millis(600)];
const IN_ALL: Duration = Duration::from_secs(3);
/// Once it said nothing in all that time, an instance asks nothing for so long: most of its time is for
/// those who need no provider.
const AWAY_S: i64 = 10;
/// An answer is a few kilobytes; a provider gone mad must not fill the memory.
const LONGEST_ANSWER: usize = 512 * 1024;
/// More attempts to pay one checkout than this are not looked at in one go.
const ATTEMPTS_LISTED: u32 = 100;
/// As the shops that move here offered it.
const INSTALMENTS: u32 = 12;

/// As long as the provider takes a description in an order.
const LONGEST_DESCRIPTION: usize = 150;

thread_local! {
    static AWAY_UNTIL: Cell<i64> = const { Cell::new(0) };
}

/// Whether it was silent a moment ago, so that asking is of no use.
pub fn is_away() -> bool {
    AWAY_UNTIL.get() > kit::now().as_second()
}

/// The provider, as the variables name it.
pub struct MercadoPago {
    /// Where its API begins.
    base: String,
    token: &'static str,
    /// Which till the codes are for.
    till: &'static str,
    /// Where we are reached.
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

    /// Makes a checkout known, so that it can be paid. Known already: the same answer.
    pub async fn open(&self, checkout: &Checkout) -> Result<Opened, Failure> {
        match checkout.method {
            How::Link => {
                let body = self.preference(checkout);
                let preference: Preference = self
                    .post("/checkout/preferences", checkout.id, body)
                    .await?;
                Ok(Opened {
                    id: preference.id,
                    scan: preference.init_point.clone(),
                    link: Some(preference.init_point),
                })
            }
            How::Qr => {
                let body = self.order(checkout);
                let order: NewOrder = self.post("/v1/orders", checkout.id, body).await?;
                Ok(Opened {
                    id: order.id,
                    link: None,
                    scan: order.type_response.qr_data,
                })
            }
        }
    }

    fn preference(&self, checkout: &Checkout) -> Value {
        #[derive(Serialize)]
        struct Price(#[serde(with = "kit::decimal")] i64);
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
        let amount = plain(checkout.amount.get());
        let description: String = checkout
            .description
            .chars()
            .take(LONGEST_DESCRIPTION)
            .collect();
        // Not what is left of it: whoever asks again asks for the same.
        let time_s = checkout
            .expires_at
            .as_second()
            .saturating_sub(checkout.created_at.as_second())
            .max(30);
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

    /// What a webhook was about.
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
                let found: Found = self
                    .get(&format!(
                        "/v1/payments/search?external_reference={}&limit={ATTEMPTS_LISTED}",
                        checkout.id
                    ))
                    .await?;
                readable(found.results.into_iter().map(|it| {
                    let payment: WirePayment = serde_json::from_value(it)
                        .map_err(|it| Failure::Nonsense(it.to_string()))?;
                    payment.read()
                }))
            }
        }
    }

    /// Sends a payment back in full. Sent back already: no effect.
    pub async fn send_back(&self, checkout: &Checkout, payment: &str) -> Result<(), Failure> {
        let path = match (checkout.method, &checkout.psp_id) {
            (How::Qr, Some(order)) => format!("/v1/orders/{}/refund", segment(order)?),
            (How::Qr, None) | (How::Link, _) => {
                format!("/v1/payments/{}/refunds", segment(payment)?)
            }
        };
        let key = Uuid::new_v5(&checkout.id, payment.as_bytes());
        let _: Value = self.post(&path, key, json!({})).await?;
        Ok(())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask(Method::GET, path, None, Bytes::new()).await
    }

    /// The key says what is the same request: the same thing to do, said in the same words.
    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        what: Uuid,
        body: Value,
    ) -> Result<T, Failure> {
        let body = body.to_string();
        let key = Uuid::new_v5(&what, body.as_bytes());
        self.ask(Method::POST, path, Some(key), body.into()).await
    }

    /// Asks, and asks again when it may help: every POST carries a key, so that
    /// asking twice is asking once.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        key: Option<Uuid>,
        body: Bytes,
    ) -> Result<T, Failure> {
        if is_away() {
            return Err(Failure::Away("it was away a moment ago".to_owned()));
        }
        let tries = async {
            let mut pauses = PAUSES.into_iter();
            loop {
                let asked = self.once(method.clone(), path, key, body.clone());
                let answer = within(PATIENCE, asked)
                    .await
                    .unwrap_or_else(|| Err(Failure::Away("no answer in time".to_owned())));
                match (answer, pauses.next()) {
                    (Err(Failure::Away(_)), Some(pause)) => spin_sdk::time::sleep(pause).await,
                    (answer, _) => return answer,
                }
            }
        };
        match within(IN_ALL, tries).await {
            Some(answer) => parsed(&answer?),
            None => {
                AWAY_UNTIL.set(kit::now().as_second().saturating_add(AWAY_S));
                Err(Failure::Away(format!("nothing within {IN_ALL:?}")))
            }
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
        let body = Limited::new(response.into_body(), LONGEST_ANSWER)
            .collect()
            .await
            .map_err(|it| away(&it))?
            .to_bytes();
        if status.is_success() {
            return Ok(body);
        }
        Err(match status {
            StatusCode::NOT_FOUND => Failure::Unknown,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => away(&status),
            // A copy of the same request is still running there.
            StatusCode::CONFLICT | StatusCode::LOCKED => away(&status),
            // It does not know us: not what was asked for is wrong, but the token.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => away(&status),
            _ if status.is_server_error() => away(&status),
            _ => Failure::Refused {
                status: status.as_u16(),
                text: String::from_utf8_lossy(&body).chars().take(300).collect(),
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

/// What can be read of many: one that makes no sense hides no other.
fn readable(
    payments: impl Iterator<Item = Result<Payment, Failure>>,
) -> Result<Vec<Payment>, Failure> {
    let (mut good, mut bad) = (Vec::new(), None);
    for payment in payments {
        match payment {
            Ok(payment) => good.push(payment),
            Err(failure) => {
                eprintln!("{failure}");
                bad = Some(failure);
            }
        }
    }
    match bad {
        Some(failure) if good.is_empty() => Err(failure),
        _ => Ok(good),
    }
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|it| Failure::Nonsense(it.to_string()))
}

/// An id that cannot become another address.
fn segment(id: &str) -> Result<&str, Failure> {
    let fits = (1..=100).contains(&id.len())
        && id
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'));
    fits.then_some(id).ok_or(Failure::Unknown)
}

/// As an order wants its amounts: `25.00`.
fn plain(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[derive(Deserialize)]
struct Preference {
    id: String,
    init_point: String,
}

#[derive(Deserialize)]
struct NewOrder {
    id: String,
    type_response: QrData,
}

#[derive(Deserialize)]
struct QrData {
    qr_data: String,
}

#[derive(Deserialize)]
struct Found {
    results: Vec<Value>,
}

#[derive(Deserialize)]
struct WirePayment {
    id: Value,
    status: String,
    #[serde(with = "kit::decimal")]
    transaction_amount: i64,
    #[serde(default, with = "kit::decimal")]
    transaction_amount_refunded: i64,
    currency_id: String,
    external_reference: Option<String>,
    date_approved: Option<String>,
}

impl WirePayment {
    fn read(self) -> Result<Payment, Failure> {
        let state = match self.status.as_str() {
            "pending" => State::Pending,
            "authorized" | "in_process" | "in_mediation" => State::InProcess,
            "approved" if self.transaction_amount_refunded >= self.transaction_amount => {
                State::Refunded
            }
            "approved" => State::Approved,
            "rejected" | "cancelled" => State::Rejected,
            "refunded" | "charged_back" => State::Refunded,
            other => return Err(Failure::Nonsense(format!("payment status {other}"))),
        };
        let id = match self.id {
            Value::String(id) => id,
            Value::Number(id) => id.to_string(),
            other => return Err(Failure::Nonsense(format!("payment id {other}"))),
        };
        Ok(Payment {
            id,
            checkout: self.external_reference.and_then(|it| it.parse().ok()),
            state,
            amount: self.transaction_amount,
            currency: self.currency_id,
            refunded: self.transaction_amount_refunded,
            approved_at: moment(self.date_approved)?,
        })
    }
}

#[derive(Deserialize)]
struct WireOrder {
    external_reference: Option<String>,
    currency: Option<String>,
    country_code: Option<String>,
    last_updated_date: Option<String>,
    transactions: Transactions,
}

#[derive(Deserialize)]
struct Transactions {
    #[serde(default)]
    payments: Vec<OrderPayment>,
    #[serde(default)]
    refunds: Vec<OrderRefund>,
}

#[derive(Deserialize)]
struct OrderPayment {
    id: String,
    amount: String,
    status: String,
}

#[derive(Deserialize)]
struct OrderRefund {
    transaction_id: String,
    amount: String,
    status: Option<String>,
}

impl WireOrder {
    fn read(self) -> Result<Vec<Payment>, Failure> {
        let checkout = self.external_reference.and_then(|it| it.parse().ok());
        let updated_at = moment(self.last_updated_date)?;
        let currency = match (self.currency, self.country_code.as_deref()) {
            (Some(currency), _) => currency,
            // Where it is not named, it is the country's.
            (None, None | Some("BR" | "BRA")) => "BRL".to_owned(),
            (None, Some(elsewhere)) => elsewhere.to_owned(),
        };
        let refunds = self.transactions.refunds;
        readable(self.transactions.payments.into_iter().map(|it| {
            let amount = cents(&it.amount)?;
            let mut refunded = 0_i64;
            for refund in refunds.iter().filter(|refund| {
                refund.transaction_id == it.id && refund.status.as_deref() != Some("failed")
            }) {
                refunded = refunded.saturating_add(cents(&refund.amount)?);
            }
            let state = match it.status.as_str() {
                "created" | "at_terminal" | "action_required" => State::Pending,
                "processing" | "in_process" | "in_review" => State::InProcess,
                "processed" | "partially_refunded" if refunded >= amount => State::Refunded,
                "processed" | "partially_refunded" => State::Approved,
                "failed" | "rejected" | "canceled" | "cancelled" | "expired" => State::Rejected,
                "refunded" | "charged_back" => State::Refunded,
                other => return Err(Failure::Nonsense(format!("payment status {other}"))),
            };
            Ok(Payment {
                id: it.id,
                checkout,
                state,
                amount,
                currency: currency.clone(),
                refunded,
                // An order does not say when it was paid; it last changed then or later.
                approved_at: updated_at,
            })
        }))
    }
}

fn cents(text: &str) -> Result<i64, Failure> {
    kit::decimal::parse(text).ok_or_else(|| Failure::Nonsense(format!("amount {text}")))
}

fn moment(text: Option<String>) -> Result<Option<Timestamp>, Failure> {
    text.map(|it| it.parse())
        .transpose()
        .map_err(|it: jiff::Error| Failure::Nonsense(it.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_read_with_its_cents_and_its_zone() {
        let payment: WirePayment = serde_json::from_value(json!({
            "id": 1_234_567_890_u64,
            "status": "approved",
            "status_detail": "accredited",
            "transaction_amount": 100.05,
            "currency_id": "BRL",
            "external_reference": "0199f0a0-0000-7000-8000-000000000001",
            "date_approved": "2026-05-25T13:01:02.000-03:00",
        }))
        .unwrap();
        let payment = payment.read().unwrap();
        assert_eq!(payment.id, "1234567890");
        assert_eq!((payment.amount, payment.state), (10_005, State::Approved));
        assert_eq!(
            payment.approved_at.unwrap().to_string(),
            "2026-05-25T16:01:02Z"
        );
    }

    #[test]
    fn an_order_is_read_as_the_payments_in_it() {
        let order: WireOrder = serde_json::from_value(json!({
            "id": "ORD01", "status": "processed", "currency": "BRL",
            "external_reference": "0199f0a0-0000-7000-8000-000000000001",
            "last_updated_date": "2026-05-25T16:01:02.123Z",
            "transactions": { "payments": [
                { "id": "PAY01", "amount": "25.00", "status": "processed", "status_detail": "accredited" },
            ] },
        }))
        .unwrap();
        let payments = order.read().unwrap();
        assert_eq!(
            (payments[0].amount, payments[0].state),
            (2500, State::Approved)
        );
    }

    #[test]
    fn what_went_back_of_an_order_is_counted_and_its_currency_may_be_missing() {
        let order: WireOrder = serde_json::from_value(json!({
            "id": "ORD01", "status": "processed", "country_code": "BRA",
            "external_reference": "0199f0a0-0000-7000-8000-000000000001",
            "transactions": {
                "payments": [
                    { "id": "PAY01", "amount": "25.00", "status": "processed" },
                    { "id": "PAY02", "amount": "25.00", "status": "splendid" },
                    { "id": "PAY03", "amount": "25.00", "status": "processed" },
                ],
                "refunds": [
                    { "id": "REF01", "transaction_id": "PAY01", "amount": "5.00", "status": "processed" },
                    { "id": "REF02", "transaction_id": "PAY01", "amount": "1.50" },
                    { "id": "REF03", "transaction_id": "PAY03", "amount": "25.00", "status": "processed" },
                ],
            },
        }))
        .unwrap();
        let read: Vec<_> = order
            .read()
            .unwrap()
            .into_iter()
            .map(|it| (it.id, it.state, it.refunded, it.currency))
            .collect();
        let brl = || "BRL".to_owned();
        assert_eq!(
            read,
            [
                ("PAY01".to_owned(), State::Approved, 650, brl()),
                ("PAY03".to_owned(), State::Refunded, 2500, brl()),
            ]
        );
    }

    #[test]
    fn what_the_provider_never_said_before_is_not_guessed_at() {
        for (field, value) in [
            ("status", json!("splendid")),
            ("date_approved", json!("yesterday")),
            ("id", json!([1])),
        ] {
            let mut payment = json!({
                "id": 1, "status": "approved", "transaction_amount": 1, "currency_id": "BRL",
                "external_reference": null, "date_approved": null,
            });
            payment[field] = value;
            let payment: WirePayment = serde_json::from_value(payment).unwrap();
            assert!(payment.read().is_err(), "{field}");
        }
    }

    #[test]
    fn an_id_cannot_become_another_address() {
        for id in ["", "../v1/users", "1?x=", "1/2", "%2e"] {
            assert!(segment(id).is_err(), "{id}");
        }
        assert!(segment("PAY01-ab").is_ok());
    }
}
