//! What admins do by hand: it is traced, money of users is not made so, and above an amount it takes two.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Answer, Options, Stack, User, eventually, unique};

use super::assert_sound;
use super::ledger::{ledger, pay, user_with};

fn order(user: &User, amount: f64) -> String {
    let body = json!({ "order_id": unique("order"), "amount": amount, "customer_id": 7 });
    let payment = user
        .post("/payments/")
        .json(&body)
        .send()
        .expect(200)
        .json();
    payment["payment_id"].as_str().unwrap().to_owned()
}

fn approve(admin: &User, payment: &str) -> Answer {
    let path = format!("/payments/{payment}?new_status=approved&reason=paid+in+cash");
    admin.request("PATCH", &path).send()
}

fn acts(admin: &User, about: &str) -> Vec<Value> {
    let path = format!("/payments/acts?about={about}");
    let acts = admin.get(&path).send().expect(200).json();
    acts.as_array().unwrap().clone()
}

#[test]
fn every_act_keeps_who_when_and_why() {
    let stack = Stack::shared();
    let (user, admin) = (User::driver(&stack), User::admin(&stack));
    let payment = order(&user, 10.0);
    approve(&admin, &payment).expect(200);
    let acts = acts(&admin, &payment);
    let me = admin.get("/auth/me").send().expect(200).json()["id"].clone();
    assert_eq!(acts.len(), 1, "{acts:?}");
    for (field, value) in [
        ("actor", me),
        ("act", json!("approved")),
        ("stage", json!("done")),
        ("amount", json!(10)),
        ("reason", json!("paid in cash")),
    ] {
        assert_eq!(acts[0][field], value, "{field}");
    }
    assert!(acts[0]["acted_at"].is_string());
    user.get("/payments/acts").send().expect(403);
    let erase = "DELETE FROM payments.manual_act";
    assert!(stack.sql().execute(erase, &[]).is_err());
}

#[test]
fn above_an_amount_it_takes_two_admins() {
    let stack = Stack::shared();
    let (user, first) = (User::driver(&stack), User::admin(&stack));
    let second = User::second_admin(&stack);
    let payment = order(&user, 1000.01);
    let proposed = approve(&first, &payment).expect(202).json();
    assert_eq!(proposed["status"], "pending");
    // As often as the same admin says so.
    approve(&first, &payment).expect(202);
    assert_eq!(acts(&first, &payment).len(), 1);
    let done = approve(&second, &payment).expect(200).json();
    assert_eq!(done["status"], "approved");
    let stages: Vec<_> = acts(&first, &payment)
        .iter()
        .map(|it| it["stage"].clone())
        .collect();
    assert_eq!(stages, [json!("done"), json!("proposed")]);
    // Another act is proposed anew.
    let path = format!("/payments/{payment}?new_status=refunded&reason=cash+was+false");
    second.request("PATCH", &path).send().expect(202);
    second.request("PATCH", &path).send().expect(202);
    let back = first.request("PATCH", &path).send().expect(200).json();
    assert_eq!(back["status"], "refunded");
    assert_sound(&stack);
}

#[test]
fn a_proposal_is_good_for_a_week() {
    let stack = Stack::shared();
    let (user, first) = (User::driver(&stack), User::admin(&stack));
    let second = User::second_admin(&stack);
    let payment = order(&user, 5000.0);
    let old = "INSERT INTO payments.manual_act (subject, about, act, stage, amount, currency, actor, acted_at)
        VALUES ('payment', $1, 'approved', 'proposed', 500000, 'BRL', gen_random_uuid(), now() - interval '8 days')";
    stack.sql().execute(old, &[&payment]).unwrap();
    approve(&first, &payment).expect(202);
    approve(&second, &payment).expect(200);
}

/// An admin who leaves takes what they proposed along.
#[test]
fn a_proposal_of_an_admin_who_was_erased_is_no_consent() {
    let stack = Stack::shared();
    let (user, first) = (User::driver(&stack), User::admin(&stack));
    let (payment, gone) = (order(&user, 5000.0), Uuid::new_v4());
    let proposed =
        "INSERT INTO payments.manual_act (subject, about, act, stage, amount, currency, actor)
        VALUES ('payment', $1, 'approved', 'proposed', 500000, 'BRL', $2)";
    let mut sql = stack.sql();
    sql.execute(proposed, &[&payment, &gone]).unwrap();
    let forget = "SELECT payments.forget_holder($1, 9223372036854775807)";
    sql.execute(forget, &[&gone]).unwrap();
    approve(&first, &payment).expect(202);
    approve(&User::second_admin(&stack), &payment).expect(200);
}

