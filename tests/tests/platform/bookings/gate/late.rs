//! Leaving late is paid by the rule of the place.

use serde_json::{Value, json};
use wharf_tests::{Dice, Stack, User, at_once, eventually};

use super::super::{
    SOON, assert_books_agree, at, balance, driver, endow, from_now, make_due, offer, send_tick,
    wish, with_tick,
};
use super::{book_car, by_the_hour, code, let_pass, offer_with, pass, set_overstay, show};

/// How many notices about leaving late a booking led to.
pub(super) fn count_notices(stack: &Stack, booking: i64, template: &str) -> i64 {
    let told =
        "SELECT count(*) FROM events.entry WHERE payload ->> 'template' LIKE $1 AND aggregate = $2";
    let aggregate = format!("booking:{booking}");
    let told = stack.sql().query_one(told, &[&template, &aggregate]);
    told.unwrap().get(0)
}

#[test]
fn leaving_late_is_paid_once_by_the_rule_as_it_was_booked() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 100_000);
    let id = book_car(&stack, &driver, place, "LATE 1", [-10.0, 50.0]);
    set_overstay(&owner, place, &json!({ "per": "minute", "max_cost": 1 }));
    pass(&owner, place, "check-in", "late1").expect(200);
    // 75 minutes late: two hours have begun, at one and a half times the rate.
    let_pass(&stack, id, 125.0);
    let left = at_once(8, |_| {
        pass(&owner, place, "check-out", "late1").expect(200).json()
    });
    for it in &left {
        assert_eq!(
            (
                &it["booking_id"],
                &it["overstay_cost"],
                &it["checked_out_at"]
            ),
            (&json!(id), &json!(1_800), &left[0]["checked_out_at"])
        );
    }
    assert!(show(&driver, id).get("overstay_owed").is_none());
    assert_eq!(
        (balance(&driver), balance(&owner)),
        (100_000 - 2_400, 2_400)
    );
    let charges = "SELECT count(*) FROM bookings.charge WHERE booking_id = $1 AND is_overstay";
    let charges: i64 = stack.sql().query_one(charges, &[&id]).unwrap().get(0);
    assert_eq!(charges, 1);
    // Both are told, once.
    assert_eq!(count_notices(&stack, id, "booking\\_overstay\\_%"), 2);
    // Nothing keeps the owner from spending it.
    eventually("the owner may spend it", SOON, || {
        owner.get("/payment/balance").send().json()["available"] == json!(2_400)
    });
    assert_books_agree(&stack);
}

#[test]
fn within_the_grace_and_without_a_rule_nothing_is_paid() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let driver = driver(&stack, 10_000);
    for (overstay, late) in [(by_the_hour(), 9.0), (Value::Null, 600.0)] {
        let place = offer_with(&owner, &overstay);
        let id = book_car(&stack, &driver, place, "OK 1", [-10.0, 50.0]);
        pass(&owner, place, "check-in", "ok1").expect(200);
        let_pass(&stack, id, 50.0 + late);
        let left = pass(&owner, place, "check-out", "ok1").expect(200).json();
        assert!(left.get("overstay_cost").is_none(), "{left}");
        assert_eq!(count_notices(&stack, id, "booking\\_overstay\\_%"), 0);
    }
    assert_eq!(balance(&driver), 10_000 - 1_200);
}

