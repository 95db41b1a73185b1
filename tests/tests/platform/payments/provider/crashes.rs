//! The host is killed between the steps of a payment here and at the provider. The sweep finishes the payment, and the money
//! ends where it would have been.

use std::thread;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use wharf_tests::{Reply, Request, eventually, unique};

use super::super::{assert_sound, key};
use super::scene::{Payment, SOON, Scene};

/// Sends the request and kills the host at that moment.
fn killed<T>(scene: &mut Scene, request: Request, moment: impl FnOnce(&Scene) -> T) {
    thread::scope(|threads| {
        let asked = threads.spawn(|| request.try_send());
        // A lock that it took is held until the host is gone.
        let _gate = moment(scene);
        scene.stack.signal_kill();
        assert!(asked.join().unwrap().is_err(), "the request was answered");
        scene.stack.end_statements();
    });
    scene.stack.kill();
    scene.stack.start_again();
}

/// The provider is asked to send the payment back.
fn asked_to_refund(scene: &Scene, attempt: &str) {
    let path = format!("{attempt}/refunds");
    eventually("the provider is asked", SOON, || {
        !scene.provider.received(&path).is_empty()
    });
}

fn expired(scene: &Scene) -> Payment {
    let payment = scene.open(&scene.user());
    scene.run_out(&payment);
    eventually("its time is over", SOON, || {
        scene.status(&payment) == "expired"
    });
    payment
}

#[test]
fn a_payment_survives_a_crash_at_any_step() {
    let mut scene = Scene::start();
    let user = scene.user();

    // The provider has the checkout, but its answer was lost.
    let (title, key) = (unique("lunch"), key());
    let body = json!({ "order_id": "1", "amount": 25, "customer_id": 7, "description": title });
    let ask = || {
        let request = user.post("/payments/").header("idempotency-key", &key);
        request.json(&body)
    };
    let gate = scene.stack.lock_table("events.outbox");
    killed(&mut scene, ask(), |scene| {
        scene.stack.wait_for_lock("FROM accept_checkout(");
    });
    drop(gate);
    let later = "UPDATE payments.idempotency_key SET leased_until = '-infinity'";
    scene.stack.sql().execute(later, &[]).unwrap();
    let opened = ask().send().expect(200).json();
    let id = opened["payment_id"].as_str().unwrap().to_owned();
    let payment = Payment { id, opened };
    eventually("it can be paid", SOON, || {
        scene.status(&payment) == "pending"
    });
    let asked = scene.provider.received(&title);
    assert!(asked.len() >= 2, "{}", asked.len());
    let name = "x-idempotency-key";
    assert!(
        asked
            .iter()
            .all(|it| it.headers[name] == asked[0].headers[name])
    );

    // It was paid, but the host died over the webhook.
    let attempt = scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.leave_alone(&payment);
    let gate = scene.stack.lock_table("payments.transfer");
    let webhook = scene.webhook_request(&attempt);
    killed(&mut scene, webhook, |scene| {
        scene.stack.wait_for_lock("FROM conclude(");
    });
    drop(gate);
    assert_eq!(scene.booked(&payment), (0, 0));
    scene.hurry(&payment);
    eventually("the sweep finds the payment", SOON, || {
        scene.status(&payment) == "approved"
    });
    assert_eq!(scene.booked(&payment), (2500, 1));
    assert_sound(&scene.stack);
}

