//! Money that the provider refuses to send back.

use std::iter::repeat_n;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Reply, User, eventually};

use super::super::{assert_sound, by_hand};
use super::parts::{assert_ok, refund_part, waiting};
use super::scene::{Payment, SOON, Scene};

/// The refund of an attempt in the list of those that were refused.
fn listed(scene: &Scene, id: &str) -> Option<Value> {
    let path = "/payments/stuck?limit=100";
    let listed = User::admin(&scene.stack).get(path).send().expect(200);
    let listed = listed.json();
    let mut refunds = listed.as_array().unwrap().iter();
    refunds.find(|it| it["id"] == id).cloned()
}

fn closed_card() -> Reply {
    Reply::json(422, &json!({ "message": "the card was closed" }))
}

/// A payment that is refunded here, and that the provider refuses to send back for good.
fn refused(scene: &Scene, refusal: Reply) -> (Payment, String) {
    let (payment, id) = scene.paid();
    refuse(scene, &payment, &id, refusal);
    (payment, id)
}

fn refuse(scene: &Scene, payment: &Payment, id: &str, refusal: Reply) {
    let refusals = repeat_n(refusal, 10);
    scene.provider.instead(&format!("{id}/refunds"), refusals);
    scene.patch(payment, "refunded").expect(200);
    eventually("a person has to look", SOON, || {
        scene.hurry(payment);
        let it = listed(scene, id);
        it.is_some_and(|it| it["is_stuck"] == true && it["kind"] == "attempt")
    });
}

#[test]
fn a_part_that_already_went_back_is_not_settled_again() {
    let scene = Scene::shared();
    let (payment, id) = scene.paid();
    let part = refund_part(scene, &payment, Uuid::new_v4(), 1_000);
    assert_ok(&part, "Approved");
    eventually("the part is back", SOON, || {
        scene.hurry(&payment);
        waiting(scene, &payment).is_empty()
    });
    refuse(scene, &payment, &id, closed_card());
    let path = format!("/payments/stuck/{id}/settled");
    by_hand(&User::admin(&scene.stack), &path).expect(200);
    let paid = "SELECT sum(amount)::bigint FROM payments.transfer WHERE kind = 'payout' AND reference = $1";
    let paid: i64 = scene.stack.sql().query_one(paid, &[&id]).unwrap().get(0);
    assert_eq!(paid, 1_500);
    assert_sound(&scene.stack);
}

/// The provider takes the request each time, and sends nothing back.
#[test]
fn a_part_that_the_provider_accepts_but_never_sends_is_stuck() {
    let scene = Scene::shared();
    for (said, is_refusal) in [("rejected", true), ("in_process", false)] {
        let (payment, id) = scene.paid();
        let promises = repeat_n(Reply::json(201, &json!({ "status": said })), 11);
        scene.provider.instead(&format!("{id}/refunds"), promises);
        let part = Uuid::new_v4();
        assert_ok(&refund_part(scene, &payment, part, 1_000), "Approved");
        let is_stuck = || listed(scene, &part.to_string()).is_some_and(|it| it["is_stuck"] == true);
        eventually("it is stuck or back", SOON, || {
            scene.hurry(&payment);
            is_stuck() || waiting(scene, &payment).is_empty()
        });
        assert_eq!(is_stuck(), is_refusal, "{said}");
        if is_refusal {
            // Parts are told apart by the sum that the provider has sent back.
            let path = format!("/payments/stuck/{part}/settled");
            let settled = by_hand(&User::admin(&scene.stack), &path).problem(409);
            assert_eq!(settled["code"], "settled-at-provider");
        }
    }
    assert_sound(&scene.stack);
}