#[test]
fn money_that_the_wallet_lacks_stays_owed_until_it_is_there() {
    let stack = with_tick().start();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 700);
    let id = book_car(&stack, &driver, place, "POOR 1", [-10.0, 50.0]);
    pass(&owner, place, "check-in", "poor1").expect(200);
    let_pass(&stack, id, 70.0);
    let left = pass(&owner, place, "check-out", "poor1").expect(200).json();
    assert_eq!(
        (&left["overstay_cost"], &left["overstay_owed"]),
        (&json!(900), &json!(800))
    );
    for user in [&driver, &owner] {
        assert_eq!(show(user, id)["overstay_owed"], 800);
    }
    // The sweep leaves it to the request at first.
    let is_later = "SELECT overstay_due_at > checked_out_at FROM bookings.booking WHERE id = $1";
    let is_later = stack.sql().query_one(is_later, &[&id]).unwrap();
    assert!(is_later.get::<_, bool>(0));
    assert_eq!((balance(&driver), balance(&owner)), (0, 700));
    make_due(&stack);
    send_tick(&stack);
    assert_eq!(show(&driver, id)["overstay_owed"], 800);
    // It comes again after as long as the car is gone, and every day from then on.
    for (passed, pause) in [(600.0, 600.0), (10_000.0, 1_440.0)] {
        let_pass(&stack, id, passed);
        make_due(&stack);
        send_tick(&stack);
        let minutes = "SELECT (extract(epoch FROM overstay_due_at - now()) / 60)::float8
            FROM bookings.booking WHERE id = $1";
        let minutes = stack.sql().query_one(minutes, &[&id]).unwrap();
        let minutes: f64 = minutes.get(0);
        assert!(
            (pause - 10.0..=pause + 10.0).contains(&minutes),
            "{minutes}"
        );
    }
    let list = || {
        User::admin(&stack)
            .get("/booking/overstays")
            .send()
            .expect(200)
            .json()
    };
    assert_eq!(list(), json!([show(&driver, id)]));
    endow(&stack, &driver, 1_000);
    send_tick(&stack);
    assert_eq!(show(&driver, id)["overstay_owed"], 800);
    make_due(&stack);
    send_tick(&stack);
    eventually("the rest is paid", SOON, || {
        show(&driver, id).get("overstay_owed").is_none()
    });
    assert_eq!((balance(&driver), balance(&owner)), (200, 1_500));
    assert_eq!(list(), json!([]));
    assert_books_agree(&stack);
}

#[test]
fn a_booking_that_is_being_changed_keeps_no_other_from_the_sweep() {
    let stack = with_tick().start();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let [changed, other] = ["BUSY 1", "BUSY 2"].map(|plate| {
        let driver = driver(&stack, 700);
        let id = book_car(&stack, &driver, place, plate, [-10.0, 50.0]);
        pass(&owner, place, "check-in", plate).expect(200);
        let_pass(&stack, id, 70.0);
        pass(&owner, place, "check-out", plate).expect(200);
        endow(&stack, &driver, 1_000);
        (driver, id)
    });
    let owes = |(driver, id): &(User, i64)| show(driver, *id).get("overstay_owed").is_some();
    let due = "UPDATE bookings.booking SET overstay_due_at = now() WHERE id = ANY ($1)";
    let both = [changed.1, other.1];
    stack.sql().execute(due, &[&both.as_slice()]).unwrap();
    let change = stack.lock(&format!(
        "SELECT FROM bookings.booking WHERE id = {} FOR UPDATE",
        changed.1
    ));
    send_tick(&stack);
    eventually("the other has paid", SOON, || !owes(&other));
    assert!(owes(&changed));
    drop(change);
    send_tick(&stack);
    eventually("both have paid", SOON, || !owes(&changed));
    assert_books_agree(&stack);
}

/// Takes the right to pay from the ledger, or gives it back.
fn set_may_pay(stack: &Stack, may: bool) {
    let right = if may { "GRANT" } else { "REVOKE" };
    let to = if may { "TO" } else { "FROM" };
    let sql = format!("{right} EXECUTE ON FUNCTION payments.pay {to} wharf_payments");
    stack.sql().batch_execute(&sql).unwrap();
}

#[test]
fn cars_leave_also_while_the_ledger_is_away() {
    let stack = with_tick().start();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let ids = ["AWAY 1", "AWAY 2"].map(|plate| {
        let id = book_car(&stack, &driver, place, plate, [-10.0, 50.0]);
        pass(&owner, place, "check-in", plate).expect(200);
        let_pass(&stack, id, 70.0);
        id
    });
    set_may_pay(&stack, false);
    for plate in ["AWAY 1", "AWAY 2"] {
        let left = pass(&owner, place, "check-out", plate).expect(200).json();
        assert_eq!(left["overstay_owed"], 900);
    }
    // What one booking is paying keeps no other from it.
    let paying = "SELECT count(*) FROM bookings.charge WHERE is_overstay AND status = 'opening'";
    let paying: i64 = stack.sql().query_one(paying, &[]).unwrap().get(0);
    assert_eq!(paying, 2);
    let again = "SELECT count(payment) FROM bookings.charge_overstay($1, 1000)";
    let again: i64 = stack.sql().query_one(again, &[&ids[0]]).unwrap().get(0);
    assert_eq!(again, 0);
    set_may_pay(&stack, true);
    eventually("it is paid", SOON, || {
        make_due(&stack);
        send_tick(&stack);
        ids.iter()
            .all(|it| show(&driver, *it).get("overstay_owed").is_none())
    });
    assert_eq!((balance(&driver), balance(&owner)), (10_000 - 3_000, 3_000));
    assert_books_agree(&stack);
}

