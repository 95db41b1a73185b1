//! Checks of cars by controllers.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, eventually};

use super::{SOON, Zone, driver, parked, plate};

/// The ticket ended so many minutes ago.
pub fn end(stack: &Stack, ticket: &Value, minutes: i32) {
    let id = ticket["id"].as_i64().unwrap();
    let end = "UPDATE fines.ticket SET start_at = now() - interval '2 hours', end_at = now() - make_interval(mins => $2) WHERE id = $1";
    stack.sql().execute(end, &[&id, &minutes]).unwrap();
}

#[test]
fn a_check_says_what_covers_a_car_and_is_kept() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    assert_eq!(zone.check(&plate)["result"], "none");
    let unpaid = zone.ticket(&driver, &plate, &super::from_now(&stack, 0), 30);
    unpaid.expect(201);
    assert_eq!(zone.check(&plate)["result"], "none");
    let ticket = parked(&stack, &zone, &driver, &plate, 30);
    let valid = zone.check(&plate.to_lowercase());
    assert_eq!(
        (&valid["result"], &valid["ticket_id"]),
        (&json!("valid"), &ticket["id"])
    );
    assert_eq!(valid["valid_until"], ticket["end_date"]);
    // In another zone the ticket does not count.
    assert_eq!(Zone::found(&stack).check(&plate)["result"], "none");
    for (minutes, result) in [(3, "grace"), (6, "expired"), (29, "expired"), (31, "none")] {
        end(&stack, &ticket, minutes);
        assert_eq!(
            zone.check(&plate)["result"],
            result,
            "{minutes} minutes ago"
        );
    }
    let kept = zone
        .admin
        .get(&zone.path(&format!("/checks?plate={plate}&limit=3")))
        .send();
    let kept = kept.expect(200).json();
    let results: Vec<_> = kept
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["result"].clone())
        .collect();
    assert_eq!(results, ["none", "expired", "expired"]);
    User::driver(&stack)
        .get(&zone.path("/checks"))
        .send()
        .problem(403);
    let by_stranger = json!({ "plate": plate });
    User::controller(&stack)
        .post(&zone.path("/checks"))
        .json(&by_stranger)
        .send()
        .problem(403);
}

#[test]
fn a_zone_counts_the_cars_that_stand_there() {
    let stack = Stack::shared();
    let zone = Zone::found_with(
        &stack,
        &json!({ "rules": { "control": { "capacity": 3 } } }),
    );
    let (driver, plate) = driver(&stack, 1_000);
    parked(&stack, &zone, &driver, &plate, 30);
    let full = stack
        .get(&zone.path("/occupancy"))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        full,
        json!({ "zone_id": zone.id, "occupied": 1, "capacity": 3, "free": 2 })
    );
    let unbounded = Zone::found(&stack);
    let free = stack.get(&unbounded.path("/occupancy")).send();
    assert_eq!(free.expect(200).json()["free"], Value::Null);
}

#[test]
fn a_driver_is_warned_and_a_controller_is_told_once() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let ticket = parked(&stack, &zone, &driver, &plate, 9);
    let notices = |template: &str| {
        let count = "SELECT count(*) FROM events.entry WHERE kind = 'notify' AND payload ->> 'template' = $1 AND aggregate = $2";
        let aggregate = format!("ticket:{}", ticket["id"]);
        stack
            .sql()
            .query_one(count, &[&template, &aggregate])
            .unwrap()
            .get::<_, i64>(0)
    };
    eventually("the driver is warned", SOON, || {
        notices("parking_ending") == 1
    });
    end(&stack, &ticket, 6);
    eventually("the controller is told", SOON, || {
        notices("parking_over") == 1
    });
    assert_eq!(notices("parking_ending"), 1);
}

#[test]
fn a_code_of_the_catalogue_has_an_amount() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let admin = User::admin(&stack);
    let code = format!("P{}", plate());
    let path = format!("/api/v1/violations/{code}");
    let line = json!({ "title": "No ticket", "amount": 30.5, "currency": "USD" });
    zone.admin.put(&path).json(&line).send().problem(403);
    admin.put(&path).json(&line).send().expect(200);
    let listed = zone
        .controller
        .get("/api/v1/violations")
        .send()
        .expect(200)
        .json();
    assert!(
        listed
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["code"] == json!(code))
    );
    let fined = |body: Value| zone.fine(&zone.controller, &body);
    let by_code = fined(json!({ "plate": plate(), "code": code }))
        .expect(201)
        .json();
    assert_eq!(
        (&by_code["amount"], &by_code["code"]),
        (&json!(30.5), &json!(code))
    );
    fined(json!({ "plate": plate(), "code": code, "amount": 20 })).problem(400);
    let abroad = Zone::found_with(&stack, &json!({ "currency": "EUR" }));
    let by_code = json!({ "plate": plate(), "code": code });
    let refused = abroad.fine(&abroad.controller, &by_code).problem(400);
    assert_eq!(refused["code"], "other-currency");
    fined(json!({ "plate": plate() })).problem(400);
    admin.delete(&path).send().expect(204);
    fined(json!({ "plate": plate(), "code": code })).problem(404);
    admin.delete(&path).send().problem(404);
}
