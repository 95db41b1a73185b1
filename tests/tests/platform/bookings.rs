//! Parking places and their bookings: the promises to drivers and owners, and that no money and no place is promised twice.

mod access;
mod capacity;
mod crashes;
mod crowds;
mod erasure;
pub(crate) mod gate;
mod money;
mod moves;
mod outages;
mod places;
mod rules;
mod search;
mod two_hosts;

use std::sync::OnceLock;
use std::time::Duration;

use postgres::Client;
use serde_json::{Value, json};
use wharf_tests::{Answer, Options, Request, Stack, User, unique};

const SOON: Duration = Duration::from_secs(60);

/// A statement that waits, and the table that it is kept from.
struct Step {
    statement: &'static str,
    table: &'static str,
}

const PAY: Step = Step {
    statement: "FROM pay_in_turn(",
    table: "payments.voided",
};

fn lock(stack: &Stack, step: &Step) -> Client {
    stack.lock_table(step.table)
}

fn wait_for(stack: &Stack, step: &Step) {
    stack.wait_for_lock(step.statement);
}

/// A stack whose clock can be moved from outside.
fn with_tick() -> Options {
    Options::default().variable("tick_token", "tick-tock")
}

/// The request of an outside clock that [`with_tick`] allows.
fn tick(stack: &Stack) -> Request {
    stack.post("/booking/tick").bearer("tick-tock")
}

fn send_tick(stack: &Stack) {
    tick(stack).send().expect(204);
}

/// Makes unfinished work due now instead of in some seconds, so that the next sweep takes it.
pub(crate) fn make_due(stack: &Stack) {
    let due =
        "UPDATE bookings.charge SET due_at = now(); UPDATE bookings.refund SET due_at = now();
        UPDATE bookings.booking SET overstay_due_at = now()";
    stack.sql().batch_execute(due).unwrap();
}

/// Minute `minute` of a day that is near and has not begun.
pub(crate) fn at(stack: &Stack, minute: u32) -> String {
    static DAY: OnceLock<String> = OnceLock::new();
    let day = DAY.get_or_init(|| {
        let day = "SELECT to_char(now() AT TIME ZONE 'UTC' + interval '2 days', 'YYYY-MM-DD')";
        stack.sql().query_one(day, &[]).unwrap().get(0)
    });
    format!("{day}T{:02}:{:02}:00Z", minute / 60, minute % 60)
}

/// So many minutes from this moment.
fn from_now(stack: &Stack, minutes: f64) -> String {
    let moment = "SELECT to_char((now() + $1 * interval '1 minute') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    stack.sql().query_one(moment, &[&minutes]).unwrap().get(0)
}

/// A driver with so many cents.
fn driver(stack: &Stack, cents: i64) -> User {
    let driver = User::driver(stack);
    endow(stack, &driver, cents);
    driver
}

pub(crate) fn endow(stack: &Stack, user: &User, cents: i64) {
    let code = unique("gift");
    let gift = json!({ "code": code, "amount": cents, "max_uses": 1 });
    User::admin(stack)
        .post("/payment/promocode")
        .json(&gift)
        .send()
        .expect(200);
    user.post("/payment/promocode/activate")
        .json(&json!({ "code": code }))
        .send()
        .expect(200);
}

fn place_body(rate: i64, capacity: i64) -> Value {
    json!({
        "name": unique("Garage"),
        "city": "Porto",
        "address": "Rua das Flores 1",
        "parking_type": "covered",
        "hourly_rate": rate,
        "capacity": capacity,
    })
}

pub(crate) fn offer(owner: &User, rate: i64, capacity: i64) -> i64 {
    let made = owner
        .post("/parking")
        .json(&place_body(rate, capacity))
        .send()
        .expect(200);
    made.json()["id"].as_i64().unwrap()
}

fn wish(place: i64, from: &str, to: &str) -> Value {
    json!({ "parking_place_id": place, "date_from": from, "date_to": to })
}

/// From minute to minute of that day.
fn book(stack: &Stack, driver: &User, place: i64, from: u32, to: u32) -> Answer {
    driver
        .post("/booking")
        .json(&wish(place, &at(stack, from), &at(stack, to)))
        .send()
}

fn book_confirmed(stack: &Stack, driver: &User, place: i64, from: u32, to: u32) -> i64 {
    let answer = book(stack, driver, place, from, to).expect(200).json();
    assert_eq!(answer["status"], "Confirmed", "{answer}");
    answer["booking_id"].as_i64().unwrap()
}

fn move_end(stack: &Stack, driver: &User, booking: i64, to: u32) -> Answer {
    driver
        .put(&format!("/booking/{booking}/end"))
        .json(&json!({ "date_to": at(stack, to) }))
        .send()
}

pub(crate) fn balance(user: &User) -> i64 {
    user.get("/payment/balance").send().expect(200).json()["total"]
        .as_i64()
        .unwrap()
}

/// For every booking, what the ledger moved for it is what it costs: all of it when it is confirmed, and what was paid for
/// leaving late; what the owner keeps when it is canceled. And the ledger adds up.
pub(crate) fn assert_books_agree(stack: &Stack) {
    let mut sql = stack.sql();
    let disagreeing = "SELECT booking.id, booking.status, full_cost, moved.cents
        FROM bookings.booking
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(CASE kind WHEN 'refund' THEN -transfer.amount ELSE transfer.amount END), 0)::bigint AS cents
            FROM payments.transfer
            JOIN bookings.charge ON charge.id IN (transfer.id, transfer.refund_of)
            WHERE booking_id = booking.id
        ) AS moved
        WHERE moved.cents <> CASE booking.status WHEN 'Confirmed' THEN full_cost + overstay_paid ELSE kept_cost END
            AND NOT EXISTS (SELECT FROM bookings.charge WHERE booking_id = booking.id AND status = 'opening')
            AND NOT EXISTS (SELECT FROM bookings.refund WHERE booking_id = booking.id AND status = 'owed')";
    if let Some(row) = sql.query(disagreeing, &[]).unwrap().first() {
        let (id, status): (i64, &str) = (row.get(0), row.get(1));
        let (cost, moved): (i64, i64) = (row.get(2), row.get(3));
        panic!("booking {id} is {status} and costs {cost}, and the ledger moved {moved}");
    }
    sql.batch_execute("SET search_path = payments").unwrap();
    let trial = include_str!("../../../components/payments/src/sql/trial_balance.sql");
    for row in sql.query(trial, &[]).unwrap() {
        for fault in [
            "difference",
            "drifted_balances",
            "drifted_holds",
            "drifted_fees",
        ] {
            assert_eq!(row.get::<_, i64>(fault), 0, "{fault}");
        }
    }
}

/// The most bookings that stand on a place at one instant, counted another way than the platform does:
/// the fullest instant is one at which a booking begins.
fn count_fullest(sql: &mut postgres::Client, place: i64) -> i64 {
    let fullest = "SELECT coalesce(max(standing), 0) FROM (
            SELECT count(*) AS standing
            FROM (SELECT *, least(date_from, held_from) AS at FROM bookings.booking) AS coming
            JOIN bookings.booking AS there USING (place_id)
            WHERE place_id = $1 AND coming.status <> 'Canceled' AND there.status <> 'Canceled'
                AND least(there.date_from, there.held_from) <= coming.at AND coming.at < there.held_to
            GROUP BY coming.id
        ) AS instants";
    sql.query_one(fullest, &[&place]).unwrap().get(0)
}
