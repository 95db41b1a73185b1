//! The gate and the overstay wait for a change of a booking that is not committed, and respect it.

use std::thread;

use wharf_tests::{Stack, User};

use super::super::driver;
use super::late::count_notices;
use super::{book_car, by_the_hour, let_pass, offer_with, pass};

/// The answer of `second`, which begins while `first` is changing the booking. Both are columns of a statement.
fn answer_after(stack: &Stack, first: &str, second: &str) -> String {
    stack.overlap("bookings", first, second).1
}

/// The function of the gate, called by an administrator.
fn call(what: &str, function: &str, place: i64, plate: &str) -> String {
    format!("SELECT {what} FROM {function}({place}, gen_random_uuid(), true, '{plate}')")
}

#[test]
fn a_car_comes_and_leaves_once_at_a_time() {
    let stack = Stack::shared();
    let place = offer_with(&User::owner(&stack), &by_the_hour());
    let driver = driver(&stack, 10_000);
    book_car(&stack, &driver, place, "ONCE 1", [-10.0, 50.0]);
    let coming = format!("SELECT 'locked' FROM lock_car({place}, 'ONCE1')");
    let functions = [("check_in", "checked_in"), ("check_out", "checked_out")];
    for (function, outcome) in functions {
        let second = call("outcome", function, place, "ONCE1");
        assert_eq!(answer_after(&stack, &coming, &second), outcome);
    }
}

#[test]
fn the_gate_heeds_what_changes_a_booking_meanwhile() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 100_000);
    let rename =
        |id: i64| format!("UPDATE booking SET plate = 'OTHER1' WHERE id = {id} RETURNING plate");

    let renamed = book_car(&stack, &driver, place, "MEAN 1", [-10.0, 50.0]);
    let second = call("outcome", "check_in", place, "MEAN1");
    let refused = answer_after(&stack, &rename(renamed), &second);
    assert_eq!(refused, "no_car_booking");

    let come_late = |plate: &str| {
        let id = book_car(&stack, &driver, place, plate, [-10.0, 50.0]);
        pass(&owner, place, "check-in", plate).expect(200);
        let_pass(&stack, id, 70.0);
        id
    };
    let forgiven = come_late("MEAN 2");
    let forgive =
        format!("UPDATE booking SET overstay = NULL WHERE id = {forgiven} RETURNING 'forgiven'");
    let cost = "(subject).overstay_cost::text";
    let second = call(cost, "check_out", place, "MEAN2");
    assert_eq!(answer_after(&stack, &forgive, &second), "0");

    let late = come_late("MEAN 3");
    let next = book_car(&stack, &driver, place, "MEAN 3", [-5.0, 50.0]);
    let second = call("(subject).id::text", "check_out", place, "MEAN3");
    let left = answer_after(&stack, &rename(next), &second);
    assert_eq!(left, late.to_string());

    // A booking that is canceled first covers nothing; once the car has left, the time that it stood there is kept.
    for (plate, is_canceled_first) in [("MEAN 6", true), ("MEAN 7", false)] {
        come_late(plate);
        let next = book_car(&stack, &driver, place, plate, [-5.0, 50.0]);
        let cancel = format!(
            "SELECT CASE WHEN (subject).kept_cost > 0 THEN 'kept' ELSE 'given back' END
            FROM cancel({next}, (SELECT driver FROM booking WHERE id = {next}), false, false)"
        );
        let leave = call(
            "(subject).id::text",
            "check_out",
            place,
            &plate.replace(' ', ""),
        );
        let (canceled, left) = match is_canceled_first {
            true => stack.overlap("bookings", &cancel, &leave),
            false => {
                let (left, canceled) = stack.overlap("bookings", &leave, &cancel);
                (canceled, left)
            }
        };
        let expected = match is_canceled_first {
            true => "given back",
            false => "kept",
        };
        assert_eq!(canceled, expected);
        assert_eq!(left == next.to_string(), !is_canceled_first);
    }

    let came = book_car(&stack, &driver, place, "MEAN 4", [-10.0, 50.0]);
    let come =
        format!("UPDATE booking SET checked_in_at = now() WHERE id = {came} RETURNING 'came'");
    let second = format!(
        "SELECT outcome FROM set_plate({came}, gen_random_uuid(), true, 'MEAN5', 'MEAN 5')"
    );
    assert_eq!(answer_after(&stack, &come, &second), "inside");
}

