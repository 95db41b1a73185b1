//! `Idempotency-Key`: a repeated request moves money once, however the first one ended.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Answer, Stack, User, at_once, eventually, unique};

use super::{account, balance, key};

#[test]
fn one_of_64_copies_of_a_request_has_an_effect() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let name = account(&user, 100.0);
    let key = key();
    let body = json!({ "paymentAccountId": name, "amount": 10 });
    let copy = |body: &Value| {
        user.post("/payments/withdraw")
            .header("idempotency-key", &key)
            .json(body)
            .send()
    };
    let answers = at_once(64, |_| copy(&body));
    for answer in &answers {
        assert!([200, 409].contains(&answer.status()), "{answer}");
    }
    assert!(answers.iter().any(|it| it.status() == 200));
    assert_eq!(balance(&user, &name), json!(90));

    let again = copy(&body).expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let first = answers.iter().find(|it| it.status() == 200).unwrap();
    assert_eq!(again.json(), first.json());
    let other = copy(&json!({ "paymentAccountId": name, "amount": 11 })).expect(422);
    assert_eq!(other.json()["code"], "idempotency-key-reused");
    // Keys are per caller: the same key of another user is another key.
    let stranger = User::driver(&stack);
    stranger
        .post("/payments/withdraw")
        .header("idempotency-key", &key)
        .json(&body)
        .send()
        .expect(404);
    assert_eq!(balance(&user, &name), json!(90));
}

#[test]
fn a_copy_under_another_spelling_of_the_path_has_no_second_effect() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let (from, to) = (account(&user, 100.0), account(&user, 0.0));
    let transfer = json!({ "fromPaymentAccountId": from, "toPaymentAccountId": to, "amount": 10 });
    let opened = json!({ "paymentAccountId": unique("account"), "paymentAccountType": "DEBIT" });
    let transfers = [
        "/api/payments/send",
        "/payments/send",
        "/api/payments/send/",
    ];
    let accounts = [
        "/payments/account",
        "/payments/accounts",
        "/api/payments/account",
        "/api/payments/accounts",
    ];
    for (body, paths) in [(transfer, &transfers[..]), (opened, &accounts[..])] {
        let key = key();
        let copy = |path: &str| {
            let request = user.post(path).header("idempotency-key", &key);
            request.json(&body).send().expect(200)
        };
        let first = copy(paths[0]).json();
        for path in &paths[1..] {
            let again = copy(path);
            assert_eq!(again.header("idempotent-replayed"), Some("true"), "{path}");
            assert_eq!(again.json(), first, "{path}");
        }
    }
    let balances = [&from, &to].map(|it| balance(&user, it));
    assert_eq!(balances, [json!(90), json!(10)]);
}

/// The first copy may die after the money moved and before the answer was kept.
#[test]
fn a_request_without_a_stored_answer_is_recognised_by_its_rows() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let name = account(&user, 100.0);
    let key = key();
    let copy = |amount| withdraw_as(&user, &name, &key, amount);
    let first = copy(10).expect(200).json();
    let fence = || fence(&stack, &key);
    let before = fence();
    let forget = "DELETE FROM payments.idempotency_key WHERE key LIKE '%' || $1";
    assert_eq!(stack.sql().execute(forget, &[&key]).unwrap(), 1);
    assert_eq!(copy(10).expect(200).json(), first);
    // The fence has grown, so an older copy cannot take this claim for its own.
    assert!(fence() > before);
    copy(11).expect(422);
    assert_eq!(balance(&user, &name), json!(90));
}

fn withdraw_as(user: &User, name: &str, key: &str, amount: i64) -> Answer {
    let body = json!({ "paymentAccountId": name, "amount": amount });
    let request = user.post("/payments/withdraw");
    request.header("idempotency-key", key).json(&body).send()
}

/// Makes the key look as if the host had died before the answer, with a lease until that moment in SQL.
fn die(stack: &Stack, key: &str, leased_until: &str) {
    let died = format!(
        "UPDATE payments.idempotency_key SET status = NULL, body = NULL, leased_until = {leased_until}
        WHERE key LIKE '%' || $1"
    );
    assert_eq!(stack.sql().execute(&died, &[&key]).unwrap(), 1);
}

fn fence(stack: &Stack, key: &str) -> i64 {
    let fence = "SELECT fence FROM payments.idempotency_key WHERE key LIKE '%' || $1";
    stack.sql().query_one(fence, &[&key]).unwrap().get(0)
}

/// The state after the host died: nothing renews the lease any more.
#[test]
fn the_key_of_a_request_that_died_is_free_within_seconds_and_for_the_same_request_only() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let name = account(&user, 100.0);
    let key = key();
    let copy = |amount| withdraw_as(&user, &name, &key, amount);
    let first = copy(10).expect(200).json();
    let before = fence(&stack, &key);
    die(&stack, &key, "now() + interval '3 seconds'");
    assert_eq!(copy(10).problem(409)["code"], "idempotency-key-in-use");
    assert_eq!(copy(11).problem(422)["code"], "idempotency-key-reused");
    eventually("the lease has ended", Duration::from_secs(10), || {
        let again = copy(10);
        again.status() == 200 && again.json() == first
    });
    assert_eq!(balance(&user, &name), json!(90));
    // A copy that comes back late does not end the claim of another.
    assert!(fence(&stack, &key) > before);
}

/// This happens when the database's clock is set back, or after a failover to a database with another clock.
#[test]
fn a_lease_beyond_the_longest_possible_one_counts_as_ended() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let (name, key) = (account(&user, 100.0), key());
    let first = withdraw_as(&user, &name, &key, 10).expect(200).json();
    die(&stack, &key, "now() + interval '1 hour'");
    let again = withdraw_as(&user, &name, &key, 10).expect(200);
    assert_eq!(again.json(), first);
    assert_eq!(balance(&user, &name), json!(90));
}

/// The first copy moved the money and died; the account is renamed before the next one.
#[test]
fn a_refused_copy_does_not_free_a_key_that_may_have_moved_money() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let (name, key) = (account(&user, 100.0), key());
    let copy = |amount| withdraw_as(&user, &name, &key, amount);
    let rename = |from: &str, to: &str| {
        let rename = "UPDATE payments.account SET name = $2 WHERE name = $1";
        assert_eq!(stack.sql().execute(rename, &[&from, &to]).unwrap(), 1);
    };
    let first = copy(10).expect(200).json();
    die(&stack, &key, "'-infinity'");
    let hidden = unique("account");
    rename(&name, &hidden);
    assert_eq!(copy(10).problem(404)["code"], "unknown-account");
    assert_eq!(copy(11).problem(422)["code"], "idempotency-key-reused");
    rename(&hidden, &name);
    assert_eq!(copy(10).expect(200).json(), first);
    assert_eq!(balance(&user, &name), json!(90));
}

#[test]
fn keys_are_deleted_as_quickly_as_a_busy_day_claims_them() {
    let stack = Stack::shared();
    let caller = Uuid::new_v4();
    let old = "INSERT INTO payments.idempotency_key (caller, key, fingerprint, status, body, claimed_at)
        SELECT $1, number::text, '', 200, '{}', now() - interval '2 days' FROM generate_series(1, 50000) AS number";
    let mut sql = stack.sql();
    sql.execute(old, &[&caller]).unwrap();
    let left = "SELECT count(*) FROM payments.idempotency_key WHERE caller = $1";
    eventually("none is left", Duration::from_secs(60), || {
        sql.query_one(left, &[&caller]).unwrap().get::<_, i64>(0) == 0
    });
}
