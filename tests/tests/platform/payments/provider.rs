//! A payment provider that lies, loses, repeats, delays and comes too late: the money ends where a
//! clean run would have put it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;
use wharf_tests::{
    Answer, Options, Outside, Received, Reply, Stack, User, at_once, eventually, unique,
};

use super::{assert_sound, balance};

const SECRET: &str = "signed-by-the-provider";
/// A sweep comes every few seconds and visits what is due.
const SOON: Duration = Duration::from_secs(60);

/// The provider, as the test makes it.
struct Provider {
    outside: Outside,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By their `external_reference`.
    payments: BTreeMap<String, Vec<Value>>,
    /// What comes instead of an answer, for requests in which this word stands.
    instead: HashMap<String, VecDeque<Reply>>,
}

impl Provider {
    fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let behind = Arc::clone(&state);
        let outside = Outside::start(move |request| answer(&mut behind.lock().unwrap(), request));
        Self { outside, state }
    }

    /// Somebody pays, or tries to; answers the payment's id.
    fn pays(&self, reference: &str, amount: &Value, status: &str) -> String {
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

    /// The provider holds something else now.
    fn changes(&self, payment: &str, field: &str, value: Value) {
        let mut state = self.state.lock().unwrap();
        let all = state.payments.values_mut().flatten();
        all.into_iter()
            .find(|it| it["id"] == *payment)
            .expect("the payment")[field] = value;
    }

    /// These come instead of the next answers to requests in which `word` stands.
    fn instead(&self, word: &str, replies: impl IntoIterator<Item = Reply>) {
        let mut state = self.state.lock().unwrap();
        state
            .instead
            .entry(word.to_owned())
            .or_default()
            .extend(replies);
    }

    fn status(&self, payment: &str) -> String {
        let state = self.state.lock().unwrap();
        let payment = state
            .payments
            .values()
            .flatten()
            .find(|it| it["id"] == *payment);
        payment.expect("the payment")["status"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn received(&self, word: &str) -> Vec<Received> {
        self.outside
            .received()
            .into_iter()
            .filter(|it| says(it, word))
            .collect()
    }
}

fn says(request: &Received, word: &str) -> bool {
    request.path.contains(word) || String::from_utf8_lossy(&request.body).contains(word)
}

fn answer(state: &mut State, request: &Received) -> Reply {
    let instead = state
        .instead
        .iter_mut()
        .find(|(word, left)| !left.is_empty() && says(request, word));
    if let Some(reply) = instead.and_then(|(_, replies)| replies.pop_front()) {
        return reply;
    }
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
        ("GET", ["v1", "payments", "search"]) => {
            let reference = request.path.split_once("external_reference=").unwrap().1;
            let reference = reference.split('&').next().unwrap();
            let found = state.payments.get(reference).cloned().unwrap_or_default();
            Reply::json(200, &json!({ "results": found }))
        }
        ("GET", ["v1", "payments", id]) => match find(state, id) {
            Some(payment) => Reply::json(200, &payment),
            None => Reply::status(404),
        },
        ("POST", ["v1", "payments", id, "refunds"]) => {
            let all = state.payments.values_mut().flatten();
            match all.into_iter().find(|it| it["id"] == **id) {
                Some(payment) => {
                    payment["status"] = json!("refunded");
                    Reply::json(201, &json!({ "status": "approved" }))
                }
                None => Reply::status(404),
            }
        }
        _ => Reply::status(404),
    }
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// Now, as the provider writes it.
fn moment() -> String {
    let days = now_s() / 86_400;
    // Civil from days: the tests need no more of a calendar than this.
    let z = i64::try_from(days).unwrap() + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (
        doy - (153 * mp + 2) / 5 + 1,
        if mp < 10 { mp + 3 } else { mp - 9 },
    );
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (h, m, s) = (now_s() / 3600 % 24, now_s() / 60 % 60, now_s() % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.000+00:00")
}

/// The platform with this provider, and without the sandbox's free money.
struct Scene {
    stack: Stack,
    provider: Provider,
}

impl Scene {
    fn shared() -> &'static Self {
        static SCENE: OnceLock<Scene> = OnceLock::new();
        SCENE.get_or_init(|| {
            let provider = Provider::start();
            let stack = Options::default()
                .variable("psp_url", &provider.outside.url())
                .variable("psp_path", "")
                .variable("psp_webhook_secret", SECRET)
                .variable("sandbox", "false")
                .start();
            Self { stack, provider }
        })
    }

    fn user(&self) -> User {
        User::driver(&self.stack)
    }

    /// Asks for 25.00 under a title of its own; answers the payment.
    fn open(&self, user: &User) -> Payment {
        let title = unique("lunch");
        self.open_titled(user, &title)
    }

    fn open_titled(&self, user: &User, title: &str) -> Payment {
        let body = json!({
            "order_id": unique("order"), "amount": 25, "customer_id": 7, "description": title,
        });
        let payment = user
            .post("/payments/")
            .json(&body)
            .send()
            .expect(200)
            .json();
        let id = payment["payment_id"].as_str().unwrap().to_owned();
        Payment {
            id,
            opened: payment,
        }
    }

    fn status(&self, payment: &Payment) -> String {
        let path = format!("/payments/{}", payment.id);
        let shown = User::admin(&self.stack)
            .get(&path)
            .send()
            .expect(200)
            .json();
        shown["status"].as_str().unwrap().to_owned()
    }

    fn patch(&self, payment: &Payment, status: &str) -> Answer {
        let path = format!("/payments/{}?new_status={status}", payment.id);
        User::admin(&self.stack).request("PATCH", &path).send()
    }

    /// What is booked of it, and in how many transfers.
    fn booked(&self, payment: &Payment) -> (i64, i64) {
        let id: Uuid = payment.id.parse().unwrap();
        let sum = "SELECT coalesce(sum(CASE WHEN kind = 'refund' THEN -amount ELSE amount END), 0)::bigint, count(*)
            FROM payments.transfer WHERE id = $1 OR refund_of = $1";
        let row = self.stack.sql().query_one(sum, &[&id]).unwrap();
        (row.get(0), row.get(1))
    }

    /// A webhook as the provider signs it.
    fn webhook(&self, id: &str) -> Answer {
        self.webhook_signed(id, SECRET, now_s())
    }

    fn webhook_signed(&self, id: &str, secret: &str, ts: u64) -> Answer {
        let request_id = Uuid::new_v4().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("id:{id};request-id:{request_id};ts:{ts};").as_bytes());
        let v1: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|it| format!("{it:02x}"))
            .collect();
        // What the body says is not what the provider holds.
        let body =
            json!({ "type": "payment", "data": { "id": id }, "status": "approved", "amount": 1e9 });
        self.stack
            .post(&format!("/payments/webhook?data.id={id}&type=payment"))
            .header("x-signature", &format!("ts={ts},v1={v1}"))
            .header("x-request-id", &request_id)
            .json(&body)
            .send()
    }

    /// As if half an hour had passed.
    fn run_out(&self, payment: &Payment) {
        let id: Uuid = payment.id.parse().unwrap();
        let past = "UPDATE payments.checkout SET expires_at = now() - interval '2 seconds', visit_at = now()
            WHERE id = $1";
        self.stack.sql().execute(past, &[&id]).unwrap();
    }

    /// The sweep's turn comes at once.
    fn hurry(&self, payment: &Payment) {
        let id: Uuid = payment.id.parse().unwrap();
        let now = "UPDATE payments.checkout SET visit_at = now() WHERE id = $1";
        self.stack.sql().execute(now, &[&id]).unwrap();
    }
}

