//! Crowds: many bookings of one place, many payments to one owner, and drivers without money. None of them slows down
//! bookings of other places, because each crowd may occupy only a few connections.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use serde_json::json;
use wharf_tests::{Stack, User, at_once, eventually};

use super::{
    SOON, assert_books_agree, balance, book, book_confirmed, driver, endow, make_due, offer,
    place_body,
};

/// Otherwise drivers without money would keep a place from drivers who pay, for as long as the ledger takes to refuse them.
#[test]
fn a_driver_without_money_does_not_wait_for_the_place() {
    let stack = Stack::start();
    let place = offer(&User::owner(&stack), 60, 100);
    let (poor, newcomer) = (driver(&stack, 60), driver(&stack, 59));
    book_confirmed(&stack, &poor, place, 0, 60);
    book(&stack, &poor, place, 0, 60).problem(400);
    let mut held = stack.sql();
    let lock = format!("BEGIN; SELECT FROM bookings.place WHERE id = {place} FOR UPDATE");
    held.batch_execute(&lock).unwrap();
    for driver in [&poor, &newcomer] {
        let refused = book(&stack, driver, place, 0, 60).problem(400);
        assert_eq!(refused["code"], "insufficient-funds");
    }
    held.batch_execute("COMMIT").unwrap();
    // What else keeps them from booking is said first, as to all others.
    let full = offer(&User::owner(&stack), 60, 1);
    book_confirmed(&stack, &self::driver(&stack, 60), full, 0, 60);
    book(&stack, &newcomer, full, 0, 60).problem(409);
    book(&stack, &newcomer, 999_999_999, 0, 60).problem(404);
    // With the money they wait as all others do.
    endow(&stack, &newcomer, 1);
    book_confirmed(&stack, &newcomer, place, 0, 60);
    endow(&stack, &poor, 120);
    for _ in 0..2 {
        book_confirmed(&stack, &poor, place, 0, 60);
    }
    assert_books_agree(&stack);
}

/// Otherwise the booking before it would count, which was paid.
#[test]
fn a_refused_booking_that_is_deleted_still_counts_as_the_last_one() {
    let stack = Stack::start();
    let place = offer(&User::owner(&stack), 60, 100);
    let poor = driver(&stack, 60);
    book_confirmed(&stack, &poor, place, 0, 60);
    book(&stack, &poor, place, 0, 60).problem(400);
    let listed = poor.get("/booking").send().expect(200).json();
    assert_eq!(listed[0]["status"], "Canceled");
    let refused = format!("/booking/{}", listed[0]["booking_id"]);
    poor.delete(&refused).send().expect(200);
    let held = stack.lock(&format!(
        "SELECT FROM bookings.place WHERE id = {place} FOR UPDATE"
    ));
    let refused = book(&stack, &poor, place, 0, 60).problem(400);
    assert_eq!(refused["code"], "insufficient-funds");
    drop(held);
    assert_books_agree(&stack);
}

/// All of them would count the same booking that was paid.
#[test]
fn all_but_one_of_several_bookings_of_a_driver_at_once_need_the_money() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 100);
    let paid = book_confirmed(&stack, &driver(&stack, 60), place, 0, 60);
    let [mut first, mut other] = [stack.sql(), stack.sql()];
    let book = |sql: &mut Client| -> String {
        let book = "SELECT outcome FROM book(gen_random_uuid(), $1, (SELECT driver FROM booking WHERE id = $2),
            now() + interval '1 day', now() + interval '2 days', NULL, funds => NULL)";
        sql.query_one(book, &[&place, &paid]).unwrap().get(0)
    };
    for sql in [&mut first, &mut other] {
        sql.batch_execute("SET search_path = bookings; SET lock_timeout = '5s'; BEGIN")
            .unwrap();
    }
    assert_eq!(book(&mut first), "booked");
    // That one is not committed; for the first it is the last one, and is being paid.
    assert_eq!(book(&mut other), "unknown_funds");
    assert_eq!(book(&mut first), "unknown_funds");
    first.batch_execute("ROLLBACK").unwrap();
    assert_eq!(book(&mut other), "booked");
}

/// Otherwise each of them would keep a car's room until the ledger refuses it.
#[test]
fn bookings_of_a_driver_at_once_take_no_more_room_than_the_driver_can_pay() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 100);
    let paid = book_confirmed(&stack, &driver(&stack, 60), place, 0, 60);
    let book = |funds: i64| {
        format!(
            "SELECT outcome FROM book(gen_random_uuid(), {place}, (SELECT driver FROM booking WHERE id = {paid}),
                now() + interval '1 day', now() + interval '25 hours', NULL, funds => {funds})"
        )
    };
    // The second one waits for the place, and finds that the first one is still being paid.
    for (funds, second) in [(119, "crowded"), (180, "booked")] {
        let outcomes = stack.overlap("bookings", &book(funds), &book(funds));
        assert_eq!(outcomes, ("booked".to_owned(), second.to_owned()));
    }
}