/// The first admin agreed to other money.
#[test]
fn a_proposal_of_another_amount_is_no_consent() {
    let stack = Stack::shared();
    let (user, admin) = (User::driver(&stack), User::admin(&stack));
    for (amount, currency) in [(499_999_i64, "BRL"), (500_000, "EUR")] {
        let payment = order(&user, 5000.0);
        let other =
            "INSERT INTO payments.manual_act (subject, about, act, stage, amount, currency, actor)
            VALUES ('payment', $1, 'approved', 'proposed', $2, $3, gen_random_uuid())";
        let other = stack.sql().execute(other, &[&payment, &amount, &currency]);
        assert_eq!(other.unwrap(), 1);
        approve(&admin, &payment).expect(202);
        approve(&User::second_admin(&stack), &payment).expect(200);
    }
}

#[test]
fn an_admin_alone_does_nothing_for_their_own_benefit() {
    let stack = Stack::shared();
    let (first, second) = (User::admin(&stack), User::second_admin(&stack));
    let payment = order(&second, 1.0);
    approve(&second, &payment).expect(202);
    approve(&first, &payment).expect(200);
}

/// Each of them alone would take no second admin.
#[test]
fn small_sums_that_one_admin_hands_over_in_a_day_are_a_large_one() {
    let stack = Stack::shared();
    let mut sql = ledger(&stack);
    let [first, heir] = [(); 2].map(|()| Uuid::new_v4());
    // Payments knows of the claimant.
    let known = "SELECT note_holder($1, NULL, 1, 'USD')";
    sql.execute(known, &[&heir]).unwrap();
    let erased = [60_000, 40_000, 1].map(|cents| {
        let erased = user_with(&mut sql, cents);
        let forget = "SELECT forget_holder($1, 9223372036854775807)";
        sql.execute(forget, &[&erased]).unwrap();
        erased
    });
    let waits = "SELECT count(*) FROM unclaimed WHERE owner = ANY ($1) AND amount > 0";
    eventually("it is set aside", Duration::from_secs(60), || {
        let waiting: i64 = sql.query_one(waits, &[&erased.as_slice()]).unwrap().get(0);
        waiting == 3
    });
    let hand_over = "SELECT hand_over($1, 'USD', $2, $3, 'passport seen', 100000)";
    let outcomes = erased.map(|it| -> String {
        let handed = sql.query_one(hand_over, &[&it, &heir, &first]).unwrap();
        handed.get(0)
    });
    assert_eq!(outcomes, ["moved", "moved", "proposed"]);
    let second = Uuid::new_v4();
    let agreed = sql.query_one(hand_over, &[&erased[2], &heir, &second]);
    assert_eq!(agreed.unwrap().get::<_, String>(0), "moved");
    assert_sound(&stack);
}

/// A sandbox's deposit of yesterday would be real money today.
#[test]
fn a_database_of_real_money_moves_nothing_for_a_sandbox_and_the_other_way_round() {
    let mut stack = Options::default()
        .variable("tick_token", "tick-tock")
        .start();
    let user = User::driver(&stack);
    let (payment, payee) = (Uuid::new_v4(), Uuid::new_v4());
    let payer = user_with(&mut ledger(&stack), 10);
    let paid = pay(&mut ledger(&stack), payment, payer, payee, 10, "1 hour");
    assert_eq!(paid, "moved");
    let wrong = "ALTER TABLE payments.money_mode DISABLE TRIGGER money_mode_is_final;
        DELETE FROM payments.money_mode;
        INSERT INTO payments.money_mode (is_sandbox) VALUES (false);
        ALTER TABLE payments.money_mode ENABLE TRIGGER money_mode_is_final";
    stack.sql().batch_execute(wrong).unwrap();
    stack.kill();
    stack.start_again();
    let body =
        json!({ "paymentAccountId": unique("a"), "paymentAccountType": "DEBIT", "balance": 5 });
    user.post("/payments/accounts")
        .json(&body)
        .send()
        .problem(503);
    let code = json!({ "code": "ABCDEF" });
    user.post("/payment/promocode/activate")
        .json(&code)
        .send()
        .problem(503);
    // Nor does the sweep free what is held.
    let over = "UPDATE payments.hold SET until = now() - interval '1 second' WHERE payment = $1";
    let tick = || stack.post("/payments/tick").bearer("tick-tock").send();
    for _ in 0..2 {
        assert_eq!(stack.sql().execute(over, &[&payment]).unwrap(), 1);
        tick().problem(503);
    }
    // It can still be read.
    user.get("/payment/balance").send().expect(200);
    let forced = stack.sql().execute(
        "SELECT payments.deposit(gen_random_uuid(), owner, name, 1) FROM payments.account WHERE kind = 'further'",
        &[],
    );
    assert_eq!(forced.unwrap(), 0);
    let written = "UPDATE payments.money_mode SET is_sandbox = true";
    assert!(stack.sql().execute(written, &[]).is_err());
}
