//! A driver who stays on may book that time afterwards. A booking that is canceled again pays for none of it.

use serde_json::{Value, json};
use wharf_tests::{Stack, User};

use super::super::{assert_books_agree, balance, driver, from_now, offer};
use super::{book_car, by_the_hour, let_pass, offer_with, pass, show};

/// A car that stays on: its booking ended 20 minutes ago. The time until in 100 minutes is booked now.
fn book_afterwards(
    stack: &Stack,
    driver: &User,
    owner: &User,
    place: i64,
    plate: &str,
) -> [i64; 2] {
    let first = book_car(stack, driver, place, plate, [-10.0, 50.0]);
    pass(owner, place, "check-in", plate).expect(200);
    let_pass(stack, first, 70.0);
    let second = book_car(stack, driver, place, plate, [-20.0, 100.0]);
    [first, second]
}

fn cancel(driver: &User, booking: i64) -> Value {
    driver
        .put(&format!("/booking/{booking}"))
        .json(&json!({ "status": "Canceled" }))
        .send()
        .expect(200)
        .json()
}

/// The kept cents are those of so many minutes at 600 cents an hour, and of the seconds of this test.
fn kept_of(canceled: &Value, minutes: i64) -> i64 {
    let kept = canceled["kept_cost"].as_i64().unwrap();
    let cents = minutes * 10;
    assert!((cents..cents + 30).contains(&kept), "{canceled}");
    kept
}

#[test]
fn time_booked_afterwards_and_canceled_before_the_car_leaves_is_an_overstay() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let [first, second] = book_afterwards(&stack, &driver, &owner, place, "AFTER 1");
    assert!(cancel(&driver, second).get("kept_cost").is_none());
    let left = pass(&owner, place, "check-out", "after1")
        .expect(200)
        .json();
    assert_eq!(
        (&left["booking_id"], &left["overstay_cost"]),
        (&json!(first), &json!(900))
    );
    assert_eq!((balance(&driver), balance(&owner)), (10_000 - 1_500, 1_500));
    assert_books_agree(&stack);
}

#[test]
fn time_booked_afterwards_and_canceled_after_the_car_left_is_kept() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let [first, second] = book_afterwards(&stack, &driver, &owner, place, "AFTER 2");
    let left = pass(&owner, place, "check-out", "after2")
        .expect(200)
        .json();
    assert_eq!(left["booking_id"], second);
    // The gate knows that the car was there, whatever its plate is now.
    driver
        .put(&format!("/booking/{second}/plate"))
        .json(&json!({ "plate": "AFTER 3" }))
        .send()
        .expect(200);
    let canceled = cancel(&driver, second);
    let kept = kept_of(&canceled, 20);
    assert_eq!(cancel(&driver, second), canceled);
    assert!(show(&driver, first).get("overstay_cost").is_none());
    assert_eq!(
        (balance(&driver), balance(&owner)),
        (10_000 - 600 - kept, 600 + kept)
    );
    assert_books_agree(&stack);
}

#[test]
fn an_extension_that_is_moved_back_and_canceled_pays_for_the_time_the_car_was_there() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let driver = driver(&stack, 10_000);
    // Also where leaving late costs nothing.
    let places = [offer_with(&owner, &by_the_hour()), offer(&owner, 600, 9)];
    let kept = places.map(|place| {
        let id = book_car(&stack, &driver, place, "LONG 1", [-10.0, 50.0]);
        let move_end = |minutes: f64| {
            driver
                .put(&format!("/booking/{id}/end"))
                .json(&json!({ "date_to": from_now(&stack, minutes) }))
                .send()
                .expect(200);
        };
        pass(&owner, place, "check-in", "long1").expect(200);
        move_end(200.0);
        let_pass(&stack, id, 60.0);
        pass(&owner, place, "check-out", "long1").expect(200);
        move_end(10.0);
        kept_of(&cancel(&driver, id), 60)
    });
    let kept: i64 = kept.iter().sum();
    assert_eq!((balance(&driver), balance(&owner)), (10_000 - kept, kept));
    assert_books_agree(&stack);
}

/// Otherwise the same time would be paid twice.
#[test]
fn the_kept_part_of_a_canceled_booking_counts_towards_the_overstay() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let [place, elsewhere] = [(); 2].map(|()| {
        let place = offer(&owner, 600, 9);
        owner
            .put(&format!("/parking/{place}/rules"))
            .json(&json!({ "overstay": by_the_hour(), "refund_policy": { "free_hours": 0 } }))
            .send()
            .expect(200);
        place
    });
    let driver = driver(&stack, 10_000);
    let [first, second] = book_afterwards(&stack, &driver, &owner, place, "KEPT 1");
    let kept = kept_of(&cancel(&driver, second), 20);
    // Neither another car nor another place counts.
    let others = [(place, "KEPT 2"), (elsewhere, "KEPT 1")].map(|(place, plate)| {
        let other = book_car(&stack, &driver, place, plate, [-20.0, 100.0]);
        kept_of(&cancel(&driver, other), 20)
    });
    let left = pass(&owner, place, "check-out", "kept1").expect(200).json();
    assert_eq!(
        (&left["booking_id"], &left["overstay_cost"]),
        (&json!(first), &json!(900 - kept))
    );
    let others: i64 = others.iter().sum();
    assert_eq!(balance(&driver), 10_000 - 600 - 900 - others);
    assert_books_agree(&stack);
}

#[test]
fn the_kept_part_of_a_canceled_booking_counts_towards_one_overstay() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 600, 9);
    owner
        .put(&format!("/parking/{place}/rules"))
        .json(&json!({ "overstay": by_the_hour(), "refund_policy": { "free_hours": 0 } }))
        .send()
        .expect(200);
    let driver = driver(&stack, 10_000);
    let first = book_car(&stack, &driver, place, "ONCE 1", [-10.0, 50.0]);
    pass(&owner, place, "check-in", "ONCE 1").expect(200);
    let_pass(&stack, first, 130.0);
    // It began when the first one ended, and was to last longer than the one below.
    let canceled = book_car(&stack, &driver, place, "ONCE 1", [-80.0, 100.0]);
    let kept = kept_of(&cancel(&driver, canceled), 80);
    let second = book_car(&stack, &driver, place, "ONCE 1", [-20.0, 10.0]);
    let_pass(&stack, second, 40.0);
    let left = pass(&owner, place, "check-out", "once1").expect(200).json();
    assert_eq!(
        (&left["booking_id"], &left["overstay_cost"]),
        (&json!(second), &json!(900))
    );
    assert_eq!(show(&driver, first)["overstay_cost"], 900 - kept);
    assert_books_agree(&stack);
}
