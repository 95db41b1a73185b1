//! The ledger is away, or slow: answers stay true, and later booking and money agree again.

use std::thread;

use serde_json::{Value, json};
use wharf_tests::{Stack, User, eventually};

use super::gate::{book_car, let_pass};
use super::{
    PAY, SOON, assert_books_agree, at, balance, book_confirmed, driver, from_now, lock, make_due,
    move_end, offer, send_tick, wait_for, wish, with_tick,
};

/// The ledger cannot do this any more, or again.
fn allow_payments(stack: &Stack, function: &str, does: bool) {
    let (verb, preposition) = if does {
        ("GRANT", "TO")
    } else {
        ("REVOKE", "FROM")
    };
    let right =
        format!("{verb} EXECUTE ON FUNCTION payments.{function} {preposition} wharf_payments");
    stack.sql().batch_execute(&right).unwrap();
}

fn available(user: &User) -> Value {
    user.get("/payment/balance").send().expect(200).json()["available"].clone()
}

#[test]
fn a_booking_waits_for_a_ledger_that_is_away() {
    let stack = with_tick().start();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 1_000);
    let wish = wish(place, &at(&stack, 0), &at(&stack, 60));
    let ask = |key: &str| {
        driver
            .post("/booking")
            .header("idempotency-key", key)
            .json(&wish)
            .send()
    };
    let statuses = || -> Vec<Value> {
        let listed = driver.get("/booking").send().expect(200).json();
        let listed = listed.as_array().unwrap().iter();
        listed.map(|it| it["status"].clone()).collect()
    };

    allow_payments(&stack, "pay", false);
    let refused = ask("first");
    assert!(refused.header("retry-after").is_some(), "{refused}");
    assert_eq!(refused.problem(503)["code"], "payment-unavailable");
    assert_eq!(statuses(), ["Waiting"]);
    assert_eq!(balance(&driver), 1_000);
    allow_payments(&stack, "pay", true);
    // The same request again goes on where the first stopped.
    assert_eq!(ask("first").expect(200).json()["status"], "Confirmed");
    assert_eq!(
        (statuses(), balance(&driver)),
        (vec![json!("Confirmed")], 900)
    );
    let id = driver.get("/booking").send().json()[0]["booking_id"].clone();
    driver.delete(&format!("/booking/{id}")).send().expect(200);

    // Without another request the booking is canceled and the place is free.
    allow_payments(&stack, "pay", false);
    ask("second").problem(503);
    allow_payments(&stack, "pay", true);
    make_due(&stack);
    send_tick(&stack);
    eventually("it is called off", SOON, || statuses() == ["Canceled"]);
    let told = "SELECT payload -> 'params' ->> 'amount_cents' FROM events.entry
        WHERE payload ->> 'template' = 'booking_canceled_driver' AND aggregate = $1";
    let id = &driver.get("/booking").send().json()[0]["booking_id"];
    let told = stack
        .sql()
        .query_one(told, &[&format!("booking:{id}")])
        .unwrap();
    // Unless notify was quicker, which then keeps no numbers.
    assert!(matches!(told.get(0), None | Some("0")));
    ask("third").expect(200);
    assert_books_agree(&stack);
}

#[test]
fn a_booking_that_is_deleted_while_it_is_being_paid_costs_nothing() {
    let stack = with_tick().start();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 1_000);
    let wish = wish(place, &at(&stack, 0), &at(&stack, 60));
    thread::scope(|scope| {
        let locked = lock(&stack, &PAY);
        let asked = scope.spawn(|| driver.post("/booking").json(&wish).send());
        wait_for(&stack, &PAY);
        let waiting = driver.get("/booking").send().expect(200).json();
        assert_eq!(waiting[0]["status"], "Waiting");
        let address = format!("/booking/{}", waiting[0]["booking_id"]);
        driver.delete(&address).send().expect(200);
        drop(locked);
        assert_eq!(
            asked.join().unwrap().problem(409)["code"],
            "booking-canceled"
        );
        driver.get(&address).send().problem(404);
    });
    assert_eq!(balance(&driver), 1_000);
    assert_books_agree(&stack);
}

/// The sweep voids the charge while the ledger is still paying it.
#[test]
fn a_payment_that_comes_too_late_is_not_made() {
    let stack = with_tick().start();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 1_000);
    let wish = wish(place, &at(&stack, 0), &at(&stack, 60));
    thread::scope(|scope| {
        let locked = lock(&stack, &PAY);
        let asked = scope.spawn(|| driver.post("/booking").json(&wish).send());
        wait_for(&stack, &PAY);
        // As the sweep would if it came first.
        let void = "WITH late AS (SELECT id FROM bookings.charge WHERE status = 'opening')
            INSERT INTO payments.voided (payment) SELECT id FROM late";
        let mut sql = locked;
        sql.batch_execute(&format!("{void}; COMMIT")).unwrap();
        let answer = asked.join().unwrap();
        assert!(answer.header("retry-after").is_some(), "{answer}");
        assert_eq!(answer.problem(503)["code"], "paid-too-late");
    });
    let listed = driver.get("/booking").send().expect(200).json();
    assert_eq!(
        (&listed[0]["status"], balance(&driver)),
        (&json!("Canceled"), 1_000)
    );
    driver.post("/booking").json(&wish).send().expect(200);
    assert_books_agree(&stack);
}

