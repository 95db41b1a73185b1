//! For how long a payment is held before its owner may spend it.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Stack, User, eventually};

use super::super::{assert_books_agree, balance, book_confirmed, driver, move_end, offer};

/// The sweep lets go of it soon after the end; until then nothing that takes long may free it.
#[test]
fn the_payment_for_a_booking_is_held_well_past_its_end() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 1, 1);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 0, 120);
    let kept = || -> Vec<f64> {
        let kept = "SELECT (extract(epoch FROM until - booking.date_to) / 3600)::float8
            FROM payments.hold
            JOIN bookings.charge ON charge.id = hold.payment
            JOIN bookings.booking ON booking.id = booking_id
            WHERE booking_id = $1";
        let rows = stack.sql().query(kept, &[&id]).unwrap();
        rows.iter().map(|it| it.get(0)).collect()
    };
    assert_eq!(kept(), [24.0]);
    // What was paid before is kept as long as what is paid now.
    move_end(&stack, &driver, id, 240).expect(200);
    assert_eq!(kept(), [24.0, 24.0]);
    // An extension that costs nothing is short.
    let moved = move_end(&stack, &driver, id, 299).expect(200).json();
    assert_eq!(moved["full_cost"], 4);
    assert!(kept().iter().all(|it| *it > 23.0), "{:?}", kept());
    // What was given back whole has nothing left to keep.
    move_end(&stack, &driver, id, 119).expect(200);
    let moved = move_end(&stack, &driver, id, 180).expect(200).json();
    assert_eq!((&moved["full_cost"], balance(&driver)), (&json!(3), 997));
    assert!(kept().iter().all(|it| *it >= 24.0), "{:?}", kept());
    assert_books_agree(&stack);
}

/// A year was paid for and held; an hour was stayed.
#[test]
fn an_owner_does_not_wait_for_the_end_that_was_given_up() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 60, 1);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 0, 600);
    move_end(&stack, &driver, id, 100).expect(200);
    let wallet = || -> Value { owner.get("/payment/balance").send().expect(200).json() };
    assert_eq!(
        (&wallet()["total"], &wallet()["balance"]),
        (&json!(100), &json!(0))
    );
    // Two days later.
    let later = "UPDATE bookings.booking SET date_from = date_from - interval '3 days',
        date_to = date_to - interval '3 days', held_to = held_to - interval '3 days' WHERE id = $1";
    stack.sql().execute(later, &[&id]).unwrap();
    eventually("the owner may spend it", Duration::from_secs(10), || {
        wallet()["available"] == json!(100)
    });
    assert_books_agree(&stack);
}