#[test]
fn a_refund_settled_outside_is_never_requested_again() {
    let scene = Scene::shared();
    let (payment, id) = refused(scene, closed_card());
    let admin = User::admin(&scene.stack);
    let asked = || scene.provider.received(&format!("{id}/refunds")).len();
    let before = asked();
    for _ in 0..3 {
        scene.hurry(&payment);
        scene.webhook(&id).expect(200);
    }
    assert_eq!(asked(), before);
    let path = format!("/payments/stuck/{id}/settled");
    assert_eq!(
        by_hand(&admin, &path).expect(200).json()["resolution"],
        "settled_outside"
    );
    by_hand(&admin, &path).expect(200);
    assert_eq!(scene.attempts(&payment)[0]["verdict"], "returned");
    let paid = "SELECT count(*) FROM payments.transfer WHERE kind = 'payout' AND reference = $1";
    let paid: i64 = scene.stack.sql().query_one(paid, &[&id]).unwrap().get(0);
    assert_eq!((paid, scene.status(&payment).as_str()), (1, "refunded"));
    scene.webhook(&id).expect(200);
    assert_eq!(asked(), before);
    assert_sound(&scene.stack);
}

#[test]
fn an_admin_makes_the_provider_be_asked_again() {
    let scene = Scene::shared();
    let rejected = Reply::json(201, &json!({ "status": "rejected" }));
    // An answer with a NUL, which PostgreSQL's texts cannot hold.
    let garbled = Reply::bytes(400, "no\0\n");
    let denied = Reply::status(403);
    for refusal in [closed_card(), rejected, garbled, denied] {
        let (payment, id) = refused(scene, refusal);
        assert_eq!(scene.attempts(&payment)[0]["verdict"], "returning");
        assert_eq!(scene.provider.status(&id), "approved");
        let path = format!("/payments/stuck/{id}/retry");
        let admin = User::admin(&scene.stack);
        admin.post(&path).json(&json!({})).send().problem(422);
        by_hand(&admin, &path).expect(200);
        let acts = admin.get(&format!("/payments/acts?about={id}")).send();
        let act = acts.expect(200).json()[0].clone();
        assert_eq!(act["act"], "retried");
        assert_eq!(act["reason"], "seen on the statement of the bank");
        eventually("it is back", SOON, || {
            scene.hurry(&payment);
            scene.attempts(&payment)[0]["verdict"] == "returned"
        });
        assert_eq!(scene.provider.status(&id), "refunded");
    }
}

/// The provider rejects the token for every request, refunds and look-ups of payments alike.
#[test]
fn a_refund_is_stuck_when_the_provider_no_longer_accepts_the_token() {
    let scene = Scene::shared();
    let (parted, parted_attempt) = scene.paid();
    let (whole, whole_attempt) = scene.paid();
    for word in [&parted.id, &parted_attempt, &whole.id, &whole_attempt] {
        let denied = repeat_n(Reply::status(401), 100);
        scene.provider.instead(word, denied);
    }
    let part = Uuid::new_v4();
    assert_ok(&refund_part(scene, &parted, part, 1_000), "Approved");
    scene.patch(&whole, "refunded").expect(200);
    for (payment, refund) in [(&parted, part.to_string()), (&whole, whole_attempt)] {
        eventually("a person has to look", SOON, || {
            scene.hurry(payment);
            listed(scene, &refund).is_some_and(|it| it["is_stuck"] == true)
        });
        let refusal = listed(scene, &refund).unwrap()["refusal"].clone();
        assert!(refusal.as_str().unwrap().contains("401"), "{refusal}");
    }
    assert_sound(&scene.stack);
}

/// A slow refund is no refusal: an admin who settled it would pay it twice.
#[test]
fn a_refund_that_the_provider_only_promises_is_requested_again() {
    let scene = Scene::shared();
    for (said, is_refusal) in [("approved", true), ("in_process", false)] {
        let (payment, id) = scene.paid();
        let promises = repeat_n(Reply::json(201, &json!({ "status": said })), 2);
        scene.provider.instead(&format!("{id}/refunds"), promises);
        scene.patch(&payment, "refunded").expect(200);
        assert_eq!(
            (
                &scene.attempts(&payment)[0]["verdict"],
                listed(scene, &id).is_some()
            ),
            (&json!("returning"), is_refusal),
            "{said}"
        );
        eventually("it is back", SOON, || {
            scene.hurry(&payment);
            scene.attempts(&payment)[0]["verdict"] == "returned"
        });
        assert_eq!(scene.provider.status(&id), "refunded", "{said}");
        assert!(listed(scene, &id).is_none(), "{said}");
    }
    assert_sound(&scene.stack);
}
