//! The host is killed between every two steps that keep a booking and its money together. Afterwards
//! the clock finds what was left, and both agree again.
//!
//! A step is reached by locking what it needs: the statement is seen to wait in the database, and then
//! the host goes, and its stores with it.

use std::thread;
use std::time::Duration;

use postgres::Client;
use serde_json::{Value, json};
use wharf_tests::{Request, Stack, User, eventually};

use super::{at, balance, booked, books_agree, driver, offer, wish};

const SOON: Duration = Duration::from_secs(20);

/// A statement that waits, and the table that it is kept from.
struct Step {
    statement: &'static str,
    table: &'static str,
}

const BOOK: Step = Step {
    statement: "FROM book(",
    table: "bookings.place",
};
const PAY: Step = Step {
    statement: "FROM pay(",
    table: "payments.voided",
};
const NOTE_PAID: Step = Step {
    statement: "FROM charge_paid(",
    table: "bookings.booking",
};
const CANCEL: Step = Step {
    statement: "FROM cancel(",
    table: "bookings.booking",
};
const REFUND: Step = Step {
    statement: "FROM refund(",
    table: "payments.transfer",
};
const NOTE_REFUNDED: Step = Step {
    statement: "UPDATE refund SET status = 'done'",
    table: "bookings.refund",
};
const MOVE_END: Step = Step {
    statement: "FROM move_end(",
    table: "bookings.place",
};
const HOLD: Step = Step {
    statement: "FROM hold_until(",
    table: "payments.hold",
};

fn lock(stack: &Stack, step: &Step) -> Client {
    let mut sql = stack.sql();
    sql.batch_execute(&format!(
        "BEGIN; LOCK TABLE {} IN ACCESS EXCLUSIVE MODE",
        step.table
    ))
    .unwrap();
    sql
}

fn waits(stack: &Stack, step: &Step) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND strpos(query, $1) > 0 AND pid <> pg_backend_pid()";
    let mut sql = stack.sql();
    eventually(step.statement, SOON, || {
        sql.query_one(waiting, &[&step.statement])
            .unwrap()
            .get::<_, i64>(0)
            > 0
    });
}

/// Sends the request, lets it come as far as the last of these steps and kills the host there.
fn killed_at(stack: &mut Stack, steps: &[Step], request: Request) {
    thread::scope(|scope| {
        let mut locked = lock(stack, &steps[0]);
        let asked = scope.spawn(|| request.try_send());
        waits(stack, &steps[0]);
        for step in &steps[1..] {
            // The next gate is shut before this one opens.
            let next = lock(stack, step);
            drop(std::mem::replace(&mut locked, next));
            waits(stack, step);
        }
        stack.signal_kill();
        assert!(asked.join().unwrap().is_err(), "nobody heard the end of it");
    });
    stack.kill();
    stack.start_again();
}

/// What was left is the clock's at once instead of in some seconds; then nothing is left.
fn settled(stack: &Stack) {
    let mut sql = stack.sql();
    sql.batch_execute(
        "UPDATE bookings.charge SET due_at = now(); UPDATE bookings.refund SET due_at = now()",
    )
    .unwrap();
    let left = "SELECT (SELECT count(*) FROM bookings.charge WHERE status = 'opening')
        + (SELECT count(*) FROM bookings.refund WHERE status = 'owed')
        + (SELECT count(*) FROM bookings.booking WHERE status = 'Waiting')";
    eventually("nothing is left undone", SOON, || {
        sql.query_one(left, &[]).unwrap().get::<_, i64>(0) == 0
    });
    books_agree(stack);
}

fn shown(user: &User, booking: i64) -> Value {
    user.get(&format!("/booking/{booking}"))
        .send()
        .expect(200)
        .json()
}

#[test]
fn a_booking_survives_a_crash_at_any_step_paid_or_not_at_all() {
    let mut stack = Stack::start();
    let place = offer(&User::owner(&stack), 100, 1);
    let driver = driver(&stack, 1_000);
    let cases: [(&[Step], bool); 3] =
        [(&[BOOK], false), (&[PAY], false), (&[PAY, NOTE_PAID], true)];
    for (steps, is_booked) in cases {
        let wish = wish(place, &at(&stack, 0), &at(&stack, 60));
        killed_at(&mut stack, steps, driver.post("/booking").json(&wish));
        settled(&stack);
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
    let mut stack = Stack::start();
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
        killed_at(&mut stack, steps, ask());
        // The key of a request that died is free after a while.
        let later = "UPDATE bookings.idempotency_key SET claimed_at = now() - interval '2 minutes' WHERE status IS NULL";
        stack.sql().batch_execute(later).unwrap();
        ask().send().expect(200);
        settled(&stack);
        assert_eq!(balance(&driver), 900 - 100 * i64::try_from(number).unwrap());
    }
}

#[test]
fn a_cancellation_survives_a_crash_at_any_step_refunded_or_not_at_all() {
    let mut stack = Stack::start();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 1);
    let driver = driver(&stack, 1_000);
    let cases: [(&[Step], bool); 3] = [
        (&[CANCEL], false),
        (&[REFUND], true),
        (&[REFUND, NOTE_REFUNDED], true),
    ];
    for (steps, is_canceled) in cases {
        let id = booked(&stack, &driver, place, 0, 60);
        let address = format!("/booking/{id}");
        killed_at(&mut stack, steps, driver.delete(&address));
        settled(&stack);
        if is_canceled {
            driver.get(&address).send().problem(404);
        } else {
            assert_eq!(
                (&shown(&driver, id)["status"], balance(&driver)),
                (&json!("Confirmed"), 900)
            );
            driver.delete(&address).send().expect(200);
        }
        assert_eq!((balance(&driver), balance(&owner)), (1_000, 0));
    }
}

#[test]
fn an_extension_survives_a_crash_at_any_step_paid_or_not_at_all() {
    let mut stack = Stack::start();
    let place = offer(&User::owner(&stack), 60, 1);
    let driver = driver(&stack, 1_000);
    let id = booked(&stack, &driver, place, 0, 60);
    let cases: [(&[Step], bool); 4] = [
        (&[MOVE_END], false),
        (&[HOLD], false),
        (&[PAY], false),
        (&[PAY, NOTE_PAID], true),
    ];
    for (steps, is_longer) in cases {
        let end = json!({ "date_to": at(&stack, 90) });
        killed_at(
            &mut stack,
            steps,
            driver.put(&format!("/booking/{id}/end")).json(&end),
        );
        settled(&stack);
        let minutes = if is_longer { 90 } else { 60 };
        let it = shown(&driver, id);
        assert_eq!(
            (&it["full_cost"], &it["date_to"]),
            (&json!(minutes), &json!(at(&stack, minutes)))
        );
        assert_eq!(balance(&driver), 1_000 - i64::from(minutes));
    }
    driver.delete(&format!("/booking/{id}")).send().expect(200);
    assert_eq!(balance(&driver), 1_000);
}