#[test]
fn an_owner_does_not_get_what_is_still_to_be_paid_back() {
    let stack = with_tick().start();
    let owner = User::owner(&stack);
    let place = offer(&owner, 60, 1);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 0, 600);
    allow_payments(&stack, "refund", false);
    for to in [110, 100] {
        move_end(&stack, &driver, id, to).expect(200);
    }
    assert_eq!((balance(&driver), balance(&owner)), (400, 600));
    // Two days later.
    let later = "UPDATE bookings.booking SET date_from = date_from - interval '3 days',
        date_to = date_to - interval '3 days', held_to = held_to - interval '3 days' WHERE id = $1";
    stack.sql().execute(later, &[&id]).unwrap();
    make_due(&stack);
    send_tick(&stack);
    assert_eq!(available(&owner), 0);
    let admin = User::admin(&stack);
    let mut page = "/booking/refunds?limit=1".to_owned();
    for amount in [490, 10] {
        let owed = admin.get(&page).send().expect(200);
        let next = owed.header("link").unwrap().split(['<', '>']).nth(1);
        page = next.unwrap().to_owned();
        let owed = owed.json();
        assert_eq!(
            (&owed[0]["booking_id"], &owed[0]["amount"]),
            (&json!(id), &json!(amount))
        );
        assert!(page.ends_with(&format!(
            "limit=1&after={}",
            owed[0]["id"].as_str().unwrap()
        )));
        // What is paid meanwhile leaves none out.
        let paid =
            "UPDATE bookings.refund SET status = 'done' WHERE status = 'owed' AND amount = 490";
        stack.sql().execute(paid, &[]).unwrap();
    }
    let end = admin.get(&page).send().expect(200);
    assert_eq!((end.header("link"), end.json()), (None, json!([])));
    let unpaid = "UPDATE bookings.refund SET status = 'owed'";
    stack.sql().execute(unpaid, &[]).unwrap();

    allow_payments(&stack, "refund", true);
    make_due(&stack);
    send_tick(&stack);
    eventually("the driver has it back", SOON, || balance(&driver) == 900);
    eventually("the owner may spend the rest", SOON, || {
        available(&owner) == 100
    });
    assert_books_agree(&stack);
}

#[test]
fn a_booking_that_is_canceled_at_the_last_moment_is_refunded_after_its_end() {
    let stack = with_tick().start();
    let owner = User::owner(&stack);
    let place = offer(&owner, 3_600, 1);
    let driver = driver(&stack, 1_000);
    let wish = wish(place, &from_now(&stack, -5.0), &from_now(&stack, 0.05));
    let booked = driver.post("/booking").json(&wish).send().expect(200);
    let booked = booked.json();
    allow_payments(&stack, "refund", false);
    let id = &booked["booking_id"];
    driver.delete(&format!("/booking/{id}")).send().expect(200);
    assert_eq!(balance(&owner), booked["full_cost"]);
    let over = "SELECT now() > max(date_to) FROM bookings.booking";
    let mut sql = stack.sql();
    eventually("it would be over", SOON, || {
        sql.query_one(over, &[]).unwrap().get(0)
    });
    send_tick(&stack);
    assert_eq!(available(&owner), 0);
    allow_payments(&stack, "refund", true);
    make_due(&stack);
    send_tick(&stack);
    eventually("the driver has it back", SOON, || balance(&driver) == 1_000);
    assert_books_agree(&stack);
}

/// As many as a sweep takes on, and older than any other.
fn add_bookings_unknown_to_the_ledger(stack: &Stack, place: i64) {
    let add = "WITH added AS (
            INSERT INTO bookings.booking
                (place_id, driver, date_from, date_to, held_to, kept_to, hourly_rate, full_cost, status)
            SELECT $1::bigint, gen_random_uuid(), starts, ends, ends, ends + interval '7 days', 60, 60, 'Confirmed'
            FROM generate_series(1, 50) AS number,
                LATERAL (SELECT date_trunc('hour', now()) - (number + 1) * interval '1 hour') AS one (starts),
                LATERAL (SELECT starts + interval '1 hour') AS other (ends)
            RETURNING id, date_to
        )
        INSERT INTO bookings.charge (booking_id, amount, date_to, status, due_at)
        SELECT id, 60, date_to, 'paid', now() FROM added";
    assert_eq!(stack.sql().execute(add, &[&place]).unwrap(), 50);
}

/// This happens after a restore of one database.
#[test]
fn payments_that_the_ledger_does_not_know_keep_no_other_from_being_released() {
    let stack = with_tick().without_clock().start();
    let (owner, other) = (User::owner(&stack), User::owner(&stack));
    let (lost, place) = (offer(&other, 60, 1), offer(&owner, 600, 1));
    add_bookings_unknown_to_the_ledger(&stack, lost);
    let driver = driver(&stack, 1_000);
    let id = book_car(&stack, &driver, place, "YOUNG 1", [-5.0, 1.0]);
    let_pass(&stack, id, 5.0);
    let held = || -> i64 {
        let held =
            "SELECT count(*) FROM bookings.booking WHERE place_id = $1 AND kept_to > date_to";
        stack.sql().query_one(held, &[&lost]).unwrap().get(0)
    };

    allow_payments(&stack, "release", false);
    send_tick(&stack);
    allow_payments(&stack, "release", true);
    assert_eq!((held(), available(&owner)), (50, json!(0)));
    // Those that failed are put off, and the young one has its turn.
    send_tick(&stack);
    assert_eq!((held(), available(&owner)), (50, json!(60)));

    make_due(&stack);
    send_tick(&stack);
    assert_eq!(held(), 0);
    let charges = "SELECT charge.id, booking_id FROM bookings.charge
        JOIN bookings.booking ON booking.id = booking_id
        WHERE place_id = $1 ORDER BY booking.date_to LIMIT 1";
    let row = stack.sql().query_one(charges, &[&lost]).unwrap();
    let (charge, booking): (uuid::Uuid, i64) = (row.get(0), row.get(1));
    let alert = format!(
        "ALERT unknown-payment: the ledger does not know charge {charge} of booking {booking}"
    );
    eventually("an alert names it", SOON, || stack.log().contains(&alert));
}
