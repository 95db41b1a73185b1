//! Money that the provider refuses to send back.

use serde_json::json;
use wharf_tests::{Reply, User, eventually};

use super::super::{assert_sound, by_hand};
use super::scene::{Payment, SOON, Scene};

/// A payment that is refunded here, and that the provider refuses to send back for good.
fn refused(scene: &Scene) -> (Payment, String) {
    let (payment, id) = scene.paid();
    let refusals = (0..10).map(|_| Reply::json(422, &json!({ "message": "the card was closed" })));
    scene.provider.instead(&format!("{id}/refunds"), refusals);
    scene.patch(&payment, "refunded").expect(200);
    let admin = User::admin(&scene.stack);
    eventually("a person has to look", SOON, || {
        scene.hurry(&payment);
        let listed = admin
            .get("/payments/stuck?limit=100")
            .send()
            .expect(200)
            .json();
        let it = listed
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["id"] == id.as_str())
            .cloned();
        it.is_some_and(|it| it["is_stuck"] == true && it["kind"] == "attempt")
    });
    (payment, id)
}

#[test]
fn what_the_provider_refuses_for_good_is_settled_outside_and_never_asked_for_again() {
    let scene = Scene::shared();
    let (payment, id) = refused(scene);
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
fn the_provider_is_asked_again_when_an_admin_says_so() {
    let scene = Scene::shared();
    let (payment, id) = refused(scene);
    let path = format!("/payments/stuck/{id}/retry");
    User::admin(&scene.stack).post(&path).send().expect(200);
    eventually("it is back", SOON, || {
        scene.hurry(&payment);
        scene.provider.status(&id) == "refunded"
    });
    assert_eq!(scene.attempts(&payment)[0]["verdict"], "returned");
}