struct Payment {
    id: String,
    opened: Value,
}

#[test]
fn a_webhook_that_got_lost_costs_time_and_nothing_else() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    assert_eq!(payment.opened["status"], "pending");
    scene.provider.pays(&payment.id, &json!(25), "approved");
    eventually("the sweep finds the payment", SOON, || {
        scene.status(&payment) == "approved"
    });
    assert_eq!(scene.booked(&payment), (2500, 1));
}

#[test]
fn repeated_webhooks_book_once() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    let id = scene.provider.pays(&payment.id, &json!(25), "approved");
    let answers = at_once(16, |_| scene.webhook(&id));
    for answer in answers {
        let answer = answer.expect(200).json();
        assert_eq!(
            (&answer["payment_id"], &answer["status"]),
            (&json!(payment.id), &json!("approved"))
        );
    }
    assert_eq!(scene.booked(&payment), (2500, 1));
}

#[test]
fn what_a_webhook_says_is_not_believed() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    let id = scene.provider.pays(&payment.id, &json!(25), "pending");
    scene.webhook(&id).expect(200);
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("pending", (0, 0))
    );
    for (status, shown) in [
        ("in_process", "in_process"),
        ("rejected", "rejected"),
        ("in_process", "in_process"),
    ] {
        scene.provider.changes(&id, "status", json!(status));
        scene.webhook(&id).expect(200);
        assert_eq!(scene.status(&payment), shown);
    }
    scene.provider.changes(&id, "status", json!("approved"));
    scene.webhook(&id).expect(200);
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("approved", (2500, 1))
    );
}

