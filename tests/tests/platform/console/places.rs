//! Owners: offering, changing and removing places, their rules, who booked them, and the gate.

use serde_json::json;
use wharf_tests::{Browser, Stack, User, unique};

use crate::bookings::gate::{book_car, by_the_hour, let_pass, offer_with};
use crate::bookings::{endow, offer};

#[test]
fn an_owner_offers_a_place_once_changes_it_and_removes_it() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let mut browser = Browser::of(&stack, &owner);
    let name = unique("Garage");
    let form = browser.open("/console/places/new");
    let fields = [
        ("name", &*name),
        ("city", "Porto"),
        ("address", "Rua das Flores 1"),
        ("parking_type", "covered"),
        ("hourly_rate", "0"),
        ("capacity", "3"),
    ];
    let refused = browser.send(&form, "/console/places/new", &fields);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("hourly_rate"), "{}", refused.text());
    // What was filled in is still there.
    let rate = [("hourly_rate", "1.50")];
    let place = browser.send(&refused, "/console/places/new", &rate);
    assert!(
        place.says(&name) && place.says("1.50 USD") && place.says("Covered"),
        "{}",
        place.text()
    );
    // A double click sends the same form twice.
    let twice = browser.send(&refused, "/console/places/new", &rate);
    assert_eq!(twice.path, place.path);

    let path = place.path;
    let change = format!("{path}/change");
    let form = browser.open(&change);
    let changed = browser.send(&form, &change, &[("capacity", "5")]);
    assert!(
        changed.says("Cars at once 5") && changed.says("1.50 USD"),
        "{}",
        changed.text()
    );
    let listed = browser.open("/console/places");
    assert_eq!(listed.text().matches(&name).count(), 1);
    let removed = browser.send(&changed, &format!("{path}/remove"), &[]);
    assert!(removed.says("This place was removed"), "{}", removed.text());
    assert!(!browser.open("/console/places").says(&name));
    assert_eq!(browser.try_open(&path).answer.status(), 404);
}

#[test]
fn rules_are_filled_in_by_weekday_in_the_time_of_the_place() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 100, 1);
    let mut browser = Browser::of(&stack, &owner);
    let path = format!("/console/places/{place}/rules");
    let form = browser.open(&path);
    let fields = [
        ("time_zone", "Nowhere/City"),
        ("mon-from-0", "08:00"),
        ("mon-to-0", "20:00"),
        ("tue-from-0", "08:00"),
        ("tue-to-0", "20:00"),
        ("closed-from-0", "2030-07-01T10:00"),
        ("closed-to-0", "2030-07-02T10:00"),
        ("free_hours", "24"),
        ("least_percent", "50"),
        ("per", "hour"),
        ("max_cost", "50"),
    ];
    let refused = browser.send(&form, &path, &fields);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("is no time zone"), "{}", refused.text());
    let set = browser.send(&refused, &path, &[("time_zone", "Europe/Lisbon")]);
    assert!(set.says("mon, tue 08:00–20:00"), "{}", set.text());
    assert!(
        set.says("2030-07-01 10:00 to 2030-07-02 10:00"),
        "{}",
        set.text()
    );
    let rules = || {
        let rules = owner.get(&format!("/parking/{place}/rules"));
        rules.send().expect(200).json()
    };
    let expected = json!({
        "time_zone": "Europe/Lisbon",
        "opening_hours": [{ "days": ["mon", "tue"], "from": "08:00", "to": "20:00" }],
        "blackouts": [{ "from": "2030-07-01T09:00:00Z", "to": "2030-07-02T09:00:00Z" }],
        "refund_policy": { "free_hours": 24, "least_percent": 50 },
        "overstay": { "grace_minutes": 0, "per": "hour", "rate_percent": 100, "max_cost": 5_000 },
    });
    assert_eq!(rules(), expected);
    let form = browser.open(&path);
    browser.send(&form, &path, &[]);
    assert_eq!(rules(), expected);
    let half = browser.send(&form, &path, &[("wed-from-0", "08:00")]);
    assert_eq!(half.answer.status(), 422);
    assert_eq!(rules(), expected);
}

