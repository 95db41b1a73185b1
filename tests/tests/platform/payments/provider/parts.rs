//! Parts of payments that go back: each once, together never more than was paid.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Dice, Reply, User, at_once, eventually};

use super::super::assert_sound;
use super::scene::{Payment, SOON, Scene};

/// Requests a part refund as another function does.
pub(super) fn refund_part(scene: &Scene, payment: &Payment, part: Uuid, cents: i64) -> Value {
    let asked = json!([payment.id, part, cents]);
    let answer = scene
        .stack
        .post("/ask/checkout/refund-part")
        .json(&asked)
        .send();
    answer.expect(200).json()
}

/// The parts and payments that wait for the provider, of this payment.
pub(super) fn waiting(scene: &Scene, payment: &Payment) -> Vec<Value> {
    let path = "/payments/returns?limit=100";
    let listed = User::admin(&scene.stack).get(path).send().expect(200);
    let mut of_payment = listed.json().as_array().unwrap().clone();
    of_payment.retain(|it| it["payment_id"] == *payment.id);
    of_payment
}

#[track_caller]
pub(super) fn assert_ok(answer: &Value, status: &str) {
    assert_eq!(answer["Ok"]["status"], status, "{answer}");
}

/// The booked refunds and those that the provider has sent, in cents.
fn standing(scene: &Scene, payment: &Payment, attempt: &str) -> (i64, i64) {
    (scene.booked(payment).0, scene.provider.refunded(attempt))
}

/// Openers choose the ids of their parts, and two may choose the same one.
#[test]
fn a_part_id_is_used_for_one_payment_only() {
    let scene = Scene::shared();
    let part = Uuid::new_v4();
    let payments: Vec<_> = (0..6).map(|_| scene.paid().0).collect();
    let answers = at_once(payments.len(), |number| {
        refund_part(scene, &payments[number], part, 1_000)
    });
    let sent = answers.iter().filter(|it| it["Ok"].is_object()).count();
    let taken = answers.iter().filter(|it| it["Err"] == "IdTaken").count();
    assert_eq!((sent, taken), (1, payments.len() - 1), "{answers:?}");
    assert_sound(&scene.stack);
}

#[test]
fn a_part_goes_back_once_and_the_last_part_is_the_whole_refund() {
    let scene = Scene::shared();
    let (payment, attempt) = scene.paid();
    let part = Uuid::new_v4();
    for answer in at_once(8, |_| refund_part(scene, &payment, part, 1_000)) {
        assert_ok(&answer, "Approved");
    }
    assert_eq!(standing(scene, &payment, &attempt), (1_500, 1_000));
    assert_eq!(waiting(scene, &payment), Vec::<Value>::new());

    let refused = |part, cents| refund_part(scene, &payment, part, cents)["Err"].clone();
    assert_eq!(refused(part, 900), "IdTaken");
    assert_eq!(
        refused(Uuid::new_v4(), 1_501),
        json!({ "NothingLeft": 1_500 })
    );
    assert_eq!(refused(Uuid::new_v4(), 0), json!({ "Malformed": "amount" }));
    let unpaid = scene.open(&scene.user());
    assert_eq!(
        refund_part(scene, &unpaid, Uuid::new_v4(), 1)["Err"],
        json!({ "WrongStatus": "Pending" })
    );

    let rest = Uuid::new_v4();
    for answer in at_once(4, |_| refund_part(scene, &payment, rest, 1_500)) {
        assert_ok(&answer, "Refunded");
    }
    assert_eq!(standing(scene, &payment, &attempt), (0, 2_500));
    assert_eq!(scene.status(&payment), "refunded");
    assert_ok(&refund_part(scene, &payment, part, 1_000), "Refunded");
    assert_eq!(
        refused(Uuid::new_v4(), 1),
        json!({ "WrongStatus": "Refunded" })
    );
    assert_eq!(scene.booked(&payment).1, 3);
    assert_sound(&scene.stack);
}

