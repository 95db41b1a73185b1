//! Receivables after a payment was taken back: they are settled before the user's money moves.

use serde_json::json;
use uuid::Uuid;
use wharf_tests::{User, eventually};

use super::super::cash_outs::{bank, cash_out};
use super::super::{account, activate, assert_sound, balance, by_hand, promocode, send, withdraw};
use super::returns::{deposited, house};
use super::scene::{SOON, Scene};

#[test]
fn a_payout_waits_while_its_user_owes_and_settles_it_when_it_is_returned() {
    let scene = Scene::start();
    let (user, admin) = (scene.user(), User::admin(&scene.stack));
    let name = account(&user, 0.0);
    let (_, attempt) = deposited(&scene, &user, &name, 12.5);
    let row = withdraw(&user, &name, &json!(12.5)).expect(200).json();
    scene
        .provider
        .changes(&attempt, "status", json!("charged_back"));
    scene.webhook(&attempt).expect(200);
    assert_eq!(house(&scene.stack, "receivables"), -1250);
    let path = |what| format!("/payments/payouts/{}/{what}", row["id"].as_str().unwrap());
    for what in ["approved", "paid"] {
        let refused = by_hand(&admin, &path(what)).problem(409);
        assert_eq!(refused["code"], "recipient-owes");
    }
    by_hand(&admin, &path("returned")).expect(200);
    let houses = || ["receivables", "payouts", "external", "psp"].map(|it| house(&scene.stack, it));
    eventually("it settles what is owed", SOON, || houses() == [0; 4]);
    assert_eq!(balance(&user, &name), json!(0));
    assert_sound(&scene.stack);
}

#[test]
fn unclaimed_money_of_an_erased_person_settles_a_later_debt() {
    let scene = Scene::start();
    let user = scene.user();
    let name = account(&user, 0.0);
    let (_, attempt) = deposited(&scene, &user, &name, 12.5);
    user.delete("/auth/me").send().expect(204);
    let houses = || ["unclaimed", "receivables", "psp"].map(|it| house(&scene.stack, it));
    eventually("it is set aside", SOON, || houses() == [1250, 0, -1250]);
    scene
        .provider
        .changes(&attempt, "status", json!("charged_back"));
    scene.webhook(&attempt).expect(200);
    assert_eq!(houses(), [0; 3]);
    let left = "SELECT sum(amount)::bigint FROM payments.unclaimed";
    let left: i64 = scene.stack.sql().query_one(left, &[]).unwrap().get(0);
    assert_eq!(left, 0);
    assert_sound(&scene.stack);
}

#[test]
fn a_deposit_of_an_erased_person_can_be_refunded() {
    let scene = Scene::start();
    let user = scene.user();
    let name = account(&user, 0.0);
    let (payment, attempt) = deposited(&scene, &user, &name, 12.5);
    user.delete("/auth/me").send().expect(204);
    let houses = || ["unclaimed", "psp"].map(|it| house(&scene.stack, it));
    eventually("it is set aside", SOON, || houses() == [1250, -1250]);
    scene.patch(&payment, "refunded").expect(200);
    assert_eq!(houses(), [0; 2]);
    assert_eq!(scene.provider.status(&attempt), "refunded");
    assert_sound(&scene.stack);
}

#[test]
fn a_won_dispute_after_a_write_off_repays_the_house() {
    let scene = Scene::start();
    let (user, other, admin) = (scene.user(), scene.user(), User::admin(&scene.stack));
    let (name, elsewhere) = (account(&user, 0.0), account(&other, 0.0));
    let (_, attempt) = deposited(&scene, &user, &name, 10.0);
    send(&user, &name, &elsewhere, &json!(7.5)).expect(200);
    scene
        .provider
        .changes(&attempt, "status", json!("charged_back"));
    scene.webhook(&attempt).expect(200);
    let receivable = "SELECT id FROM payments.receivable";
    let receivable: Uuid = scene.stack.sql().query_one(receivable, &[]).unwrap().get(0);
    let path = format!("/payments/receivables/{receivable}/written-off");
    by_hand(&admin, &path).expect(200);
    // It is shown, though it is over.
    let one = format!("/payments/receivables/{receivable}");
    let shown = admin.get(&one).send().expect(200).json();
    assert_eq!(
        (&shown["amount"], &shown["settled"], &shown["written_off"]),
        (&json!(7.5), &json!(0), &json!(7.5))
    );
    user.get(&one).send().expect(403);
    let houses = || ["receivables", "losses", "psp"].map(|it| house(&scene.stack, it));
    assert_eq!(houses(), [0, -750, 0]);
    scene
        .provider
        .changes(&attempt, "status_detail", json!("reimbursed"));
    scene.webhook(&attempt).expect(200);
    // The user gets back the settled part, and the house the part that it had borne.
    assert_eq!(balance(&user, &name), json!(2.5));
    assert_eq!(houses(), [0, 0, -1000]);
    assert_sound(&scene.stack);
}

