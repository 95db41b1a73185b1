//! Tickets of several cars: all plates are covered, paid, extended and ended together.

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User, eventually};

use super::{SOON, Zone, driver, from_now, moved, pay, plate, register};
use crate::bookings::{balance, endow};

fn buy(zone: &Zone, user: &User, plates: &[String], start: &str, minutes: i64) -> Answer {
    let body = json!({
        "plate": plates[0], "other_plates": plates[1..], "start_date": start, "duration": minutes,
    });
    user.post(&zone.path("/tickets")).json(&body).send()
}

/// A driver with three cars and so many cents.
fn fleet(stack: &Stack, cents: i64) -> (User, Vec<String>) {
    let (driver, first) = driver(stack, cents);
    let others = [plate(), plate()];
    others.iter().for_each(|it| register(&driver, it));
    (driver, [vec![first], others.to_vec()].concat())
}

#[test]
fn a_ticket_of_several_plates_is_one_purchase_and_covers_each() {
    let stack = Stack::shared();
    let capacity = json!({ "rules": { "control": { "capacity": 5 } } });
    let zone = Zone::found_with(&stack, &capacity);
    let (driver, plates) = fleet(&stack, 10_000);
    let start = from_now(&stack, 0);
    let quote = json!({
        "plate": plates[0], "other_plates": plates[1..], "start_date": start, "duration": 60,
    });
    let quoted = stack.post(&zone.path("/tickets/quote")).json(&quote).send();
    assert_eq!(quoted.expect(200).json()["price"], json!(5.1));
    let ticket = buy(&zone, &driver, &plates, &start, 60).expect(201).json();
    assert_eq!(
        (&ticket["plate"], &ticket["other_plates"], &ticket["price"]),
        (&json!(plates[0]), &json!(plates[1..]), &json!(5.1))
    );
    for plate in &plates {
        assert_eq!(zone.check(plate)["result"], "none");
    }
    pay(&driver, &ticket).expect(201);
    assert_eq!(balance(&driver), 10_000 - 510);
    assert_eq!(moved(&stack, "ticket", &ticket["id"]), 510);
    for plate in &plates {
        let seen = zone.check(plate);
        assert_eq!(
            (&seen["result"], &seen["ticket_id"]),
            (&json!("valid"), &ticket["id"])
        );
        let refused = zone.fine(&zone.controller, &json!({ "plate": plate, "amount": 20 }));
        assert_eq!(refused.problem(409)["code"], "covered");
    }
    let full = stack.get(&zone.path("/occupancy")).send().expect(200);
    assert_eq!(full.json()["occupied"], json!(3));
    let cars = driver.get("/api/v1/users/me/cars?currently_parked=true");
    assert_eq!(cars.send().expect(200).json().as_array().unwrap().len(), 3);
    let offline = zone.controller.get(&zone.path("/offline")).send();
    let list = super::cases::document(&offline.expect(200).json());
    assert_eq!(list["plates"].as_array().unwrap().len(), 3);
    // It is one ticket in every list.
    for tickets in ["/api/v1/users/me/tickets".to_owned(), zone.path("/tickets")] {
        let asked = if tickets.contains("zones") {
            &zone.controller
        } else {
            &driver
        };
        let listed = asked.get(&tickets).send().expect(200).json();
        assert_eq!(listed.as_array().unwrap().len(), 1);
        assert_eq!(listed[0]["other_plates"], json!(plates[1..]));
    }
}

#[test]
fn a_ticket_of_one_plate_keeps_its_old_form() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let ticket = zone.ticket(&driver, &plate, &from_now(&stack, 1), 60);
    let ticket = ticket.expect(201).json();
    assert!(ticket.get("other_plates").is_none(), "{ticket}");
}

