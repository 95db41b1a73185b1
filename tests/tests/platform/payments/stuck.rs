//! Refunds that are refused: they wait in a list until they succeed or an admin settles them.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Stack, User, at_once, eventually};

use super::ledger::{ledger, pay, refund, spend, user_with};
use super::{assert_sound, by_hand};

/// A payment whose payee has spent the money, and a refused refund of it.
pub(crate) struct Stuck {
    payer: Uuid,
    payee: Uuid,
    payment: Uuid,
    pub(crate) refund: Uuid,
}

impl Stuck {
    pub(crate) fn of(stack: &Stack, amount: i64, left: i64) -> Self {
        let sql = &mut ledger(stack);
        let it = Self {
            payer: user_with(sql, amount),
            payee: Uuid::new_v4(),
            payment: Uuid::new_v4(),
            refund: Uuid::new_v4(),
        };
        assert_eq!(
            pay(sql, it.payment, it.payer, it.payee, amount, "-1 hour"),
            "moved"
        );
        assert_eq!(spend(sql, it.payee, amount - left), "coined");
        assert_eq!(
            refund(sql, it.refund, it.payment, None).0,
            "insufficient_funds"
        );
        it
    }

    fn listed(&self, admin: &User) -> Option<Value> {
        let list = admin
            .get("/payments/stuck?limit=100")
            .send()
            .expect(200)
            .json();
        let list = list.as_array().unwrap();
        let id = self.refund.to_string();
        list.iter().find(|it| it["id"] == id.as_str()).cloned()
    }

    fn path(&self, what: &str) -> String {
        format!("/payments/stuck/{}/{what}", self.refund)
    }
}

fn total(stack: &Stack, user: Uuid) -> i64 {
    let statement = "SELECT balance FROM payments.account WHERE kind = 'main' AND owner = $1";
    stack.sql().query_one(statement, &[&user]).unwrap().get(0)
}

#[test]
fn the_house_pays_a_refund_once_when_the_payee_cannot() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let stuck = Stuck::of(&stack, 800, 300);
    for _ in 0..2 {
        refund(&mut ledger(&stack), stuck.refund, stuck.payment, None);
    }
    let listed = stuck.listed(&admin).expect("it waits");
    for (field, value) in [
        ("kind", json!("wallet")),
        ("amount", json!(8)),
        ("currency", json!("USD")),
        ("refusal", json!("insufficient_funds")),
        ("tries", json!(3)),
        ("is_stuck", json!(true)),
        ("payment_id", json!(stuck.payment)),
    ] {
        assert_eq!(listed[field], value, "{field}");
    }
    eventually("an alert names it", Duration::from_secs(30), || {
        stack
            .log()
            .contains(&format!("ALERT stuck-refund: {}", stuck.refund))
    });

    let sql = &mut ledger(&stack);
    let (giver, held) = (user_with(sql, 400), Uuid::new_v4());
    assert_eq!(pay(sql, held, giver, stuck.payee, 400, "1 hour"), "moved");
    let answers = at_once(8, |number| match number % 2 {
        0 => by_hand(&admin, &stuck.path("settled")).status(),
        _ => {
            refund(&mut ledger(&stack), stuck.refund, stuck.payment, None);
            200
        }
    });
    assert!(answers.iter().all(|it| *it == 200), "{answers:?}");
    // The payee paid with free money, and with none that is held for another payment.
    assert_eq!(
        (total(&stack, stuck.payer), total(&stack, stuck.payee)),
        (800, 400)
    );
    // The caller, which retries for ever, gets the answer that it is done.
    let again = refund(&mut ledger(&stack), stuck.refund, stuck.payment, None);
    assert_eq!(again, ("replayed".to_owned(), Some(800)));
    for (amount, outcome) in [(800, "replayed"), (799, "id_taken")] {
        let again = refund(sql, stuck.refund, stuck.payment, Some(amount));
        assert_eq!(again.0, outcome);
    }
    assert_eq!(stuck.listed(&admin), None);
    let settled = by_hand(&admin, &stuck.path("settled")).expect(200).json();
    assert_eq!(settled["resolution"], "house_funded");
    let acts = admin.get(&format!("/payments/acts?about={}", stuck.refund));
    let acts = acts.send().expect(200).json();
    assert_eq!(
        (
            &acts[0]["act"],
            &acts[0]["subject"],
            acts.as_array().unwrap().len()
        ),
        (&json!("settled"), &json!("refund"), 1)
    );
    assert_sound(&stack);
}

