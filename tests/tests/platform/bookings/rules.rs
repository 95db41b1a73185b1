//! The rules of places: refunds, time zones, opening hours.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Answer, Dice, Stack, User, eventually};

use super::{
    SOON, assert_books_agree, at, balance, book_confirmed, driver, from_now, move_end, offer, wish,
};

fn set_rules(owner: &User, place: i64, rules: &Value) -> Answer {
    owner
        .put(&format!("/parking/{place}/rules"))
        .json(rules)
        .send()
}

/// A place for 600 cents an hour whose owner keeps a part of late cancellations.
fn offer_strictly(owner: &User, free_hours: i64, least_percent: i64) -> i64 {
    let place = offer(owner, 600, 5);
    let policy = json!({ "free_hours": free_hours, "least_percent": least_percent });
    set_rules(owner, place, &json!({ "refund_policy": policy })).expect(200);
    place
}

fn cancel(user: &User, booking: i64) -> Value {
    user.put(&format!("/booking/{booking}"))
        .json(&json!({ "status": "Canceled" }))
        .send()
        .expect(200)
        .json()
}

#[test]
fn rules_are_shown_and_set_by_the_owner_alone() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 1);
    let address = format!("/parking/{place}/rules");
    let none = json!({ "time_zone": "UTC", "opening_hours": null, "blackouts": [], "refund_policy": null, "overstay": null });
    assert_eq!(stack.get(&address).send().expect(200).json(), none);
    let rules = json!({
        "time_zone": "Europe/Lisbon",
        "opening_hours": [{ "days": ["mon", "sat"], "from": "08:00", "to": "24:00" }],
        "blackouts": [{ "from": "2030-01-01T00:00:00Z", "to": "2030-01-02T00:00:00Z" }],
        "refund_policy": { "free_hours": 24, "least_percent": 50 },
        "overstay": { "grace_minutes": 15, "per": "hour", "rate_percent": 150, "max_cost": 5_000 },
    });
    assert_eq!(set_rules(&owner, place, &rules).expect(200).json(), rules);
    assert_eq!(stack.get(&address).send().expect(200).json(), rules);
    set_rules(&User::owner(&stack), place, &none).problem(403);
    for broken in [
        json!({ "time_zone": "Europe/Atlantis" }),
        json!({ "opening_hours": [{ "days": ["mon"], "from": "20:00", "to": "08:00" }] }),
        json!({ "refund_policy": { "free_hours": 1, "least_percent": 101 } }),
    ] {
        assert_eq!(
            set_rules(&owner, place, &broken).problem(400)["code"],
            "invalid-rules"
        );
    }
    assert_eq!(stack.get(&address).send().expect(200).json(), rules);
    stack.get("/parking/999999999/rules").send().problem(404);
    set_rules(&owner, 999_999_999, &none).problem(404);
}

#[test]
fn a_late_cancellation_is_given_back_as_the_place_had_it_when_it_was_booked() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    // The day is at most two days ahead.
    let place = offer_strictly(&owner, 72, 40);
    let policy = json!({ "free_hours": 72, "least_percent": 40 });
    let driver = driver(&stack, 10_000);
    let quote = wish(place, &at(&stack, 0), &at(&stack, 60));
    let quoted = stack.post("/booking/quote").json(&quote).send().expect(200);
    assert_eq!(quoted.json()["refund_policy"], policy);
    let strict = book_confirmed(&stack, &driver, place, 0, 60);
    // Now it is free until an hour before.
    let mild = json!({ "refund_policy": { "free_hours": 1, "least_percent": 100 } });
    set_rules(&owner, place, &mild).expect(200);
    let free = book_confirmed(&stack, &driver, place, 1_300, 1_360);
    let by_owner = book_confirmed(&stack, &driver, place, 1_300, 1_360);
    set_rules(&owner, place, &json!({})).expect(200);

    let canceled = cancel(&driver, strict);
    assert_eq!(
        (&canceled["kept_cost"], &canceled["refund_policy"]),
        (&json!(240), &policy)
    );
    assert_eq!((balance(&driver), balance(&owner)), (10_000 - 1_440, 1_440));
    assert!(cancel(&driver, free).get("kept_cost").is_none());
    assert!(cancel(&owner, by_owner).get("kept_cost").is_none());
    assert_eq!((balance(&driver), balance(&owner)), (9_760, 240));
    // Once more changes nothing.
    assert_eq!(cancel(&driver, strict), canceled);
    // What is kept is the owner's at once: the booking cannot change any more.
    let available = || owner.get("/payment/balance").send().json()["available"].clone();
    eventually("the owner may spend it", Duration::from_secs(30), || {
        available() == json!(240)
    });
    assert_books_agree(&stack);
}

