//! Issuing fines: rights, conditions, and that one violation is fined once.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, at_once, eventually};

use super::{SOON, Zone, driver, parked, plate};

#[test]
fn lists_of_fines_are_filtered_by_plate_status_and_appeal() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let fined = |plate: &str| zone.fined(plate)["id"].clone();
    let paid = fined(&plate);
    // The same car is fined again after an hour.
    let past = "UPDATE fines.fine SET issued_at = issued_at - interval '2 hours' WHERE id = $1";
    stack
        .sql()
        .execute(past, &[&paid.as_i64().unwrap()])
        .unwrap();
    let (appealed, open) = (fined(&plate), fined(&super::plate()));
    let fine = format!("/api/v1/fines/{paid}/pay");
    driver.post(&fine).json(&json!({})).send().expect(201);
    let appeal = json!({ "text": "The machine was broken." });
    let path = format!("/api/v1/fines/{appealed}/appeal");
    driver.post(&path).json(&appeal).send().expect(201);

    let spaced = format!("{} {}", &plate[..2], plate[2..].to_lowercase());
    let cases = [
        ("status=paid".to_owned(), vec![&paid]),
        ("status=issued".to_owned(), vec![&open, &appealed]),
        ("status=cancelled".to_owned(), vec![]),
        ("appealed=true".to_owned(), vec![&appealed]),
        ("appealed=true&status=paid".to_owned(), vec![]),
        (
            format!("plate={}", spaced.replace(' ', "%20")),
            vec![&appealed, &paid],
        ),
        (format!("plate={plate}&status=paid"), vec![&paid]),
        (format!("plate={plate}&limit=1"), vec![&appealed]),
        (format!("plate={plate}&limit=1&offset=1"), vec![&paid]),
        ("plate=%21".to_owned(), vec![]),
    ];
    let listed = |user: &User, path: &str| {
        let fines = user.get(path).send().expect(200).json();
        let fines = fines.as_array().unwrap().clone();
        fines.iter().map(|it| it["id"].clone()).collect::<Vec<_>>()
    };
    for (filter, expected) in cases {
        let found = listed(&zone.controller, &zone.path(&format!("/fines?{filter}")));
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    // The list of all zones has other fines, too.
    let all = format!("/api/v1/fines?plate={plate}&status=issued");
    assert_eq!(listed(&User::admin(&stack), &all), [appealed]);
}

#[test]
fn a_fine_of_the_old_form_is_issued_by_a_controller() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let issued = zone
        .fine(&zone.controller, &json!({ "plate": plate, "amount": 20 }))
        .expect(201);
    let fine = issued.json();
    for (member, value) in [
        ("plate", json!(plate)),
        ("amount", json!(20)),
        ("paid", json!(false)),
        ("zone_id", json!(zone.id)),
        ("status", json!("issued")),
        ("due", json!(20)),
    ] {
        assert_eq!(fine[member], value, "{member}");
    }
    assert!(fine["date"].is_string());
    let path = format!("/api/v1/fines/{}", fine["id"]);
    assert_eq!(issued.header("location"), Some(path.as_str()));
    for user in [&driver, &zone.controller, &zone.admin, &User::admin(&stack)] {
        assert_eq!(user.get(&path).send().expect(200).json(), fine);
    }
    let listed = zone
        .admin
        .get(&zone.path("/fines"))
        .send()
        .expect(200)
        .json();
    assert_eq!(listed, json!([fine]));
    let told = "SELECT count(*) FROM events.entry WHERE aggregate = $1 AND payload ->> 'template' = 'fine_issued'";
    let aggregate = format!("fine:{}", fine["id"]);
    assert_eq!(
        stack
            .sql()
            .query_one(told, &[&aggregate])
            .unwrap()
            .get::<_, i64>(0),
        1
    );
}

#[test]
fn a_user_who_does_not_work_in_the_zone_issues_nothing() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let other = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let body = json!({ "plate": plate, "amount": 20 });
    for user in [
        &driver,
        &other.admin,
        &other.controller,
        &User::owner(&stack),
    ] {
        zone.fine(user, &body).problem(403);
    }
    stack
        .post(&zone.path("/fines"))
        .json(&body)
        .send()
        .problem(401);
    let stored = "SELECT count(*) FROM fines.fine WHERE zone_id = $1";
    assert_eq!(
        stack
            .sql()
            .query_one(stored, &[&zone.id])
            .unwrap()
            .get::<_, i64>(0),
        0
    );
    zone.fine(&User::admin(&stack), &body).expect(201);
    let nowhere = zone
        .controller
        .post("/api/v1/zones/999999999/fines")
        .json(&body)
        .send();
    nowhere.problem(404);
}

