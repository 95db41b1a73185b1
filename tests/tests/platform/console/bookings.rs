//! Bookings by their state, the plate of the car, and moving the start.

use wharf_tests::{Browser, Stack, User};

use crate::bookings::{at, endow, offer};

#[test]
fn a_driver_sets_the_plate_moves_the_start_and_finds_bookings_by_state() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 600, 1);
    let driver = User::driver(&stack);
    endow(&stack, &driver, 1_200);
    let mut browser = Browser::of(&stack, &driver);
    // The field of a form has neither seconds nor a zone.
    let moment = |minute| at(&stack, minute).replace(":00Z", "");
    let window = format!("from={}&to={}", moment(600), moment(660));
    let path = format!("/console/parking/{place}");
    let asked = browser.open(&format!("{path}?{window}"));
    let booked = browser.send(&asked, &path, &[]);
    let plate = format!("{}/plate", booked.path);
    let wrong = browser.send(&booked, &plate, &[("plate", "?")]);
    assert_eq!(wrong.answer.status(), 422);
    assert!(wrong.answer.text().contains("value=\"?\""));
    let named = browser.send(&wrong, &plate, &[("plate", "AB 12")]);
    assert!(named.says("Plate AB 12"), "{}", named.text());
    let start = format!("{}/start", booked.path);
    let moved = browser.send(&named, &start, &[("from", &*moment(570))]);
    assert!(moved.says("Cost 9.00 USD"), "{}", moved.text());
    let dear = browser.send(&moved, &start, &[("from", &*moment(540 - 60))]);
    assert_eq!(dear.answer.status(), 422);
    assert!(dear.says("insufficient funds"), "{}", dear.text());
    for (state, is_found) in [("Confirmed", true), ("Canceled", false)] {
        let list = browser.open(&format!("/console/bookings?status={state}"));
        assert_eq!(list.says("AB 12"), is_found, "{}", list.text());
    }
}

#[test]
fn the_times_of_a_booking_are_those_of_its_place() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 600, 1);
    owner
        .put(&format!("/parking/{place}/rules"))
        .json(&serde_json::json!({ "time_zone": "Asia/Tokyo" }))
        .send()
        .expect(200);
    let driver = User::driver(&stack);
    endow(&stack, &driver, 600);
    let mut browser = Browser::of(&stack, &driver);
    let path = format!("/console/parking/{place}");
    let day = at(&stack, 0).replace("T00:00:00Z", "");
    let asked = browser.open(&format!("{path}?from={day}T20:00&to={day}T21:00"));
    let booked = browser.send(&asked, &path, &[]);
    assert!(
        booked.says(&format!("From {day} 20:00 To {day} 21:00 (Asia/Tokyo)")),
        "{}",
        booked.text()
    );
    let id = booked.path.rsplit('/').next().unwrap();
    let booking = driver
        .get(&format!("/booking/{id}"))
        .send()
        .expect(200)
        .json();
    // Nine hours before that of UTC.
    assert_eq!(booking["date_from"], format!("{day}T11:00:00Z"));
}