#[test]
fn a_refund_is_tried_again_and_leaves_the_list_when_it_succeeds() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let stuck = Stuck::of(&stack, 500, 0);
    let refused = by_hand(&admin, &stuck.path("retry")).problem(400);
    assert_eq!(refused["code"], "insufficient-funds");
    let sql = &mut ledger(&stack);
    let (giver, gift) = (user_with(sql, 900), Uuid::new_v4());
    assert_eq!(pay(sql, gift, giver, stuck.payee, 900, "-1 hour"), "moved");
    let done = by_hand(&admin, &stuck.path("retry")).expect(200).json();
    assert_eq!(done["resolution"], "refunded");
    assert_eq!(
        (total(&stack, stuck.payer), total(&stack, stuck.payee)),
        (500, 400)
    );
    assert_eq!(stuck.listed(&admin), None);
}

#[test]
fn a_payment_refunded_otherwise_is_not_refunded_again() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let stuck = Stuck::of(&stack, 500, 0);
    let sql = &mut ledger(&stack);
    let (giver, gift) = (user_with(sql, 500), Uuid::new_v4());
    assert_eq!(pay(sql, gift, giver, stuck.payee, 500, "-1 hour"), "moved");
    assert_eq!(refund(sql, Uuid::new_v4(), stuck.payment, None).0, "moved");
    let refused = by_hand(&admin, &stuck.path("settled")).problem(409);
    assert_eq!(refused["code"], "refunded-otherwise");
    let again = refund(sql, stuck.refund, stuck.payment, None);
    assert_eq!(again.0, "nothing_left");
    assert_eq!(stuck.listed(&admin), None);
    assert_eq!(total(&stack, stuck.payer), 500);
}

#[test]
fn settling_a_large_refund_takes_two_admins() {
    let stack = Stack::shared();
    let (first, second) = (User::admin(&stack), User::second_admin(&stack));
    let stuck = Stuck::of(&stack, 100_001, 1);
    let user = User::driver(&stack);
    user.get("/payments/stuck").send().expect(403);
    by_hand(&user, &stuck.path("settled")).expect(403);
    user.post(&stuck.path("retry")).send().expect(403);
    by_hand(&first, &stuck.path("settled")).expect(202);
    by_hand(&first, &stuck.path("settled")).expect(202);
    assert_eq!(total(&stack, stuck.payer), 0);
    by_hand(&second, &stuck.path("settled")).expect(200);
    assert_eq!(total(&stack, stuck.payer), 100_001);
    let one = format!("/payments/stuck/{}", stuck.refund);
    let shown = first.get(&one).send().expect(200).json();
    assert_eq!(shown["resolution"], "house_funded");
    user.get(&one).send().expect(403);
    first.get("/payments/stuck/unknown").send().expect(404);
    by_hand(&first, "/payments/stuck/unknown/settled").expect(404);
    by_hand(&first, "/payments/stuck/unknown/retry").expect(404);
}

/// Splitting a large sum does not avoid the second admin, also with concurrent requests.
#[test]
fn small_settled_refunds_of_one_admin_within_a_day_count_as_one_large() {
    let stack = Stack::shared();
    let stuck = [50_000; 4].map(|cents| Stuck::of(&stack, cents, 0));
    let settle = |it: &Stuck, admin: Uuid| -> String {
        let settle = "SELECT settle_stuck($1, $2, 'seen on the statement', 100000)";
        let settled = ledger(&stack).query_one(settle, &[&it.refund.to_string(), &admin]);
        settled.unwrap().get(0)
    };
    let first = Uuid::new_v4();
    let mut outcomes = at_once(4, |number| settle(&stuck[number], first));
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["moved", "moved", "proposed", "proposed"]);
    for it in &stuck {
        let again = settle(it, Uuid::new_v4());
        assert!(matches!(again.as_str(), "moved" | "replayed"), "{again}");
        assert_eq!(total(&stack, it.payer), 50_000);
    }
    assert_sound(&stack);
}