#[test]
fn a_forged_a_recorded_and_a_foreign_webhook_change_nothing() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    let id = scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.webhook_signed(&id, "a guess", now_s()).expect(401);
    scene.webhook_signed(&id, SECRET, now_s() - 301).expect(401);
    let unsigned = json!({ "type": "payment", "data": { "id": id } });
    scene
        .stack
        .post("/payments/webhook")
        .json(&unsigned)
        .send()
        .expect(401);
    scene
        .stack
        .post("/payments/webhook")
        .json(&json!({}))
        .send()
        .expect(400);
    // Signed, and about nothing of ours.
    let unknown = scene.webhook("123456").expect(200).json();
    assert_eq!(unknown["status"], "ignored");
    let foreign = scene
        .provider
        .pays(&Uuid::new_v4().to_string(), &json!(25), "approved");
    assert_eq!(
        scene.webhook(&foreign).expect(200).json()["status"],
        "ignored"
    );
    let booked = "SELECT count(*) FROM payments.transfer WHERE reference = $1";
    let order = payment.opened["order_id"].as_str().unwrap();
    // The sweep may have found the genuine payment by now; the forgeries made none of their own.
    assert!(
        scene
            .stack
            .sql()
            .query_one(booked, &[&order])
            .unwrap()
            .get::<_, i64>(0)
            <= 1
    );
}

#[test]
fn another_amount_or_currency_than_was_asked_for_is_not_booked() {
    let scene = Scene::shared();
    for (field, wrong, right) in [
        ("transaction_amount", json!(24.99), json!(25)),
        ("transaction_amount", json!(2500), json!(25)),
        ("currency_id", json!("ARS"), json!("BRL")),
    ] {
        let payment = scene.open(&scene.user());
        let id = scene.provider.pays(&payment.id, &json!(25), "pending");
        scene.provider.changes(&id, field, wrong.clone());
        scene.provider.changes(&id, "status", json!("approved"));
        scene.webhook(&id).expect(200);
        assert_eq!(
            (scene.status(&payment).as_str(), scene.booked(&payment)),
            ("pending", (0, 0)),
            "{wrong}"
        );
        let attempts = format!("/payments/{}/attempts", payment.id);
        let attempts = User::admin(&scene.stack)
            .get(&attempts)
            .send()
            .expect(200)
            .json();
        assert_eq!(
            (&attempts[0]["id"], &attempts[0]["verdict"]),
            (&json!(id), &json!("disputed"))
        );
        // The provider was wrong about itself and says so.
        scene.provider.changes(&id, field, right);
        scene.webhook(&id).expect(200);
        assert_eq!(
            (scene.status(&payment).as_str(), scene.booked(&payment)),
            ("approved", (2500, 1))
        );
    }
}

