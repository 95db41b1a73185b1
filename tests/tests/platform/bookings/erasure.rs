//! An erased user offers no place and books none.

use std::thread;

use serde_json::{Value, json};
use wharf_tests::{Stack, User, eventually};

use super::gate::{book_car, by_the_hour, let_pass, offer_with, pass};
use super::{
    PAY, SOON, assert_books_agree, at, balance, book, book_confirmed, driver, from_now, lock,
    offer, wait_for, wish,
};

/// The event that signin emits.
fn erased(stack: &Stack, user: &User) {
    let id = user.get("/auth/me").send().expect(200).json()["id"].clone();
    let id = id.as_str().unwrap();
    let tell = "INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'user:erased', 'user:' || $1, jsonb_build_object('id', $1::text)
        RETURNING id";
    let mut sql = stack.sql();
    let event: uuid::Uuid = sql.query_one(tell, &[&id]).unwrap().get(0);
    let done = "SELECT count(*) = 1 FROM events.entry
        WHERE id = $1 AND consumer = 'bookings' AND state = 'done'";
    eventually("bookings has heard it", SOON, || {
        sql.query_one(done, &[&event]).unwrap().get(0)
    });
}

fn status(user: &User, booking: i64) -> Value {
    let shown = user.get(&format!("/booking/{booking}")).send();
    shown.expect(200).json()["status"].clone()
}

#[test]
fn an_erased_owner_offers_nothing_and_keeps_nothing() {
    let stack = Stack::shared();
    let (owner, other) = (User::owner(&stack), User::owner(&stack));
    let (place, elsewhere) = (offer(&owner, 60, 2), offer(&other, 60, 2));
    let driver = driver(&stack, 1_000);
    let there = book_confirmed(&stack, &driver, place, 0, 60);
    let kept = book_confirmed(&stack, &driver, elsewhere, 0, 60);
    let wish = wish(place, &from_now(&stack, -5.0), &from_now(&stack, 55.0));
    let running = driver.post("/booking").json(&wish).send().expect(200);
    let running = running.json()["booking_id"].as_i64().unwrap();
    assert_eq!(balance(&driver), 820);

    // Twice: events come at least once.
    erased(&stack, &owner);
    erased(&stack, &owner);
    stack.get(&format!("/parking/{place}")).send().problem(404);
    let wish = super::wish(place, &at(&stack, 100), &at(&stack, 160));
    driver.post("/booking").json(&wish).send().problem(404);
    assert_eq!(status(&driver, there), "Canceled");
    assert_eq!(status(&driver, kept), "Confirmed");
    // Who stands there has paid for it.
    assert_eq!(status(&driver, running), "Confirmed");
    eventually("the driver has it back", SOON, || balance(&driver) == 880);
    stack
        .get(&format!("/parking/{elsewhere}"))
        .send()
        .expect(200);
    assert_books_agree(&stack);
}

#[test]
fn a_booking_that_is_being_paid_while_its_owner_is_erased_costs_nothing() {
    let stack = Stack::start();
    let place = offer(&User::owner(&stack), 60, 1);
    let driver = driver(&stack, 1_000);
    thread::scope(|scope| {
        let locked = lock(&stack, &PAY);
        let asked = scope.spawn(|| book(&stack, &driver, place, 0, 60));
        wait_for(&stack, &PAY);
        let mut sql = stack.sql();
        sql.batch_execute("SET search_path = bookings").unwrap();
        let forget = "SELECT forget(owner, 10) FROM place WHERE id = $1";
        sql.query_one(forget, &[&place]).unwrap();
        drop(locked);
        let refused = asked.join().unwrap().problem(409);
        assert_eq!(refused["code"], "booking-canceled");
    });
    eventually("the driver has it back", SOON, || balance(&driver) == 1_000);
    assert_books_agree(&stack);
}

#[test]
fn the_places_of_an_erased_driver_are_free() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 60, 1);
    let (gone, next) = (driver(&stack, 1_000), driver(&stack, 1_000));
    let id = book_confirmed(&stack, &gone, place, 0, 60);
    let me = gone.get("/auth/me").send().expect(200).json();
    let gone_id = me["user_id"].as_str().unwrap().to_owned();
    erased(&stack, &gone);
    assert_eq!(status(&owner, id), "Canceled");
    book_confirmed(&stack, &next, place, 0, 60);
    // It waits for its heirs.
    let waiting = "SELECT coalesce(sum(amount), 0)::bigint FROM payments.unclaimed WHERE owner = $1::text::uuid";
    eventually("the money is back", SOON, || {
        let row = stack.sql().query_one(waiting, &[&gone_id]).unwrap();
        row.get::<_, i64>(0) == 1_000 && balance(&owner) == 60
    });
    assert_books_agree(&stack);
}