#[test]
fn a_ticket_of_several_plates_is_extended_and_ended_as_a_whole() {
    let stack = Stack::shared();
    let formula = json!({
        "price_exp": 2, "price_lin": 1, "price_offset": 0.25,
        "rules": { "control": { "refund_early_end": true } },
    });
    let zone = Zone::found_with(&stack, &formula);
    let (driver, plates) = fleet(&stack, 10_000);
    let first = buy(&zone, &driver, &plates, &from_now(&stack, 60), 60);
    let first = first.expect(201).json();
    assert_eq!(first["price"], json!(3.75));
    pay(&driver, &first).expect(201);
    let end = first["end_date"].as_str().unwrap();
    // The same plates in another order are the same cars.
    let reversed: Vec<_> = plates.iter().rev().cloned().collect();
    let second = buy(&zone, &driver, &reversed, end, 60).expect(201).json();
    // 2² - 1² for each, without the offset.
    assert_eq!(
        (&second["price"], &second["extends"]),
        (&json!(9), &first["id"])
    );
    // A ticket for fewer or more cars is a new stay.
    let more = [plates.clone(), vec![plate()]].concat();
    register(&driver, &more[3]);
    for (some, price) in [(&plates[..2], 2.5), (&plates[..1], 1.25), (&more[..], 5.0)] {
        let apart = buy(&zone, &driver, some, end, 60).expect(201).json();
        assert_eq!(
            (&apart["extends"], apart["price"].as_f64()),
            (&Value::Null, Some(price))
        );
    }
    pay(&driver, &second).expect(201);
    assert_eq!(balance(&driver), 10_000 - 375 - 900);
    let path = format!("/api/v1/tickets/{}/end", second["id"]);
    let ended = driver.post(&path).send().expect(200).json();
    assert_eq!(ended["price"], json!(0));
    eventually("the difference of all is back", SOON, || {
        balance(&driver) == 10_000 - 375
    });
}

#[test]
fn only_the_buyer_ends_a_ticket_of_several_drivers_cars() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (buyer, own) = driver(&stack, 10_000);
    let (friend, friends) = driver(&stack, 0);
    let plates = [own, friends];
    let unpaid = buy(&zone, &buyer, &plates, &from_now(&stack, 1), 60);
    let path = format!("/api/v1/tickets/{}", unpaid.expect(201).json()["id"]);
    // The friend sees it, and cannot take the cover from the other car.
    friend.get(&path).send().expect(200);
    friend.delete(&path).send().problem(403);
    User::driver(&stack).get(&path).send().problem(403);
    buyer.delete(&path).send().expect(204);

    let paid = buy(&zone, &buyer, &plates, &from_now(&stack, 0), 9);
    let paid = paid.expect(201).json();
    pay(&buyer, &paid).expect(201);
    let end = format!("/api/v1/tickets/{}/end", paid["id"]);
    friend.post(&end).send().problem(403);
    let both = format!("{}, {}", plates[0], plates[1]);
    let told = || -> Vec<String> {
        // The event's payload is deleted once the event is carried out, but the inbox keeps its parameters.
        let notices = "SELECT params ->> 'plate' FROM notify.inbox
            JOIN events.entry ON entry.id = inbox.event
            WHERE aggregate = $1 AND template = 'parking_ending'";
        let aggregate = format!("ticket:{}", paid["id"]);
        let rows = stack.sql().query(notices, &[&aggregate]).unwrap();
        rows.iter().map(|it| it.get(0)).collect()
    };
    eventually("buyer and owner are told", SOON, || {
        let told = told();
        told.len() == 2 && told.contains(&both) && told.contains(&plates[1])
    });
    buyer.post(&end).send().expect(200);
}

#[test]
fn a_ticket_names_known_cars_once_each() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plates) = fleet(&stack, 0);
    let start = from_now(&stack, 1);
    let twice = [plates.clone(), vec![plates[1].to_lowercase()]].concat();
    let unknown = [plates[0].clone(), plate()];
    let many: Vec<_> = (0..21).map(|it| format!("{}{it}", plates[0])).collect();
    for (plates, status) in [(&twice[..], 400), (&unknown[..], 404), (&many[..], 400)] {
        buy(&zone, &driver, plates, &start, 60).problem(status);
    }
    endow(&stack, &driver, 1_000);
    // A request that is sent twice makes one ticket.
    let body = json!({
        "plate": plates[0], "other_plates": plates[1..], "start_date": start, "duration": 60,
    });
    let bought = || {
        let request = driver.post(&zone.path("/tickets")).json(&body);
        let request = request.header("idempotency-key", "a-fleet");
        request.send().expect(201).json()["id"].clone()
    };
    assert_eq!(bought(), bought());
}