fn count_waiting(stack: &Stack, words: &str) -> i64 {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0 AND pid <> pg_backend_pid()";
    stack.sql().query_one(waiting, &[&words]).unwrap().get(0)
}

#[test]
fn a_hot_place_takes_no_connections_from_the_others() {
    let stack = Stack::start();
    let owner = User::owner(&stack);
    let (hot, other) = (offer(&owner, 60, 100), offer(&owner, 60, 100));
    let drivers: Vec<_> = (0..8).map(|_| driver(&stack, 100_000)).collect();
    let mut held = stack.sql();
    let lock = format!("BEGIN; SELECT FROM bookings.place WHERE id = {hot} FOR UPDATE");
    held.batch_execute(&lock).unwrap();
    let waiting = || count_waiting(&stack, "FROM book(");
    let answers = thread::scope(|scope| {
        let crowd = scope.spawn(|| {
            at_once(40, |number| {
                book(&stack, &drivers[number % 8], hot, 0, 60).status()
            })
        });
        eventually("the queue is full", SOON, || waiting() == 4);
        // The others book as if it were not there, and the queue grows no longer.
        for minute in 0..20 {
            book(&stack, &drivers[0], other, minute, minute + 60).expect(200);
            // One that gives up is listed for a moment beside the one that takes its turn.
            assert!((0..5).any(|_| waiting() <= 4));
        }
        held.batch_execute("COMMIT").unwrap();
        crowd.join().unwrap()
    });
    // Requests that waited too long were refused with 503; all others have a booking.
    let booked = answers.iter().filter(|it| **it == 200).count();
    assert!(booked >= 4 && answers.iter().all(|it| matches!(it, 200 | 503)));
    let stands =
        "SELECT count(*) FROM bookings.booking WHERE place_id = $1 AND status = 'Confirmed'";
    let stands: i64 = stack.sql().query_one(stands, &[&hot]).unwrap().get(0);
    assert_eq!(stands, booked as i64);
    assert_books_agree(&stack);
}

fn lock_wallet(stack: &Stack, user: &User) -> Client {
    let id = user.get("/auth/me").send().expect(200).json()["id"].clone();
    stack.lock(&format!(
        "SELECT FROM payments.account WHERE owner = {} AND kind = 'main' FOR UPDATE",
        id.to_string().replace('"', "'")
    ))
}

/// Otherwise the requests of one owner or driver would wait at one row on every connection.
#[test]
fn changes_of_a_place_or_a_booking_queue_there_too() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 60, 1);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 0, 60);
    let taken: Vec<_> = (0..4)
        .map(|_| {
            stack.lock(&format!(
                "SET LOCAL search_path = bookings; SELECT is_admitted({place}), is_admitted({place}, 'gate'),
                    is_admitted({id}, 'booking')"
            ))
        })
        .collect();
    let (parking, booking) = (format!("/parking/{place}"), format!("/booking/{id}"));
    let car = json!({ "plate": "ABC 123" });
    let requests = [
        owner.put(&parking).json(&place_body(60, 2)),
        owner.put(&format!("{parking}/rules")).json(&json!({})),
        owner.delete(&parking),
        owner.post(&format!("{parking}/check-in")).json(&car),
        owner.post(&format!("{parking}/check-out")).json(&car),
        driver.put(&format!("{booking}/plate")).json(&car),
        driver.put(&booking).json(&json!({ "status": "Canceled" })),
        driver.delete(&booking),
        owner.delete(&format!("{booking}/overstay")),
    ];
    thread::scope(|scope| {
        let sent = requests.map(|it| scope.spawn(move || it.send()));
        for answer in sent {
            let refused = answer.join().unwrap().problem(503);
            assert_eq!(refused["code"], "place-crowded", "{refused}");
        }
    });
    // An erasure does not queue: nothing asks for it again.
    let mut sql = stack.lock("SET LOCAL search_path = bookings");
    let forget = "SELECT forget(driver, 10) FROM booking WHERE id = $1";
    let forgotten: i64 = sql.query_one(forget, &[&id]).unwrap().get(0);
    assert_eq!(forgotten, 1);
    drop((sql, taken));
    driver.delete(&booking).send().expect(200);
}