#[test]
fn a_car_that_leaves_late_owes_for_it_until_the_owner_waives_it() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer_with(&owner, &by_the_hour());
    let driver = User::driver(&stack);
    endow(&stack, &driver, 600);
    let booking = book_car(&stack, &driver, place, "LATE 1", [-10.0, 50.0]);
    let mut browser = Browser::of(&stack, &owner);
    let path = format!("/console/places/{place}");
    let gate = format!("{path}/gate");
    let form = browser.open(&gate);
    let unknown = browser.send(&form, &gate, &[("plate", "ZZ 9"), ("way", "check-in")]);
    assert_eq!(unknown.answer.status(), 422);
    assert!(
        unknown.says("the car has no booking of the place"),
        "{}",
        unknown.text()
    );
    let came = browser.send(&unknown, &gate, &[("plate", "late1"), ("way", "check-in")]);
    assert!(came.says("LATE 1 is inside"), "{}", came.text());
    let_pass(&stack, booking, 70.0);
    let form = browser.open(&gate);
    assert!(form.says("inside, and late"), "{}", form.text());
    let left = browser.send(&form, &gate, &[("plate", "late1"), ("way", "check-out")]);
    assert!(
        left.says("late: that costs 9.00 USD, of which 9.00 USD are owed"),
        "{}",
        left.text()
    );

    let listed = browser.open(&format!("{path}/bookings?status=Confirmed"));
    assert!(listed.says("LATE 1"), "{}", listed.text());
    assert!(
        browser
            .open(&format!("{path}/bookings?status=Canceled"))
            .says("There is no such booking")
    );
    let page = browser.open(&format!("{path}/bookings/{booking}"));
    assert!(
        page.says("the driver still owes 9.00 USD"),
        "{}",
        page.text()
    );
    let waive = format!("{path}/bookings/{booking}/waive");
    let waived = browser.send(&page, &waive, &[]);
    assert!(
        !waived.has_form(&waive) && !waived.says("owes"),
        "{}",
        waived.text()
    );
}

#[test]
fn a_place_that_is_booked_is_removed_only_after_its_bookings_were_canceled() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let place = offer(&owner, 600, 1);
    let driver = User::driver(&stack);
    endow(&stack, &driver, 600);
    let booking = book_car(&stack, &driver, place, "STAY 1", [60.0, 120.0]);
    let mut browser = Browser::of(&stack, &owner);
    let path = format!("/console/places/{place}");
    let held = browser.open("/console/places");
    assert!(
        held.says("Held until bookings end 6.00 USD"),
        "{}",
        held.text()
    );
    let page = browser.open(&path);
    let remove = format!("{path}/remove");
    let refused = browser.send(&page, &remove, &[]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("the place is still booked"));
    let booked = format!("{path}/bookings/{booking}");
    let page = browser.open(&booked);
    let canceled = browser.send(&page, &format!("{booked}/cancel"), &[]);
    assert!(canceled.says("Kept of it 0.00 USD"), "{}", canceled.text());
    let removed = browser.send(&refused, &remove, &[]);
    assert!(removed.says("STAY 1"), "{}", removed.text());
    // Its driver still sees what they booked.
    let mut driver = Browser::of(&stack, &driver);
    let seen = driver.open(&format!("/console/bookings/{booking}"));
    assert!(seen.says("was removed since"), "{}", seen.text());
}

#[test]
fn a_place_is_shown_to_its_owner_and_to_admins_alone() {
    let stack = Stack::shared();
    let place = offer(&User::owner(&stack), 100, 1);
    let path = format!("/console/places/{place}");
    for user in [User::owner(&stack), User::driver(&stack)] {
        let mut browser = Browser::of(&stack, &user);
        for page in ["", "/change", "/rules", "/gate", "/bookings"] {
            let page = browser.try_open(&format!("{path}{page}"));
            assert_eq!(page.answer.status(), 403, "{}", page.path);
        }
        let overstays = browser.try_open("/console/places/overstays");
        assert_eq!(overstays.answer.status(), 403);
    }
    let driver = User::driver(&stack);
    let list = Browser::of(&stack, &driver).try_open("/console/places");
    assert_eq!(list.answer.status(), 403);
    let mut admin = Browser::of(&stack, &User::admin(&stack));
    assert!(admin.open(&path).has_form(&format!("{path}/remove")));
    admin.open("/console/places/overstays");
}
