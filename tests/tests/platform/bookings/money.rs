//! Every payment and every refund is made once.

mod holds;
mod notices;
mod repeats;

use std::time::Duration;

use serde_json::json;
use wharf_tests::{Stack, User, at_once, eventually};

use super::{
    assert_books_agree, at, balance, book, book_confirmed, driver, endow, from_now, move_end,
    offer, place_body, wish,
};

fn refunds(stack: &Stack, booking: i64) -> i64 {
    let count = "SELECT count(*) FROM payments.transfer WHERE kind = 'refund' AND reference = $1";
    stack
        .sql()
        .query_one(count, &[&booking.to_string()])
        .unwrap()
        .get(0)
}

#[test]
fn booking_pays_the_owner_who_cannot_spend_it_before_the_end() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 199, 1);
    let driver = driver(&stack, 1_000);
    // trunc(199 × 61 / 60)
    let answer = book(&stack, &driver, place, 0, 61).expect(200).json();
    let id = answer["booking_id"].as_i64().unwrap();
    assert_eq!(
        answer,
        json!({ "booking_id": id, "status": "Confirmed", "full_cost": 202 })
    );
    assert_eq!(balance(&driver), 798);
    let wallet = owner.get("/payment/balance").send().expect(200).json();
    assert_eq!(
        (&wallet["total"], &wallet["balance"]),
        (&json!(202), &json!(0))
    );
    let shown = driver
        .get(&format!("/booking/{id}"))
        .send()
        .expect(200)
        .json();
    let me = driver.get("/auth/me").send().json()["id"].clone();
    let whole = json!({
        "booking_id": id, "date_from": at(&stack, 0), "date_to": at(&stack, 61),
        "parking_place_id": place, "full_cost": 202, "status": "Confirmed", "user_id": me,
    });
    assert_eq!(shown, whole);
}

#[test]
fn a_driver_who_cannot_pay_gets_no_place_and_keeps_their_money() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 1);
    let (poor, rich) = (driver(&stack, 99), driver(&stack, 100));
    let problem = book(&stack, &poor, place, 0, 60).problem(400);
    assert!(
        problem["error_message"]
            .as_str()
            .unwrap()
            .contains("insufficient funds"),
        "{problem}"
    );
    assert_eq!(balance(&poor), 99);
    let listed = poor.get("/booking").send().expect(200).json();
    assert_eq!(listed, json!([]));
    book_confirmed(&stack, &rich, place, 0, 60);
    // A driver who has paid lately is not looked at first: the ledger says that the money is gone.
    endow(&stack, &rich, 99);
    book(&stack, &rich, place, 60, 120).problem(400);
    let listed = rich.get("/booking").send().expect(200).json();
    assert_eq!(listed[0]["status"], "Canceled");
    endow(&stack, &rich, 1);
    book_confirmed(&stack, &rich, place, 60, 120);
    assert_books_agree(&stack);
}

#[test]
fn a_refund_is_covered_after_the_owner_spent_everything_else() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 2);
    let driver = driver(&stack, 1_000);
    endow(&stack, &owner, 500);
    let id = book_confirmed(&stack, &driver, place, 0, 120);
    move_end(&stack, &driver, id, 180).expect(200);
    let spend = |cents| {
        owner
            .post("/payment/promocode/generate")
            .json(&json!({ "amount": cents }))
            .send()
    };
    spend(501).problem(400);
    spend(500).expect(200);
    spend(1).problem(400);
    let answer = driver.delete(&format!("/booking/{id}")).send().expect(200);
    assert_eq!(answer.json()["status"], "success");
    assert_eq!((balance(&driver), balance(&owner)), (1_000, 0));
    assert_books_agree(&stack);
}

