//! The bodies of MercadoPago's answers, and how payments are read from them.

use jiff::Timestamp;
use kit::money::decimal;
use serde::Deserialize;
use serde_json::Value;

use crate::psp::{Failure, Payment, State};

#[derive(Deserialize)]
pub struct Preference {
    pub id: String,
    pub init_point: String,
}

#[derive(Deserialize)]
pub struct NewOrder {
    pub id: String,
    pub type_response: QrData,
}

#[derive(Deserialize)]
pub struct QrData {
    pub qr_data: String,
}

#[derive(Deserialize)]
pub struct SearchResult {
    pub results: Vec<Value>,
}

impl SearchResult {
    pub fn read(self) -> Result<Vec<Payment>, Failure> {
        readable(self.results.into_iter().map(|it| {
            let payment: WirePayment =
                serde_json::from_value(it).map_err(|it| Failure::Nonsense(it.to_string()))?;
            payment.read()
        }))
    }
}

#[derive(Deserialize)]
pub struct WirePayment {
    id: Value,
    status: String,
    status_detail: Option<String>,
    #[serde(with = "decimal")]
    transaction_amount: i64,
    #[serde(default, with = "decimal")]
    transaction_amount_refunded: i64,
    currency_id: String,
    external_reference: Option<String>,
    date_approved: Option<String>,
}

/// Whether a dispute was won, and the money is there again.
fn is_reimbursed(status: &str, status_detail: Option<&str>) -> bool {
    status == "charged_back" && status_detail == Some("reimbursed")
}

impl WirePayment {
    pub fn read(self) -> Result<Payment, Failure> {
        let is_reimbursed = is_reimbursed(&self.status, self.status_detail.as_deref());
        let state = match self.status.as_str() {
            "pending" => State::Pending,
            "authorized" | "in_process" | "in_mediation" => State::InProcess,
            "approved" if self.transaction_amount_refunded >= self.transaction_amount => {
                State::Refunded
            }
            "approved" => State::Approved,
            "rejected" | "cancelled" => State::Rejected,
            _ if is_reimbursed && self.transaction_amount_refunded < self.transaction_amount => {
                State::Approved
            }
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
            is_reimbursed,
            detail: detail(self.status_detail),
            amount: self.transaction_amount,
            currency: self.currency_id,
            refunded: self.transaction_amount_refunded,
            under_way: 0,
            approved_at: moment(self.date_approved)?,
        })
    }
}

#[derive(Deserialize)]
pub struct WireOrder {
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
    status_detail: Option<String>,
}

#[derive(Deserialize)]
struct OrderRefund {
    transaction_id: String,
    amount: String,
    status: Option<String>,
}

/// The words for a refund that takes its time, which may be days.
fn is_under_way(status: &str) -> bool {
    matches!(status, "in_process" | "processing")
}

/// The provider's word for a refund; absent when the refund is under way.
pub fn word_for_refund(answer: &Value) -> Option<String> {
    let status = |it: &Value| it.get("status").and_then(Value::as_str).map(str::to_owned);
    let refunds = answer.pointer("/transactions/refunds");
    let refunds = refunds.and_then(Value::as_array).into_iter().flatten();
    let mut words = refunds.chain([answer]).filter_map(status);
    match words.any(|it| is_under_way(&it)) {
        true => None,
        false => Some(detail(status(answer)).unwrap_or_default()),
    }
}

impl WireOrder {
    pub fn read(self) -> Result<Vec<Payment>, Failure> {
        let checkout = self.external_reference.and_then(|it| it.parse().ok());
        let updated_at = moment(self.last_updated_date)?;
        let currency = match (self.currency, self.country_code.as_deref()) {
            (Some(currency), _) => currency,
            // An order without a currency has that of its country.
            (None, None | Some("BR" | "BRA")) => "BRL".to_owned(),
            (None, Some(elsewhere)) => elsewhere.to_owned(),
        };
        let refunds = self.transactions.refunds;
        readable(self.transactions.payments.into_iter().map(|it| {
            let amount = cents(&it.amount)?;
            let (mut refunded, mut under_way) = (0_i64, 0_i64);
            for refund in refunds
                .iter()
                .filter(|refund| refund.transaction_id == it.id)
            {
                let sum = match refund.status.as_deref() {
                    Some("failed") => continue,
                    Some(status) if is_under_way(status) => &mut under_way,
                    _ => &mut refunded,
                };
                *sum = sum.saturating_add(cents(&refund.amount)?);
            }
            let is_reimbursed = is_reimbursed(&it.status, it.status_detail.as_deref());
            let state = match it.status.as_str() {
                "created" | "at_terminal" | "action_required" => State::Pending,
                "processing" | "in_process" | "in_review" => State::InProcess,
                "processed" | "partially_refunded" if refunded >= amount => State::Refunded,
                "processed" | "partially_refunded" => State::Approved,
                "failed" | "rejected" | "canceled" | "cancelled" | "expired" => State::Rejected,
                _ if is_reimbursed && refunded < amount => State::Approved,
                "refunded" | "charged_back" => State::Refunded,
                other => return Err(Failure::Nonsense(format!("payment status {other}"))),
            };
            Ok(Payment {
                id: it.id,
                checkout,
                state,
                is_reimbursed,
                detail: detail(it.status_detail),
                amount,
                currency: currency.clone(),
                refunded,
                under_way,
                // An order does not say when it was paid; its last change is not earlier.
                approved_at: updated_at,
            })
        }))
    }
}

/// A word of the provider, as short as its words are.
fn detail(text: Option<String>) -> Option<String> {
    let text: String = text?
        .chars()
        .filter(|it| !it.is_control())
        .take(100)
        .collect();
    (!text.is_empty()).then_some(text)
}

fn cents(text: &str) -> Result<i64, Failure> {
    decimal::parse(text).ok_or_else(|| Failure::Nonsense(format!("amount {text}")))
}

fn moment(text: Option<String>) -> Result<Option<Timestamp>, Failure> {
    text.map(|it| it.parse())
        .transpose()
        .map_err(|it: jiff::Error| Failure::Nonsense(it.to_string()))
}

/// The payments of a list that can be read: one that cannot does not hide the others.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn the_refunds_of_an_order_are_counted_and_its_currency_may_be_missing() {
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
                    { "id": "REF04", "transaction_id": "PAY01", "amount": "2.00", "status": "processing" },
                    { "id": "REF05", "transaction_id": "PAY01", "amount": "3.00", "status": "failed" },
                ],
            },
        }))
        .unwrap();
        let read: Vec<_> = order
            .read()
            .unwrap()
            .into_iter()
            .map(|it| (it.left(), it.id, it.state, it.refunded, it.currency))
            .collect();
        let brl = || "BRL".to_owned();
        assert_eq!(
            read,
            [
                (1650, "PAY01".to_owned(), State::Approved, 650, brl()),
                (0, "PAY03".to_owned(), State::Refunded, 2500, brl()),
            ]
        );
    }

    #[test]
    fn a_refund_that_is_under_way_is_told_from_one_that_was_refused() {
        let order = |status: &str| json!({ "status": "processed", "transactions": { "refunds": [{ "status": status }] } });
        for (answer, word) in [
            (json!({ "status": "rejected" }), Some("rejected")),
            (json!({ "status": "in_process" }), None),
            (order("processing"), None),
            (order("failed"), Some("processed")),
            (json!([]), Some("")),
        ] {
            assert_eq!(word_for_refund(&answer).as_deref(), word, "{answer}");
        }
    }

    #[test]
    fn an_unknown_status_date_or_id_is_not_guessed_at() {
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
}
