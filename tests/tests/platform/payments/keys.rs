//! `Idempotency-Key`: the same request sent again moves money once, whatever became of the first one.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Stack, User, at_once, eventually};

use super::{account, balance, key};

#[test]
fn of_64_copies_of_one_request_one_has_an_effect() {
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

/// The first copy may die after the money moved and before the answer was kept.
#[test]
fn a_request_whose_answer_was_never_kept_is_found_by_what_it_left() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let name = account(&user, 100.0);
    let key = key();
    let copy = |amount: i64| {
        let body = json!({ "paymentAccountId": name, "amount": amount });
        user.post("/payments/withdraw")
            .header("idempotency-key", &key)
            .json(&body)
            .send()
    };
    let first = copy(10).expect(200).json();
    let fence = || fence(&stack, &key);
    let before = fence();
    let forget = "DELETE FROM payments.idempotency_key WHERE key LIKE '%' || $1";
    assert_eq!(stack.sql().execute(forget, &[&key]).unwrap(), 1);
    assert_eq!(copy(10).expect(200).json(), first);
    // A copy of before would not take this claim for its own.
    assert!(fence() > before);
    copy(11).expect(422);
    assert_eq!(balance(&user, &name), json!(90));
}

fn fence(stack: &Stack, key: &str) -> i64 {
    let fence = "SELECT fence FROM payments.idempotency_key WHERE key LIKE '%' || $1";
    stack.sql().query_one(fence, &[&key]).unwrap().get(0)
}

/// Its host died over it: nothing renews the lease any more.
#[test]
fn the_key_of_a_request_that_died_is_free_within_seconds_and_for_the_same_request_only() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let name = account(&user, 100.0);
    let key = key();
    let copy = |amount: i64| {
        let body = json!({ "paymentAccountId": name, "amount": amount });
        user.post("/payments/withdraw")
            .header("idempotency-key", &key)
            .json(&body)
            .send()
    };
    let first = copy(10).expect(200).json();
    let before = fence(&stack, &key);
    let died = "UPDATE payments.idempotency_key
        SET status = NULL, body = NULL, leased_until = now() + interval '3 seconds' WHERE key LIKE '%' || $1";
    assert_eq!(stack.sql().execute(died, &[&key]).unwrap(), 1);
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
