//! Real money that admins handle.

use serde_json::{Value, json};
use wharf_tests::{Reply, User};

use super::super::{account, assert_sound, balance, by_hand, deposit, withdraw};
use super::scene::Scene;

/// Something may have been done, so the key is not free for another request.
#[test]
fn a_key_stays_with_its_request_after_a_failure_of_the_server() {
    let scene = Scene::start();
    let user = scene.user();
    let name = account(&user, 0.0);
    scene
        .provider
        .instead("preferences", [Reply::status(400), Reply::status(400)]);
    let asked = |amount: i64| {
        user.post("/payments/deposit")
            .header("idempotency-key", "a-deposit")
            .json(&json!({ "paymentAccountId": name, "amount": amount }))
            .send()
    };
    asked(5).expect(502);
    assert_eq!(asked(6).problem(422)["code"], "idempotency-key-reused");
    // Its checkout is cancelled: it is not answered as if it were awaited.
    assert_eq!(asked(5).expect(200).json()["status"], "FAILED");
}

/// It could be withdrawn a moment later.
#[test]
fn a_deposit_is_not_approved_by_hand() {
    let scene = Scene::shared();
    let (user, admin) = (scene.user(), User::admin(&scene.stack));
    let name = account(&user, 0.0);
    let asked = deposit(&user, &name, &json!(50)).expect(200).json();
    let payment = asked["payment_id"].as_str().unwrap();
    let path = format!("/payments/{payment}?new_status=approved&reason=paid+in+cash");
    let refused = admin.request("PATCH", &path).send().problem(409);
    assert_eq!(refused["code"], "not-by-hand");
    assert_eq!(balance(&user, &name), json!(0));
}

#[test]
fn a_large_payout_takes_two_admins_in_both_directions() {
    let scene = Scene::shared();
    let (user, first) = (scene.user(), User::admin(&scene.stack));
    let second = User::second_admin(&scene.stack);
    let name = account(&user, 0.0);
    let endow = "SELECT payments.book(gen_random_uuid(), 'deposit', payments.house_account('external', 'USD'), id,
            200000, 'USD')::text
        FROM payments.account WHERE name = $1";
    let mut sql = scene.stack.sql();
    sql.batch_execute("SET search_path = payments").unwrap();
    sql.query_one(endow, &[&name]).unwrap();
    let row = withdraw(&user, &name, &json!(2000)).expect(200).json();
    let path = |what: &str| format!("/payments/payouts/{}/{what}", row["id"].as_str().unwrap());
    let proposed = by_hand(&first, &path("paid")).expect(202).json();
    assert_eq!(proposed["paidAt"], Value::Null);
    let paid = by_hand(&second, &path("paid")).expect(200).json();
    assert!(paid["paidAt"].is_string(), "{paid}");
    // The bank says that it came back: so says one admin, and another one.
    by_hand(&first, &path("returned")).expect(202);
    assert_eq!(balance(&user, &name), json!(0));
    by_hand(&second, &path("returned")).expect(200);
    assert_eq!(balance(&user, &name), json!(2000));
    assert_sound(&scene.stack);
}