#[test]
fn a_refund_is_made_once_although_the_host_is_killed_meanwhile() {
    let mut scene = Scene::start();

    // The provider was asked and did nothing.
    let payment = expired(&scene);
    let attempt = scene.provider.pays(&payment.id, &json!(25), "approved");
    let path = format!("{attempt}/refunds");
    let never = Reply::lost().after(Duration::from_secs(5));
    scene.provider.instead(&path, [never]);
    let webhook = scene.webhook_request(&attempt);
    killed(&mut scene, webhook, |scene| {
        asked_to_refund(scene, &attempt);
    });
    assert_eq!(scene.provider.status(&attempt), "approved");
    scene.hurry(&payment);
    eventually("it is sent back", SOON, || {
        scene.attempts(&payment)[0]["verdict"] == "returned"
    });
    assert_eq!(scene.provider.status(&attempt), "refunded");

    // The provider sent it back, but its answer was lost.
    let payment = expired(&scene);
    let attempt = scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.leave_alone(&payment);
    scene
        .provider
        .delay(&format!("{attempt}/refunds"), Duration::from_millis(1500));
    let webhook = scene.webhook_request(&attempt);
    killed(&mut scene, webhook, |scene| {
        asked_to_refund(scene, &attempt);
        let gate = scene.stack.lock_table("payments.psp_payment");
        scene.stack.wait_for_lock("LATERAL conclude(");
        gate
    });
    assert_eq!(
        (
            scene.provider.status(&attempt),
            scene.attempts(&payment)[0]["verdict"].clone()
        ),
        ("refunded".to_owned(), json!("returning"))
    );
    scene.hurry(&payment);
    eventually("it is known here too", SOON, || {
        scene.attempts(&payment)[0]["verdict"] == "returned"
    });
    assert_eq!(scene.booked(&payment), (0, 0));
    assert_sound(&scene.stack);
}

#[test]
fn a_part_is_sent_back_once_although_the_host_is_killed_meanwhile() {
    let mut scene = Scene::start_with_asker();
    let part = |scene: &Scene, payment: &Payment| {
        let asked = json!([payment.id, Uuid::new_v4(), 1_000]);
        scene.stack.post("/ask/checkout/refund-part").json(&asked)
    };
    let owed = |scene: &Scene, payment: &Payment| -> i64 {
        let id: Uuid = payment.id.parse().unwrap();
        let count =
            "SELECT count(*) FROM payments.part_refund WHERE checkout = $1 AND status = 'owed'";
        scene.stack.sql().query_one(count, &[&id]).unwrap().get(0)
    };

    // Nothing is booked yet: nothing happens.
    let (payment, attempt) = scene.paid();
    let request = part(&scene, &payment);
    let gate = scene.stack.lock_table("payments.transfer");
    killed(&mut scene, request, |scene| {
        scene.stack.wait_for_lock("FROM refund_part(");
    });
    drop(gate);
    assert_eq!(
        (scene.booked(&payment), owed(&scene, &payment)),
        ((2_500, 1), 0)
    );
    assert_eq!(scene.provider.refunded(&attempt), 0);

    // The provider was asked and did nothing.
    let path = format!("{attempt}/refunds");
    let never = Reply::lost().after(Duration::from_secs(5));
    scene.provider.instead(&path, [never]);
    let request = part(&scene, &payment);
    killed(&mut scene, request, |scene| {
        asked_to_refund(scene, &attempt);
    });
    assert_eq!(
        (scene.booked(&payment).0, owed(&scene, &payment)),
        (1_500, 1)
    );
    scene.hurry(&payment);
    eventually("it is sent back", SOON, || owed(&scene, &payment) == 0);
    assert_eq!(scene.provider.refunded(&attempt), 1_000);

    // The provider sent it back, but its answer was lost: it is not asked again.
    let (payment, attempt) = scene.paid();
    scene.leave_alone(&payment);
    let path = format!("{attempt}/refunds");
    scene.provider.delay(&path, Duration::from_millis(1500));
    let request = part(&scene, &payment);
    killed(&mut scene, request, |scene| {
        asked_to_refund(scene, &attempt);
        let gate = scene.stack.lock_table("payments.part_refund");
        scene.stack.wait_for_lock("SELECT finish_parts(");
        gate
    });
    assert_eq!(
        (scene.provider.refunded(&attempt), owed(&scene, &payment)),
        (1_000, 1)
    );
    // A sweep that was under way before the part was wanted may have asked, too, with the same key.
    let asked = scene.provider.received(&path).len();
    scene.hurry(&payment);
    eventually("it is known here too", SOON, || owed(&scene, &payment) == 0);
    assert_eq!(scene.provider.received(&path).len(), asked);
    assert_eq!(
        (scene.provider.refunded(&attempt), scene.booked(&payment).0),
        (1_000, 1_500)
    );
    assert_sound(&scene.stack);
}
