//! The host is killed between every two steps that keep a booking and its money together. Afterwards
//! one tick of the clock finds what was left, and both agree again.
//!
//! A step is reached by locking what it needs: the statement is seen to wait in the database, and then
//! the host goes, and its stores with it.

use std::thread;

use serde_json::{Value, json};
use wharf_tests::{Request, Stack, User};

use super::gate::{book_car, by_the_hour, let_pass, offer_with, pass};
use super::{
    PAY, Step, assert_books_agree, at, balance, book_confirmed, driver, lock, make_due, offer,
    send_tick, tick, wait_for, wish, with_tick,
};

const BOOK: Step = Step {
    statement: "FROM book(",
    table: "bookings.place",
};
const NOTE_PAID: Step = Step {
    statement: "FROM charge_paid(",
    table: "bookings.booking",
};
const CANCEL: Step = Step {
    statement: "FROM cancel_in_turn(",
    table: "bookings.booking",
};
const REFUND: Step = Step {
    statement: "FROM refund_in_turn(",
    table: "payments.transfer",
};
const NOTE_REFUNDED: Step = Step {
    statement: "SELECT finish_refund(",
    table: "bookings.refund",
};
const MOVE_END: Step = Step {
    statement: "FROM move_booking(",
    table: "bookings.place",
};
const VOID: Step = Step {
    statement: "FROM void_payment(",
    table: "payments.transfer",
};
const NOTE_VOID: Step = Step {
    statement: "FROM charge_void(",
    table: "bookings.booking",
};
const CHECK_OUT: Step = Step {
    statement: "FROM check_out(",
    table: "bookings.booking",
};
const HOLD: Step = Step {
    statement: "FROM hold_until(",
    table: "payments.transfer",
};

/// Sends the request, lets it come as far as the last of these steps and kills the host there.
fn kill_at(stack: &mut Stack, steps: &[Step], request: Request) {
    thread::scope(|scope| {
        let mut locked = lock(stack, &steps[0]);
        let asked = scope.spawn(|| request.try_send());
        wait_for(stack, &steps[0]);
        for step in &steps[1..] {
            // The next gate is shut before this one opens.
            let next = lock(stack, step);
            drop(std::mem::replace(&mut locked, next));
            wait_for(stack, step);
        }
        stack.signal_kill();
        assert!(asked.join().unwrap().is_err(), "the request was answered");
        stack.end_statements();
    });
    stack.kill();
    stack.start_again();
}

/// Makes the work that was left due now instead of in some seconds. One tick finishes it.
fn assert_settled(stack: &Stack) {
    make_due(stack);
    send_tick(stack);
    let left = "SELECT (SELECT count(*) FROM bookings.charge WHERE status = 'opening')
        + (SELECT count(*) FROM bookings.refund WHERE status = 'owed')
        + (SELECT count(*) FROM bookings.booking WHERE status = 'Waiting')";
    let left: i64 = stack.sql().query_one(left, &[]).unwrap().get(0);
    assert_eq!(left, 0, "left undone");
    assert_books_agree(stack);
}

/// The house takes a tenth of each payment.
fn take_commission(stack: &Stack) {
    let tenth = json!({ "basis_points": 1_000, "reason": "the contract of this year" });
    let admin = User::admin(stack);
    admin
        .put("/payments/commissions")
        .json(&tenth)
        .send()
        .expect(204);
}

fn show(user: &User, booking: i64) -> Value {
    user.get(&format!("/booking/{booking}"))
        .send()
        .expect(200)
        .json()
}

#[test]
fn a_booking_survives_a_crash_at_any_step_paid_or_not_at_all() {
    let mut stack = with_tick().without_clock().start();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 1_000);
    let cases: [(&[Step], bool); 3] =
        [(&[BOOK], false), (&[PAY], false), (&[PAY, NOTE_PAID], true)];
    for (steps, is_booked) in cases {
        let wish = wish(place, &at(&stack, 0), &at(&stack, 60));
        kill_at(&mut stack, steps, driver.post("/booking").json(&wish));
        assert_settled(&stack);
        assert_eq!(balance(&driver), if is_booked { 900 } else { 1_000 });
        let listed = driver.get("/booking").send().expect(200).json();
        let confirmed = listed
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["status"] == "Confirmed");
        assert_eq!(confirmed.count(), usize::from(is_booked), "{listed}");
    }
    // The last one has the place.
    super::book(&stack, &driver, place, 30, 90).problem(409);
}