#[test]
fn an_overstay_that_was_waived_meanwhile_is_neither_charged_nor_waived_again() {
    let stack = Stack::shared();
    let place = offer_with(&User::owner(&stack), &by_the_hour());
    let driver = driver(&stack, 10_000);
    let id = book_car(&stack, &driver, place, "FREE 1", [-10.0, 50.0]);
    let waive = format!("UPDATE booking SET overstay_cost = 0 WHERE id = {id} RETURNING 'waived'");
    let charge = format!("SELECT coalesce(due, 0)::text FROM charge_overstay({id}, 1000)");
    let again = format!("SELECT outcome FROM waive_overstay({id}, gen_random_uuid(), true)");
    for (second, answer) in [(charge, "0"), (again, "waived")] {
        // Without a moment at which a sweep would take it.
        let owe = "UPDATE bookings.booking SET overstay_cost = 900 WHERE id = $1";
        stack.sql().execute(owe, &[&id]).unwrap();
        assert_eq!(answer_after(&stack, &waive, &second), answer);
    }
    assert_eq!(count_notices(&stack, id, "booking\\_overstay\\_%"), 0);
}

#[test]
fn a_car_that_leaves_while_its_driver_is_forgotten_owes_nothing() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let me = driver.get("/auth/me").send().expect(200).json();
    let id = book_car(&stack, &driver, place, "LAST 1", [-10.0, 50.0]);
    pass(&owner, place, "check-in", "LAST 1").expect(200);
    let_pass(&stack, id, 70.0);
    let leave = call("(subject).overstay_cost::text", "check_out", place, "LAST1");
    let forget = format!(
        "SELECT forget('{}', 10)::text",
        me["user_id"].as_str().unwrap()
    );
    let (cost, _) = stack.overlap("bookings", &leave, &forget);
    assert_eq!(cost, "900");
    let owed = "SELECT overstay_cost - overstay_paid FROM bookings.booking WHERE id = $1";
    let owed = stack.sql().query_one(owed, &[&id]).unwrap();
    assert_eq!(owed.get::<_, i64>(0), 0);
}

#[test]
fn a_driver_is_forgotten_while_their_car_goes_from_one_booking_to_the_next() {
    let stack = Stack::shared();
    let place = offer_with(&User::owner(&stack), &by_the_hour());
    let driver = driver(&stack, 10_000);
    let me = driver.get("/auth/me").send().expect(200).json();
    // The next booking was made first, so it would be the first that is forgotten.
    let [_, earlier] = [(); 2].map(|()| book_car(&stack, &driver, place, "NEXT 1", [-10.0, 50.0]));
    let_pass(&stack, earlier, 55.0);
    let come = "UPDATE bookings.booking SET checked_in_at = date_from WHERE id = $1";
    assert_eq!(stack.sql().execute(come, &[&earlier]).unwrap(), 1);
    // Where `check_out` has found the booking of the car that is inside.
    let mut leaving = stack.lock(&format!(
        "SET LOCAL search_path = bookings;
        SELECT lock_car({place}, 'NEXT1');
        SELECT FROM booking WHERE id = {earlier} FOR UPDATE"
    ));
    let forget = format!(
        "SELECT bookings.forget('{}', 10)",
        me["user_id"].as_str().unwrap()
    );
    thread::scope(|scope| {
        let forgotten = scope.spawn(|| stack.sql().query_one(&forget, &[]).map(drop));
        stack.wait_for_lock(&forget);
        let leave = call("outcome", "check_out", place, "NEXT1");
        let left: String = leaving.query_one(&leave, &[]).unwrap().get(0);
        assert_eq!(left, "checked_out");
        leaving.batch_execute("COMMIT").unwrap();
        forgotten.join().unwrap().unwrap();
    });
}
