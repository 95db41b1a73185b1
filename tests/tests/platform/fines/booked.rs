//! Cars with a booking in a zone: a booked place of the zone covers them as a ticket does.

use serde_json::{Value, json};
use wharf_tests::{Stack, User};

use super::cases::document;
use super::{Zone, driver, from_now, plate};

/// A place in the middle of a zone, or one without coordinates.
fn place(stack: &Stack, zone: Option<&Zone>) -> i64 {
    let mut body = json!({
        "name": "Garage", "city": "Porto", "address": "Rua das Flores 1", "parking_type": "covered",
        "hourly_rate": 60, "capacity": 5,
    });
    if let Some(zone) = zone {
        let shown = stack.get(&zone.path("")).send().expect(200).json();
        let shape: Value = serde_json::from_str(shown["geometry"].as_str().unwrap()).unwrap();
        let corner = &shape["coordinates"][0][0][0];
        body["longitude"] = json!(corner[0].as_f64().unwrap() + 0.05);
        body["latitude"] = json!(corner[1].as_f64().unwrap() + 0.05);
    }
    let made = User::owner(stack).post("/parking").json(&body).send();
    made.expect(200).json()["id"].as_i64().unwrap()
}

/// Books the hour that began a minute ago.
fn book(stack: &Stack, driver: &User, place: i64, plate: Option<&str>) -> Value {
    let mut wish = json!({
        "parking_place_id": place, "date_from": from_now(stack, -1), "date_to": from_now(stack, 59),
    });
    if let Some(plate) = plate {
        wish["plate"] = json!(plate);
    }
    let booked = driver.post("/booking").json(&wish).send();
    booked.expect(200).json()
}

/// Moves the booking, so that it ended so many minutes ago.
fn end(stack: &Stack, booking: &Value, minutes: i32) {
    let id = booking["booking_id"].as_i64().unwrap();
    let end = "WITH moved AS (SELECT now() - make_interval(mins => $2) - date_to AS by FROM bookings.booking WHERE id = $1)
        UPDATE bookings.booking SET date_from = date_from + by, date_to = date_to + by, held_to = date_to + by
        FROM moved WHERE id = $1";
    stack.sql().execute(end, &[&id, &minutes]).unwrap();
}

#[test]
fn a_booking_shows_the_plate_that_its_driver_gave() {
    let stack = Stack::shared();
    let (driver, plate) = driver(&stack, 1_000);
    let place = place(&stack, None);
    let written = format!("{} {}", &plate[..3], &plate[3..]);
    let booked = book(&stack, &driver, place, Some(&written.to_lowercase()));
    assert_eq!(booked["plate"], json!(written));
    let path = format!("/booking/{}", booked["booking_id"]);
    let shown = driver.get(&path).send().expect(200).json();
    assert_eq!(shown["plate"], json!(written));
    let without = book(&stack, &driver, place, None);
    assert!(without.get("plate").is_none(), "{without}");
    let wrong = json!({
        "parking_place_id": place, "date_from": from_now(&stack, -1), "date_to": from_now(&stack, 59),
        "plate": "AA/1",
    });
    driver.post("/booking").json(&wrong).send().problem(422);
}

#[test]
fn a_car_on_a_booked_place_of_the_zone_is_covered_and_not_fined() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let place = place(&stack, Some(&zone));
    assert_eq!(zone.check(&plate)["result"], "none");
    let booked = book(&stack, &driver, place, Some(&plate));
    let path = format!("/booking/{}", booked["booking_id"]);
    let until = driver.get(&path).send().expect(200).json()["date_to"].clone();
    let seen = zone.check(&plate);
    assert_eq!(
        (&seen["result"], &seen["ticket_id"], &seen["valid_until"]),
        (&json!("valid"), &Value::Null, &until)
    );
    assert_eq!(
        (&seen["booking"]["booking_id"], &seen["booking"]["in_zone"]),
        (&booked["booking_id"], &json!(true))
    );
    let fined = |zone: &Zone| {
        let body = json!({ "plate": plate, "amount": 20 });
        zone.fine(&zone.controller, &body)
    };
    assert_eq!(fined(&zone).problem(409)["code"], "covered");
    let offline = zone.controller.get(&zone.path("/offline")).send();
    let list = document(&offline.expect(200).json());
    assert_eq!(list["plates"], json!([{ "plate": plate, "until": until }]));
    // The place of the booking is not in the other zone.
    let other = Zone::found(&stack);
    let elsewhere = other.check(&plate);
    assert_eq!(elsewhere["result"], "none");
    assert!(elsewhere.get("booking").is_none(), "{elsewhere}");
    fined(&other).expect(201);
    for (minutes, result) in [(3, "grace"), (6, "expired"), (31, "none")] {
        end(&stack, &booked, minutes);
        assert_eq!(zone.check(&plate)["result"], result, "{minutes}");
    }
    fined(&zone).expect(201);
}

#[test]
fn a_canceled_booking_covers_nothing() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let booked = book(&stack, &driver, place(&stack, Some(&zone)), Some(&plate));
    assert_eq!(zone.check(&plate)["result"], "valid");
    let path = format!("/booking/{}", booked["booking_id"]);
    driver.delete(&path).send().expect(200);
    let seen = zone.check(&plate);
    assert_eq!(
        (&seen["result"], seen.get("booking")),
        (&json!("none"), None)
    );
}

#[test]
fn a_booking_without_coordinates_is_shown_and_covers_nothing() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let booked = book(&stack, &driver, place(&stack, None), Some(&plate));
    let seen = zone.check(&plate);
    assert_eq!(
        (&seen["result"], &seen["booking"]["in_zone"]),
        (&json!("none"), &json!(false))
    );
    let fine = zone.fined(&plate);
    let file = driver.get(&format!("/api/v1/fines/{}/case", fine["id"]));
    let case = document(&file.send().expect(200).json());
    assert_eq!(case["check"]["booking"]["booking_id"], booked["booking_id"]);
}

#[test]
fn a_ticket_and_a_booking_cover_a_car_as_long_as_one_of_them_lasts() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    book(&stack, &driver, place(&stack, Some(&zone)), Some(&plate));
    let ticket = super::parked(&stack, &zone, &driver, &plate, 30);
    // A valid ticket suffices: bookings is not asked.
    let seen = zone.check(&plate);
    assert_eq!(seen["ticket_id"], ticket["id"]);
    let over = "UPDATE fines.ticket SET start_at = now() - interval '2 hours', end_at = now() - interval '3 minutes' WHERE id = $1";
    let id = ticket["id"].as_i64().unwrap();
    stack.sql().execute(over, &[&id]).unwrap();
    let seen = zone.check(&plate);
    assert_eq!(
        (
            &seen["result"],
            &seen["ticket_id"],
            &seen["booking"]["in_zone"]
        ),
        (&json!("valid"), &Value::Null, &json!(true))
    );
}

#[test]
fn internal_routes_of_bookings_are_not_public() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    for path in [
        format!("/covers/{}", plate()),
        format!("/booking/covers/{}", plate()),
        "/covers?west=0&south=0&east=1&north=1".to_owned(),
    ] {
        let status = admin.get(&path).send().status();
        assert!([404, 422].contains(&status), "{path}: {status}");
    }
}