#[test]
fn an_owner_who_cancels_late_gives_all_of_it_back() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_strictly(&owner, 72, 100);
    let driver = driver(&stack, 1_000);
    let id = book_confirmed(&stack, &driver, place, 0, 60);
    cancel(&owner, id);
    assert_eq!((balance(&driver), balance(&owner)), (1_000, 0));
    assert_books_agree(&stack);
}

#[test]
fn the_price_of_the_used_time_is_kept_of_a_booking_that_has_begun() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_strictly(&owner, 0, 10);
    let driver = driver(&stack, 10_000);
    let wish = wish(place, &from_now(&stack, -30.0), &from_now(&stack, 90.0));
    let made = driver.post("/booking").json(&wish).send().expect(200);
    let kept = cancel(&driver, made.json()["booking_id"].as_i64().unwrap())["kept_cost"].clone();
    // Half an hour of two, and the seconds of this test.
    let kept = kept.as_i64().unwrap();
    assert!((300..330).contains(&kept), "{kept}");
    assert_eq!((balance(&driver), balance(&owner)), (10_000 - kept, kept));
    assert_books_agree(&stack);
}

/// Otherwise a booking would be made short, or moved to where a cancellation is free, and canceled then.
#[test]
fn a_late_move_does_not_get_around_the_policy() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_strictly(&owner, 72, 50);
    let driver = driver(&stack, 1_000_000);
    let id = book_confirmed(&stack, &driver, place, 0, 120);
    assert_eq!(
        move_end(&stack, &driver, id, 59).problem(409)["code"],
        "kept-by-rules"
    );
    move_end(&stack, &driver, id, 60).expect(200);
    move_end(&stack, &driver, id, 59).problem(409);
    let move_to = |member: &str, days: f64| {
        let path = match member {
            "date_to" => format!("/booking/{id}/end"),
            _ => format!("/booking/{id}/start"),
        };
        let moment = from_now(&stack, days * 1_440.0);
        driver.put(&path).json(&json!({ member: moment })).send()
    };
    // Half of ten days is more than what the last hours of them cost.
    move_to("date_to", 10.0).expect(200);
    assert_eq!(
        move_to("date_from", 9.9).problem(409)["code"],
        "kept-by-rules"
    );
    // Five days later the start is far enough away for a free cancellation, and half of the ten days is kept.
    let moved = move_to("date_from", 5.0).expect(200).json();
    let canceled = cancel(&driver, id);
    let kept = canceled["kept_cost"].as_i64().unwrap();
    let cost = moved["full_cost"].as_i64().unwrap();
    assert!((cost / 2..=cost).contains(&kept), "{kept} of {cost}");
    assert_books_agree(&stack);
}

/// Exact on every cent, and never less with time.
#[test]
fn the_kept_part_is_foretold_by_a_few_lines() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = bookings").unwrap();
    // Moments are seconds after the start.
    let kept_of = "SELECT kept_of(jsonb_populate_record(NULL::booking, jsonb_build_object(
            'date_from', to_timestamp(0), 'date_to', to_timestamp($1), 'hourly_rate', $2::bigint,
            'full_cost', cost($2, to_timestamp(0), to_timestamp($1)), 'refund_free_hours', $3::int,
            'refund_percent', $4::int, 'least_cost', $5::bigint
        )), to_timestamp($6))";
    let kept_of = sql.prepare(kept_of).unwrap();
    let mut dice = Dice::new(1_709);
    let mut draw = |bound: u64| i64::try_from(dice.below(bound)).unwrap();
    for _ in 0..2_000 {
        let (length, rate) = (1 + draw(100_000), 1 + draw(10_000));
        let (free, percent) = (
            i32::try_from(draw(48)).unwrap(),
            i32::try_from(draw(101)).unwrap(),
        );
        let least = draw(2) * draw(5_000);
        let full = rate * length / 3_600;
        let mut before = 0;
        // Half of them begin with the last moment at which a cancellation is free.
        let mut moment = -i64::from(free) * 3_600 - draw(2) * draw(10_000);
        while moment < length {
            let row = sql
                .query_one(
                    &kept_of,
                    &[
                        &(length as f64),
                        &rate,
                        &free,
                        &percent,
                        &least,
                        &(moment as f64),
                    ],
                )
                .unwrap();
            let kept: i64 = row.get(0);
            let late = [
                least,
                full * i64::from(percent) / 100,
                rate * moment.max(0) / 3_600,
            ];
            let expected = match moment <= -i64::from(free) * 3_600 {
                true => least.min(full),
                false => late.into_iter().max().unwrap().min(full),
            };
            assert_eq!(
                kept, expected,
                "{length} {rate} {free} {percent} {least} {moment}"
            );
            assert!(before <= kept && kept <= full);
            before = kept;
            moment += 1 + draw(60_000);
        }
    }
}

