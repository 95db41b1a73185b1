//! The promises of `wharf:payments/ledger`, tested with the component's statements and its own role: concurrent callers, and
//! crashes of callers.

use std::time::Duration;

use postgres::Client;
use uuid::Uuid;
use wharf_tests::{Stack, User, at_once, eventually};

use super::assert_sound;

/// A sweep comes every second.
const SOON: Duration = Duration::from_secs(60);

/// The component's side of the database.
pub(super) fn ledger(stack: &Stack) -> Client {
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = payments; SET ROLE wharf_payments")
        .unwrap();
    sql
}

/// A user with `cents` in the wallet.
pub(super) fn user_with(sql: &mut Client, cents: i64) -> Uuid {
    let user = Uuid::new_v4();
    let code = format!("gift-{user}");
    sql.execute(
        "SELECT issue_promocode($1, $1, $2, NULL, $3, 'USD', 1, NULL, NULL, $3)",
        &[&Uuid::new_v4(), &code, &cents],
    )
    .unwrap();
    sql.execute(
        "SELECT activate_promocode($1, $2, $3)",
        &[&Uuid::new_v4(), &user, &code],
    )
    .unwrap();
    user
}

pub(super) fn pay(
    sql: &mut Client,
    id: Uuid,
    payer: Uuid,
    payee: Uuid,
    cents: i64,
    hold: &str,
) -> String {
    let statement = format!(
        "SELECT outcome FROM pay($1, $2, $3, $4, 'USD', '7', 'a booking', now() + interval '{hold}')"
    );
    sql.query_one(&statement, &[&id, &payer, &payee, &cents])
        .unwrap()
        .get(0)
}

pub(super) fn refund(
    sql: &mut Client,
    id: Uuid,
    payment: Uuid,
    cents: Option<i64>,
) -> (String, Option<i64>) {
    let statement = "SELECT outcome, amount FROM refund($1, $2, $3, 'back')";
    let row = sql.query_one(statement, &[&id, &payment, &cents]).unwrap();
    (row.get(0), row.get(1))
}

/// Balance and held.
pub(super) fn funds(sql: &mut Client, user: Uuid) -> (i64, i64) {
    let statement = "SELECT balance, held FROM account WHERE kind = 'main' AND owner = $1";
    let row = sql.query_one(statement, &[&user]).unwrap();
    (row.get(0), row.get(1))
}

/// Takes everything the user can spend.
pub(super) fn spend(sql: &mut Client, user: Uuid, cents: i64) -> String {
    let statement = "SELECT outcome FROM generate_promocode($1, $2, $3, $4, 'USD')";
    let code = Uuid::new_v4().simple().to_string();
    sql.query_one(statement, &[&Uuid::new_v4(), &user, &code, &cents])
        .unwrap()
        .get(0)
}

#[test]
fn a_held_share_cannot_be_spent_and_covers_every_refund() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (driver, owner, payment) = (user_with(sql, 1000), Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(pay(sql, payment, driver, owner, 800, "1 hour"), "moved");
    assert_eq!(
        (funds(sql, driver), funds(sql, owner)),
        ((200, 0), (800, 800))
    );
    assert_eq!(spend(sql, owner, 1), "insufficient_funds");

    let partial = Uuid::new_v4();
    assert_eq!(
        refund(sql, partial, payment, Some(300)),
        ("moved".into(), Some(300))
    );
    assert_eq!(
        refund(sql, partial, payment, Some(300)),
        ("replayed".into(), Some(300))
    );
    assert_eq!(refund(sql, partial, payment, Some(301)).0, "id_taken");
    assert_eq!(funds(sql, owner), (500, 500));
    assert_eq!(
        refund(sql, Uuid::new_v4(), payment, Some(501)),
        ("nothing_left".into(), Some(500))
    );
    assert_eq!(
        refund(sql, Uuid::new_v4(), payment, None),
        ("moved".into(), Some(500))
    );
    assert_eq!(
        refund(sql, Uuid::new_v4(), payment, None),
        ("nothing_left".into(), Some(0))
    );
    assert_eq!((funds(sql, driver), funds(sql, owner)), ((1000, 0), (0, 0)));
    assert_sound(&stack);
}

