//! The platform with a provider that can be told to lie.

use std::sync::OnceLock;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;
use wharf_tests::{Answer, Options, Request, Stack, User, now_s, unique};

use super::fake::Provider;

pub(super) const SECRET: &str = "signed-by-the-provider";
/// A sweep comes every few seconds and visits due checkouts.
pub(super) const SOON: Duration = Duration::from_secs(60);

/// The present time in the provider's format.
pub(super) fn moment() -> String {
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
pub(super) struct Scene {
    pub(super) stack: Stack,
    pub(super) provider: Provider,
}

impl Scene {
    pub(super) fn shared() -> &'static Self {
        static SCENE: OnceLock<Scene> = OnceLock::new();
        SCENE.get_or_init(Self::start_with_asker)
    }

    /// A platform of its own, with a function that calls payments as others do.
    pub(super) fn start_with_asker() -> Self {
        let asker = include_str!("../../../../asker/spin.toml.part");
        Self::run(Options::default().manifest(asker))
    }

    /// A platform of its own, whose provider the test may break.
    pub(super) fn start() -> Self {
        Self::run(Options::default())
    }

    pub(super) fn run(options: Options) -> Self {
        let provider = Provider::start();
        let stack = options
            .variable("psp_url", &provider.outside.url())
            .variable("psp_path", "")
            .variable("psp_webhook_secret", SECRET)
            .variable("sandbox", "false")
            .start();
        Self { stack, provider }
    }

    pub(super) fn user(&self) -> User {
        User::driver(&self.stack)
    }

    /// Asks for 25.00 under a title of its own; answers the payment.
    pub(super) fn open(&self, user: &User) -> Payment {
        let title = unique("lunch");
        self.open_titled(user, &title)
    }

    /// Opens a payment and pays it; answers it and its attempt at the provider.
    pub(super) fn paid(&self) -> (Payment, String) {
        let payment = self.open(&self.user());
        let attempt = self.provider.pays(&payment.id, &json!(25), "approved");
        self.webhook(&attempt).expect(200);
        (payment, attempt)
    }

    pub(super) fn open_titled(&self, user: &User, title: &str) -> Payment {
        self.open_by(user, title, "link")
    }

    pub(super) fn open_by(&self, user: &User, title: &str, method: &str) -> Payment {
        let body = json!({
            "order_id": unique("order"), "amount": 25, "customer_id": 7, "description": title,
            "method": method,
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

    pub(super) fn status(&self, payment: &Payment) -> String {
        let path = format!("/payments/{}", payment.id);
        let shown = User::admin(&self.stack)
            .get(&path)
            .send()
            .expect(200)
            .json();
        shown["status"].as_str().unwrap().to_owned()
    }

    pub(super) fn patch(&self, payment: &Payment, status: &str) -> Answer {
        let path = format!(
            "/payments/{}?new_status={status}&reason=by+phone",
            payment.id
        );
        User::admin(&self.stack).request("PATCH", &path).send()
    }

    /// The booked sum of a payment, and the number of its transfers.
    pub(super) fn booked(&self, payment: &Payment) -> (i64, i64) {
        let id: Uuid = payment.id.parse().unwrap();
        let sum = "SELECT coalesce(sum(CASE WHEN kind = 'refund' THEN -amount ELSE amount END), 0)::bigint, count(*)
            FROM payments.transfer WHERE id = $1 OR refund_of = $1";
        let row = self.stack.sql().query_one(sum, &[&id]).unwrap();
        (row.get(0), row.get(1))
    }

    /// A webhook as the provider signs it.
    pub(super) fn webhook(&self, id: &str) -> Answer {
        self.webhook_signed(id, SECRET, now_s())
    }

    pub(super) fn webhook_signed(&self, id: &str, secret: &str, ts: u64) -> Answer {
        self.webhook_about("payment", id, id, secret, ts).send()
    }

    pub(super) fn webhook_request(&self, id: &str) -> Request {
        self.webhook_about("payment", id, id, SECRET, now_s())
    }

    /// About an order, whose id is signed in this spelling.
    pub(super) fn order_webhook(&self, id: &str, signed: &str) -> Answer {
        self.webhook_about("order", id, signed, SECRET, now_s())
            .send()
    }

    pub(super) fn webhook_about(
        &self,
        kind: &str,
        id: &str,
        signed: &str,
        secret: &str,
        ts: u64,
    ) -> Request {
        let request_id = Uuid::new_v4().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("id:{signed};request-id:{request_id};ts:{ts};").as_bytes());
        let v1: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|it| format!("{it:02x}"))
            .collect();
        // The body contradicts the provider's state.
        let body =
            json!({ "type": kind, "data": { "id": id }, "status": "approved", "amount": 1e9 });
        self.stack
            .post(&format!("/payments/webhook?data.id={id}&type={kind}"))
            .header("x-signature", &format!("ts={ts},v1={v1}"))
            .header("x-request-id", &request_id)
            .json(&body)
    }

    /// Moves the payment half an hour into the past.
    pub(super) fn run_out(&self, payment: &Payment) {
        let id: Uuid = payment.id.parse().unwrap();
        let past = "UPDATE payments.checkout SET expires_at = now() - interval '2 seconds', visit_at = now()
            WHERE id = $1";
        self.stack.sql().execute(past, &[&id]).unwrap();
    }

    /// Keeps the sweep from visiting the payment in this test.
    pub(super) fn leave_alone(&self, payment: &Payment) {
        let id: Uuid = payment.id.parse().unwrap();
        let later =
            "UPDATE payments.checkout SET visit_at = now() + interval '1 hour' WHERE id = $1";
        self.stack.sql().execute(later, &[&id]).unwrap();
    }

    pub(super) fn attempts(&self, payment: &Payment) -> Value {
        let path = format!("/payments/{}/attempts", payment.id);
        User::admin(&self.stack)
            .get(&path)
            .send()
            .expect(200)
            .json()
    }

    pub(super) fn send_back(&self, by: &User, payment: &Payment, attempt: &str) -> Answer {
        let path = format!(
            "/payments/{}/attempts/{attempt}/return?reason=by+phone",
            payment.id
        );
        by.post(&path).send()
    }

    /// Makes the payment due for the sweep at once.
    pub(super) fn hurry(&self, payment: &Payment) {
        let id: Uuid = payment.id.parse().unwrap();
        let now = "UPDATE payments.checkout SET visit_at = now() WHERE id = $1";
        self.stack.sql().execute(now, &[&id]).unwrap();
    }
}

pub(super) struct Payment {
    pub(super) id: String,
    pub(super) opened: Value,
}
