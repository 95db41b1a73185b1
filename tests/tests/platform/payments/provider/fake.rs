//! A payment provider that can be told to lie.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Outside, Received, Reply};

use super::scene::moment;

/// The provider, as the test controls it.
pub(super) struct Provider {
    pub(super) outside: Outside,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By the `external_reference` that they had first.
    payments: BTreeMap<String, Vec<Value>>,
    /// The `external_reference` of each order.
    orders: HashMap<String, String>,
    /// The answer given under each `x-idempotency-key`.
    bodies: HashMap<String, Vec<u8>>,
    /// The `x-idempotency-key` of every refund.
    refunds: HashSet<String>,
    /// Refunds are answered and not made.
    is_idle: bool,
    /// Replies that replace the answers to requests that contain this word.
    instead: HashMap<String, VecDeque<Reply>>,
    /// The delay of the next answer to a request that contains this word.
    late: HashMap<String, Duration>,
}

impl Provider {
    pub(super) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let behind = Arc::clone(&state);
        let outside = Outside::start(move |request| answer(&mut behind.lock().unwrap(), request));
        Self { outside, state }
    }

    /// A customer pays, or tries to; answers the payment's id.
    pub(super) fn pays(&self, reference: &str, amount: &Value, status: &str) -> String {
        let id = Uuid::new_v4().simple().to_string();
        let payment = json!({
            "id": id, "status": status, "transaction_amount": amount, "currency_id": "BRL",
            "external_reference": reference, "date_approved": moment(),
        });
        let mut state = self.state.lock().unwrap();
        state
            .payments
            .entry(reference.to_owned())
            .or_default()
            .push(payment);
        id
    }

    /// Changes a field of a payment at the provider.
    pub(super) fn changes(&self, payment: &str, field: &str, value: Value) {
        let mut state = self.state.lock().unwrap();
        let all = state.payments.values_mut().flatten();
        all.into_iter()
            .find(|it| it["id"] == *payment)
            .expect("the payment")[field] = value;
    }

    /// Replaces the next answers to requests that contain `word`.
    pub(super) fn instead(&self, word: &str, replies: impl IntoIterator<Item = Reply>) {
        let mut state = self.state.lock().unwrap();
        state
            .instead
            .entry(word.to_owned())
            .or_default()
            .extend(replies);
    }

    /// Carries out the next request that contains `word` at once, and answers it late.
    pub(super) fn delay(&self, word: &str, by: Duration) {
        let mut state = self.state.lock().unwrap();
        state.late.insert(word.to_owned(), by);
    }

    pub(super) fn status(&self, payment: &str) -> String {
        self.find(payment)["status"].as_str().unwrap().to_owned()
    }

    /// How much of a payment has gone back, in cents.
    pub(super) fn refunded(&self, payment: &str) -> i64 {
        cents(&self.find(payment)[REFUNDED])
    }

    /// Makes later refunds be answered without being made, or be made again.
    pub(super) fn idles(&self, is_idle: bool) {
        self.state.lock().unwrap().is_idle = is_idle;
    }

    fn find(&self, payment: &str) -> Value {
        let state = self.state.lock().unwrap();
        let payment = state
            .payments
            .values()
            .flatten()
            .find(|it| it["id"] == *payment);
        payment.expect("the payment").clone()
    }

    pub(super) fn received(&self, word: &str) -> Vec<Received> {
        self.outside
            .received()
            .into_iter()
            .filter(|it| says(it, word))
            .collect()
    }
}

const REFUNDED: &str = "transaction_amount_refunded";

fn cents(amount: &Value) -> i64 {
    let amount = match amount {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_f64().unwrap_or_default(),
    };
    (amount * 100.0).round() as i64
}

/// Sends an amount of a payment back, or all that is left of it, once per key.
fn refund(state: &mut State, key: String, payment: &str, amount: Option<&Value>) -> Reply {
    if state.is_idle || state.refunds.contains(&key) {
        return Reply::json(201, &json!({ "status": "approved" }));
    }
    let mut all = state.payments.values_mut().flatten();
    let Some(payment) = all.find(|it| it["id"] == *payment) else {
        return Reply::status(404);
    };
    let total = cents(&payment["transaction_amount"]);
    let gone = cents(&payment[REFUNDED]);
    let wanted = amount.map_or(total - gone, cents);
    if wanted > total - gone {
        return Reply::json(
            400,
            &json!({ "message": "amount exceeds what can be refunded" }),
        );
    }
    payment[REFUNDED] = json!((gone + wanted) as f64 / 100.0);
    if gone + wanted == total {
        payment["status"] = json!("refunded");
    }
    state.refunds.insert(key);
    Reply::json(201, &json!({ "status": "approved" }))
}

fn says(request: &Received, word: &str) -> bool {
    request.path.contains(word) || String::from_utf8_lossy(&request.body).contains(word)
}