#[test]
fn many_payments_to_one_owner_take_no_connections_from_the_others() {
    let stack = Stack::start();
    let (hot, other) = (User::owner(&stack), User::owner(&stack));
    let places: Vec<_> = (0..20).map(|_| offer(&hot, 60, 100)).collect();
    let elsewhere = offer(&other, 60, 100);
    let drivers: Vec<_> = (0..40).map(|_| driver(&stack, 1_000)).collect();
    let calm = driver(&stack, 100_000);
    for driver in &drivers {
        book_confirmed(&stack, driver, places[0], 0, 60);
    }
    let mut held = lock_wallet(&stack, &hot);
    let answers = thread::scope(|scope| {
        let crowd = scope.spawn(|| {
            at_once(40, |number| {
                book(&stack, &drivers[number], places[number % 20], 0, 60).status()
            })
        });
        eventually("the queue is full", SOON, || {
            count_waiting(&stack, "FROM pay_in_turn(") == 4
        });
        for minute in 0..20 {
            book_confirmed(&stack, &calm, elsewhere, minute, minute + 60);
            assert!((0..5).any(|_| count_waiting(&stack, "FROM pay_in_turn(") <= 4));
        }
        held.batch_execute("COMMIT").unwrap();
        crowd.join().unwrap()
    });
    let booked = answers.iter().filter(|it| **it == 200).count();
    assert!(
        booked >= 4 && answers.iter().all(|it| matches!(it, 200 | 503)),
        "{answers:?}"
    );
    eventually("refused drivers have paid nothing", SOON, || {
        balance(&hot) == 60 * (40 + booked as i64)
    });
}

/// All who have booked cancel at once.
#[test]
fn many_refunds_of_one_owner_take_no_connections_from_the_others() {
    let stack = Stack::start();
    let hot = User::owner(&stack);
    let (place, elsewhere) = (offer(&hot, 60, 100), offer(&User::owner(&stack), 60, 100));
    let booked: Vec<_> = (0..40)
        .map(|_| {
            let driver = driver(&stack, 60);
            let id = book_confirmed(&stack, &driver, place, 0, 60);
            (driver, id)
        })
        .collect();
    let calm = driver(&stack, 100_000);
    let mut held = lock_wallet(&stack, &hot);
    let statuses = thread::scope(|scope| {
        let crowd = scope.spawn(|| {
            at_once(booked.len(), |number| {
                let (driver, id) = &booked[number];
                driver.delete(&format!("/booking/{id}")).send().status()
            })
        });
        eventually("the queue is full", SOON, || {
            count_waiting(&stack, "FROM refund_in_turn(") == 2
        });
        for minute in 0..20 {
            book_confirmed(&stack, &calm, elsewhere, minute, minute + 60);
            assert!((0..5).any(|_| count_waiting(&stack, "FROM refund_in_turn(") <= 2));
        }
        held.batch_execute("COMMIT").unwrap();
        crowd.join().unwrap()
    });
    assert!(statuses.iter().all(|it| *it == 200), "{statuses:?}");
    eventually(
        "the drivers whose refunds did not fit the queue have them, too",
        SOON,
        || {
            make_due(&stack);
            balance(&hot) == 0
        },
    );
    assert_books_agree(&stack);
}

/// How long the bookings of one driver take beside such a crowd: the longest but one of a hundred.
fn measure_beside(stack: &Stack, crowd: &[(User, i64)], calm: &User, place: i64) -> Duration {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for (driver, wanted) in crowd {
            let done = &done;
            scope.spawn(move || {
                let minutes = (0..1_400).step_by(7).cycle();
                for minute in minutes.take_while(|_| !done.load(Ordering::Relaxed)) {
                    book(stack, driver, *wanted, minute, minute + 1);
                }
            });
        }
        let mut took: Vec<_> = (0..100)
            .map(|minute| {
                let begun = Instant::now();
                book_confirmed(stack, calm, place, minute, minute + 1);
                begun.elapsed()
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        took.sort_unstable();
        took[98]
    })
}

/// The same crowd once wants one place, and once a place of an owner of its own for each driver.
#[test]
fn beside_a_hot_place_others_book_about_as_quickly_as_beside_many_calm_ones() {
    let stack = Stack::start();
    let (hot, elsewhere) = (
        offer(&User::owner(&stack), 60, 100_000),
        offer(&User::owner(&stack), 60, 100_000),
    );
    let calm = driver(&stack, 1_000_000);
    let crowd = |place: &dyn Fn() -> i64| -> Vec<_> {
        (0..24)
            .map(|_| (driver(&stack, 1_000_000), place()))
            .collect()
    };
    let wanting_one = crowd(&|| hot);
    let spread = crowd(&|| offer(&User::owner(&stack), 60, 100_000));
    let mut measured = Vec::new();
    // On a busy machine one round says little.
    let is_fair = (0..5).any(|_| {
        let beside_spread = measure_beside(&stack, &spread, &calm, elsewhere);
        let beside_hot = measure_beside(&stack, &wanting_one, &calm, elsewhere);
        measured.push((beside_hot, beside_spread));
        beside_hot <= 2 * beside_spread
    });
    eprintln!("beside one hot place, beside many: {measured:?}");
    assert!(is_fair, "{measured:?}");
    assert_books_agree(&stack);
}
