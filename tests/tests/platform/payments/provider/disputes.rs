//! Settled payments: they are watched for disputes, and keep no payer waiting.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Reply, User, at_once, eventually};

use super::super::assert_sound;
use super::parts::{assert_ok, refund_part, waiting};
use super::scene::{Payment, SOON, Scene};

/// Pays 25.00 into the wallet without a webhook; answers the payment and its attempt at the provider.
fn pay_in(scene: &Scene, user: &User) -> (String, String) {
    let body = json!({ "amount": 2500, "currency": "BRL" });
    let asked = user.post("/payment/deposit").json(&body).send();
    let asked = asked.expect(201).json();
    let payment = asked["payment_id"].as_str().unwrap().to_owned();
    let attempt = scene.provider.pays(&payment, &json!(25), "approved");
    (payment, attempt)
}

fn total(user: &User) -> i64 {
    let balance = user.get("/payment/balance?currency=BRL").send();
    balance.expect(200).json()["total"].as_i64().unwrap()
}

#[test]
fn every_won_dispute_about_a_payment_is_credited_again() {
    let scene = Scene::shared();
    let user = scene.user();
    let (payment, id) = pay_in(scene, &user);
    let becomes = |status: &str, detail: &str| {
        scene.provider.changes(&id, "status", json!(status));
        scene.provider.changes(&id, "status_detail", json!(detail));
        for answer in at_once(4, |_| scene.webhook(&id)) {
            answer.expect(200);
        }
        total(&user)
    };
    assert_eq!(becomes("approved", "accredited"), 2500);
    for _ in 0..2 {
        assert_eq!(becomes("charged_back", "in_process"), 0);
        assert_eq!(becomes("charged_back", "reimbursed"), 2500);
    }
    let path = format!("/payments/{payment}");
    let shown = user.get(&path).send().expect(200).json();
    assert_eq!(shown["status"], "approved");
    let admin = User::admin(&scene.stack);
    let attempts = admin.get(&format!("{path}/attempts")).send();
    let attempts = attempts.expect(200).json();
    assert_eq!(
        (&attempts[0]["detail"], &attempts[0]["verdict"]),
        (&json!("reimbursed"), &json!("accepted"))
    );
    assert_sound(&scene.stack);
}

/// The payer's bank takes the whole payment before the provider has heard of the part, so the payer has the part with it.
#[test]
fn a_part_overtaken_by_a_chargeback_is_sent_only_after_a_won_dispute() {
    let scene = Scene::shared();
    let user = scene.user();
    let (id, attempt) = pay_in(scene, &user);
    scene.webhook(&attempt).expect(200);
    let payment = Payment {
        id,
        opened: Value::Null,
    };
    let path = format!("{attempt}/refunds");
    let away = (0..3).map(|_| Reply::status(503));
    scene.provider.instead(&path, away);
    scene.leave_alone(&payment);
    let answer = refund_part(scene, &payment, Uuid::new_v4(), 1_000);
    assert_ok(&answer, "Approved");
    scene.leave_alone(&payment);
    let becomes = |detail: &str| {
        let (status, detail) = (json!("charged_back"), json!(detail));
        scene.provider.changes(&attempt, "status", status);
        scene.provider.changes(&attempt, "status_detail", detail);
        for answer in at_once(4, |_| scene.webhook(&attempt)) {
            answer.expect(200);
        }
        total(&user)
    };
    let is_waiting = || !waiting(scene, &payment).is_empty();
    assert_eq!((total(&user), is_waiting()), (1_500, true));
    for gone in [0, 1_000] {
        assert_eq!((becomes("in_process"), is_waiting()), (0, false));
        assert_eq!(scene.provider.refunded(&attempt), gone);
        assert_eq!(becomes("reimbursed"), 1_500);
        eventually("the part has gone", SOON, || {
            scene.hurry(&payment);
            scene.provider.refunded(&attempt) == 1_000 && !is_waiting()
        });
        assert_eq!(total(&user), 1_500);
    }
    assert_sound(&scene.stack);
}