#[test]
fn a_payment_that_a_waiver_overtakes_is_given_back_once() {
    let stack = with_tick().start();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let id = book_car(&stack, &driver, place, "PAYS 1", [-10.0, 50.0]);
    pass(&owner, place, "check-in", "pays1").expect(200);
    let_pass(&stack, id, 70.0);
    set_may_pay(&stack, false);
    pass(&owner, place, "check-out", "pays1").expect(200);
    let waive = owner.delete(&format!("/booking/{id}/overstay"));
    waive.send().expect(200);
    // It is not known yet whether it was paid.
    let owed = "SELECT count(*) FROM bookings.refund WHERE booking_id = $1";
    let owed: i64 = stack.sql().query_one(owed, &[&id]).unwrap().get(0);
    assert_eq!(owed, 0);
    set_may_pay(&stack, true);
    eventually("nothing is left to do", SOON, || {
        make_due(&stack);
        send_tick(&stack);
        let left = "SELECT (SELECT count(*) FROM bookings.charge WHERE status = 'opening')
            + (SELECT count(*) FROM bookings.refund WHERE status = 'owed')";
        stack.sql().query_one(left, &[]).unwrap().get::<_, i64>(0) == 0
    });
    assert_eq!((balance(&driver), balance(&owner)), (10_000 - 600, 600));
    assert_books_agree(&stack);
}

#[test]
fn an_owner_waives_what_is_owed_and_gives_back_what_was_paid() {
    let stack = with_tick().start();
    offer(&User::owner(&stack), 600, 9);
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let left = [("WAIVE 1", 700), ("WAIVE 2", 10_000)].map(|(plate, cents)| {
        let driver = driver(&stack, cents);
        let id = book_car(&stack, &driver, place, plate, [-10.0, 50.0]);
        pass(&owner, place, "check-in", plate).expect(200);
        let_pass(&stack, id, 70.0);
        pass(&owner, place, "check-out", plate).expect(200);
        let paid = balance(&driver);
        (driver, id, paid, cents - 600)
    });
    for (number, (driver, id, _, whole)) in left.iter().enumerate() {
        for _ in 0..2 {
            let waived = owner.delete(&format!("/booking/{id}/overstay")).send();
            let waived = waived.expect(200).json();
            assert!(waived.get("overstay_cost").is_none(), "{waived}");
            assert_eq!(balance(driver), *whole);
        }
        make_due(&stack);
        send_tick(&stack);
        assert_eq!(balance(driver), *whole);
        assert_eq!(
            count_notices(&stack, *id, "booking\\_overstay\\_waived\\_driver"),
            1
        );
        // What others have paid is theirs to pay.
        for (other, _, paid, _) in &left[number + 1..] {
            assert_eq!(balance(other), *paid);
        }
    }
    assert_eq!(balance(&owner), 1_200);
    assert_books_agree(&stack);
}

