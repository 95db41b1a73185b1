//! The start of a booking moves as its end does, and no move makes a place too full.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;
use wharf_tests::{Answer, Dice, Stack, User, at_once};

use super::{
    assert_books_agree, at, balance, book, book_confirmed, count_fullest, driver, from_now,
    move_end, offer, wish,
};

fn move_start(stack: &Stack, driver: &User, booking: i64, from: u32) -> Answer {
    driver
        .put(&format!("/booking/{booking}/start"))
        .json(&json!({ "date_from": at(stack, from) }))
        .send()
}

#[test]
fn coming_earlier_costs_the_difference_and_coming_later_gives_it_back() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 60, 1);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 100, 200);
    for (from, cost) in [(40, 160), (100, 100), (199, 1), (0, 200), (0, 200)] {
        let moved = move_start(&stack, &driver, id, from).expect(200).json();
        assert_eq!(
            (&moved["full_cost"], &moved["date_from"]),
            (&json!(cost), &json!(at(&stack, from)))
        );
        assert_eq!((balance(&driver), balance(&owner)), (1_000 - cost, cost));
    }
    assert_eq!(
        move_start(&stack, &driver, id, 200).problem(400)["code"],
        "invalid-dates"
    );
    move_end(&stack, &driver, id, 100).expect(200);
    driver.delete(&format!("/booking/{id}")).send().expect(200);
    assert_eq!(balance(&driver), 1_000);
    assert_books_agree(&stack);
}

#[test]
fn a_start_moves_only_to_where_the_place_has_room() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 1);
    let driver = driver(&stack, 1_000);
    let first = book_confirmed(&stack, &driver, place, 0, 100);
    let second = book_confirmed(&stack, &driver, place, 150, 200);
    move_start(&stack, &driver, 999_999_999, 99).problem(404);
    assert_eq!(
        move_start(&stack, &driver, second, 99).problem(409)["code"],
        "no_availability"
    );
    move_start(&stack, &driver, second, 100).expect(200);
    // An earlier start that cannot be paid is not kept.
    let poor = self::driver(&stack, 60);
    move_start(&stack, &driver, second, 190).expect(200);
    let third = book_confirmed(&stack, &poor, place, 130, 190);
    assert_eq!(
        move_start(&stack, &poor, third, 100).problem(400)["code"],
        "insufficient-funds"
    );
    move_end(&stack, &driver, first, 130).expect(200);
    User::driver(&stack)
        .put(&format!("/booking/{first}/start"))
        .json(&json!({ "date_from": at(&stack, 10) }))
        .send()
        .problem(403);
    assert_books_agree(&stack);
}

/// Otherwise they would keep it from others, for as long as the ledger takes to refuse them.
#[test]
fn more_time_is_not_kept_for_a_driver_without_the_money() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 1);
    let poor = driver(&stack, 100);
    let id = book_confirmed(&stack, &poor, place, 100, 160);
    let refused = move_end(&stack, &poor, id, 201).problem(400);
    assert_eq!(refused["code"], "insufficient-funds");
    let refused = move_start(&stack, &poor, id, 59).problem(400);
    assert_eq!(refused["code"], "insufficient-funds");
    let charges = "SELECT count(*) FROM bookings.charge WHERE booking_id = $1";
    let charges: i64 = stack.sql().query_one(charges, &[&id]).unwrap().get(0);
    assert_eq!(charges, 1);
    move_end(&stack, &poor, id, 200).expect(200);
    assert_eq!(balance(&poor), 0);
    assert_books_agree(&stack);
}

#[test]
fn a_start_that_is_being_paid_does_not_move_elsewhere() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 1);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 100, 200);
    // A request that has not asked the ledger yet.
    let begin = format!(
        "SET search_path = bookings;
        SELECT move_booking({id}, driver, false, '{}', NULL) FROM booking WHERE id = {id};
        UPDATE charge SET due_at = 'infinity' WHERE booking_id = {id} AND status = 'opening'",
        at(&stack, 40)
    );
    stack.sql().batch_execute(&begin).unwrap();
    for from in [20, 60, 150] {
        let refused = move_start(&stack, &driver, id, from).problem(409);
        assert_eq!(refused["code"], "booking-busy");
    }
    // The same move goes on with its payment.
    let moved = move_start(&stack, &driver, id, 40).expect(200).json();
    assert_eq!(
        (&moved["full_cost"], balance(&driver)),
        (&json!(160), 1_000 - 160)
    );
    assert_books_agree(&stack);
}

#[test]
fn the_start_of_a_booking_that_has_begun_stays() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 600, 1);
    let driver = driver(&stack, 10_000);
    let wish = wish(place, &from_now(&stack, -5.0), &from_now(&stack, 60.0));
    let made = driver.post("/booking").json(&wish).send().expect(200);
    let address = format!("/booking/{}/start", made.json()["booking_id"]);
    let later = json!({ "date_from": from_now(&stack, 30.0) });
    assert_eq!(
        driver.put(&address).json(&later).send().problem(409)["code"],
        "booking-begun"
    );
    let past = json!({ "date_from": from_now(&stack, -30.0) });
    driver.put(&address).json(&past).send().problem(400);
}

/// The race itself, without luck: the move is not committed when the booking comes.
#[test]
fn a_booking_waits_for_a_move_of_a_start_that_is_not_committed() {
    let stack = Stack::start();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 10_000);
    let id = book_confirmed(&stack, &driver, place, 600, 660);
    let (from, to) = (at(&stack, 540), at(&stack, 600));
    let book = format!(
        "SELECT outcome FROM book(gen_random_uuid(), {place}, gen_random_uuid(), '{from}', '{to}', NULL)"
    );
    let move_start = format!(
        "SELECT outcome FROM move_booking({id}, (SELECT driver FROM booking WHERE id = {id}), false, '{from}', NULL)"
    );
    assert_eq!(
        stack.overlap("bookings", &move_start, &book),
        ("to_pay".to_owned(), "no_availability".to_owned())
    );
}

#[test]
fn a_place_is_never_too_full_while_starts_and_ends_move() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 2);
    let drivers: Vec<_> = (0..4).map(|_| driver(&stack, 1_000_000)).collect();
    let done = AtomicBool::new(false);
    let minute = |dice: &mut Dice, below: u64| u32::try_from(dice.below(below)).unwrap();
    thread::scope(|scope| {
        let watched = scope.spawn(|| {
            let mut sql = stack.sql();
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(count_fullest(&mut sql, place));
            }
            most
        });
        at_once(8, |number| {
            let mut dice = Dice::new(77 + number as u64);
            let driver = &drivers[number % 4];
            let mut own: Option<i64> = None;
            for _ in 0..20 {
                let answer = match (own, dice.index(3)) {
                    (Some(id), 0) => move_start(&stack, driver, id, minute(&mut dice, 240)),
                    (Some(id), 1) => move_end(&stack, driver, id, 1 + minute(&mut dice, 360)),
                    (Some(id), _) => {
                        own = None;
                        driver.delete(&format!("/booking/{id}")).send()
                    }
                    (None, _) => {
                        let from = minute(&mut dice, 240);
                        let to = from + 1 + minute(&mut dice, 120);
                        book(&stack, driver, place, from, to)
                    }
                };
                assert!(matches!(answer.status(), 200 | 400 | 409), "{answer}");
                if let Some(id) = answer.json()["booking_id"].as_i64() {
                    own = Some(id);
                }
            }
        });
        done.store(true, Ordering::Relaxed);
        let most = watched.join().unwrap();
        assert!((1..=2).contains(&most), "{most} stood on 2 places");
    });
    assert_books_agree(&stack);
}