/// A payment as it stands in an order, where everything has another name.
fn in_order(payment: &Value) -> Value {
    let status = match payment["status"].as_str().unwrap() {
        "pending" => "action_required",
        "in_process" => "processing",
        "approved" => "processed",
        "rejected" => "failed",
        other => other,
    };
    let amount = format!("{:.2}", payment["transaction_amount"].as_f64().unwrap());
    json!({ "id": payment["id"], "status": status, "amount": amount })
}

/// An order, under either spelling of its id, without the currency that real ones leave out too.
fn order(state: &State, id: &str) -> Option<Value> {
    let reference = state.orders.get(&id.to_uppercase())?;
    let payments = state.payments.get(reference);
    let payments: Vec<_> = payments.into_iter().flatten().collect();
    let refunds = payments.iter().filter(|it| cents(&it[REFUNDED]) > 0);
    let refunds: Vec<_> = refunds
        .map(|it| {
            let amount = format!("{:.2}", it[REFUNDED].as_f64().unwrap());
            json!({ "id": "REF", "transaction_id": it["id"], "amount": amount, "status": "processed" })
        })
        .collect();
    let payments: Vec<_> = payments.into_iter().map(in_order).collect();
    Some(json!({
        "id": id.to_uppercase(), "external_reference": reference, "country_code": "BRA",
        "last_updated_date": moment(), "transactions": { "payments": payments, "refunds": refunds },
    }))
}

fn answer(state: &mut State, request: &Received) -> Reply {
    if let Some(key) = request.headers.get("x-idempotency-key") {
        let key = key.to_str().unwrap().to_owned();
        let body = request.body.to_vec();
        if *state.bodies.entry(key).or_insert_with(|| body.clone()) != body {
            let error = json!({ "errors": [{ "code": "idempotency_key_already_used" }] });
            return Reply::json(409, &error);
        }
    }
    let instead = state
        .instead
        .iter_mut()
        .find(|(word, left)| !left.is_empty() && says(request, word));
    if let Some(reply) = instead.and_then(|(_, replies)| replies.pop_front()) {
        return reply;
    }
    let late = state.late.keys().find(|it| says(request, it)).cloned();
    let late = late.and_then(|it| state.late.remove(&it));
    carry_out(state, request).after(late.unwrap_or_default())
}

fn key_of(request: &Received) -> String {
    let key = request.headers.get("x-idempotency-key").unwrap();
    key.to_str().unwrap().to_owned()
}

fn carry_out(state: &mut State, request: &Received) -> Reply {
    let path = request.path.split('?').next().unwrap();
    let steps: Vec<_> = path.trim_matches('/').split('/').collect();
    let find = |state: &State, id: &str| {
        state
            .payments
            .values()
            .flatten()
            .find(|it| it["id"] == *id)
            .cloned()
    };
    match (request.method.as_str(), steps.as_slice()) {
        ("POST", ["checkout", "preferences"]) => {
            let reference = request.json()["external_reference"].clone();
            let id = format!("pref-{}", reference.as_str().unwrap());
            Reply::json(
                201,
                &json!({ "id": id, "init_point": format!("https://psp.test/{id}") }),
            )
        }
        ("POST", ["v1", "orders"]) => {
            let reference = request.json()["external_reference"].clone();
            let reference = reference.as_str().unwrap().to_owned();
            let id = format!("ORD{}", reference.replace('-', "").to_uppercase());
            let qr_data = format!("https://psp.test/{id}");
            state.orders.insert(id.clone(), reference);
            Reply::json(
                201,
                &json!({ "id": id, "type_response": { "qr_data": qr_data } }),
            )
        }
        ("GET", ["v1", "orders", id]) => match order(state, id) {
            Some(order) => Reply::json(200, &order),
            None => Reply::status(404),
        },
        ("POST", ["v1", "orders", id, "refund"]) => match order(state, id) {
            Some(_) if request.json()["transactions"][0].is_object() => {
                let part = request.json()["transactions"][0].clone();
                let payment = part["id"].as_str().unwrap();
                refund(state, key_of(request), payment, Some(&part["amount"]))
            }
            Some(order) => {
                let reference = order["external_reference"].as_str().unwrap();
                for payment in state.payments.get_mut(reference).into_iter().flatten() {
                    payment["status"] = json!("refunded");
                }
                Reply::json(201, &order)
            }
            None => Reply::status(404),
        },
        ("GET", ["v1", "payments", "search"]) => {
            let reference = request.path.split_once("external_reference=").unwrap().1;
            let reference = reference.split('&').next().unwrap();
            let all = state.payments.values().flatten();
            let mut found: Vec<_> = all
                .filter(|it| it["external_reference"] == *reference)
                .collect();
            if request.path.contains("criteria=desc") {
                found.reverse();
            }
            let limit = request.path.split_once("limit=").unwrap().1;
            found.truncate(limit.parse().unwrap());
            Reply::json(200, &json!({ "results": found }))
        }
        ("GET", ["v1", "payments", id]) => match find(state, id) {
            Some(payment) => Reply::json(200, &payment),
            None => Reply::status(404),
        },
        ("POST", ["v1", "payments", id, "refunds"]) => {
            let body = request.json();
            refund(state, key_of(request), id, body.get("amount"))
        }
        _ => Reply::status(404),
    }
}