#[test]
fn a_booking_request_sent_again_after_a_crash_goes_on_where_it_stopped() {
    let mut stack = with_tick().without_clock().start();
    let place = offer(&User::owner(&stack), 100, 5);
    let driver = driver(&stack, 1_000);
    for (number, steps) in [&[PAY] as &[Step], &[PAY, NOTE_PAID]]
        .into_iter()
        .enumerate()
    {
        let wish = wish(place, &at(&stack, 0), &at(&stack, 60));
        let ask = || {
            driver
                .post("/booking")
                .header("idempotency-key", &format!("again-{number}"))
                .json(&wish)
        };
        kill_at(&mut stack, steps, ask());
        // The key of a request that died is free after a while.
        let later =
            "UPDATE bookings.idempotency_key SET leased_until = '-infinity' WHERE status IS NULL";
        stack.sql().batch_execute(later).unwrap();
        ask().send().expect(200);
        assert_settled(&stack);
        assert_eq!(balance(&driver), 900 - 100 * i64::try_from(number).unwrap());
    }
}

#[test]
fn a_cancellation_survives_a_crash_at_any_step_refunded_or_not_at_all() {
    let mut stack = with_tick().without_clock().start();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 1);
    let driver = driver(&stack, 1_000);
    take_commission(&stack);
    let cases: [(&[Step], bool); 3] = [
        (&[CANCEL], false),
        (&[REFUND], true),
        (&[REFUND, NOTE_REFUNDED], true),
    ];
    for (steps, is_canceled) in cases {
        let id = book_confirmed(&stack, &driver, place, 0, 60);
        let address = format!("/booking/{id}");
        kill_at(&mut stack, steps, driver.delete(&address));
        assert_settled(&stack);
        if is_canceled {
            driver.get(&address).send().problem(404);
        } else {
            assert_eq!(
                (&show(&driver, id)["status"], balance(&driver)),
                (&json!("Confirmed"), 900)
            );
            driver.delete(&address).send().expect(200);
        }
        assert_eq!((balance(&driver), balance(&owner)), (1_000, 0));
    }
}

#[test]
fn an_extension_survives_a_crash_at_any_step_paid_or_not_at_all() {
    let mut stack = with_tick().without_clock().start();
    let place = offer(&User::owner(&stack), 60, 1);
    let driver = driver(&stack, 1_000);
    take_commission(&stack);
    let id = book_confirmed(&stack, &driver, place, 0, 60);
    let cases: [(&[Step], bool); 4] = [
        (&[MOVE_END], false),
        (&[HOLD], false),
        (&[PAY], false),
        (&[PAY, NOTE_PAID], true),
    ];
    for (steps, is_longer) in cases {
        let end = json!({ "date_to": at(&stack, 90) });
        kill_at(
            &mut stack,
            steps,
            driver.put(&format!("/booking/{id}/end")).json(&end),
        );
        assert_settled(&stack);
        let minutes = if is_longer { 90 } else { 60 };
        let it = show(&driver, id);
        assert_eq!(
            (&it["full_cost"], &it["date_to"]),
            (&json!(minutes), &json!(at(&stack, minutes)))
        );
        assert_eq!(balance(&driver), 1_000 - i64::from(minutes));
    }
    driver.delete(&format!("/booking/{id}")).send().expect(200);
    assert_eq!(balance(&driver), 1_000);
}

