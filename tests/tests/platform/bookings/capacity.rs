//! No place is taken twice, however many drivers book at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;
use wharf_tests::{Dice, Stack, User, at_once, pages_read};

use super::{
    assert_books_agree, at, balance, book, book_confirmed, count_fullest, driver, move_end, offer,
    place_body, wish,
};

#[test]
fn exactly_five_of_200_bookings_at_once_get_one_of_five_places() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 5);
    let drivers: Vec<_> = (0..4).map(|_| driver(&stack, 1_000_000)).collect();
    let answers = at_once(200, |number| {
        // All of them share the hour from 10:00 to 11:00.
        let number = u32::try_from(number).unwrap();
        let (from, to) = (600 - number % 60, 660 + number % 45);
        book(&stack, &drivers[number as usize % 4], place, from, to)
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.status() == 200);
    assert_eq!(won.len(), 5);
    for answer in lost {
        assert_eq!(answer.problem(409)["code"], "no_availability");
    }
    assert_eq!(count_fullest(&mut stack.sql(), place), 5);
    assert_books_agree(&stack);
}

fn pick_minute(dice: &mut Dice, bound: u64) -> u32 {
    u32::try_from(dice.below(bound)).unwrap()
}

/// The race itself, without luck: the first booking is not committed when the second comes.
#[test]
fn a_booking_waits_for_one_of_the_same_place_that_is_not_committed() {
    let stack = Stack::start();
    let place = offer(&User::owner(&stack), 100, 1);
    let book = format!(
        "SELECT outcome FROM book(gen_random_uuid(), {place}, gen_random_uuid(),
            now() + interval '1 day', now() + interval '2 days', NULL)"
    );
    assert_eq!(
        stack.overlap("bookings", &book, &book),
        ("booked".to_owned(), "no_availability".to_owned())
    );
}

/// Otherwise a hot place would take the connections of the others.
#[test]
fn four_requests_wait_for_a_place_and_the_next_is_sent_away() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let (place, other) = (offer(&owner, 100, 1), offer(&owner, 100, 1));
    let begin = || {
        let mut sql = stack.sql();
        sql.batch_execute("SET search_path = bookings; BEGIN")
            .unwrap();
        sql
    };
    let is_admitted = |sql: &mut postgres::Client, place: i64| -> bool {
        let admitted = "SELECT is_admitted($1)";
        sql.query_one(admitted, &[&place]).unwrap().get(0)
    };
    let mut waiting: Vec<_> = (0..4).map(|_| begin()).collect();
    for sql in &mut waiting {
        assert!(is_admitted(sql, place));
    }
    let mut fifth = begin();
    assert!(!is_admitted(&mut fifth, place));
    assert!(is_admitted(&mut fifth, other));
    let mut book = || -> String {
        let book = "SELECT outcome FROM book(gen_random_uuid(), $1, gen_random_uuid(),
            now() + interval '1 day', now() + interval '2 days', NULL)";
        fifth.query_one(book, &[&place]).unwrap().get(0)
    };
    assert_eq!(book(), "crowded");
    // The turn of one of them is over.
    waiting[0].batch_execute("ROLLBACK").unwrap();
    assert_eq!(book(), "booked");
}

/// The bookings of a place are counted while others wait for it.
#[test]
fn bookings_after_a_window_are_not_read_to_count_its_room() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 100_000);
    // Nothing of this lasts.
    let mut sql = stack.lock("SET LOCAL search_path = bookings");
    let many = "INSERT INTO booking
            (place_id, driver, date_from, date_to, held_to, kept_to, hourly_rate, full_cost, status)
        SELECT $1, gen_random_uuid(), starts, ends, ends, ends, 60, 60, 'Confirmed'
        FROM generate_series(1, 20000) AS number,
            LATERAL (SELECT now() + number * interval '5 minutes') AS one (starts),
            LATERAL (SELECT starts + interval '1 hour') AS other (ends)";
    sql.execute(many, &[&place]).unwrap();
    let room = format!("SELECT peak({place}, now(), now() + interval '1 hour')");
    // The first call plans it.
    pages_read(&mut sql, &room);
    let pages = pages_read(&mut sql, &room);
    // All of them are on 450 pages of the table; their index has 100.
    assert!(pages < 200, "{pages}");
}

struct Standing {
    id: i64,
    from: u32,
    to: u32,
}