#[test]
fn concurrent_refunds_never_give_back_more_than_was_paid() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (driver, owner, payment) = (user_with(sql, 100), Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(pay(sql, payment, driver, owner, 100, "1 hour"), "moved");
    let outcomes = at_once(32, |_| {
        refund(&mut ledger(&stack), Uuid::new_v4(), payment, Some(10)).0
    });
    assert_eq!(
        outcomes.iter().filter(|it| *it == "moved").count(),
        10,
        "{outcomes:?}"
    );
    assert_eq!((funds(sql, driver), funds(sql, owner)), ((100, 0), (0, 0)));
    let same = Uuid::new_v4();
    let again = Uuid::new_v4();
    assert_eq!(pay(sql, again, driver, owner, 100, "1 hour"), "moved");
    let outcomes = at_once(32, |_| refund(&mut ledger(&stack), same, again, None).0);
    assert_eq!(
        outcomes.iter().filter(|it| *it == "moved").count(),
        1,
        "{outcomes:?}"
    );
    assert_sound(&stack);
}

#[test]
fn money_of_an_ended_hold_is_free_even_before_the_sweep() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (driver, owner) = (user_with(sql, 1000), Uuid::new_v4());
    let (over, on) = (Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(pay(sql, over, driver, owner, 300, "-1 second"), "moved");
    assert_eq!(pay(sql, on, driver, owner, 400, "1 hour"), "moved");
    assert_eq!(spend(sql, owner, 301), "insufficient_funds");
    assert_eq!(spend(sql, owner, 300), "coined");
    // Longer, shorter, and let go.
    let hold = |sql: &mut Client, interval: &str| -> i64 {
        let statement = format!("SELECT held FROM hold_until($1, now() + interval '{interval}')");
        sql.query_one(&statement, &[&on]).unwrap().get(0)
    };
    assert_eq!(hold(sql, "2 hours"), 400);
    assert_eq!(hold(sql, "-1 second"), 0);
    // Released money stays free.
    assert_eq!(hold(sql, "2 hours"), 0);
    assert_eq!(spend(sql, owner, 400), "coined");
    let release = "SELECT refunded, held FROM release($1)";
    for _ in 0..2 {
        let row = sql.query_one(release, &[&on]).unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (0, 0));
    }
    // Nothing is left to give back from.
    assert_eq!(
        refund(sql, Uuid::new_v4(), on, None).0,
        "insufficient_funds"
    );
    assert_sound(&stack);
}

#[test]
fn releasing_one_hold_leaves_the_holds_of_other_payments() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (driver, owner) = (user_with(sql, 900), Uuid::new_v4());
    // All equal, so that holds differ only in their payment.
    let [refunded, shortened, on] = [(); 3].map(|()| {
        let payment = Uuid::new_v4();
        assert_eq!(pay(sql, payment, driver, owner, 300, "1 hour"), "moved");
        payment
    });
    let held = |sql: &mut Client| {
        [refunded, shortened, on].map(|payment| -> i64 {
            let held = "SELECT held FROM payment WHERE id = $1";
            sql.query_one(held, &[&payment]).unwrap().get(0)
        })
    };
    assert_eq!(refund(sql, Uuid::new_v4(), refunded, None).0, "moved");
    assert_eq!((held(sql), funds(sql, owner)), ([0, 300, 300], (600, 600)));
    let shorten = "SELECT held FROM hold_until($1, now() - interval '1 second')";
    sql.query_one(shorten, &[&shortened]).unwrap();
    assert_eq!(held(sql), [0, 0, 300]);
    assert_eq!(spend(sql, owner, 301), "insufficient_funds");
    assert_eq!(spend(sql, owner, 300), "coined");
    assert_eq!((held(sql), funds(sql, owner)), ([0, 0, 300], (300, 300)));
    assert_sound(&stack);
}

