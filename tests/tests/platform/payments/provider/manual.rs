//! Manual acts with real money.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Reply, User, unique};

use super::super::{account, activate, assert_sound, balance, by_hand, deposit, withdraw};
use super::scene::Scene;

/// The request may have had an effect, so the key is not free for another one.
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
    // Its checkout is cancelled, so it is not shown as pending.
    assert_eq!(asked(5).expect(200).json()["status"], "FAILED");
}

/// The money could be withdrawn a moment later.
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
    // Two admins record that the bank sent it back.
    by_hand(&first, &path("returned")).expect(202);
    assert_eq!(balance(&user, &name), json!(0));
    by_hand(&second, &path("returned")).expect(200);
    assert_eq!(balance(&user, &name), json!(2000));
    assert_sound(&scene.stack);
}

/// The same for the wallet: the first request stays.
#[test]
fn a_deposit_of_another_amount_under_the_same_key_is_refused() {
    let scene = Scene::shared();
    let user = scene.user();
    let asked = |amount: i64| {
        user.post("/payment/deposit")
            .header("idempotency-key", "a-deposit-to-the-wallet")
            .json(&json!({ "amount": amount, "currency": "BRL" }))
            .send()
    };
    let first = asked(500).expect(201).json();
    assert_eq!(asked(600).problem(422)["code"], "idempotency-key-reused");
    let forget = "DELETE FROM payments.idempotency_key WHERE key LIKE '% a-deposit-to-the-wallet'";
    assert_eq!(scene.stack.sql().execute(forget, &[]).unwrap(), 1);
    let again = asked(500).expect(201).json();
    assert_eq!(again["payment_id"], first["payment_id"]);
}

/// Its users may withdraw the money that the house pays for it.
#[test]
fn a_valuable_promo_code_takes_two_admins() {
    let scene = Scene::shared();
    let (first, second) = (User::admin(&scene.stack), User::second_admin(&scene.stack));
    let code = unique("GIFT");
    let create = |admin: &User, amount: i64| {
        let body = json!({ "code": code, "amount": amount, "max_uses": 10, "reason": "prizes" });
        admin.post("/payment/promocode").json(&body).send()
    };
    for _ in 0..2 {
        let refused = create(&first, 10_001).problem(409);
        assert_eq!(refused["code"], "second-admin-needed");
    }
    let user = scene.user();
    activate(&user, &code).problem(404);
    // Other terms are a new proposal.
    create(&second, 10_002).problem(409);
    create(&first, 10_002).expect(200);
    activate(&user, &code).expect(200);
    let acts = first.get(&format!("/payments/acts?about={code}"));
    let acts = acts.send().expect(200).json();
    let acts = acts.as_array().unwrap();
    assert!(acts.iter().all(|it| it["reason"] == "prizes"), "{acts:?}");
    let stages: Vec<_> = acts
        .iter()
        .map(|it| (it["stage"].clone(), it["amount"].clone()))
        .collect();
    assert_eq!(
        stages,
        [
            (json!("done"), json!(1000.2)),
            (json!("proposed"), json!(1000.2)),
            (json!("proposed"), json!(1000.1)),
        ]
    );
    // One admin is enough for less.
    let small = json!({ "amount": 10_000, "max_uses": 10 });
    first
        .post("/payment/promocode")
        .json(&small)
        .send()
        .expect(200);
    // Many small codes count as one large.
    let one_more = json!({ "amount": 1, "max_uses": 1 });
    let refused = first.post("/payment/promocode").json(&one_more).send();
    assert_eq!(refused.problem(409)["code"], "second-admin-needed");
    // Also when they are made at once.
    let admin = Uuid::new_v4();
    let [one, two] = [(); 2].map(|()| {
        let code = unique("GIFT");
        format!(
            "SELECT outcome FROM issue_promocode(gen_random_uuid(), '{admin}', '{code}', NULL, 60000, 'USD', 1, NULL,
                NULL, 100000)"
        )
    });
    let outcomes = scene.stack.overlap("payments", &one, &two);
    assert_eq!(
        outcomes,
        ("coined".to_owned(), "needs_second_admin".to_owned())
    );
    assert_sound(&scene.stack);
}
