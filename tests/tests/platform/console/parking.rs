//! Finding, booking, moving and canceling.

use wharf_tests::{Browser, Stack, User, unique};

use crate::bookings::{at, endow, offer};

/// As a field of a page says it.
fn hour(stack: &Stack, hour: u32) -> String {
    at(stack, hour * 60)[..16].to_owned()
}

fn window(stack: &Stack) -> String {
    format!("from={}&to={}", hour(stack, 10), hour(stack, 12))
}

#[test]
fn a_driver_finds_a_place_books_it_once_moves_the_end_and_cancels() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 3);
    let city = owner
        .get(&format!("/parking/{place}"))
        .send()
        .expect(200)
        .json()["city"]
        .clone();
    let driver = User::driver(&stack);
    endow(&stack, &driver, 1_000);
    let mut browser = Browser::of(&stack, &driver);
    let path = format!("/console/parking/{place}");
    let found = browser.open(&format!("/console/parking?city={}", city.as_str().unwrap()));
    assert!(found.text().contains("1.00"), "{}", found.text());
    let asked = browser.open(&format!("{path}?{}", window(&stack)));
    assert!(asked.says("It costs 2.00 USD"), "{}", asked.text());
    let booked = browser.send(&asked, &path, &[]);
    assert!(booked.says("Confirmed"), "{}", booked.text());
    // A double click sends the same form twice.
    assert_eq!(browser.send(&asked, &path, &[]).path, booked.path);
    assert!(browser.open("/console/bookings").says("Confirmed"));
    let all = driver.get("/booking").send().expect(200).json();
    assert_eq!(all.as_array().unwrap().len(), 1);

    let end = format!("{}/end", booked.path);
    let moved = browser.send(&booked, &end, &[("to", &*hour(&stack, 13))]);
    assert!(
        moved.says("3.00 USD") && moved.says(&hour(&stack, 13).replace('T', " ")),
        "{}",
        moved.text()
    );
    let canceled = browser.send(&moved, &format!("{}/cancel", booked.path), &[]);
    assert!(
        canceled.says("Canceled") && !canceled.has_form(&end),
        "{}",
        canceled.text()
    );
}

#[test]
fn who_cannot_pay_is_told_so_beside_what_they_filled_in() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 1);
    let mut browser = Browser::of(&stack, &User::driver(&stack));
    let path = format!("/console/parking/{place}");
    let asked = browser.open(&format!("{path}?{}", window(&stack)));
    let refused = browser.send(&asked, &path, &[("plate", "AB-12-CD")]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("insufficient funds"), "{}", refused.text());
    assert!(refused.answer.text().contains("value=\"AB-12-CD\""));
    let backwards = browser.try_open(&format!(
        "{path}?from={}&to={}",
        hour(&stack, 12),
        hour(&stack, 10)
    ));
    assert_eq!(backwards.answer.status(), 422);
}

#[test]
fn anybody_may_look_for_a_place_and_is_asked_to_sign_in_to_book_it() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 1);
    let mut browser = Browser::new(&stack);
    let path = format!("/console/parking/{place}");
    let asked = browser.open(&format!("{path}?{}", window(&stack)));
    let led = browser.send(&asked, &path, &[]);
    assert!(led.path.starts_with("/console/sign-in"), "{}", led.path);
    let other = unique("nobody");
    assert_eq!(
        browser
            .try_open(&format!("/console/parking/{other}"))
            .answer
            .status(),
        404
    );
}