/// A sweep that finds a booking waiting asks whether it was paid; the payment may be on its way.
#[test]
fn a_payment_is_either_made_or_voided() {
    let stack = Stack::shared();
    for _ in 0..20 {
        let sql = &mut ledger(&stack);
        let (driver, owner, payment) = (user_with(sql, 10), Uuid::new_v4(), Uuid::new_v4());
        let outcomes = at_once(4, |number| {
            let sql = &mut ledger(&stack);
            if number % 2 == 0 {
                pay(sql, payment, driver, owner, 10, "1 hour")
            } else {
                let found = sql
                    .query("SELECT id FROM void_payment($1)", &[&payment])
                    .unwrap();
                if found.is_empty() {
                    "called off"
                } else {
                    "found"
                }
                .to_owned()
            }
        });
        let count = |word: &str| outcomes.iter().filter(|it| *it == word).count();
        let paid = count("moved");
        assert!(
            paid <= 1 && (paid == 1) == (count("called off") == 0),
            "{outcomes:?}"
        );
        assert_eq!(
            count("voided"),
            if paid == 1 { 0 } else { 2 },
            "{outcomes:?}"
        );
        assert_eq!(funds(sql, driver).0, if paid == 1 { 0 } else { 10 });
    }
}

#[test]
fn a_payment_to_oneself_and_one_under_a_used_name_are_refused() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (driver, owner, payment) = (user_with(sql, 100), Uuid::new_v4(), Uuid::new_v4());
    assert_eq!(
        pay(sql, payment, driver, driver, 10, "1 hour"),
        "same_account"
    );
    assert_eq!(
        pay(sql, payment, driver, owner, 101, "1 hour"),
        "insufficient_funds"
    );
    assert_eq!(pay(sql, payment, driver, owner, 10, "1 hour"), "moved");
    assert_eq!(pay(sql, payment, driver, owner, 10, "1 hour"), "replayed");
    assert_eq!(pay(sql, payment, driver, owner, 11, "1 hour"), "id_taken");
    // For another booking.
    let other = "SELECT outcome FROM pay($1, $2, $3, 10, 'USD', '8', 'a booking', now() + interval '1 hour')";
    let other = sql.query_one(other, &[&payment, &driver, &owner]).unwrap();
    assert_eq!(other.get::<_, String>(0), "id_taken");
    // A transfer from the house is not a payment.
    let gift =
        "SELECT transfer.id FROM transfer JOIN account ON account.id = credit WHERE owner = $1";
    let gift: Uuid = sql.query_one(gift, &[&driver]).unwrap().get(0);
    for unknown in [Uuid::new_v4(), gift] {
        let refunded = refund(sql, Uuid::new_v4(), unknown, None);
        assert_eq!(refunded.0, "unknown_payment");
    }
    assert_eq!(funds(sql, driver), (90, 0));
    let user = User::driver(&stack);
    assert_eq!(
        user.get("/payment/transactions").send().expect(200).text(),
        "[]"
    );
}

#[test]
fn an_account_holds_no_more_than_its_limit() {
    const LIMIT: i64 = 1_000_000_000_000;
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (payer, rich, almost) = (
        user_with(sql, 100),
        user_with(sql, LIMIT),
        user_with(sql, LIMIT - 1),
    );
    let mut give = |payee| pay(sql, Uuid::new_v4(), payer, payee, 1, "-1 hour");
    assert_eq!(give(rich), "limit_reached");
    assert_eq!([give(almost), give(almost)], ["moved", "limit_reached"]);
    assert_eq!(funds(sql, payer), (99, 0));
}

#[test]
fn money_does_not_change_its_currency() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let open = "SELECT name FROM open_account(gen_random_uuid(), $1, $2, 'DEBIT', 0, $3)";
    let user = Uuid::new_v4();
    let [from, to] = ["USD", "EUR"].map(|currency| -> String {
        let name = format!("{currency}-{user}");
        let opened = sql.query_one(open, &[&user, &name, &currency]).unwrap();
        opened.get(0)
    });
    let send = "SELECT outcome FROM send(gen_random_uuid(), $1, $2, $3, 1)";
    let sent: String = sql.query_one(send, &[&user, &from, &to]).unwrap().get(0);
    assert_eq!(sent, "other_currency");
}