#[test]
fn refunds_of_a_payment_by_code_go_through_its_order() {
    let scene = Scene::shared();
    let payment = scene.open_by(&scene.user(), "lunch by code", "qr");
    let attempt = scene.provider.pays(&payment.id, &json!(25), "approved");
    let order = format!("ORD{}", payment.id.replace('-', "")).to_uppercase();
    scene
        .order_webhook(&order, &order.to_lowercase())
        .expect(200);
    for cents in [700, 300] {
        let answer = refund_part(scene, &payment, Uuid::new_v4(), cents);
        assert_ok(&answer, "Approved");
    }
    assert_eq!(standing(scene, &payment, &attempt), (1_500, 1_000));
    assert_eq!(waiting(scene, &payment), Vec::<Value>::new());
    scene.patch(&payment, "refunded").expect(200);
    assert_eq!(standing(scene, &payment, &attempt), (0, 2_500));
    assert_eq!(waiting(scene, &payment), Vec::<Value>::new());
}

#[test]
fn a_lost_or_refused_part_refund_is_listed_and_tried_again() {
    let scene = Scene::shared();
    for (reply, refusal) in [
        (Reply::status(503), Value::Null),
        (
            Reply::json(400, &json!({ "message": "not today" })),
            json!("the payment provider refused with 400: {\"message\":\"not today\"}"),
        ),
    ] {
        let (payment, attempt) = scene.paid();
        let path = format!("{attempt}/refunds");
        let replies = std::iter::repeat_with(|| reply.clone());
        scene.provider.instead(&path, replies.take(3));
        let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
        scene.leave_alone(&payment);
        assert_ok(&refund_part(scene, &payment, first, 600), "Approved");
        assert_eq!(standing(scene, &payment, &attempt), (1_900, 0));
        let listed = waiting(scene, &payment);
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(
            (
                &listed[0]["amount"],
                &listed[0]["is_part"],
                &listed[0]["refusal"]
            ),
            (&json!(6), &json!(true), &refusal)
        );
        // The next visit sends both.
        eventually("the provider hears of it", SOON, || {
            assert_ok(&refund_part(scene, &payment, second, 400), "Approved");
            scene.hurry(&payment);
            standing(scene, &payment, &attempt) == (1_500, 1_000)
        });
        eventually("nothing waits", SOON, || {
            scene.hurry(&payment);
            waiting(scene, &payment).is_empty()
        });
    }
    assert_sound(&scene.stack);
}

#[test]
fn a_part_is_done_only_when_the_provider_shows_the_refund() {
    let scene = Scene::start_with_asker();
    let (payment, attempt) = scene.paid();
    scene.provider.idles(true);
    let part = Uuid::new_v4();
    assert_ok(&refund_part(&scene, &payment, part, 1_000), "Approved");
    assert_eq!(standing(&scene, &payment, &attempt), (1_500, 0));
    assert_eq!(waiting(&scene, &payment).len(), 1);
    scene.provider.idles(false);
    eventually("it has", SOON, || {
        scene.hurry(&payment);
        waiting(&scene, &payment).is_empty()
    });
    assert_eq!(standing(&scene, &payment, &attempt), (1_500, 1_000));

    // It sends more back than it was asked for, and the books follow.
    let field = "transaction_amount_refunded";
    scene.provider.changes(&attempt, field, json!(12));
    scene.webhook(&attempt).expect(200);
    assert_eq!(scene.booked(&payment).0, 1_300);
    let answer = refund_part(&scene, &payment, Uuid::new_v4(), 1_301);
    assert_eq!(answer["Err"], json!({ "NothingLeft": 1_300 }));
    assert_sound(&scene.stack);
}