#[test]
fn monitoring_sees_how_many_refunds_wait() {
    let stack = Stack::shared();
    Stuck::of(&stack, 5, 0);
    let metrics = stack.get("/payments/stuck/metrics").send().expect(200);
    let text = metrics.text();
    let line = "wharf_payments_refunds_refused{kind=\"wallet\"} ";
    let count = text
        .lines()
        .find_map(|it| it.strip_prefix(line))
        .expect("the line");
    assert!(count.parse::<i64>().unwrap() > 0, "{text}");
}

fn unclaimed(stack: &Stack, owner: Uuid) -> i64 {
    let left = "SELECT coalesce(sum(amount), 0)::bigint FROM payments.unclaimed WHERE owner = $1";
    stack.sql().query_one(left, &[&owner]).unwrap().get(0)
}

/// Waits until this much was set aside.
pub(super) fn erase(stack: &Stack, user: Uuid, leaves: i64) {
    let forget = "SELECT payments.forget_holder($1, 9223372036854775807)";
    stack.sql().execute(forget, &[&user]).unwrap();
    eventually("it is set aside", Duration::from_secs(60), || {
        unclaimed(stack, user) == leaves
    });
}

#[test]
fn a_refund_uses_unclaimed_money_of_an_erased_payee() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (payer, payee) = (user_with(sql, 500), Uuid::new_v4());
    let (payment, back) = (Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(pay(sql, payment, payer, payee, 500, "-1 hour"), "moved");
    erase(&stack, payee, 500);
    assert_eq!(refund(sql, back, payment, Some(200)).0, "moved");
    assert_eq!((total(&stack, payer), unclaimed(&stack, payee)), (200, 300));
    assert_sound(&stack);
}

/// Otherwise the sweep would not find money that comes to it later.
#[test]
fn an_account_that_is_opened_while_its_owner_is_erased_counts_as_left_behind() {
    let stack = Stack::shared();
    for is_opened_first in [true, false] {
        let owner = user_with(&mut ledger(&stack), 500);
        let open = format!("SELECT main_account('{owner}', 'EUR')::text");
        let forget = format!("SELECT forget_holder('{owner}', 9223372036854775807)::text");
        match is_opened_first {
            true => stack.overlap("payments", &open, &forget),
            false => stack.overlap("payments", &forget, &open),
        };
        let left = "SELECT count(*) FROM payments.account WHERE owner = $1 AND is_left";
        let left: i64 = stack.sql().query_one(left, &[&owner]).unwrap().get(0);
        assert_eq!(left, 2, "opened first: {is_opened_first}");
    }
}

#[test]
fn the_house_pays_only_the_part_that_an_erased_payees_money_lacks() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (payer, payee) = (user_with(sql, 500), Uuid::new_v4());
    let [payment, spent, back] = [(); 3].map(|()| Uuid::new_v4());
    assert_eq!(pay(sql, payment, payer, payee, 500, "-1 hour"), "moved");
    let other = Uuid::new_v4();
    assert_eq!(pay(sql, spent, payee, other, 300, "-1 hour"), "moved");
    erase(&stack, payee, 200);
    assert_eq!(refund(sql, back, payment, None).0, "insufficient_funds");
    // The money is not moved there and back at each retry.
    assert_eq!(unclaimed(&stack, payee), 200);
    let settle = "SELECT settle_stuck($1, gen_random_uuid(), 'seen on the statement', 100000)";
    let settled: String = sql.query_one(settle, &[&back.to_string()]).unwrap().get(0);
    assert_eq!(settled, "moved");
    assert_eq!((total(&stack, payer), unclaimed(&stack, payee)), (500, 0));
    let of_house = "SELECT amount FROM transfer WHERE id = $1";
    let of_house: i64 = sql.query_one(of_house, &[&back]).unwrap().get(0);
    assert_eq!(of_house, 300);
    assert_sound(&stack);
}