#[test]
fn leaving_earlier_survives_a_crash_at_any_step_and_gives_the_difference_back() {
    let mut stack = with_tick().without_clock().start();
    let owner = User::owner(&stack);
    let place = offer(&owner, 60, 1);
    let driver = driver(&stack, 1_000);
    take_commission(&stack);
    let id = book_confirmed(&stack, &driver, place, 0, 90);
    let cases: [(&[Step], u32); 3] = [
        (&[MOVE_END], 90),
        (&[REFUND], 80),
        (&[REFUND, NOTE_REFUNDED], 70),
    ];
    for (steps, minutes) in cases {
        let end = json!({ "date_to": at(&stack, if minutes == 90 { 80 } else { minutes }) });
        let address = format!("/booking/{id}/end");
        kill_at(&mut stack, steps, driver.put(&address).json(&end));
        assert_settled(&stack);
        let (it, cost) = (show(&driver, id), i64::from(minutes));
        assert_eq!(
            (&it["full_cost"], &it["date_to"]),
            (&json!(cost), &json!(at(&stack, minutes)))
        );
        assert_eq!(
            (balance(&driver), balance(&owner)),
            (1_000 - cost, cost - cost / 10)
        );
    }
}

#[test]
fn a_late_departure_survives_a_crash_at_any_step_and_is_paid_once() {
    let mut stack = with_tick().without_clock().start();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    take_commission(&stack);
    let cases: [&[Step]; 3] = [&[CHECK_OUT], &[PAY], &[PAY, NOTE_PAID]];
    for (steps, plate) in cases.into_iter().zip(["CAR 1", "CAR 2", "CAR 3"]) {
        let before = balance(&driver);
        let id = book_car(&stack, &driver, place, plate, [-10.0, 50.0]);
        pass(&owner, place, "check-in", plate).expect(200);
        let_pass(&stack, id, 70.0);
        let leave = owner
            .post(&format!("/parking/{place}/check-out"))
            .json(&json!({ "plate": plate }));
        kill_at(&mut stack, steps, leave);
        assert_settled(&stack);
        pass(&owner, place, "check-out", plate).expect(200);
        assert_settled(&stack);
        let it = show(&driver, id);
        assert_eq!(
            (&it["overstay_cost"], it.get("overstay_owed")),
            (&json!(900), None)
        );
        assert_eq!(balance(&driver), before - 1_500);
    }
}

/// The sweep that finishes what a crash left is itself killed, and the next one finishes.
#[test]
fn the_sweep_of_charges_survives_a_crash_at_any_step_too() {
    let mut stack = with_tick().without_clock().start();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 1_000);
    take_commission(&stack);
    let cases: [(&[Step], &[Step], bool); 4] = [
        (&[PAY], &[VOID], false),
        (&[PAY], &[VOID, NOTE_VOID], false),
        (&[PAY, NOTE_PAID], &[VOID], true),
        (&[PAY, NOTE_PAID], &[VOID, NOTE_PAID], true),
    ];
    for (steps, of_sweep, is_booked) in cases {
        let wish = wish(place, &at(&stack, 0), &at(&stack, 60));
        kill_at(&mut stack, steps, driver.post("/booking").json(&wish));
        make_due(&stack);
        let sweep = tick(&stack);
        kill_at(&mut stack, of_sweep, sweep);
        assert_settled(&stack);
        let listed = driver.get("/booking").send().expect(200).json();
        let (id, status) = (&listed[0]["booking_id"], &listed[0]["status"]);
        assert_eq!(status, if is_booked { "Confirmed" } else { "Canceled" });
        assert_eq!(balance(&driver), if is_booked { 900 } else { 1_000 });
        driver.delete(&format!("/booking/{id}")).send().expect(200);
    }
}

#[test]
fn the_sweep_of_refunds_survives_a_crash_at_any_step_too() {
    let mut stack = with_tick().without_clock().start();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 1);
    let driver = driver(&stack, 1_000);
    take_commission(&stack);
    let sweeps: [&[Step]; 2] = [&[REFUND], &[REFUND, NOTE_REFUNDED]];
    for of_sweep in sweeps {
        let id = book_confirmed(&stack, &driver, place, 0, 60);
        let cancel = driver.delete(&format!("/booking/{id}"));
        kill_at(&mut stack, &[REFUND], cancel);
        make_due(&stack);
        let sweep = tick(&stack);
        kill_at(&mut stack, of_sweep, sweep);
        assert_settled(&stack);
        assert_eq!((balance(&driver), balance(&owner)), (1_000, 0));
    }
}