/// Two users who never had a wallet pay each other at the same moment.
#[test]
fn first_uses_of_two_wallets_in_opposite_order_do_not_deadlock() {
    let stack = Stack::shared();
    let outcomes = at_once(16, |number| {
        let sql = &mut ledger(&stack);
        (0..10_u128)
            .map(|round| {
                let (a, b) = (
                    Uuid::from_u128(0xa000 + round),
                    Uuid::from_u128(0xb000 + round),
                );
                let (payer, payee) = if number % 2 == 0 { (a, b) } else { (b, a) };
                pay(sql, Uuid::new_v4(), payer, payee, 1, "1 hour")
            })
            .collect::<Vec<_>>()
    });
    assert!(
        outcomes
            .iter()
            .flatten()
            .all(|it| it == "insufficient_funds"),
        "{outcomes:?}"
    );
}

#[test]
fn the_component_cannot_say_by_itself_that_a_checkout_was_paid() {
    let mut sql = ledger(&Stack::shared());
    for (status, is_refused) in [("cancelled", false), ("approved", true)] {
        let change = format!("SELECT change_status(gen_random_uuid(), 'pending', '{status}')");
        let refused = sql.batch_execute(&change).err();
        let why = refused.map(|it| it.as_db_error().unwrap().message().to_owned());
        assert_eq!(
            why.is_some_and(|it| it.contains("an admin")),
            is_refused,
            "{status}"
        );
    }
}

/// The provider's answer about a late payment arrives after the payment was sent back.
#[test]
fn a_decision_based_on_an_old_verdict_is_not_carried_out() {
    let mut sql = ledger(&Stack::shared());
    let checkout = Uuid::new_v4();
    let open = "SELECT outcome FROM open_checkout($1, 'tests', '7', '7', gen_random_uuid(), 500, 'USD', 'a ticket', NULL,
        'link', NULL, now())";
    sql.execute(open, &[&checkout]).unwrap();
    let expire = "SELECT outcome FROM change_status($1, 'payment_service_unavailable', 'expired')";
    sql.execute(expire, &[&checkout]).unwrap();
    let attempt = checkout.to_string();
    let mut becomes = |before: Option<&str>, after: &str| -> String {
        let conclude = "SELECT outcome FROM conclude($1, 'expired', $2, 'expired', $3, $4, 'approved', 500, 'USD', 0)";
        let concluded = sql.query_one(conclude, &[&checkout, &before, &after, &attempt]);
        concluded.unwrap().get(0)
    };
    assert_eq!(becomes(None, "returning"), "concluded");
    assert_eq!(becomes(Some("returning"), "returned"), "concluded");
    assert_eq!(becomes(None, "returning"), "changed");
}

/// The wallet of one erased user is at its limit with held money, so nothing can go back to it.
#[test]
fn a_code_of_an_erased_user_that_cannot_end_blocks_no_other() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    // The sweep looks for codes in the order of their makers.
    let mut makers = [(); 2].map(|()| user_with(sql, 500));
    makers.sort();
    let [full, other] = makers;
    for maker in makers {
        assert_eq!(spend(sql, maker, 300), "coined");
    }
    let mut owner = stack.sql();
    owner.batch_execute("SET search_path = payments").unwrap();
    let fill = "SELECT (book(gen_random_uuid(), 'deposit', house_account('sandbox', 'USD'), id, 1000000000000 - balance,
            'USD', NULL, NULL, NULL, now() + interval '1 day')).outcome
        FROM account WHERE owner = $1 AND kind = 'main'";
    let filled = owner.query_one(fill, &[&full]).unwrap();
    assert_eq!(filled.get::<_, String>(0), "moved");
    for maker in makers {
        let forget = "SELECT forget_holder($1, 9223372036854775807)";
        sql.execute(forget, &[&maker]).unwrap();
    }
    let mut has_ended = |maker: Uuid| -> bool {
        let ended = "SELECT expires_at IS NOT NULL FROM promocode WHERE created_by = $1";
        sql.query_one(ended, &[&maker]).unwrap().get(0)
    };
    eventually("the other one ends", SOON, || has_ended(other));
    assert!(!has_ended(full));
    let over = "UPDATE hold SET until = now() WHERE account = (
        SELECT id FROM account WHERE owner = $1 AND kind = 'main')";
    assert_eq!(owner.execute(over, &[&full]).unwrap(), 1);
    let due = "UPDATE promocode SET retry_at = now() WHERE created_by = $1";
    eventually("it ends, too", SOON, || {
        owner.execute(due, &[&full]).unwrap();
        has_ended(full)
    });
    assert_sound(&stack);
}
