//! Of several bookings, the gate takes the one that the car is there for.

use serde_json::json;
use wharf_tests::{Stack, User};

use super::super::{driver, offer};
use super::{book_car, by_the_hour, code, let_pass, offer_with, pass, show};

#[test]
fn neither_a_canceled_booking_nor_one_of_another_day_lets_a_car_in() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let rename = |id: i64| {
        let rename = driver.put(&format!("/booking/{id}/plate"));
        rename.json(&json!({ "plate": "other 1" })).send()
    };
    let canceled = book_car(&stack, &driver, place, "GONE 1", [-10.0, 50.0]);
    let cancel = driver.put(&format!("/booking/{canceled}"));
    cancel
        .json(&json!({ "status": "Canceled" }))
        .send()
        .expect(200);
    assert_eq!(code(rename(canceled), 409), "not-confirmed");
    let deleted = book_car(&stack, &driver, place, "GONE 1", [-10.0, 50.0]);
    driver
        .delete(&format!("/booking/{deleted}"))
        .send()
        .expect(200);
    rename(deleted).problem(404);
    let waive = owner.delete(&format!("/booking/{deleted}/overstay"));
    waive.send().problem(404);
    book_car(&stack, &driver, place, "GONE 1", [2_900.0, 2_950.0]);
    let refused = pass(&owner, place, "check-in", "gone1");
    assert_eq!(code(refused, 404), "no-car-booking");
}

#[test]
fn a_car_stays_on_its_booking_while_it_has_another() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let id = book_car(&stack, &driver, place, "TWICE 1", [-5.0, 50.0]);
    let came = pass(&owner, place, "check-in", "twice1").expect(200).json();
    // It began before, and ends later.
    let other = book_car(&stack, &driver, place, "TWICE 1", [-10.0, 60.0]);
    let again = pass(&owner, place, "check-in", "twice1").expect(200);
    assert_eq!(again.json(), came);
    let left = pass(&owner, place, "check-out", "twice1")
        .expect(200)
        .json();
    assert_eq!(left["booking_id"], id);
    assert!(show(&driver, other).get("checked_in_at").is_none());
    // Once it is outside, its plate may change; once the booking is over, it may not.
    let rename = |plate: &str| {
        let rename = driver.put(&format!("/booking/{id}/plate"));
        rename.json(&json!({ "plate": plate })).send()
    };
    rename("twice 2").expect(200);
    let_pass(&stack, id, 60.0);
    assert_eq!(code(rename("twice 3"), 409), "booking-over");
}

#[test]
fn a_car_that_comes_for_its_next_booking_has_left_the_one_before() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let [place, elsewhere] = [(); 2].map(|()| offer_with(&owner, &by_the_hour()));
    let driver = driver(&stack, 10_000);
    let come = |place: i64, plate: &str, late: f64| {
        let id = book_car(&stack, &driver, place, plate, [-10.0, 50.0]);
        pass(&owner, place, "check-in", plate).expect(200);
        let_pass(&stack, id, late);
        id
    };
    let seen = come(place, "NEXT 1", 0.0);
    pass(&owner, place, "check-out", "next1").expect(200);
    let_pass(&stack, seen, 200.0);
    let seen_before = show(&driver, seen);
    let unseen = come(place, "NEXT 1", 70.0);
    let others = [come(place, "NEXT 2", 0.0), come(elsewhere, "NEXT 1", 0.0)];

    let next = come(place, "NEXT 1", 0.0);
    let left = show(&driver, unseen);
    assert_eq!(left["checked_out_at"], left["date_to"], "{left}");
    assert!(left.get("overstay_cost").is_none(), "{left}");
    assert_eq!(show(&driver, seen), seen_before);
    for id in others.into_iter().chain([next]) {
        assert!(show(&driver, id).get("checked_out_at").is_none());
    }
}

#[test]
fn a_car_leaves_only_where_it_came() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = driver(&stack, 10_000);
    let id = book_car(&stack, &driver, place, "HERE 1", [-20.0, 50.0]);
    pass(&owner, place, "check-in", "here1").expect(200);
    let elsewhere = offer(&owner, 600, 9);
    for (place, plate) in [(elsewhere, "HERE 1"), (place, "HERE 2")] {
        let refused = pass(&owner, place, "check-out", plate);
        assert_eq!(code(refused, 409), "not-inside");
    }
    pass(&owner, place, "check-out", "here1").expect(200);
    // The gate asks again at once, or it means another car.
    let_pass(&stack, id, 11.0);
    let refused = pass(&owner, place, "check-out", "here1");
    assert_eq!(code(refused, 409), "not-inside");
}

#[test]
fn only_the_cars_own_next_booking_of_the_place_ends_a_late_stay() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let [place, elsewhere] = [(); 2].map(|()| offer_with(&owner, &by_the_hour()));
    let driver = driver(&stack, 100_000);
    let id = book_car(&stack, &driver, place, "ONLY 1", [-10.0, 50.0]);
    pass(&owner, place, "check-in", "only1").expect(200);
    let_pass(&stack, id, 70.0);
    let canceled = book_car(&stack, &driver, place, "ONLY 1", [-5.0, 50.0]);
    driver
        .delete(&format!("/booking/{canceled}"))
        .send()
        .expect(200);
    book_car(&stack, &driver, place, "ONLY 2", [-5.0, 50.0]);
    book_car(&stack, &driver, elsewhere, "ONLY 1", [-5.0, 50.0]);
    book_car(&stack, &driver, place, "ONLY 1", [10.0, 50.0]);
    let left = pass(&owner, place, "check-out", "only1").expect(200).json();
    assert_eq!(
        (&left["booking_id"], &left["overstay_cost"]),
        (&json!(id), &json!(900))
    );
}
