//! Commissions: the house takes them from payments between users and gives them back with refunds.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Answer, Stack, User, at_once};

use super::ledger::{ledger, pay, refund, spend, user_with};
use super::{activate, assert_sound, by_hand, promocode, wallet};

fn set(admin: &User, path: &str, points: Option<i64>) -> Answer {
    let body = json!({ "basis_points": points, "reason": "the contract of this year" });
    let path = format!("/payments/commissions{path}");
    admin.put(&path).json(&body).send()
}

/// A payee with a commission of so many basis points.
fn payee(stack: &Stack, points: i64) -> Uuid {
    let payee = Uuid::new_v4();
    set(&User::admin(stack), &format!("/{payee}"), Some(points)).expect(204);
    payee
}

/// The payee's balance, the held part of it, and the house's fee of the payment.
fn shares(stack: &Stack, payee: Uuid, payment: Uuid) -> (i64, i64, i64) {
    let shares =
        "SELECT balance, held, coalesce((SELECT kept FROM payments.fee WHERE payment = $2), 0)
        FROM payments.account WHERE kind = 'main' AND owner = $1";
    let row = stack.sql().query_one(shares, &[&payee, &payment]).unwrap();
    (row.get(0), row.get(1), row.get(2))
}

#[test]
fn the_house_takes_its_part_and_gives_it_back_with_a_refund() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (payer, payee, payment) = (user_with(sql, 1000), payee(&stack, 250), Uuid::new_v4());
    assert_eq!(pay(sql, payment, payer, payee, 801, "1 hour"), "moved");
    // 2.5 %, rounded down for the payee.
    assert_eq!(shares(&stack, payee, payment), (781, 781, 20));
    assert_eq!(pay(sql, payment, payer, payee, 801, "1 hour"), "replayed");
    // The payee sees that none of it can be spent.
    let held = "SELECT held FROM payment WHERE id = $1";
    let held: i64 = sql.query_one(held, &[&payment]).unwrap().get(0);
    assert_eq!(held, 801);
    assert_eq!(spend(sql, payee, 1), "insufficient_funds");

    let part = Uuid::new_v4();
    for outcome in ["moved", "replayed"] {
        assert_eq!(
            refund(sql, part, payment, Some(300)),
            (outcome.into(), Some(300))
        );
        assert_eq!(shares(&stack, payee, payment), (489, 489, 12));
    }
    // A new commission applies to later payments only.
    set(&User::admin(&stack), &format!("/{payee}"), Some(5000)).expect(204);
    assert_eq!(refund(sql, Uuid::new_v4(), payment, None).0, "moved");
    assert_eq!(shares(&stack, payee, payment), (0, 0, 0));
    let later = Uuid::new_v4();
    assert_eq!(pay(sql, later, payer, payee, 999, "-1 hour"), "moved");
    assert_eq!(shares(&stack, payee, later).2, 499);
    assert_eq!(spend(sql, payee, 500), "coined");
    assert_sound(&stack);
}

#[test]
fn a_refused_refund_does_not_change_the_commission() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (payer, payee, payment) = (user_with(sql, 1000), payee(&stack, 1000), Uuid::new_v4());
    assert_eq!(pay(sql, payment, payer, payee, 1000, "-1 hour"), "moved");
    assert_eq!(spend(sql, payee, 850), "coined");
    let back = Uuid::new_v4();
    assert_eq!(refund(sql, back, payment, None).0, "insufficient_funds");
    assert_eq!(shares(&stack, payee, payment), (50, 0, 100));
    assert_sound(&stack);

    // The payee pays with the money left, the house gives back its fee and pays the rest.
    let admin = User::admin(&stack);
    by_hand(&admin, &format!("/payments/stuck/{back}/settled")).expect(200);
    assert_eq!(shares(&stack, payee, payment), (0, 0, 0));
    let lost = "SELECT amount FROM payments.transfer WHERE id = $1";
    let lost: i64 = sql.query_one(lost, &[&back]).unwrap().get(0);
    assert_eq!(lost, 850);
    assert_sound(&stack);
}

#[test]
fn refunds_at_once_leave_the_house_its_exact_part() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (payer, payee) = (user_with(sql, 1000), payee(&stack, 3333));
    let payments: Vec<_> = (0..4).map(|_| Uuid::new_v4()).collect();
    for payment in &payments {
        assert_eq!(pay(sql, *payment, payer, payee, 100, "1 hour"), "moved");
    }
    at_once(16, |number| {
        let sql = &mut ledger(&stack);
        for round in 0..4 {
            let payment = payments[(number + round) % payments.len()];
            let (outcome, _) = refund(sql, Uuid::new_v4(), payment, Some(7));
            assert!(
                ["moved", "nothing_left"].contains(&outcome.as_str()),
                "{outcome}"
            );
        }
    });
    for payment in payments {
        // Fourteen of seven cents fit, and two cents are left.
        assert_eq!(shares(&stack, payee, payment).2, 0);
    }
    assert_eq!(shares(&stack, payee, Uuid::nil()).0, 8);
    assert_sound(&stack);
}

#[test]
fn the_common_commission_applies_to_owners_without_their_own() {
    // A stack of its own, because other tests pay owners, too.
    let stack = Stack::start();
    let (admin, driver, owner) = (
        User::admin(&stack),
        User::driver(&stack),
        User::owner(&stack),
    );
    let own = |user: &User| user.get("/payment/commission").send().expect(200).json();
    assert_eq!(own(&owner), json!({ "basis_points": 0 }));
    set(&admin, "", Some(1000)).expect(204);
    assert_eq!(own(&owner), json!({ "basis_points": 1000 }));
    let id = |user: &User| {
        let me = user.get("/auth/me").send().expect(200).json();
        me["id"].as_str().unwrap().parse::<Uuid>().unwrap()
    };
    let path = format!("/{}", id(&owner));
    set(&admin, &path, Some(0)).expect(204);
    assert_eq!(own(&owner), json!({ "basis_points": 0 }));
    set(&admin, &path, None).expect(204);
    assert_eq!(own(&owner), json!({ "basis_points": 1000 }));

    let listed = admin.get("/payments/commissions").send().expect(200).json();
    let listed: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["user_id"].clone(), it["basis_points"].clone()))
        .collect();
    let common = (Value::Null, json!(1000));
    assert_eq!(listed, [common, (json!(id(&owner)), Value::Null)]);
    set(&owner, "", Some(0)).expect(403);
    set(&owner, &path, Some(0)).expect(403);
    owner.get("/payments/commissions").send().expect(403);
    assert!(set(&admin, "", Some(5001)).status() >= 400);
    // Each change keeps its admin and reason.
    let erase = "DELETE FROM payments.commission";
    assert!(stack.sql().execute(erase, &[]).is_err());

    activate(&driver, &promocode(&admin, 1000, 1)).expect(200);
    let sql = &mut ledger(&stack);
    let payment = Uuid::new_v4();
    assert_eq!(
        pay(sql, payment, id(&driver), id(&owner), 1000, "-1 hour"),
        "moved"
    );
    assert_eq!(wallet(&owner), 900);
    let statement = owner.get("/payment/statement").send().expect(200).json();
    let entries: Vec<_> = statement["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["kind"].clone(),
                it["amount"].clone(),
                it["balance"].clone(),
            )
        })
        .collect();
    assert_eq!(
        entries,
        [
            (json!("fee"), json!(-100), json!(900)),
            (json!("payment"), json!(1000), json!(1000)),
        ]
    );
    assert_sound(&stack);
}
