//! Receivables after a payment was taken back, tested with the component's statements and its own role.

use postgres::Client;
use uuid::Uuid;
use wharf_tests::Stack;

use super::assert_sound;
use super::ledger::{funds, ledger, pay, spend, user_with};

/// A payment through the provider that filled the wallet of a user.
struct PaidIn {
    checkout: Uuid,
    cents: i64,
}

impl PaidIn {
    fn of(sql: &mut Client, user: Uuid, cents: i64) -> Self {
        let checkout = Uuid::new_v4();
        let open = "SELECT outcome FROM open_checkout($1, 'tests', '7', '7', $2, $3, 'USD', 'a top-up', NULL, 'link', '',
            now() + interval '1 hour')";
        let opened = sql.query_one(open, &[&checkout, &user, &cents]).unwrap();
        assert_eq!(opened.get::<_, String>(0), "opened");
        let it = Self { checkout, cents };
        let open = "payment_service_unavailable";
        it.becomes(sql, (open, None), ("approved", "accepted"), 0);
        it
    }

    /// Changes status and verdict; the provider reports so much as refunded.
    fn becomes(
        &self,
        sql: &mut Client,
        from: (&str, Option<&str>),
        to: (&str, &str),
        refunded: i64,
    ) {
        let attempt = self.checkout.to_string();
        let conclude =
            "SELECT outcome FROM conclude($1, $2, $3, $4, $5, $6, 'approved', $7, 'USD', $8)";
        let concluded = sql.query_one(
            conclude,
            &[
                &self.checkout,
                &from.0,
                &from.1,
                &to.0,
                &to.1,
                &attempt,
                &self.cents,
                &refunded,
            ],
        );
        assert_eq!(concluded.unwrap().get::<_, String>(0), "concluded");
    }

    fn is_taken_back(&self, sql: &mut Client) {
        let (from, to) = (("approved", Some("accepted")), ("refunded", "returned"));
        self.becomes(sql, from, to, self.cents);
    }

    fn is_won(&self, sql: &mut Client, refunded: i64) {
        let (from, to) = (("refunded", Some("returned")), ("approved", "accepted"));
        self.becomes(sql, from, to, refunded);
    }
}

/// A user who owes a payment: it was taken back after they had spent it.
fn debtor(sql: &mut Client, cents: i64) -> (PaidIn, Uuid) {
    let user = Uuid::new_v4();
    let paid_in = PaidIn::of(sql, user, cents);
    give(sql, user, Uuid::new_v4(), cents);
    paid_in.is_taken_back(sql);
    (paid_in, user)
}

/// Money that the payee can spend at once.
fn give(sql: &mut Client, from: Uuid, to: Uuid, cents: i64) {
    let payment = Uuid::new_v4();
    assert_eq!(pay(sql, payment, from, to, cents, "1 hour"), "moved");
    release(sql, payment);
}

fn release(sql: &mut Client, payment: Uuid) {
    let release = "SELECT held FROM release($1)";
    assert_eq!(sql.query(release, &[&payment]).unwrap().len(), 1);
}

/// The settled and the written-off part of a user's only receivable.
fn ended(sql: &mut Client, user: Uuid) -> (i64, i64) {
    let ended = "SELECT settled, written_off FROM receivable WHERE owner = $1";
    let row = sql.query_one(ended, &[&user]).unwrap();
    (row.get(0), row.get(1))
}

/// The statement with which an admin writes off a user's only receivable.
fn write_off(sql: &mut Client, debtor: Uuid, admin: Uuid) -> String {
    let of = "SELECT id::text FROM receivable WHERE owner = $1";
    let of: String = sql.query_one(of, &[&debtor]).unwrap().get(0);
    format!("SELECT write_off('{of}', '{admin}', 'they are gone', 100000)")
}

/// Held money may have to go back to its payer.
#[test]
fn money_that_is_held_for_another_payment_pays_no_debt() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (user, giver, held) = (Uuid::new_v4(), user_with(sql, 300), Uuid::new_v4());
    let paid_in = PaidIn::of(sql, user, 500);
    give(sql, user, Uuid::new_v4(), 500);
    assert_eq!(pay(sql, held, giver, user, 300, "1 hour"), "moved");
    paid_in.is_taken_back(sql);
    for _ in 0..2 {
        assert_eq!((ended(sql, user), funds(sql, user)), ((0, 0), (300, 300)));
        assert_eq!(spend(sql, user, 1), "receivable_open");
    }
    release(sql, held);
    assert_eq!(spend(sql, user, 1), "receivable_open");
    assert_eq!((ended(sql, user), funds(sql, user)), ((300, 0), (0, 0)));
    assert_sound(&stack);
}

#[test]
fn debts_of_an_erased_person_are_paid_before_money_is_set_aside() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let giver = user_with(sql, 300);
    // No sweep may run in between.
    sql.batch_execute("BEGIN").unwrap();
    let (_, user) = debtor(sql, 200);
    give(sql, giver, user, 300);
    let forget = "SELECT forget_holder($1, 9223372036854775807)";
    sql.execute(forget, &[&user]).unwrap();
    while funds(sql, user) != (0, 0) {
        let next = sql.query_one("SELECT set_aside_next()", &[]).unwrap();
        assert!(next.get::<_, bool>(0));
    }
    sql.batch_execute("COMMIT").unwrap();
    assert_eq!(ended(sql, user), (200, 0));
    let left = "SELECT amount FROM unclaimed WHERE owner = $1";
    let left: i64 = sql.query_one(left, &[&user]).unwrap().get(0);
    assert_eq!(left, 100);
    assert_sound(&stack);
}

/// The house gets back its loss, but no more than the amount that came again.
#[test]
fn a_part_that_comes_again_after_a_write_off_costs_the_user_nothing() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let (paid_in, user) = debtor(sql, 1000);
    let write_off = write_off(sql, user, Uuid::new_v4());
    sql.query_one(&write_off, &[]).unwrap();
    assert_eq!(ended(sql, user), (0, 1000));
    let giver = user_with(sql, 800);
    give(sql, giver, user, 800);
    paid_in.is_won(sql, 600);
    assert_eq!((ended(sql, user), funds(sql, user)), ((400, 600), (800, 0)));
    assert_sound(&stack);
}

/// No single one would take a second admin.
#[test]
fn concurrent_write_offs_of_one_admin_count_as_one_large() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let admin = Uuid::new_v4();
    let [one, two] = [(); 2].map(|()| {
        let (_, user) = debtor(sql, 60_000);
        write_off(sql, user, admin)
    });
    let outcomes = stack.overlap("payments", &one, &two);
    assert_eq!(outcomes, ("moved".to_owned(), "proposed".to_owned()));
    assert_sound(&stack);
}