#[test]
fn a_chargeback_or_a_whole_refund_after_a_part_returns_the_rest_only() {
    let scene = Scene::shared();
    for is_heard in [true, false] {
        for is_chargeback in [true, false] {
            let (payment, attempt) = scene.paid();
            if !is_heard {
                let path = format!("{attempt}/refunds");
                let away = (0..3).map(|_| Reply::status(503));
                scene.provider.instead(&path, away);
            }
            scene.leave_alone(&payment);
            let answer = refund_part(scene, &payment, Uuid::new_v4(), 1_000);
            assert_ok(&answer, "Approved");
            if is_chargeback {
                scene
                    .provider
                    .changes(&attempt, "status", json!("charged_back"));
                at_once(4, |_| scene.webhook(&attempt).expect(200));
            } else {
                scene.patch(&payment, "refunded").expect(200);
                assert_eq!(scene.provider.refunded(&attempt), 2_500);
            }
            let case = format!("heard: {is_heard}, chargeback: {is_chargeback}");
            assert_eq!(scene.status(&payment), "refunded", "{case}");
            assert_eq!(scene.booked(&payment), (0, 3), "{case}");
            assert_eq!(waiting(scene, &payment), Vec::<Value>::new(), "{case}");
        }
    }
    assert_sound(&scene.stack);
}

/// A part is sent back by hand at the provider while ours is on its way: both go, and both are booked.
#[test]
fn a_manual_part_refund_at_the_provider_does_not_replace_ours() {
    let scene = Scene::shared();
    let (payment, attempt) = scene.paid();
    let away = (0..3).map(|_| Reply::status(503));
    scene.provider.instead(&format!("{attempt}/refunds"), away);
    scene.leave_alone(&payment);
    let answer = refund_part(scene, &payment, Uuid::new_v4(), 1_000);
    assert_ok(&answer, "Approved");
    let field = "transaction_amount_refunded";
    scene.provider.changes(&attempt, field, json!(5));
    scene.webhook(&attempt).expect(200);
    assert_eq!(scene.booked(&payment).0, 1_500);
    scene.hurry(&payment);
    eventually("ours has gone too", SOON, || {
        standing(scene, &payment, &attempt) == (1_000, 1_500)
    });
    assert_sound(&scene.stack);
}

#[test]
fn a_part_of_a_payment_made_outside_the_provider_is_only_booked() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    scene.patch(&payment, "approved").expect(200);
    let part = Uuid::new_v4();
    for _ in 0..2 {
        assert_ok(&refund_part(scene, &payment, part, 1_000), "Approved");
    }
    assert_eq!(scene.booked(&payment), (1_500, 2));
    assert_eq!(waiting(scene, &payment), Vec::<Value>::new());
    scene.patch(&payment, "refunded").expect(200);
    assert_eq!(scene.booked(&payment), (0, 3));
    assert_sound(&scene.stack);
}

/// Parts of all sizes at once, some of them twice, while the provider loses answers.
#[test]
fn parts_never_add_up_to_more_than_was_paid() {
    let scene = Scene::shared();
    for seed in 0..4 {
        let (payment, attempt) = scene.paid();
        let lost = (0..4).map(|n| match n % 2 {
            0 => Reply::lost(),
            _ => Reply::status(500),
        });
        scene.provider.instead(&format!("{attempt}/refunds"), lost);
        let parts: Vec<_> = (0..12)
            .map(|n| {
                let mut dice = Dice::new(seed * 100 + n);
                (Uuid::new_v4(), 1 + dice.index(700) as i64)
            })
            .collect();
        let answers = at_once(24, |n| {
            let (part, cents) = parts[n % 12];
            (part, cents, refund_part(scene, &payment, part, cents))
        });
        let mut sent: Vec<_> = answers
            .iter()
            .filter(|(_, _, answer)| answer["Ok"].is_object())
            .map(|(part, cents, _)| (*part, *cents))
            .collect();
        for (_, _, answer) in &answers {
            let is_known = answer["Ok"].is_object()
                || answer["Err"]["NothingLeft"].is_u64()
                || answer["Err"]["WrongStatus"] == "Refunded";
            assert!(is_known, "{answer}");
        }
        sent.sort();
        sent.dedup();
        let gone: i64 = sent.iter().map(|it| it.1).sum();
        assert!((1..=2_500).contains(&gone), "{gone}");
        eventually("the provider has sent as much back", SOON, || {
            scene.hurry(&payment);
            standing(scene, &payment, &attempt) == (2_500 - gone, gone)
                && waiting(scene, &payment).is_empty()
        });
    }
    assert_sound(&scene.stack);
}