/// How many stand at once at the fullest minute of the window.
fn most(standing: &[Standing], from: u32, to: u32, except: i64) -> usize {
    let at = |minute| {
        standing
            .iter()
            .filter(|it| it.id != except && it.from <= minute && minute < it.to)
            .count()
    };
    (from..to).map(at).max().unwrap_or(0)
}

/// Every answer and every cent is foretold by a few lines that know nothing of SQL.
#[test]
fn a_place_behaves_as_a_model_of_it_does() {
    const CAPACITY: usize = 3;
    const RATE: i64 = 137;
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, RATE, CAPACITY as i64);
    let start = 10_000_000;
    let driver = driver(&stack, start);
    let mut dice = Dice::new(0x5EED_2026);
    let mut model: Vec<Standing> = Vec::new();
    let price = |from: u32, to: u32| RATE * i64::from(to - from) / 60;
    for _ in 0..150 {
        let one = (!model.is_empty()).then(|| dice.index(model.len()));
        match (dice.index(5), one) {
            (0, Some(one)) => {
                let gone = model.swap_remove(one);
                driver
                    .delete(&format!("/booking/{}", gone.id))
                    .send()
                    .expect(200);
                driver
                    .get(&format!("/booking/{}", gone.id))
                    .send()
                    .problem(404);
            }
            (1 | 2, Some(one)) => {
                let it = &model[one];
                let to = it.from + 1 + pick_minute(&mut dice, 300);
                let fits = to <= it.to || most(&model, it.to, to, it.id) < CAPACITY;
                let answer = move_end(&stack, &driver, it.id, to);
                if fits {
                    assert_eq!(answer.expect(200).json()["full_cost"], price(it.from, to));
                    model[one].to = to;
                } else {
                    answer.problem(409);
                }
            }
            _ => {
                let from = pick_minute(&mut dice, 600);
                let to = from + 1 + pick_minute(&mut dice, 300);
                let answer = book(&stack, &driver, place, from, to);
                if most(&model, from, to, 0) < CAPACITY {
                    let answer = answer.expect(200).json();
                    assert_eq!(answer["full_cost"], price(from, to));
                    model.push(Standing {
                        id: answer["booking_id"].as_i64().unwrap(),
                        from,
                        to,
                    });
                } else {
                    answer.problem(409);
                }
            }
        }
        let spent: i64 = model.iter().map(|it| price(it.from, it.to)).sum();
        assert_eq!((balance(&driver), balance(&owner)), (start - spent, spent));
        assert!(count_fullest(&mut stack.sql(), place) <= CAPACITY as i64);
    }
    assert_books_agree(&stack);
}

#[test]
fn a_place_is_never_too_full_while_many_book_cancel_and_extend() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 2);
    let drivers: Vec<_> = (0..4).map(|_| driver(&stack, 1_000_000)).collect();
    let done = AtomicBool::new(false);
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
            let mut dice = Dice::new(7 + number as u64);
            let mut own = Vec::new();
            let driver = &drivers[number % 4];
            for _ in 0..25 {
                match (dice.index(4), own.pop()) {
                    (0, Some((id, _))) => {
                        driver.delete(&format!("/booking/{id}")).send().expect(200);
                    }
                    (1, Some((id, from))) => {
                        let status =
                            move_end(&stack, driver, id, from + 1 + pick_minute(&mut dice, 120))
                                .status();
                        assert!(matches!(status, 200 | 409), "{status}");
                        own.push((id, from));
                    }
                    (_, kept) => {
                        own.extend(kept);
                        let from = pick_minute(&mut dice, 240);
                        let answer = book(
                            &stack,
                            driver,
                            place,
                            from,
                            from + 1 + pick_minute(&mut dice, 120),
                        );
                        assert!(matches!(answer.status(), 200 | 409), "{answer}");
                        if answer.status() == 200 {
                            own.push((answer.json()["booking_id"].as_i64().unwrap(), from));
                        }
                    }
                }
            }
        });
        done.store(true, Ordering::Relaxed);
        let most = watched.join().unwrap();
        assert!((1..=2).contains(&most), "{most} stood on 2 places");
    });
    assert_books_agree(&stack);
}

