//! Zones: their ground and their staff.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, at_once, unique};

use super::{Zone, ground, polygon, square, zone_body};

#[test]
fn a_zone_is_founded_shown_changed_and_removed() {
    let stack = Stack::shared();
    let admin = User::zone_admin(&stack);
    let body = zone_body();
    let made = admin.post("/api/v1/zones").json(&body).send().expect(201);
    let zone = made.json();
    let path = format!("/api/v1/zones/{}", zone["id"]);
    assert_eq!(made.header("location"), Some(path.as_str()));
    for member in ["name", "available", "metadata", "price_offset", "price_lin"] {
        assert_eq!(zone[member], body[member], "{member}");
    }
    assert_eq!(zone["price_exp"], json!(1.0));
    assert!(zone["created_at"].is_string() && zone["updated_at"].is_string());
    let geometry: Value = serde_json::from_str(zone["geometry"].as_str().unwrap()).unwrap();
    assert_eq!(geometry["type"], "MultiPolygon");
    assert_eq!(stack.get(&path).send().expect(200).json(), zone);
    let own = admin.get("/api/v1/zones/me").send().expect(200).json();
    assert_eq!(own, json!([zone]));

    let change = json!({ "available": false, "price_lin": 2.25 });
    let changed = admin.patch(&path).json(&change).send().expect(200).json();
    assert_eq!(
        (&changed["available"], &changed["price_lin"]),
        (&json!(false), &json!(2.25))
    );
    assert_eq!(changed["geometry"], zone["geometry"]);

    admin.delete(&path).send().expect(204);
    stack.get(&path).send().problem(404);
    admin.delete(&path).send().problem(404);
}

#[test]
fn a_zone_that_is_founded_again_with_its_key_is_one() {
    let stack = Stack::shared();
    let admin = User::zone_admin(&stack);
    let body = zone_body();
    let found = || {
        let request = admin.post("/api/v1/zones").json(&body);
        request
            .header("idempotency-key", "a-zone")
            .send()
            .expect(201)
    };
    let (first, again) = (found(), found());
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}

#[test]
fn zones_share_borders_and_no_ground() {
    let stack = Stack::shared();
    let admin = User::zone_admin(&stack);
    let (west, south) = ground();
    let found = |rings: &[Value]| {
        let mut body = zone_body();
        body["geometry"] = polygon(rings);
        admin.post("/api/v1/zones").json(&body).send()
    };
    let ring = [
        square(west, south, 0.125),
        square(west + 0.03125, south + 0.03125, 0.0625),
    ];
    let ring = found(&ring).expect(201).json();
    let hole = found(&[square(west + 0.03125, south + 0.03125, 0.0625)])
        .expect(201)
        .json();
    let beside = found(&[square(west + 0.125, south, 0.0625)])
        .expect(201)
        .json();
    for overlapping in [
        square(west, south, 0.125),
        square(west + 0.0625, south + 0.0625, 0.125),
        square(west - 0.01, south - 0.01, 0.02),
    ] {
        let refused = found(&[overlapping]).problem(400);
        assert_eq!(refused["code"], "zone-overlap");
    }
    let at = |lat: f64, lon: f64| {
        let found = stack
            .get(&format!("/api/v1/zones/location?lat={lat}&lon={lon}"))
            .send();
        (found.status() == 200).then(|| found.json()["id"].clone())
    };
    assert_eq!(at(south + 0.01, west + 0.01), Some(ring["id"].clone()));
    assert_eq!(at(south + 0.0625, west + 0.0625), Some(hole["id"].clone()));
    assert_eq!(at(south + 0.01, west + 0.15), Some(beside["id"].clone()));
    // On the border of two, the older one.
    assert_eq!(at(south + 0.01, west + 0.125), Some(ring["id"].clone()));
    assert_eq!(at(south + 0.01, west + 0.19), None);

    let path = format!("/api/v1/zones/{}", beside["id"]);
    let grown = json!({ "geometry": polygon(&[square(west + 0.11, south, 0.0625)]) });
    assert_eq!(
        admin.patch(&path).json(&grown).send().problem(400)["code"],
        "zone-overlap"
    );
    let moved = json!({ "geometry": polygon(&[square(west + 0.14, south, 0.02)]) });
    admin.patch(&path).json(&moved).send().expect(200);
    assert_eq!(at(south + 0.01, west + 0.15), Some(beside["id"].clone()));
    assert_eq!(at(south + 0.01, west + 0.13), None);
}

#[test]
fn one_of_many_concurrent_zones_on_the_same_ground_is_founded() {
    let stack = Stack::shared();
    let admin = User::zone_admin(&stack);
    let (west, south) = ground();
    let statuses = at_once(8, |number| {
        let shift = f64::from(u32::try_from(number).unwrap()) * 0.001;
        let mut body = zone_body();
        body["geometry"] = polygon(&[square(west + shift, south, 0.05)]);
        admin.post("/api/v1/zones").json(&body).send().status()
    });
    let founded = statuses.iter().filter(|it| **it == 201).count();
    assert_eq!(founded, 1, "{statuses:?}");
    assert!(
        statuses.iter().all(|it| [201, 400, 503].contains(it)),
        "{statuses:?}"
    );
}