#[test]
fn a_fine_on_an_unknown_plate_waits_for_its_driver() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let plate = plate();
    let fine = zone.fined(&plate);
    let driver = User::driver(&stack);
    let fines = || {
        driver
            .get("/api/v1/users/me/fines")
            .send()
            .expect(200)
            .json()
    };
    assert_eq!(fines(), json!([]));
    driver
        .get(&format!("/api/v1/fines/{}", fine["id"]))
        .send()
        .problem(403);
    super::register(&driver, &plate);
    assert_eq!(fines()[0]["id"], fine["id"]);
    // The fine stays with the driver when the plate later belongs to another user.
    driver
        .delete(&format!("/api/v1/users/me/cars/{plate}"))
        .send()
        .expect(204);
    let next = User::driver(&stack);
    super::register(&next, &plate);
    assert_eq!(
        next.get("/api/v1/users/me/fines").send().expect(200).json(),
        json!([])
    );
    assert_eq!(fines()[0]["id"], fine["id"]);
}

#[test]
fn one_of_many_concurrent_fines_of_a_car_is_issued() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    for plate in [plate(), driver(&stack, 0).1] {
        let statuses = at_once(8, |number| {
            let user = if number % 2 == 0 {
                &zone.controller
            } else {
                &zone.admin
            };
            zone.fine(user, &json!({ "plate": plate, "amount": 20 }))
                .status()
        });
        let issued = statuses.iter().filter(|it| **it == 201).count();
        assert_eq!(issued, 1, "{statuses:?}");
        assert!(
            statuses.iter().all(|it| [201, 409].contains(it)),
            "{statuses:?}"
        );
    }
}

/// The same violation means the same car, zone and line of the catalogue within an hour.
#[test]
fn a_different_violation_is_fined_again() {
    let stack = Stack::shared();
    let (zone, elsewhere) = (Zone::found(&stack), Zone::found(&stack));
    let fined = plate();
    let body = json!({ "plate": fined, "amount": 20 });
    let again = || zone.fine(&zone.controller, &body);
    let first = again().expect(201).json();
    let refused = || assert_eq!(again().problem(409)["code"], "already-fined");
    refused();
    elsewhere.fine(&elsewhere.controller, &body).expect(201);
    refused();

    let code = format!("P{}", plate());
    let line = json!({ "title": "No ticket", "amount": 30, "currency": "USD" });
    let path = format!("/api/v1/violations/{code}");
    User::admin(&stack)
        .put(&path)
        .json(&line)
        .send()
        .expect(200);
    let by_code = json!({ "plate": fined, "code": code });
    zone.fine(&zone.controller, &by_code).expect(201);
    zone.fine(&zone.controller, &by_code).problem(409);

    let path = format!("/api/v1/fines/{}", first["id"]);
    zone.controller.delete(&path).send().expect(204);
    let second = again().expect(201).json();
    refused();
    let change = |fine: &Value, set: &str| {
        let change = format!("UPDATE fines.fine SET {set} WHERE id = $1");
        let changed = stack.sql().execute(&change, &[&fine["id"].as_i64()]);
        assert_eq!(changed.unwrap(), 1);
    };
    change(&second, "issued_at = issued_at - interval '59 minutes'");
    refused();
    change(&second, "issued_at = issued_at - interval '2 minutes'");
    let third = again().expect(201).json();
    refused();
    // The fine is cancelled, as by an appeal that is accepted.
    change(&third, "status = 'cancelled', next_step_at = NULL");
    again().expect(201);
}

#[test]
fn a_request_with_a_key_issues_one_fine() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let body = json!({ "plate": plate(), "amount": 20 });
    let issue = || {
        let request = zone.controller.post(&zone.path("/fines")).json(&body);
        request
            .header("idempotency-key", "a-fine")
            .send()
            .expect(201)
            .json()
    };
    assert_eq!(issue(), issue());
}