/// Exact on every cent.
#[test]
fn the_cost_of_leaving_late_is_foretold_by_a_few_lines() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = bookings").unwrap();
    // Moments are seconds after the end.
    let overstay_of = "SELECT overstay_of(jsonb_populate_record(NULL::booking, jsonb_build_object(
            'date_to', to_timestamp(0), 'held_to', to_timestamp($1), 'hourly_rate', $2::bigint, 'status', 'Confirmed',
            'overstay', jsonb_build_object(
                'grace_minutes', $3::int, 'per', $4::text, 'rate_percent', $5::int, 'max_cost', $6::bigint)
        )), to_timestamp($7))";
    let overstay_of = sql.prepare(overstay_of).unwrap();
    let mut dice = Dice::new(1_709);
    let mut draw = |bound: u64| i64::try_from(dice.below(bound)).unwrap();
    for _ in 0..2_000 {
        let (held, rate, grace, percent) = (
            draw(2) * draw(4_000),
            1 + draw(1_000_000),
            draw(90),
            1 + draw(1_000),
        );
        let most = 1 + draw(10_000_000);
        let late = match draw(4) {
            // The last second of the grace, and the one after it.
            0 => held + grace * 60 + draw(2),
            _ => draw(100_000),
        };
        for (per, seconds) in [("minute", 60), ("hour", 3_600)] {
            let [small_grace, small_percent] =
                [grace, percent].map(|it| i32::try_from(it).unwrap());
            let (held_to, moment) = (held as f64, late as f64);
            let row = sql
                .query_one(
                    &overstay_of,
                    &[
                        &held_to,
                        &rate,
                        &small_grace,
                        &per,
                        &small_percent,
                        &most,
                        &moment,
                    ],
                )
                .unwrap();
            let after = late - held;
            let begun = (after + seconds - 1) / seconds * seconds;
            let expected = match after <= grace * 60 {
                true => 0,
                false => most.min(begun * rate * percent / 360_000),
            };
            assert_eq!(
                row.get::<_, i64>(0),
                expected,
                "{held} {rate} {grace} {per} {percent} {most} {late}"
            );
        }
    }
}

#[test]
fn rules_of_leaving_late_are_bounded() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 600, 1);
    for broken in [
        json!({ "per": "hour", "max_cost": 0 }),
        json!({ "per": "hour", "max_cost": 10_000_001 }),
        json!({ "per": "hour", "max_cost": 1, "grace_minutes": -1 }),
        json!({ "per": "hour", "max_cost": 1, "grace_minutes": 1_441 }),
        json!({ "per": "hour", "max_cost": 1, "rate_percent": 0 }),
        json!({ "per": "hour", "max_cost": 1, "rate_percent": 1_001 }),
    ] {
        let rules = json!({ "overstay": broken });
        let refused = owner
            .put(&format!("/parking/{place}/rules"))
            .json(&rules)
            .send();
        assert_eq!(code(refused, 400), "invalid-rules", "{broken}");
    }
    set_overstay(&owner, place, &json!({ "per": "minute", "max_cost": 1 }));
    let quote = wish(place, &at(&stack, 0), &at(&stack, 60));
    let quoted = stack.post("/booking/quote").json(&quote).send().expect(200);
    let full = json!({ "grace_minutes": 0, "per": "minute", "rate_percent": 100, "max_cost": 1 });
    assert_eq!(quoted.json()["overstay_rule"], full);
}

/// Otherwise the time that was not paid would be free.
#[test]
fn an_extension_that_is_not_paid_after_all_is_an_overstay() {
    let stack = with_tick().without_clock().start();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let [id, waived] = [("VOID 1", 120.0, 70.0), ("VOID 2", 55.0, 120.0)].map(|it| {
        let (plate, longer, past) = it;
        let id = book_car(&stack, &driver, place, plate, [-10.0, 50.0]);
        pass(&owner, place, "check-in", plate).expect(200);
        set_may_pay(&stack, false);
        driver
            .put(&format!("/booking/{id}/end"))
            .json(&json!({ "date_to": from_now(&stack, longer) }))
            .send()
            .problem(503);
        set_may_pay(&stack, true);
        let_pass(&stack, id, past);
        id
    });
    let left = pass(&owner, place, "check-out", "void1").expect(200).json();
    assert!(left.get("overstay_cost").is_none(), "{left}");
    // Late by what is not paid yet, too.
    let left = pass(&owner, place, "check-out", "void2").expect(200).json();
    assert_eq!(left["overstay_cost"], 1_800);
    let waive = owner.delete(&format!("/booking/{waived}/overstay"));
    waive.send().expect(200);
    for _ in 0..2 {
        make_due(&stack);
        send_tick(&stack);
    }
    let it = show(&driver, id);
    assert_eq!(
        (&it["overstay_cost"], it.get("overstay_owed")),
        (&json!(900), None)
    );
    assert_eq!(count_notices(&stack, id, "booking\\_overstay\\_%"), 2);
    assert!(show(&driver, waived).get("overstay_cost").is_none());
    assert_eq!(balance(&driver), 10_000 - 1_200 - 900);
    assert_books_agree(&stack);
}