#[test]
fn what_is_paid_after_the_end_goes_back() {
    let scene = Scene::shared();
    let expired = scene.open(&scene.user());
    scene.run_out(&expired);
    eventually("its time is over", SOON, || {
        scene.status(&expired) == "expired"
    });
    let cancelled = scene.open(&scene.user());
    scene.patch(&cancelled, "cancelled").expect(200);
    for payment in [&expired, &cancelled] {
        let before = scene.status(payment);
        let id = scene.provider.pays(&payment.id, &json!(25), "approved");
        scene.webhook(&id).expect(200);
        assert_eq!(scene.provider.status(&id), "refunded");
        assert_eq!(
            (scene.status(payment), scene.booked(payment)),
            (before, (0, 0))
        );
    }
}

#[test]
fn what_is_paid_twice_goes_back_once() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    let ids: Vec<_> = (0..3)
        .map(|_| scene.provider.pays(&payment.id, &json!(25), "approved"))
        .collect();
    at_once(12, |number| scene.webhook(&ids[number % 3]).expect(200));
    eventually("the others are sent back", SOON, || {
        scene.hurry(&payment);
        ids.iter()
            .filter(|it| scene.provider.status(it) == "refunded")
            .count()
            == 2
    });
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("approved", (2500, 1))
    );
}

#[test]
fn a_provider_that_is_down_is_seen_and_asked_again() {
    let scene = Scene::shared();
    let (user, title) = (scene.user(), unique("down"));
    scene
        .provider
        .instead(&title, (0..5).map(|_| Reply::status(503)));
    let payment = scene.open_titled(&user, &title);
    assert_eq!(payment.opened["status"], "payment_service_unavailable");
    assert_eq!(payment.opened["payment_link"], Value::Null);
    assert_eq!(
        scene.provider.received(&title).len(),
        3,
        "asked a bounded number of times"
    );
    scene.hurry(&payment);
    eventually("it is open at last", SOON, || {
        scene.status(&payment) == "pending"
    });
    let shown = user
        .get(&format!("/payments/{}", payment.id))
        .send()
        .expect(200)
        .json();
    assert!(shown["payment_link"].is_string() && shown["qr_code"].is_string());
    // Whether an answer got lost on the way, the provider can tell a copy by its key.
    let keys: Vec<_> = scene
        .provider
        .received(&title)
        .iter()
        .map(|it| it.headers["x-idempotency-key"].to_str().unwrap().to_owned())
        .collect();
    assert!(keys.iter().all(|it| *it == payment.id), "{keys:?}");
}

#[test]
fn a_provider_that_is_slow_or_silent_does_not_hold_the_customer() {
    let scene = Scene::shared();
    let user = scene.user();
    let slow = unique("slow");
    scene.provider.instead(
        &slow,
        (0..3).map(|_| Reply::status(500).after(Duration::from_secs(20))),
    );
    let body = json!({ "order_id": "1", "amount": 25, "customer_id": 7, "description": slow });
    let answer = user.post("/payments/").json(&body).send().expect(200);
    assert!(
        answer.took() < Duration::from_secs(10),
        "{:?}",
        answer.took()
    );
    assert_eq!(answer.json()["status"], "payment_service_unavailable");
    let lost = unique("lost");
    scene.provider.instead(&lost, [Reply::lost()]);
    assert_eq!(scene.open_titled(&user, &lost).opened["status"], "pending");
}

