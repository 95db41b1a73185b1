//! Requests that are sent again, at once or later, have one effect.

use std::time::Duration;

use serde_json::json;
use wharf_tests::{Stack, User, at_once, eventually};

use super::super::{
    assert_books_agree, at, balance, book_confirmed, driver, endow, move_end, offer, wish,
};
use super::refunds;

#[test]
fn one_of_many_cancellations_at_once_gives_the_money_back() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 1);
    let driver = driver(&stack, 1_000);
    for _ in 0..5 {
        let id = book_confirmed(&stack, &driver, place, 0, 60);
        let address = format!("/booking/{id}");
        at_once(6, |number| match number % 3 {
            0 => driver.delete(&address).send(),
            1 => driver
                .put(&address)
                .json(&json!({ "status": "Canceled" }))
                .send(),
            _ => owner
                .put(&address)
                .json(&json!({ "status": "Canceled" }))
                .send(),
        })
        .iter()
        .for_each(|it| assert!(matches!(it.status(), 200 | 404), "{it}"));
        assert_eq!(
            (refunds(&stack, id), balance(&driver), balance(&owner)),
            (1, 1_000, 0)
        );
        driver.get(&address).send().problem(404);
    }
    assert_books_agree(&stack);
}

#[test]
fn one_of_many_equal_extensions_at_once_is_paid() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 1);
    let driver = driver(&stack, 10_000);
    let id = book_confirmed(&stack, &driver, place, 0, 60);
    for answer in at_once(8, |_| move_end(&stack, &driver, id, 100)) {
        assert_eq!(answer.expect(200).json()["full_cost"], 100);
    }
    assert_eq!(balance(&driver), 9_900);
    at_once(8, |number| {
        move_end(&stack, &driver, id, 101 + u32::try_from(number).unwrap())
    });
    let shown = driver
        .get(&format!("/booking/{id}"))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        balance(&driver),
        10_000 - shown["full_cost"].as_i64().unwrap()
    );
    assert_books_agree(&stack);
}

#[test]
fn the_same_request_again_has_one_effect_and_one_answer() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 3);
    let driver = driver(&stack, 150);
    let ask = |key: &str, to: u32| {
        let wish = wish(place, &at(&stack, 0), &at(&stack, to));
        driver
            .post("/booking")
            .header("idempotency-key", key)
            .json(&wish)
            .send()
    };
    let first = ask("first", 60).expect(200);
    assert!(first.header("idempotent-replayed").is_none());
    let again = ask("first", 60).expect(200);
    assert_eq!(
        (again.header("idempotent-replayed"), again.text()),
        (Some("true"), first.text())
    );
    ask("first", 120).problem(422);
    assert_eq!(balance(&driver), 50);

    // A refusal did nothing, so the same request may come again, and so may another under its key.
    ask("second", 60).problem(400);
    endow(&stack, &driver, 50);
    ask("second", 60).expect(200);
    ask("third", 60).problem(400);
    endow(&stack, &driver, 50);
    assert_eq!(ask("third", 30).expect(200).json()["full_cost"], 50);

    let id = first.json()["booking_id"].as_i64().unwrap();
    endow(&stack, &driver, 500);
    let extend = |to: u32| {
        let end = json!({ "date_to": at(&stack, to) });
        driver
            .put(&format!("/booking/{id}/end"))
            .header("idempotency-key", "longer")
            .json(&end)
            .send()
    };
    let longer = extend(90).expect(200);
    let again = extend(90).expect(200);
    assert_eq!(
        (again.header("idempotent-replayed"), again.text()),
        (Some("true"), longer.text())
    );
    assert_eq!(balance(&driver), 450);
    assert_books_agree(&stack);
}

#[test]
fn one_of_many_copies_of_a_request_at_once_books() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 9);
    let driver = driver(&stack, 1_000);
    let wish = wish(place, &at(&stack, 0), &at(&stack, 60));
    let answers = at_once(9, |_| {
        driver
            .post("/booking")
            .header("idempotency-key", "copy")
            .json(&wish)
            .send()
    });
    for answer in &answers {
        assert!(matches!(answer.status(), 200 | 409), "{answer}");
    }
    assert!(answers.iter().any(|it| it.status() == 200));
    assert_eq!(balance(&driver), 900);
}

#[test]
fn keys_of_requests_are_forgotten_after_a_day() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 2);
    let driver = driver(&stack, 1_000);
    let me = driver.get("/auth/me").send().json()["id"].clone();
    let me: uuid::Uuid = me.as_str().unwrap().parse().unwrap();
    let wish = wish(place, &at(&stack, 0), &at(&stack, 60));
    for key in ["old", "young"] {
        let ask = driver.post("/booking").header("idempotency-key", key);
        ask.json(&wish).send().expect(200);
    }
    let mut sql = stack.sql();
    let later = "UPDATE bookings.idempotency_key SET claimed_at = claimed_at - interval '25 hours'
        WHERE caller = $1 AND key LIKE '% old'";
    assert_eq!(sql.execute(later, &[&me]).unwrap(), 1);
    let left = "SELECT count(*) FROM bookings.idempotency_key WHERE caller = $1";
    eventually("the old one is forgotten", Duration::from_secs(10), || {
        sql.query_one(left, &[&me]).unwrap().get::<_, i64>(0) == 1
    });
}