#[test]
fn an_erased_driver_gets_back_what_the_refund_policy_says() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 60, 1);
    let rules = json!({ "refund_policy": { "free_hours": 8_760, "least_percent": 50 } });
    let path = format!("/parking/{place}/rules");
    owner.put(&path).json(&rules).send().expect(200);
    let gone = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &gone, place, 0, 60);
    let me = gone.get("/auth/me").send().expect(200).json();
    let gone_id = me["user_id"].as_str().unwrap().to_owned();
    erased(&stack, &gone);
    let shown = owner.get(&format!("/booking/{id}")).send().expect(200);
    let shown = shown.json();
    assert_eq!(
        (&shown["status"], &shown["kept_cost"]),
        (&json!("Canceled"), &json!(30))
    );
    let waiting = "SELECT coalesce(sum(amount), 0)::bigint FROM payments.unclaimed WHERE owner = $1::text::uuid";
    eventually("the rest is back, and the owner has theirs", SOON, || {
        let row = stack.sql().query_one(waiting, &[&gone_id]).unwrap();
        row.get::<_, i64>(0) == 970 && balance(&owner) == 30
    });
    assert_books_agree(&stack);
}

#[test]
fn more_bookings_than_one_statement_calls_off_are_called_off_too() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 1, 1_000);
    let many = "INSERT INTO bookings.booking
            (place_id, driver, date_from, date_to, held_to, kept_to, hourly_rate, full_cost, status)
        SELECT $1, gen_random_uuid(), starts, ends, ends, ends, 0, 0, 'Confirmed'
        FROM generate_series(1, 120) AS number,
            LATERAL (SELECT date_trunc('hour', now()) + number * interval '1 hour') AS one (starts),
            LATERAL (SELECT starts + interval '1 hour') AS other (ends)";
    let mut sql = stack.sql();
    assert_eq!(sql.execute(many, &[&place]).unwrap(), 120);
    erased(&stack, &owner);
    let left = "SELECT count(*) FROM bookings.booking WHERE place_id = $1 AND status <> 'Canceled'";
    assert_eq!(sql.query_one(left, &[&place]).unwrap().get::<_, i64>(0), 0);
}

#[test]
fn an_overstay_is_owed_neither_by_nor_to_an_erased_person() {
    let stack = Stack::shared();
    let (owner, gone) = (User::owner(&stack), User::owner(&stack));
    let (poor, poorer) = (driver(&stack, 600), driver(&stack, 600));
    let ids = [(&owner, &poor), (&gone, &poorer)].map(|(owner, driver)| {
        let place = offer_with(owner, &by_the_hour());
        let id = book_car(&stack, driver, place, "OWES 1", [-10.0, 50.0]);
        pass(owner, place, "check-in", "owes1").expect(200);
        let_pass(&stack, id, 70.0);
        let left = pass(owner, place, "check-out", "owes1").expect(200).json();
        assert_eq!(left["overstay_owed"], 900);
        id
    });
    erased(&stack, &poor);
    erased(&stack, &gone);
    let owed = "SELECT sum(overstay_cost)::bigint FROM bookings.booking WHERE id = ANY ($1)";
    let owed = stack.sql().query_one(owed, &[&ids.as_slice()]).unwrap();
    assert_eq!(owed.get::<_, i64>(0), 0);
    assert_books_agree(&stack);
}