#[test]
fn staying_longer_costs_the_difference_and_leaving_earlier_gives_it_back() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 1);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 0, 61);
    // What an owner asks for later is for others.
    owner
        .put(&format!("/parking/{place}"))
        .json(&place_body(9_000, 1))
        .send()
        .expect(200);
    for (to, cost) in [(121, 201), (61, 101), (1, 1), (1, 1), (181, 301), (60, 100)] {
        let moved = move_end(&stack, &driver, id, to).expect(200).json();
        assert_eq!(
            (&moved["full_cost"], &moved["date_to"]),
            (&json!(cost), &json!(at(&stack, to)))
        );
        assert_eq!((balance(&driver), balance(&owner)), (1_000 - cost, cost));
    }
    let problem = move_end(&stack, &driver, id, 1_200).problem(400);
    assert!(
        problem["error_message"]
            .as_str()
            .unwrap()
            .contains("insufficient funds"),
        "{problem}"
    );
    let shown = driver
        .get(&format!("/booking/{id}"))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&shown["full_cost"], &shown["status"]),
        (&json!(100), &json!("Confirmed"))
    );
    // What was kept for the extension that was not paid is free again.
    book_confirmed(&stack, &self::driver(&stack, 10_000), place, 60, 120);
    move_end(&stack, &driver, id, 61).problem(409);
    driver.delete(&format!("/booking/{id}")).send().expect(200);
    assert_eq!(balance(&driver), 1_000);
    assert_books_agree(&stack);
}

#[test]
fn extending_and_canceling_at_once_loses_no_money() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 1);
    let driver = driver(&stack, 10_000);
    for _ in 0..5 {
        let id = book_confirmed(&stack, &driver, place, 0, 60);
        at_once(4, |number| match number {
            0 => driver.delete(&format!("/booking/{id}")).send(),
            _ => move_end(
                &stack,
                &driver,
                id,
                60 + 10 * u32::try_from(number).unwrap(),
            ),
        });
        assert_eq!(balance(&driver), 10_000);
    }
    assert_books_agree(&stack);
}

/// Clients of the replaced system send back the whole booking that they read.
#[test]
fn a_whole_booking_sent_back_changes_its_status_and_nothing_else() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 0, 60);
    let address = format!("/booking/{id}");
    let mut whole = driver.get(&address).send().expect(200).json();
    let before = whole.clone();
    whole["full_cost"] = json!(1_000_000);
    whole["user_id"] = json!("00000000-0000-4000-8000-000000000000");
    whole["parking_place_id"] = json!(1);
    let problem = driver.put(&address).json(&whole).send().problem(400);
    assert!(
        problem["error_message"]
            .as_str()
            .unwrap()
            .contains("payment service"),
        "{problem}"
    );
    whole["status"] = json!("Waiting");
    driver.put(&address).json(&whole).send().problem(400);
    assert_eq!(driver.get(&address).send().expect(200).json(), before);

    whole["status"] = json!("Canceled");
    let canceled = driver.put(&address).json(&whole).send().expect(200).json();
    let mut expected = before;
    expected["status"] = json!("Canceled");
    assert_eq!(canceled, expected);
    assert_eq!(
        driver.put(&address).json(&whole).send().expect(200).json(),
        expected
    );
    assert_eq!(balance(&driver), 1_000);
    move_end(&stack, &driver, id, 120).problem(409);
}

#[test]
fn a_booking_that_is_over_is_the_owners() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 3_600, 1);
    let driver = driver(&stack, 1_000);
    let wish = wish(place, &from_now(&stack, -1.0), &from_now(&stack, 1.0));
    let answer = driver
        .post("/booking")
        .json(&wish)
        .send()
        .expect(200)
        .json();
    let (id, cost) = (&answer["booking_id"], answer["full_cost"].as_i64().unwrap());
    // Some minutes later.
    let later = "UPDATE bookings.booking SET date_from = date_from - interval '5 minutes',
        date_to = date_to - interval '5 minutes', held_to = held_to - interval '5 minutes' WHERE id = $1";
    stack.sql().execute(later, &[&id.as_i64()]).unwrap();
    let available = || owner.get("/payment/balance").send().json()["available"].clone();
    eventually("the owner may spend it", Duration::from_secs(10), || {
        available() == json!(cost)
    });
    assert_eq!(
        driver.delete(&format!("/booking/{id}")).send().problem(409)["code"],
        "booking-over"
    );
    let longer = json!({ "date_to": from_now(&stack, 60.0) });
    driver
        .put(&format!("/booking/{id}/end"))
        .json(&longer)
        .send()
        .problem(409);
    assert_eq!(balance(&driver), 1_000 - cost);
}

