//! The ledger: it balances under concurrent movements, and its rows never change.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::json;
use uuid::Uuid;
use wharf_tests::{Dice, Stack, User, at_once};

use super::{account, activate, assert_sound, balance, deposit, promocode, send, wallet, withdraw};

#[test]
fn a_transfer_cannot_be_changed_by_the_component_or_by_the_owner_of_the_tables() {
    // A stack of its own, because TRUNCATE and movements of money wait for each other.
    let stack = Stack::start();
    let user = User::driver(&stack);
    account(&user, 5.0);
    let forbidden = [
        "UPDATE payments.transfer SET amount = amount + 1",
        "DELETE FROM payments.transfer",
        "TRUNCATE payments.transfer CASCADE",
    ];
    let of_the_role = [
        "UPDATE payments.account SET balance = 1000000",
        "INSERT INTO payments.account (kind, currency, owner, balance, held)
            VALUES ('main', 'USD', gen_random_uuid(), 5, 0)",
        "INSERT INTO payments.transfer (id, kind, debit, credit, amount, currency, created_at)
            SELECT gen_random_uuid(), kind, debit, credit, amount, currency, now() FROM payments.transfer",
        "DELETE FROM payments.hold",
        "UPDATE payments.promocode SET used_count = 0",
        "UPDATE payments.checkout SET status = 'approved'",
        "SELECT payments.book(gen_random_uuid(), 'send', gen_random_uuid(), gen_random_uuid(), 1, 'USD')",
    ];
    let mut owner = stack.sql();
    for statement in forbidden {
        let refused = owner.batch_execute(statement).unwrap_err();
        let why = refused.as_db_error().unwrap().message();
        assert!(why.contains("never changed"), "{statement}: {why}");
    }
    owner.batch_execute("SET ROLE wharf_payments").unwrap();
    for statement in forbidden.iter().chain(&of_the_role) {
        let refused = owner.batch_execute(statement).unwrap_err();
        assert_eq!(
            refused.code().map(|it| it.code()),
            Some("42501"),
            "{statement}: {refused}"
        );
    }
}

/// House accounts store no balance, and no foreign key checks them.
#[test]
fn a_transfer_has_two_accounts_of_its_currency() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = payments").unwrap();
    let mut insert = |debit: &str, credit: &str, currency: &str| {
        let statement = format!(
            "INSERT INTO transfer (id, kind, debit, credit, amount, currency, created_at)
            VALUES (gen_random_uuid(), 'send', {debit}, {credit}, 1, '{currency}', now())"
        );
        let mut transaction = sql.transaction().unwrap();
        let inserted = transaction.execute(&statement, &[]);
        inserted.map_err(|it| it.as_db_error().unwrap().constraint().map(str::to_owned))
    };
    let [one, other] = ["external", "losses"].map(|it| format!("house_account('{it}', 'USD')"));
    assert_eq!(insert(&one, &other, "USD"), Ok(1));
    for (debit, credit, currency) in [
        ("gen_random_uuid()", &*other, "USD"),
        (&*one, "gen_random_uuid()", "USD"),
        (&*one, &*other, "EUR"),
    ] {
        let refused = insert(debit, credit, currency);
        assert_eq!(refused, Err(Some("transfer_house_sides".to_owned())));
    }
    // The function that locks accounts of users compares their currencies.
    let wallet = "SELECT main_account(gen_random_uuid(), 'EUR')::text";
    let wallet: String = sql.query_one(wallet, &[]).unwrap().get(0);
    let wallet = format!("'{wallet}'");
    for (debit, credit) in [(&one, &wallet), (&wallet, &one)] {
        let book = format!("SELECT book(gen_random_uuid(), 'send', {debit}, {credit}, 1, 'USD')");
        let refused = sql.batch_execute(&book).unwrap_err();
        let why = refused.as_db_error().unwrap().message();
        assert!(why.contains("another currency"), "{book}: {why}");
    }
}

#[test]
fn an_account_never_has_less_than_is_held_on_it() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = payments").unwrap();
    let wallet = "SELECT main_account(gen_random_uuid(), 'USD')";
    let wallet: Uuid = sql.query_one(wallet, &[]).unwrap().get(0);
    for (change, is_refused) in [
        ("balance = 1, held = 1", false),
        ("balance = 1, held = 2", true),
        ("balance = 1, held = -1", true),
        ("balance = -1", true),
    ] {
        let change = format!("UPDATE account SET {change} WHERE id = $1");
        let mut transaction = sql.transaction().unwrap();
        let refused = transaction.execute(&change, &[&wallet]).err();
        let by = refused.map(|it| it.as_db_error().unwrap().constraint().map(str::to_owned));
        let rule = is_refused.then(|| Some("account_not_overdrawn".to_owned()));
        assert_eq!(by, rule, "{change}");
    }
}

#[test]
fn only_an_admin_sees_the_books() {
    let stack = Stack::shared();
    User::owner(&stack)
        .get("/payments/trial-balance")
        .send()
        .expect(403);
    let books = User::admin(&stack)
        .get("/payments/trial-balance")
        .send()
        .expect(200)
        .json();
    assert_eq!(books["is_sound"], true, "{books:#}");
}

/// Concurrent readers never see a balance below zero or a sum other than zero.
#[test]
fn the_books_add_up_at_every_moment_of_a_random_load() {
    const CLIENTS: usize = 16;
    const EACH: usize = 40;
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let users: Vec<_> = (0..6).map(|_| User::driver(&stack)).collect();
    let names: Vec<_> = users.iter().map(|it| account(it, 50.0)).collect();
    let code = promocode(&admin, 3, 1000);
    let is_over = AtomicBool::new(false);
    let looks = AtomicUsize::new(0);
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let books = admin
                    .get("/payments/trial-balance")
                    .send()
                    .expect(200)
                    .json();
                assert_eq!(books["is_sound"], true, "{books:#}");
                for (user, name) in users.iter().zip(&names) {
                    assert!(balance(user, name).as_f64().unwrap() >= 0.0);
                    assert!(wallet(user) >= 0);
                }
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        let statuses = at_once(CLIENTS, |number| {
            let mut dice = Dice::new(number as u64 + 1);
            let mut pick = |bound: usize| dice.index(bound);
            (0..EACH)
                .map(|_| {
                    let (mine, other) = (pick(6), pick(6));
                    let amount = json!(1 + pick(40));
                    let (user, name) = (&users[mine], &names[mine]);
                    match pick(6) {
                        0 => deposit(user, name, &amount),
                        1 => withdraw(user, name, &amount),
                        2 => activate(user, &code),
                        3 => {
                            let body = json!({ "amount": 2 });
                            user.post("/payment/promocode/generate").json(&body).send()
                        }
                        _ => send(user, name, &names[other], &amount),
                    }
                    .status()
                })
                .collect::<Vec<_>>()
        });
        is_over.store(true, Ordering::Relaxed);
        watching.join().unwrap();
        for status in statuses.iter().flatten() {
            assert!([200, 400].contains(status), "{statuses:?}");
        }
    });
    assert!(looks.into_inner() > 0);
    assert_sound(&stack);
}