/// Minute of a day of the next July in which it is one o'clock in Lisbon at midnight UTC; weekday 0 is a Monday.
fn in_july(stack: &Stack, weekday: i32, minute: i32) -> String {
    let moment = "SELECT to_char(
            date_trunc('week', make_date(extract(year FROM now())::int
                + CASE WHEN extract(month FROM now()) > 5 THEN 1 ELSE 0 END, 7, 14)::timestamp)
                + make_interval(days => $1, mins => $2),
            'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
    let row = stack.sql().query_one(moment, &[&weekday, &minute]);
    row.unwrap().get(0)
}

#[test]
fn cars_come_and_go_at_local_opening_hours() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 60, 1);
    let me = owner.get("/auth/me").send().expect(200).json()["id"].clone();
    let closed_from = in_july(&stack, 3, 0);
    let closed_to = in_july(&stack, 4, 0);
    let rules = json!({
        "time_zone": "Europe/Lisbon",
        "opening_hours": [{ "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "20:00" }],
        "blackouts": [{ "from": closed_from, "to": closed_to }],
    });
    set_rules(&owner, place, &rules).expect(200);
    let driver = driver(&stack, 100_000);
    // Day and minute in UTC, of the start and of the end. Lisbon is an hour ahead then.
    let hour = |day: i32, hour: i32| in_july(&stack, day, hour * 60);
    for (from, to, is_open) in [
        ((0, 7), (0, 19), true),
        ((0, 6), (0, 9), false),
        ((0, 9), (0, 20), false),
        // Over night.
        ((0, 18), (1, 7), false),
        ((0, 18), (1, 8), true),
        ((0, 19), (1, 8), false),
        // On a Saturday.
        ((5, 9), (5, 10), false),
        // Over the day that is closed, and up to it.
        ((2, 9), (4, 9), false),
        ((2, 9), (2, 12), true),
    ] {
        let wish = wish(place, &hour(from.0, from.1), &hour(to.0, to.1));
        let quote = stack.post("/booking/quote").json(&wish).send().expect(200);
        let quote = quote.json();
        assert_eq!(quote["available"], is_open, "{from:?} {to:?}");
        let found = stack.get(&format!(
            "/parking?owner_id={}&date_from={}&date_to={}",
            me.as_str().unwrap(),
            hour(from.0, from.1),
            hour(to.0, to.1)
        ));
        let found = found.send().expect(200).json();
        assert_eq!(found.as_array().unwrap().len(), usize::from(is_open));
        let made = driver.post("/booking").json(&wish).send();
        if is_open {
            let id = made.expect(200).json()["booking_id"].clone();
            // Longer only to where it is open; shorter always.
            let end = |to: String| {
                driver
                    .put(&format!("/booking/{id}/end"))
                    .json(&json!({ "date_to": to }))
                    .send()
            };
            assert_eq!(end(hour(to.0, 23)).problem(409)["code"], "place-closed");
            driver.delete(&format!("/booking/{id}")).send().expect(200);
        } else {
            assert_eq!(made.problem(409)["code"], "place-closed");
        }
    }
    assert_books_agree(&stack);
}

/// So many seconds after a Monday has begun.
fn in_week(second: i64) -> String {
    let (day, hour) = (5 + second / 86_400, second / 3_600 % 24);
    format!(
        "2026-01-{day:02}T{hour:02}:{:02}:{:02}Z",
        second / 60 % 60,
        second % 60
    )
}

#[test]
fn when_a_place_is_open_is_foretold_by_a_few_lines() {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let stack = Stack::shared();
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = bookings").unwrap();
    let is_open = "SELECT is_open('UTC', $1, $2, $3::text::timestamptz, $4::text::timestamptz)";
    let is_open = sql.prepare(is_open).unwrap();
    let mut dice = Dice::new(1_709);
    let mut draw = |bound: u64| i64::try_from(dice.below(bound)).unwrap();
    let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
    let mut opened = 0;
    for _ in 0..2_000 {
        // Half hours, so that many windows begin and end when a place opens or closes, or a second beside it.
        let hours: Vec<_> = (0..draw(4))
            .map(|_| {
                let from = draw(47);
                (1 + draw(127), from * 30, (from + 1 + draw(48)).min(48) * 30)
            })
            .collect();
        let start = (1 + draw(300)) * 1_800 + draw(3) - 1;
        let end = start + (1 + draw(96)) * 1_800 + draw(3) - 1;
        // Half of them end as the window begins, or begin as it ends, or a second beside it.
        let blackouts: Vec<_> = (0..draw(3))
            .map(|_| {
                let length = (1 + draw(60)) * 1_800;
                let beside = draw(3) - 1;
                match draw(4) {
                    0 => ((start - length).max(0), start + beside),
                    1 => (end + beside, end + length),
                    _ => {
                        let from = draw(400) * 1_800;
                        (from, from + length)
                    }
                }
            })
            .collect();
        let opening = hours.iter().map(|(days, from, to)| {
            let days: Vec<_> = (0..7).filter(|day| (days >> day) & 1 == 1).collect();
            let days: Vec<_> = days.into_iter().map(|day| DAYS[day]).collect();
            json!({ "days": days, "from": clock(*from), "to": clock(*to) })
        });
        let opening = Value::Array(opening.collect());
        let closed = blackouts
            .iter()
            .map(|(from, to)| json!({ "from": in_week(*from), "to": in_week(*to) }));
        let closed = Value::Array(closed.collect());
        let row = sql.query_one(
            &is_open,
            &[&opening, &closed, &in_week(start), &in_week(end)],
        );

        let may_pass = |second: i64| {
            hours.iter().any(|(days, from, to)| {
                let minute = second % 86_400 / 60;
                (days >> (second / 86_400 % 7)) & 1 == 1 && (*from..*to).contains(&minute)
            })
        };
        let expected = may_pass(start)
            && may_pass(end - 1)
            && blackouts
                .iter()
                .all(|(from, to)| *from >= end || *to <= start);
        opened += i64::from(expected);
        assert_eq!(
            row.unwrap().get::<_, bool>(0),
            expected,
            "{opening} {closed} {start} {end}"
        );
    }
    assert!((100..1_000).contains(&opened), "{opened}");
}

/// Such blackouts were stored before they were refused. PostgreSQL does not read them.
#[test]
fn blackouts_of_the_year_0_are_gone() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 60, 1);
    // No search of another test meets them.
    let mut sql = stack.lock("SET LOCAL search_path = bookings");
    let store = "UPDATE place SET blackouts = '[
            {\"from\": \"0000-01-01T00:00:00Z\", \"to\": \"0000-01-02T00:00:00Z\"},
            {\"from\": \"2030-01-01T00:00:00Z\", \"to\": \"2030-01-02T00:00:00Z\"},
            {\"from\": \"-000044-03-15T00:00:00Z\", \"to\": \"2031-01-02T00:00:00Z\"}
        ]' WHERE id = $1";
    assert_eq!(sql.execute(store, &[&place]).unwrap(), 1);
    let migration = include_str!("../../../../migrations/bookings/0012_old_blackouts.sql");
    sql.batch_execute(migration).unwrap();
    let read =
        "SELECT blackouts, is_open(time_zone, opening, blackouts, '2031-01-01Z', '2031-01-03Z'),
            is_open(time_zone, opening, blackouts, '2031-01-02Z', '2031-01-03Z')
        FROM place WHERE id = $1";
    let row = sql.query_one(read, &[&place]).unwrap();
    let left = json!([
        { "from": "2030-01-01T00:00:00Z", "to": "2030-01-02T00:00:00Z" },
        { "from": "1970-01-01T00:00:00Z", "to": "2031-01-02T00:00:00Z" },
    ]);
    assert_eq!(row.get::<_, Value>(0), left);
    let (before_its_end, after): (bool, bool) = (row.get(1), row.get(2));
    assert!(!before_its_end && after);
}

#[test]
fn notices_tell_the_time_of_the_place() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 60, 1);
    set_rules(&owner, place, &json!({ "time_zone": "Asia/Tokyo" })).expect(200);
    let id = book_confirmed(&stack, &driver(&stack, 1_000), place, 60, 120);
    let told = "SELECT params ->> 'date_from', params ->> 'time_zone'
        FROM notify.inbox WHERE template = 'booking_created_driver' AND params ->> 'booking_id' = $1";
    let read = || stack.sql().query(told, &[&id.to_string()]).unwrap();
    eventually("the driver is told", SOON, || !read().is_empty());
    let row = &read()[0];
    let (date_from, zone): (String, String) = (row.get(0), row.get(1));
    assert_eq!(&date_from[11..], "10:00");
    assert_eq!(zone, "Asia/Tokyo");
}