#[test]
fn a_price_that_is_not_the_expected_one_is_not_paid() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 1);
    let driver = driver(&stack, 1_000);
    let ask = |expected: i64| {
        let mut wish = wish(place, &at(&stack, 0), &at(&stack, 60));
        wish["expected_cost"] = json!(expected);
        driver.post("/booking").json(&wish).send()
    };
    for other in [99, 101] {
        assert_eq!(ask(other).problem(409)["code"], "price-changed");
    }
    assert_eq!(balance(&driver), 1_000);
    assert_eq!(ask(100).expect(200).json()["full_cost"], 100);
}

/// The platform alone decides these members, so it ignores them in a request.
#[test]
fn a_request_cannot_choose_the_driver_or_the_price_of_a_booking() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 1_000);
    let mut wish = wish(place, &at(&stack, 0), &at(&stack, 60));
    wish["full_cost"] = json!(1);
    wish["hourly_rate"] = json!(1);
    wish["status"] = json!("Canceled");
    wish["user_id"] = json!("00000000-0000-4000-8000-000000000000");
    wish["booking_id"] = json!(1);
    wish["id"] = json!(1);
    wish["owner_id"] = json!("00000000-0000-4000-8000-000000000000");
    let answer = driver.post("/booking").json(&wish).send().expect(200);
    let answer = answer.json();
    assert_eq!(
        (&answer["full_cost"], &answer["status"], balance(&driver)),
        (&json!(100), &json!("Confirmed"), 900)
    );
    let shown = driver
        .get(&format!("/booking/{}", answer["booking_id"]))
        .send();
    let me = driver.get("/auth/me").send().json()["id"].clone();
    assert_eq!(shown.expect(200).json()["user_id"], me);
}

/// Many of them would keep the place from drivers who pay.
#[test]
fn a_window_that_costs_less_than_a_cent_is_not_booked() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 59, 1);
    let driver = driver(&stack, 1_000);
    let wish = wish(place, &at(&stack, 0), &at(&stack, 1));
    let quoted = stack.post("/booking/quote").json(&wish).send().expect(200);
    assert_eq!(quoted.json()["available"], false);
    assert_eq!(
        book(&stack, &driver, place, 0, 1).problem(400)["code"],
        "too-short"
    );
    let id = book_confirmed(&stack, &driver, place, 0, 120);
    assert_eq!(
        move_end(&stack, &driver, id, 1).problem(400)["code"],
        "too-short"
    );
    assert_books_agree(&stack);
}

#[test]
fn more_time_on_a_place_that_was_removed_is_not_for_sale() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 1);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 0, 120);
    let remove = "UPDATE bookings.place SET deleted_at = now() WHERE id = $1";
    stack.sql().execute(remove, &[&place]).unwrap();
    move_end(&stack, &driver, id, 180).problem(404);
    assert_eq!(balance(&driver), 880);
    move_end(&stack, &driver, id, 60).expect(200);
    assert_eq!(balance(&driver), 940);
}

#[test]
fn a_booking_does_not_end_before_it_begins_or_after_a_year() {
    // The books of this one end wrong.
    let stack = Stack::start();
    let place = offer(&User::owner(&stack), 1, 1);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 60, 120);
    for to in [0, 59, 60] {
        let problem = move_end(&stack, &driver, id, to).problem(400);
        assert_eq!(problem["code"], "invalid-dates", "{problem}");
    }
    let long =
        "UPDATE bookings.booking SET date_from = date_from - interval '364 days', hourly_rate = 0, full_cost = 0
        WHERE id = $1";
    stack.sql().execute(long, &[&id]).unwrap();
    let later = json!({ "date_to": from_now(&stack, 4.0 * 24.0 * 60.0) });
    let problem = driver
        .put(&format!("/booking/{id}/end"))
        .json(&later)
        .send()
        .problem(400);
    let message = problem["error_message"].as_str().unwrap();
    assert!(message.contains("8760"), "{problem}");
}