#[test]
fn a_booking_may_begin_at_the_instant_another_ends() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 10_000);
    book_confirmed(&stack, &driver, place, 60, 120);
    book_confirmed(&stack, &driver, place, 120, 180);
    book_confirmed(&stack, &driver, place, 0, 60);
    book(&stack, &driver, place, 119, 121).problem(409);
    // A window of which most is free is not free.
    book(&stack, &driver, place, 170, 600).problem(409);
}

#[test]
fn a_place_does_not_shrink_below_what_is_booked() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 3);
    let driver = driver(&stack, 10_000);
    let first = book_confirmed(&stack, &driver, place, 60, 120);
    book_confirmed(&stack, &driver, place, 90, 180);
    book_confirmed(&stack, &driver, place, 180, 240);
    let shrink = |capacity| {
        owner
            .put(&format!("/parking/{place}"))
            .json(&place_body(100, capacity))
            .send()
    };
    assert_eq!(shrink(1).problem(409)["code"], "booked-beyond");
    assert_eq!(shrink(2).expect(200).json()["capacity"], 2);
    driver
        .delete(&format!("/booking/{first}"))
        .send()
        .expect(200);
    shrink(1).expect(200);
    book(&stack, &driver, place, 90, 100).problem(409);
    owner
        .delete(&format!("/parking/{place}"))
        .send()
        .problem(409);
}

#[test]
fn a_place_does_not_shrink_while_it_is_being_booked() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let driver = driver(&stack, 100_000);
    for _ in 0..5 {
        let place = offer(&owner, 100, 4);
        at_once(8, |number| match number % 2 {
            0 => {
                let status = book(&stack, &driver, place, 60, 120).status();
                assert!(matches!(status, 200 | 409), "{status}");
            }
            _ => {
                let body = place_body(100, 1 + i64::try_from(number).unwrap() / 4);
                let status = owner
                    .put(&format!("/parking/{place}"))
                    .json(&body)
                    .send()
                    .status();
                assert!(matches!(status, 200 | 409), "{status}");
            }
        });
        let shown = stack
            .get(&format!("/parking/{place}"))
            .send()
            .expect(200)
            .json();
        assert!(count_fullest(&mut stack.sql(), place) <= shown["capacity"].as_i64().unwrap());
    }
}

#[test]
fn search_and_quote_say_how_much_is_free_for_the_whole_window() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let me = owner.get("/auth/me").send().json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (small, large) = (offer(&owner, 100, 1), offer(&owner, 90, 3));
    let driver = driver(&stack, 10_000);
    book_confirmed(&stack, &driver, small, 100, 200);
    book_confirmed(&stack, &driver, large, 150, 160);
    let search = |from, to| {
        let window = format!("date_from={}&date_to={}", at(&stack, from), at(&stack, to));
        let found = stack
            .get(&format!("/parking?owner_id={me}&{window}"))
            .send()
            .expect(200)
            .json();
        let free =
            |it: &serde_json::Value| (it["id"].as_i64().unwrap(), it["free"].as_i64().unwrap());
        found
            .as_array()
            .unwrap()
            .iter()
            .map(free)
            .collect::<Vec<_>>()
    };
    assert_eq!(search(0, 100), [(small, 1), (large, 3)]);
    assert_eq!(search(0, 101), [(large, 3)]);
    assert_eq!(search(0, 600), [(large, 2)]);
    assert_eq!(search(200, 600), [(small, 1), (large, 3)]);

    let quote = |place, from, to| {
        let wish = wish(place, &at(&stack, from), &at(&stack, to));
        stack
            .post("/booking/quote")
            .json(&wish)
            .send()
            .expect(200)
            .json()
    };
    let full = json!({ "full_cost": 150, "currency": "USD", "free": 0, "available": false });
    assert_eq!(quote(small, 150, 240), full);
    let free = json!({ "full_cost": 136, "currency": "USD", "free": 2, "available": true });
    assert_eq!(quote(large, 149, 240), free);
    // Looking costs nothing and takes nothing.
    assert_eq!(quote(large, 149, 240), free);
    // The same by a link.
    let (from, to) = (at(&stack, 149), at(&stack, 240));
    let link = format!("/booking/quote?parking_place_id={large}&date_from={from}&date_to={to}");
    assert_eq!(stack.get(&link).send().expect(200).json(), free);
    let unknown = link.replace(&format!("={large}&"), "=999999999&");
    stack.get(&unknown).send().problem(404);
    stack
        .get("/booking/quote?parking_place_id=")
        .send()
        .problem(400);
}