/// Admins let cars out of a place whose owner is gone.
#[test]
fn a_car_that_leaves_late_after_an_erasure_owes_nothing() {
    let stack = Stack::shared();
    let (owner, stays, gone) = (
        User::owner(&stack),
        User::owner(&stack),
        driver(&stack, 10_000),
    );
    let [place, elsewhere] = [&owner, &stays].map(|it| offer_with(it, &by_the_hour()));
    let driver = driver(&stack, 10_000);
    let come = |owner, driver, place, plate| {
        let id = book_car(&stack, driver, place, plate, [-10.0, 50.0]);
        pass(owner, place, "check-in", plate).expect(200);
        id
    };
    let inside = come(&owner, &driver, place, "GONE 1");
    let comes_again = come(&owner, &driver, place, "GONE 2");
    pass(&owner, place, "check-out", "gone2").expect(200);
    let of_gone = come(&stays, &gone, elsewhere, "GONE 3");
    let of_other = come(&stays, &driver, elsewhere, "OWES 2");
    assert_eq!(balance(&driver), 10_000 - 1_800);
    erased(&stack, &owner);
    erased(&stack, &gone);

    let admin = User::admin(&stack);
    pass(&admin, place, "check-in", "gone2").expect(200);
    // The bookings of an erased driver keep no plate, so an admin names the car anew.
    admin
        .put(&format!("/booking/{of_gone}/plate"))
        .json(&json!({ "plate": "GONE 3" }))
        .send()
        .expect(200);
    for (id, place, plate, cost) in [
        (inside, place, "gone1", None),
        (comes_again, place, "gone2", None),
        (of_gone, elsewhere, "gone3", None),
        (of_other, elsewhere, "owes2", Some(900)),
    ] {
        let_pass(&stack, id, 70.0);
        let left = pass(&admin, place, "check-out", plate).expect(200).json();
        assert_eq!(left["booking_id"], id);
        assert!(left["checked_out_at"].is_string(), "{left}");
        assert_eq!(left["overstay_cost"].as_i64(), cost, "{left}");
    }
    let charges =
        "SELECT count(*) FROM bookings.charge WHERE booking_id = ANY ($1) AND is_overstay";
    let free = [inside, comes_again, of_gone];
    let charges = stack.sql().query_one(charges, &[&free.as_slice()]);
    assert_eq!(charges.unwrap().get::<_, i64>(0), 0);
    assert_eq!(balance(&driver), 10_000 - 1_800 - 900);
    assert_books_agree(&stack);
}

/// While the extension is being paid, it is not known what the car that has left owes.
#[test]
fn an_extension_of_an_erased_driver_that_is_not_paid_is_no_overstay() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 1_000);
    let id = book_car(&stack, &driver, place, "GONE 4", [-10.0, 50.0]);
    pass(&owner, place, "check-in", "gone4").expect(200);
    let_pass(&stack, id, 70.0);
    // Nothing of this lasts.
    let mut sql = stack.lock("SET LOCAL search_path = bookings");
    let extend = "WITH longer AS (
            UPDATE booking SET held_to = now() + interval '1 hour' WHERE id = $1 RETURNING id, held_to
        )
        INSERT INTO charge (booking_id, amount, date_to) SELECT id, 600, held_to FROM longer RETURNING id";
    let charge: uuid::Uuid = sql.query_one(extend, &[&id]).unwrap().get(0);
    let leave = "SELECT outcome FROM check_out($1, gen_random_uuid(), true, 'GONE4')";
    let left: String = sql.query_one(leave, &[&place]).unwrap().get(0);
    assert_eq!(left, "checked_out");
    let forget = "SELECT forget(driver, 10) FROM booking WHERE id = $1";
    sql.query_one(forget, &[&id]).unwrap();
    let void = "SELECT (subject).overstay_cost FROM charge_void($1, false)";
    let cost: i64 = sql.query_one(void, &[&charge]).unwrap().get(0);
    assert_eq!(cost, 0);
}

#[test]
fn an_erased_driver_leaves_no_plate_behind() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 2);
    let (driver, other) = (driver(&stack, 1_000), driver(&stack, 1_000));
    let mut wish = wish(place, &from_now(&stack, -5.0), &from_now(&stack, 55.0));
    wish["plate"] = "AA 123 BB".into();
    let [id, others] = [&driver, &other].map(|it| {
        let booked = it.post("/booking").json(&wish).send().expect(200);
        booked.json()["booking_id"].as_i64().unwrap()
    });
    let plates = "SELECT count(plate) + count(shown_plate) FROM bookings.booking WHERE id = $1";
    let plates = |id: i64| {
        let row = stack.sql().query_one(plates, &[&id]).unwrap();
        row.get::<_, i64>(0)
    };
    assert_eq!(plates(id), 2);
    erased(&stack, &driver);
    assert_eq!((plates(id), plates(others)), (0, 2));
    // The car stands there all the same, and its time is paid for.
    let status = "SELECT status FROM bookings.booking WHERE id = $1";
    let status: String = stack.sql().query_one(status, &[&id]).unwrap().get(0);
    assert_eq!(status, "Confirmed");
}