#[test]
fn an_invalid_zone_is_refused() {
    let stack = Stack::shared();
    let admin = User::zone_admin(&stack);
    for (member, value) in [
        ("name", json!("")),
        ("geometry", json!("{}")),
        ("geometry", json!("POLYGON((0 0,1 0,1 1,0 0))")),
        (
            "geometry",
            polygon(&[json!([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]])]),
        ),
        ("geometry", polygon(&[square(175.0, 0.0, 10.0)])),
        ("price_lin", json!(-1)),
        ("price_exp", json!(11)),
        ("price_exp", json!("many")),
        ("rules", json!({ "pricing": { "timezone": "Moon/Base" } })),
        ("rules", json!({ "speed": 5 })),
        (
            "rules",
            json!({ "fines": { "discounts": [{ "days": 9, "percent": 101 }] } }),
        ),
    ] {
        let mut body = zone_body();
        body[member] = value.clone();
        let refused = admin.post("/api/v1/zones").json(&body).send().problem(400);
        assert!(refused["error"].is_string(), "{member} {value}");
    }
    let body = zone_body();
    admin.post("/api/v1/zones").json(&body).send().expect(201);
    let mut same_name = zone_body();
    same_name["name"] = json!(body["name"].as_str().unwrap().to_uppercase());
    let refused = admin
        .post("/api/v1/zones")
        .json(&same_name)
        .send()
        .problem(409);
    assert_eq!(refused["code"], "zone-exists");
    User::driver(&stack)
        .post("/api/v1/zones")
        .json(&zone_body())
        .send()
        .problem(403);
    stack
        .post("/api/v1/zones")
        .json(&zone_body())
        .send()
        .problem(401);
}

#[test]
fn only_a_platform_admin_chooses_the_payee_of_a_zone() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let payee = uuid::Uuid::new_v4();
    let mut body = zone_body();
    body["payee"] = json!(payee);
    let change = json!({ "payee": payee });
    let choose = |user: &User| {
        let founded = user.post("/api/v1/zones").json(&body).send();
        let changed = user.patch(&zone.path("")).json(&change).send();
        (founded, changed)
    };
    let (founded, changed) = choose(&zone.admin);
    founded.problem(403);
    changed.problem(403);
    let (founded, changed) = choose(&User::admin(&stack));
    founded.expect(201);
    changed.expect(200);
    let zones = "SELECT count(*) FROM fines.zone WHERE payee = $1";
    let zones: i64 = stack.sql().query_one(zones, &[&payee]).unwrap().get(0);
    assert_eq!(zones, 2);
}

#[test]
fn a_role_in_a_zone_is_given_and_taken_by_its_admins() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let users = zone.path("/users");
    let listed = zone.admin.get(&users).send().expect(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["username"], json!(zone.admin.login));
    assert_eq!(
        (&listed[1]["role"], &listed[1]["assigned_by"]),
        (&json!("controller"), &json!(zone.admin.login))
    );

    let again = json!({ "username": zone.controller.login, "role": "controller" });
    zone.admin.post(&users).json(&again).send().problem(409);
    let unknown = json!({ "username": unique("unknown"), "role": "controller" });
    zone.admin.post(&users).json(&unknown).send().problem(404);
    let wrong = json!({ "username": zone.controller.login, "role": "owner" });
    zone.admin.post(&users).json(&wrong).send().problem(400);
    zone.controller
        .post(&users)
        .json(&again)
        .send()
        .problem(403);
    zone.controller.get(&users).send().problem(403);
    User::zone_admin(&stack).get(&users).send().problem(403);
    User::admin(&stack).get(&users).send().expect(200);

    // The request takes the role from the named user, not from its caller.
    let held = format!("{users}/{}", zone.controller.login);
    zone.controller.delete(&held).send().problem(403);
    zone.admin.delete(&held).send().expect(204);
    zone.admin.delete(&held).send().problem(404);
    zone.admin.get(&users).send().expect(200);
    zone.fine(
        &zone.controller,
        &json!({ "plate": "AA123BB", "amount": 20 }),
    )
    .problem(403);
}

fn passcode(user: &User) -> String {
    let issued = user.get("/api/v1/otp").send().expect(200).json();
    issued["otp"].as_str().unwrap().to_owned()
}

#[test]
fn a_kiosk_is_registered_with_a_passcode_that_is_used_up() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let otp = passcode(&zone.admin);
    let zones = stack
        .get(&format!("/api/v1/zones/me/{otp}"))
        .send()
        .expect(200)
        .json();
    assert_eq!(zones[0]["id"], json!(zone.id));

    let id = unique("kiosk");
    let body = |id: &str, zone: i64, otp: &str| json!({ "id": id, "zone_id": zone, "latitude": 46.07, "longitude": 11.12, "otp": otp });
    let register = |body: &Value| stack.post("/api/v1/totems").json(body).send();
    register(&body(&id, 999_999_999, &otp)).problem(404);
    let totem = register(&body(&id, zone.id, &otp)).expect(200).json();
    assert_eq!(
        (&totem["id"], &totem["zone_id"]),
        (&json!(id), &json!(zone.id))
    );
    register(&body(&id, zone.id, &otp)).problem(409);
    register(&body(&unique("kiosk"), zone.id, &otp)).problem(401);
    // A passcode of a zone admin who does not run this zone.
    let stranger = passcode(&User::zone_admin(&stack));
    register(&body(&unique("kiosk"), zone.id, &stranger)).problem(403);

    let path = format!("/api/v1/totems/{id}");
    assert_eq!(stack.get(&path).send().expect(200).json(), totem);
    zone.controller.delete(&path).send().problem(403);
    zone.admin.delete(&path).send().expect(204);
    stack.get(&path).send().problem(404);
    // A zone that is removed takes its kiosks with it, so that they can stand in another one.
    register(&body(&id, zone.id, &passcode(&zone.admin))).expect(200);
    zone.admin.delete(&zone.path("")).send().expect(204);
    stack.get(&path).send().problem(404);
    let other = Zone::found(&stack);
    register(&body(&id, other.id, &passcode(&other.admin))).expect(200);
}
