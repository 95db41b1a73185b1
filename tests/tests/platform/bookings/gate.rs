//! Cars come and leave by their plates.

mod afterwards;
mod late;
mod overlaps;
mod several;

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User, eventually};

use super::{SOON, assert_books_agree, balance, driver, from_now, offer, wish};

pub(super) fn pass(user: &User, place: i64, way: &str, plate: &str) -> Answer {
    user.post(&format!("/parking/{place}/{way}"))
        .json(&json!({ "plate": plate }))
        .send()
}

/// A place for 600 cents an hour, and what it costs to leave it late.
pub(crate) fn offer_with(owner: &User, overstay: &Value) -> i64 {
    let place = offer(owner, 600, 9);
    set_overstay(owner, place, overstay);
    place
}

fn set_overstay(owner: &User, place: i64, overstay: &Value) {
    owner
        .put(&format!("/parking/{place}/rules"))
        .json(&json!({ "overstay": overstay }))
        .send()
        .expect(200);
}

pub(crate) fn by_the_hour() -> Value {
    json!({ "grace_minutes": 10, "per": "hour", "rate_percent": 150, "max_cost": 5_000 })
}

/// From minute to minute, counted from now.
pub(crate) fn book_car(
    stack: &Stack,
    driver: &User,
    place: i64,
    plate: &str,
    window: [f64; 2],
) -> i64 {
    let [from, to] = window.map(|it| from_now(stack, it));
    book_between(driver, place, plate, &from, &to)
}

fn book_between(driver: &User, place: i64, plate: &str, from: &str, to: &str) -> i64 {
    let mut wish = wish(place, from, to);
    wish["plate"] = plate.into();
    let booked = driver
        .post("/booking")
        .json(&wish)
        .send()
        .expect(200)
        .json();
    assert_eq!(booked["status"], "Confirmed", "{booked}");
    booked["booking_id"].as_i64().unwrap()
}

/// As if everything about the booking had happened so many minutes before.
pub(crate) fn let_pass(stack: &Stack, booking: i64, minutes: f64) {
    let pass = "UPDATE bookings.booking SET
            date_from = date_from - past, date_to = date_to - past, held_to = held_to - past,
            kept_to = kept_to - past, checked_in_at = checked_in_at - past, checked_out_at = checked_out_at - past
        FROM (SELECT $2 * interval '1 minute') AS so_much (past)
        WHERE id = $1";
    stack.sql().execute(pass, &[&booking, &minutes]).unwrap();
}

fn code(answer: Answer, status: u16) -> Value {
    answer.problem(status)["code"].clone()
}

fn show(user: &User, booking: i64) -> Value {
    user.get(&format!("/booking/{booking}"))
        .send()
        .expect(200)
        .json()
}

#[test]
fn a_car_comes_and_leaves_however_its_plate_is_written() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let id = book_car(&stack, &driver, place, "AA-123-BB", [-10.0, 50.0]);
    book_car(&stack, &driver, place, "later", [60.0, 90.0]);
    assert_eq!(show(&driver, id)["overstay_rule"], by_the_hour());
    assert_eq!(
        code(pass(&owner, place, "check-in", "ZZ 9"), 404),
        "no-car-booking"
    );
    assert_eq!(
        code(pass(&owner, place, "check-in", "later"), 409),
        "not-yet"
    );
    assert_eq!(
        code(pass(&owner, place, "check-out", "aa123bb"), 409),
        "not-inside"
    );
    let elsewhere = offer(&owner, 600, 9);
    pass(&owner, elsewhere, "check-in", "aa123bb").problem(404);

    let came = pass(&owner, place, "check-in", "аа 123 вв")
        .expect(200)
        .json();
    assert_eq!(
        (&came["booking_id"], came.get("checked_out_at")),
        (&json!(id), None)
    );
    assert!(came["checked_in_at"].is_string(), "{came}");
    assert_eq!(
        pass(&owner, place, "check-in", "AA.123.BB")
            .expect(200)
            .json(),
        came
    );
    let left = pass(&owner, place, "check-out", "aa 123 bb")
        .expect(200)
        .json();
    assert_eq!(left["checked_in_at"], came["checked_in_at"]);
    assert!(
        left["checked_out_at"].is_string() && left.get("overstay_cost").is_none(),
        "{left}"
    );
    assert_eq!(
        pass(&owner, place, "check-out", "aa123bb")
            .expect(200)
            .json(),
        left
    );
    assert_eq!(show(&driver, id), left);

    // Until its booking ends it comes again, and then it does not.
    let again = pass(&owner, place, "check-in", "aa123bb")
        .expect(200)
        .json();
    assert_eq!(
        (&again["checked_in_at"], again.get("checked_out_at")),
        (&came["checked_in_at"], None)
    );
    pass(&owner, place, "check-out", "aa123bb").expect(200);
    let_pass(&stack, id, 60.0);
    pass(&owner, place, "check-in", "aa123bb").problem(404);
    assert_books_agree(&stack);
}