#[test]
fn a_refund_that_the_provider_did_not_hear_is_told_again() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    let id = scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.webhook(&id).expect(200);
    scene
        .provider
        .instead(&format!("{id}/refunds"), (0..4).map(|_| Reply::status(503)));
    scene.patch(&payment, "refunded").expect(200);
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("refunded", (0, 2))
    );
    assert_eq!(scene.provider.status(&id), "approved");
    eventually("the provider hears of it", SOON, || {
        scene.hurry(&payment);
        scene.provider.status(&id) == "refunded"
    });
}

#[test]
fn a_refund_made_at_the_provider_is_booked_here() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    let id = scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.webhook(&id).expect(200);
    scene.provider.changes(&id, "status", json!("charged_back"));
    at_once(4, |_| scene.webhook(&id).expect(200));
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("refunded", (0, 2))
    );
    assert_sound(&scene.stack);
}

#[test]
fn outside_a_sandbox_a_deposit_is_paid_for() {
    let scene = Scene::shared();
    let user = scene.user();
    let name = unique("account");
    let mut body = json!({ "paymentAccountId": name, "paymentAccountType": "DEBIT", "balance": 1 });
    user.post("/payments/accounts")
        .json(&body)
        .send()
        .expect(403);
    body["balance"] = json!(0);
    user.post("/payments/accounts")
        .json(&body)
        .send()
        .expect(200);
    let body = json!({ "paymentAccountId": name, "amount": 12.5 });
    let row = user
        .post("/payments/deposit")
        .json(&body)
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&row["status"], &row["amount"]),
        (&json!("PENDING"), &json!(12.5))
    );
    assert!(row["payment_link"].is_string(), "{row}");
    assert_eq!(balance(&user, &name), json!(0));

    let id = scene.provider.pays(
        row["payment_id"].as_str().unwrap(),
        &json!(12.5),
        "approved",
    );
    scene.provider.changes(&id, "currency_id", json!("USD"));
    scene.webhook(&id).expect(200);
    assert_eq!(balance(&user, &name), json!(12.5));
    let histories = user.get("/payments/histories").send().expect(200).json();
    assert_eq!(
        (&histories[0]["amount"], &histories[0]["status"]),
        (&json!(12.5), &json!("COMPLETED"))
    );
    // No sandbox, no page to approve on.
    scene.stack.get("/sandbox-psp/pay/1").send().expect(404);
}

/// Everything at once, in an order that the dice decide; then one clean look by the sweep.
#[test]
fn chaos_ends_in_the_same_books_as_a_clean_run() {
    const PAYMENTS: usize = 24;
    let scene = Scene::shared();
    let user = scene.user();
    let outcomes = at_once(PAYMENTS, |number| {
        let title = unique("chaos");
        if number % 5 == 0 {
            scene
                .provider
                .instead(&title, [Reply::lost(), Reply::status(502)]);
        }
        let payment = scene.open_titled(&user, &title);
        let is_paid = number % 3 != 0;
        let id = scene.provider.pays(&payment.id, &json!(25), "pending");
        scene.webhook_signed(&id, "a guess", now_s());
        if number % 2 == 0 {
            scene.webhook(&id);
        }
        if number % 4 == 0 {
            scene.provider.instead(
                &format!("/v1/payments/{id}"),
                [Reply::lost(), Reply::status(500)],
            );
        }
        let last = if is_paid { "approved" } else { "rejected" };
        scene.provider.changes(&id, "status", json!(last));
        // Some are told several times, some never.
        for _ in 0..number % 4 {
            scene.webhook(&id);
        }
        scene.hurry(&payment);
        (payment, last)
    });
    for (payment, last) in &outcomes {
        eventually("everything is as the provider holds it", SOON, || {
            scene.status(payment) == *last
        });
        let booked = if *last == "approved" {
            (2500, 1)
        } else {
            (0, 0)
        };
        assert_eq!(scene.booked(payment), booked);
    }
    assert_sound(&scene.stack);
}