#[test]
fn a_covered_car_is_not_fined_without_a_reason_of_the_zones_admin() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let ticket = parked(&stack, &zone, &driver, &plate, 30);
    let body = json!({ "plate": plate, "amount": 20 });
    assert_eq!(
        zone.fine(&zone.controller, &body).problem(409)["code"],
        "covered"
    );
    let end = "UPDATE fines.ticket SET start_at = now() - interval '1 hour', end_at = now() - interval '2 minutes' WHERE id = $1";
    stack
        .sql()
        .execute(end, &[&ticket["id"].as_i64().unwrap()])
        .unwrap();
    assert_eq!(
        zone.fine(&zone.controller, &body).problem(409)["code"],
        "covered"
    );
    let reason = json!({ "plate": plate, "amount": 20, "override_reason": "On the pavement" });
    zone.fine(&zone.controller, &reason).problem(403);
    zone.fine(
        &zone.admin,
        &json!({ "plate": plate, "amount": 20, "override_reason": "  " }),
    )
    .problem(409);
    zone.fine(&zone.admin, &reason).expect(201);
}

#[test]
fn an_invalid_fine_is_refused() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    for body in [
        json!({ "plate": plate(), "amount": 0 }),
        json!({ "plate": plate(), "amount": -5 }),
        json!({ "plate": plate(), "amount": 0.001 }),
        json!({ "plate": plate(), "amount": 1_000_001 }),
        json!({ "plate": "?", "amount": 20 }),
        json!({ "amount": 20 }),
        json!({ "plate": plate(), "amount": 20, "latitude": 46 }),
        json!({ "plate": plate(), "amount": 20, "latitude": 91, "longitude": 0 }),
    ] {
        zone.fine(&zone.controller, &body).problem(400);
    }
}

#[test]
fn a_hidden_fine_is_kept_with_the_user_who_hid_it() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 5_000);
    let fine = zone.fined(&plate);
    let path = format!("/api/v1/fines/{}", fine["id"]);
    driver.delete(&path).send().problem(403);
    Zone::found(&stack).admin.delete(&path).send().problem(403);
    zone.controller.delete(&path).send().expect(204);
    zone.controller.get(&path).send().problem(404);
    zone.controller.delete(&path).send().problem(404);
    super::pay_fine(&driver, &fine).problem(404);
    let fines = driver
        .get("/api/v1/users/me/fines")
        .send()
        .expect(200)
        .json();
    assert_eq!(fines, json!([]));
    let kept = "SELECT count(*) FROM fines.fine WHERE id = $1 AND hidden_at IS NOT NULL AND hidden_by IS NOT NULL";
    let id = fine["id"].as_i64().unwrap();
    assert_eq!(
        stack
            .sql()
            .query_one(kept, &[&id])
            .unwrap()
            .get::<_, i64>(0),
        1
    );
}

#[test]
fn the_history_of_a_fine_is_only_added_to() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 5_000);
    let fine = zone.fined(&plate);
    super::pay_fine(&driver, &fine).expect(201);
    let path = format!("/api/v1/fines/{}/history", fine["id"]);
    let kinds = |user: &User| -> Vec<Value> {
        let lines = user.get(&path).send().expect(200).json();
        lines
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["kind"].clone())
            .collect()
    };
    assert_eq!(kinds(&driver), ["issued", "paid"]);
    assert_eq!(kinds(&zone.controller), ["issued", "paid"]);
    User::driver(&stack).get(&path).send().problem(403);
    for change in [
        "UPDATE fines.fine_event SET kind = 'hidden'",
        "DELETE FROM fines.fine_event",
        "TRUNCATE fines.fine_event",
    ] {
        assert!(stack.sql().batch_execute(change).is_err(), "{change}");
    }
}

#[test]
fn an_erased_driver_leaves_their_fines_behind() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    driver.delete("/auth/me").send().expect(204);
    let owned = "SELECT count(*) FROM fines.car WHERE plate = $1 AND owner IS NOT NULL";
    eventually("the car has no owner", SOON, || {
        stack
            .sql()
            .query_one(owned, &[&plate])
            .unwrap()
            .get::<_, i64>(0)
            == 0
    });
    zone.controller
        .get(&format!("/api/v1/fines/{}", fine["id"]))
        .send()
        .expect(200);
}