/// Money is never converted, so money of another currency does not settle the debt, and waits.
#[test]
fn a_debt_in_one_currency_blocks_movements_in_another() {
    let scene = Scene::start();
    let (user, admin) = (scene.user(), User::admin(&scene.stack));
    let name = account(&user, 0.0);
    deposited(&scene, &user, &name, 12.5);
    let row = withdraw(&user, &name, &json!(12.5)).expect(200).json();
    activate(&user, &promocode(&admin, 500, 1)).expect(200);

    let body = json!({ "amount": 2500, "currency": "BRL" });
    let asked = user.post("/payment/deposit").json(&body).send();
    let asked = asked.expect(201).json();
    let payment = asked["payment_id"].as_str().unwrap();
    let attempt = scene.provider.pays(payment, &json!(25), "approved");
    scene.webhook(&attempt).expect(200);
    let me = user.get("/auth/me").send().expect(200).json();
    let me = me["user_id"].as_str().unwrap();
    let pay = |amount: i64, currency: &str| -> String {
        let pay = "SELECT outcome FROM payments.pay(gen_random_uuid(), $1::text::uuid, gen_random_uuid(), $2, $3,
            'ticket:7', 'Parking ticket 7', NULL)";
        let paid = scene.stack.sql().query_one(pay, &[&me, &amount, &currency]);
        paid.unwrap().get(0)
    };
    assert_eq!(pay(2500, "BRL"), "moved");
    scene
        .provider
        .changes(&attempt, "status", json!("charged_back"));
    scene.webhook(&attempt).expect(200);

    let generate = || {
        let body = json!({ "amount": 500 });
        user.post("/payment/promocode/generate").json(&body).send()
    };
    let path = |what| format!("/payments/payouts/{}/{what}", row["id"].as_str().unwrap());
    assert_eq!(generate().problem(409)["code"], "receivable-open");
    assert_eq!(pay(500, "USD"), "receivable_open");
    let destination = bank(&user);
    let usable = "UPDATE payments.destination SET usable_at = now() WHERE id = $1::text::uuid";
    let usable = scene.stack.sql().execute(usable, &[&destination]);
    assert_eq!(usable.unwrap(), 1);
    let refused = cash_out(&user, &destination, 500).problem(409);
    assert_eq!(refused["code"], "receivable-open");
    let shown = user.get("/payment/balance").send().expect(200).json();
    assert_eq!(
        (&shown["balance"], &shown["held"], &shown["total"]),
        (&json!(0), &json!(500), &json!(500))
    );
    for what in ["approved", "paid"] {
        let refused = by_hand(&admin, &path(what)).problem(409);
        assert_eq!(refused["code"], "recipient-owes");
    }
    let receivable = "SELECT id FROM payments.receivable WHERE currency = 'BRL' AND settled = 0";
    let receivable: Uuid = scene.stack.sql().query_one(receivable, &[]).unwrap().get(0);
    let path_of_debt = format!("/payments/receivables/{receivable}/written-off");
    by_hand(&admin, &path_of_debt).expect(200);
    generate().expect(200);
    by_hand(&admin, &path("approved")).expect(200);
    assert_sound(&scene.stack);
}

/// Splitting a large debt does not avoid the second admin.
#[test]
fn small_write_offs_of_one_admin_within_a_day_count_as_one_large() {
    let scene = Scene::start();
    let (user, other) = (scene.user(), scene.user());
    let (name, elsewhere) = (account(&user, 0.0), account(&other, 0.0));
    let attempts = [600.0, 600.0].map(|amount| deposited(&scene, &user, &name, amount).1);
    send(&user, &name, &elsewhere, &json!(1200)).expect(200);
    for attempt in &attempts {
        scene
            .provider
            .changes(attempt, "status", json!("charged_back"));
        scene.webhook(attempt).expect(200);
    }
    let owed = "SELECT id FROM payments.receivable ORDER BY created_at";
    let owed = scene.stack.sql().query(owed, &[]).unwrap();
    let write_off = |admin: &User, number: usize| {
        let id: Uuid = owed[number].get(0);
        by_hand(admin, &format!("/payments/receivables/{id}/written-off"))
    };
    let (first, second) = (User::admin(&scene.stack), User::second_admin(&scene.stack));
    write_off(&first, 0).expect(200);
    write_off(&first, 1).expect(202);
    assert_eq!(house(&scene.stack, "losses"), -60_000);
    write_off(&second, 1).expect(200);
    assert_sound(&scene.stack);
}