#[test]
fn a_refund_overtaken_by_a_chargeback_is_sent_after_a_won_dispute() {
    let scene = Scene::shared();
    let (payment, attempt) = scene.paid();
    let away = (0..3).map(|_| Reply::status(503));
    scene.provider.instead(&format!("{attempt}/refunds"), away);
    scene.patch(&payment, "refunded").expect(200);
    scene.leave_alone(&payment);
    assert_eq!(scene.provider.status(&attempt), "approved");
    let becomes = |detail: &str| {
        let (status, detail) = (json!("charged_back"), json!(detail));
        scene.provider.changes(&attempt, "status", status);
        scene.provider.changes(&attempt, "status_detail", detail);
        scene.webhook(&attempt).expect(200);
    };
    becomes("in_process");
    assert_eq!(scene.attempts(&payment)[0]["verdict"], "returned");
    assert_eq!(scene.provider.refunded(&attempt), 0);
    becomes("reimbursed");
    eventually("it has gone", SOON, || {
        scene.hurry(&payment);
        scene.attempts(&payment)[0]["verdict"] == "returned"
    });
    assert_eq!(scene.provider.refunded(&attempt), 2_500);
    assert_eq!(scene.booked(&payment), (0, 2));
    assert_sound(&scene.stack);
}

/// The provider is asked before it takes the money back, and its answer arrives after another webhook has booked that.
#[test]
fn a_late_answer_from_before_a_chargeback_is_not_a_won_dispute() {
    let scene = Scene::shared();
    let user = scene.user();
    let (payment, id) = pay_in(scene, &user);
    scene.webhook(&id).expect(200);
    let path = format!("/v1/payments/{id}");
    let asked = || scene.provider.received(&path).len();
    let before = asked();
    scene.provider.delay(&path, Duration::from_millis(1500));
    thread::scope(|threads| {
        let late = threads.spawn(|| scene.webhook(&id));
        eventually("the provider is asked", SOON, || asked() > before);
        let taken = json!("charged_back");
        scene.provider.changes(&id, "status", taken);
        scene.webhook(&id).expect(200);
        assert_eq!(total(&user), 0);
        late.join().unwrap().expect(200);
    });
    assert_eq!(total(&user), 0);
    let path = format!("/payments/{payment}");
    let shown = user.get(&path).send().expect(200).json();
    assert_eq!(shown["status"], "refunded");
    assert_sound(&scene.stack);
}

#[test]
fn settled_payments_keep_no_payer_waiting() {
    let scene = Scene::start();
    let mut sql = scene.stack.sql();
    sql.batch_execute("SET search_path = payments").unwrap();
    let settled = "INSERT INTO checkout (id, opener, reference, customer, owner, amount, currency, description, method,
            credit, status, psp_id, expires_at, visit_at, is_aftercare)
        SELECT gen_random_uuid(), 'payments', 'old', 'old', gen_random_uuid(), 100, 'BRL', 'old', 'link',
            house_account('sales', 'BRL'), 'approved', 'old', now(), now() - interval '1 day', true
        FROM generate_series(1, 5000)";
    sql.execute(settled, &[]).unwrap();
    let payment = scene.open(&scene.user());
    scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.hurry(&payment);
    eventually("the sweep finds the payment", SOON, || {
        scene.status(&payment) == "approved"
    });
    let waiting = "SELECT count(*) FROM checkout WHERE is_aftercare AND visit_at <= now()";
    let waiting: i64 = sql.query_one(waiting, &[]).unwrap().get(0);
    assert!(waiting > 0);
    let visited = "SELECT EXISTS (SELECT FROM checkout WHERE reference = 'old' AND visits > 0)";
    eventually("what is settled is visited, too", SOON, || {
        sql.query_one(visited, &[]).unwrap().get(0)
    });
}
