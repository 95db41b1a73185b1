//! Driver and owner hear of what happens to a booking.

use std::time::Duration;

use wharf_tests::{Stack, User, eventually};

use super::super::{book_confirmed, driver, from_now, move_end, offer, wish};

fn list_notices(stack: &Stack, booking: i64) -> Vec<(String, String)> {
    let told = "SELECT payload ->> 'template', payload ->> 'user_id' FROM events.entry
        WHERE kind = 'notify' AND aggregate = $1 ORDER BY seq";
    let rows = stack
        .sql()
        .query(told, &[&format!("booking:{booking}")])
        .unwrap();
    rows.iter().map(|it| (it.get(0), it.get(1))).collect()
}

#[test]
fn driver_and_owner_are_told_what_happens() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 1);
    let driver = driver(&stack, 1_000);
    let id_of = |user: &User| {
        user.get("/auth/me").send().json()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (to_driver, to_owner) = (id_of(&driver), id_of(&owner));
    let both = |what: &str| {
        [
            (format!("booking_{what}_driver"), to_driver.clone()),
            (format!("booking_{what}_owner"), to_owner.clone()),
        ]
    };
    let id = book_confirmed(&stack, &driver, place, 0, 60);
    move_end(&stack, &driver, id, 120).expect(200);
    driver.delete(&format!("/booking/{id}")).send().expect(200);
    assert_eq!(
        list_notices(&stack, id),
        [both("created"), both("changed"), both("canceled")].concat()
    );

    // It has begun, and ends in five minutes.
    let wish = wish(place, &from_now(&stack, -10.0), &from_now(&stack, 5.0));
    let soon = driver
        .post("/booking")
        .json(&wish)
        .send()
        .expect(200)
        .json();
    let soon = soon["booking_id"].as_i64().unwrap();
    eventually(
        "both are told that it ends soon",
        Duration::from_secs(10),
        || list_notices(&stack, soon).len() > 2,
    );
    let mut ending = list_notices(&stack, soon).split_off(2);
    ending.sort();
    let mut expected = [&to_driver, &to_owner].map(|it| ("booking_ending".to_owned(), it.clone()));
    expected.sort();
    assert_eq!(ending, expected);
}