#[test]
fn a_car_that_is_booked_again_has_stayed_for_the_next_booking() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 100_000);
    // The second begins the moment the first ends, the third half an hour after the second.
    let [from, change, end, again, last] =
        [-10.0, 50.0, 110.0, 140.0, 200.0].map(|it| from_now(&stack, it));
    let windows = [(&from, &change), (&change, &end), (&again, &last)];
    let ids = windows.map(|(from, to)| book_between(&driver, place, "STAY 1", from, to));
    pass(&owner, place, "check-in", "stay1").expect(200);
    for id in ids {
        let_pass(&stack, id, 150.0);
    }
    let left = pass(&owner, place, "check-out", "stay1").expect(200).json();
    assert_eq!(
        (&left["booking_id"], left.get("overstay_cost")),
        (&json!(ids[2]), None)
    );
    let [first, second, third] = ids.map(|it| show(&driver, it));
    assert_eq!(first["checked_out_at"], first["date_to"]);
    assert_eq!(second["checked_in_at"], first["checked_out_at"]);
    assert_eq!(second["checked_out_at"], third["date_from"]);
    assert_eq!(third["checked_in_at"], third["date_from"]);
    let costs = [&first, &second].map(|it| it.get("overstay_cost").cloned());
    assert_eq!(costs, [None, Some(json!(900))]);
    eventually("the sweep takes it", SOON, || {
        show(&driver, ids[1]).get("overstay_owed").is_none()
    });
    assert_eq!(balance(&driver), 100_000 - 1_800 - 900);
}

#[test]
fn a_driver_cancels_only_while_the_car_is_outside() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let id = book_car(&stack, &driver, place, "IN 1", [-10.0, 50.0]);
    let (address, plate) = (format!("/booking/{id}"), format!("/booking/{id}/plate"));
    let rename = |to: &str| driver.put(&plate).json(&json!({ "plate": to })).send();
    assert_eq!(rename("in 2").expect(200).json()["plate"], "IN 2");
    pass(&owner, place, "check-in", "in1").problem(404);
    pass(&owner, place, "check-in", "in2").expect(200);
    assert_eq!(code(rename("in 3"), 409), "car-inside");
    rename("IN-2").expect(200);
    assert_eq!(code(driver.delete(&address).send(), 409), "car-inside");
    let cancel = json!({ "status": "Canceled" });
    assert_eq!(
        code(driver.put(&address).json(&cancel).send(), 409),
        "car-inside"
    );
    pass(&owner, place, "check-out", "in2").expect(200);
    driver.delete(&address).send().expect(200);
    assert_eq!(balance(&driver), 10_000);
    // The owner may: the car leaves, and pays nothing for that.
    let id = book_car(&stack, &driver, place, "IN 4", [-10.0, 50.0]);
    pass(&owner, place, "check-in", "in4").expect(200);
    owner
        .put(&format!("/booking/{id}"))
        .json(&cancel)
        .send()
        .expect(200);
    let_pass(&stack, id, 600.0);
    let left = pass(&owner, place, "check-out", "in4").expect(200).json();
    assert!(
        left["checked_out_at"].is_string() && left.get("overstay_cost").is_none(),
        "{left}"
    );
    assert_eq!(balance(&driver), 10_000);
}
