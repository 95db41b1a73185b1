//! Role by route: every operation of zones, tickets and fines is asked by every kind of caller.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wharf_tests::{Request, Stack, User, unique};

use super::{Zone, driver, parked, plate};

/// Who asks.
const CALLERS: [&str; 7] = [
    "anonymous",
    "stranger",
    "driver",
    "controller",
    "zone admin",
    "admin of another zone",
    "admin",
];

/// What the callers are answered, in their order.
type Row = (&'static str, &'static str, [u16; 7]);

/// Of operations that change nothing for the others, so that one stack answers them all.
const MATRIX: [Row; 29] = [
    ("GET", "/zones", [200, 200, 200, 200, 200, 200, 200]),
    ("GET", "/zones/{zone}", [200, 200, 200, 200, 200, 200, 200]),
    (
        "GET",
        "/zones/{zone}/occupancy",
        [200, 200, 200, 200, 200, 200, 200],
    ),
    ("GET", "/zones/me", [401, 200, 200, 200, 200, 200, 200]),
    (
        "PATCH",
        "/zones/{zone}",
        [401, 403, 403, 403, 200, 403, 200],
    ),
    (
        "GET",
        "/zones/{zone}/users",
        [401, 403, 403, 403, 200, 403, 200],
    ),
    (
        "POST",
        "/zones/{zone}/users",
        [401, 403, 403, 403, 409, 403, 409],
    ),
    (
        "DELETE",
        "/zones/{zone}/users/unknown",
        [401, 403, 403, 403, 404, 403, 404],
    ),
    (
        "GET",
        "/zones/{zone}/tickets",
        [401, 403, 403, 200, 200, 403, 200],
    ),
    (
        "GET",
        "/zones/{zone}/fines",
        [401, 403, 403, 200, 200, 403, 200],
    ),
    (
        "POST",
        "/zones/{zone}/fines",
        [401, 403, 403, 201, 201, 403, 201],
    ),
    (
        "GET",
        "/zones/{zone}/checks",
        [401, 403, 403, 200, 200, 403, 200],
    ),
    (
        "POST",
        "/zones/{zone}/checks",
        [401, 403, 403, 201, 201, 403, 201],
    ),
    (
        "GET",
        "/zones/{zone}/appeals",
        [401, 403, 403, 200, 200, 403, 200],
    ),
    ("GET", "/tickets", [401, 403, 403, 403, 403, 403, 200]),
    (
        "GET",
        "/tickets/{ticket}",
        [401, 403, 200, 200, 200, 403, 200],
    ),
    (
        "DELETE",
        "/tickets/{ticket}",
        [401, 403, 409, 403, 403, 403, 403],
    ),
    (
        "POST",
        "/tickets/{ticket}/pay",
        [401, 409, 409, 409, 409, 409, 409],
    ),
    ("GET", "/fines", [401, 403, 403, 403, 403, 403, 200]),
    ("GET", "/fines/{fine}", [401, 403, 200, 200, 200, 403, 200]),
    (
        "GET",
        "/fines/{fine}/history",
        [401, 403, 200, 200, 200, 403, 200],
    ),
    (
        "GET",
        "/fines/{fine}/appeal",
        [401, 404, 200, 200, 200, 404, 200],
    ),
    (
        "POST",
        "/fines/{fine}/appeal",
        [401, 403, 409, 403, 403, 403, 403],
    ),
    ("GET", "/cars", [401, 403, 403, 403, 403, 403, 200]),
    ("GET", "/users/me/cars", [401, 200, 200, 200, 200, 200, 200]),
    (
        "GET",
        "/users/me/tickets",
        [401, 200, 200, 200, 200, 200, 200],
    ),
    (
        "GET",
        "/users/me/fines",
        [401, 200, 200, 200, 200, 200, 200],
    ),
    ("GET", "/violations", [401, 200, 200, 200, 200, 200, 200]),
    (
        "PUT",
        "/violations/{code}",
        [401, 403, 403, 403, 403, 403, 200],
    ),
];

/// Last, by those who may not: nothing goes.
const REFUSED: [(&str, &str, [u16; 6]); 4] = [
    ("DELETE", "/fines/{fine}", [401, 403, 403, 0, 0, 403]),
    ("DELETE", "/zones/{zone}", [401, 403, 403, 403, 0, 403]),
    ("DELETE", "/fines", [401, 403, 403, 403, 403, 403]),
    ("DELETE", "/cars", [401, 403, 403, 403, 403, 403]),
];

fn body(method: &str, path: &str, zone: &Zone) -> Option<Value> {
    Some(match (method, path) {
        ("PATCH", _) => json!({ "available": true }),
        ("POST", "/zones/{zone}/users") => {
            json!({ "username": zone.controller.login, "role": "controller" })
        }
        ("POST", "/zones/{zone}/fines") => json!({ "plate": plate(), "amount": 20 }),
        ("POST", "/zones/{zone}/checks") => json!({ "plate": plate() }),
        ("POST", "/fines/{fine}/appeal") => json!({ "text": "No." }),
        ("PUT", _) => json!({ "title": "No ticket", "amount": 30, "currency": "USD" }),
        _ => return None,
    })
}

#[test]
fn every_caller_is_answered_as_their_role_allows() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let ticket = parked(&stack, &zone, &driver, &plate, 30);
    let (_, other) = super::driver(&stack, 0);
    let add = json!({ "plate": other });
    driver
        .post("/api/v1/users/me/cars")
        .json(&add)
        .send()
        .problem(409);
    let second = super::plate();
    super::register(&driver, &second);
    let fine = zone.fined(&second);
    let appeal = json!({ "text": "The machine was broken." });
    let path = format!("/api/v1/fines/{}/appeal", fine["id"]);
    driver.post(&path).json(&appeal).send().expect(201);
    let users: BTreeMap<&str, User> = [
        ("stranger", User::driver(&stack)),
        ("driver", driver),
        ("controller", zone.controller.clone()),
        ("zone admin", zone.admin.clone()),
        ("admin of another zone", Zone::found(&stack).admin),
        ("admin", User::admin(&stack)),
    ]
    .into();
    let code = unique("C").to_uppercase();
    let request = |caller: &str, method: &str, path: &str| -> Request {
        let filled = path
            .replace("{zone}", &zone.id.to_string())
            .replace("{ticket}", &ticket["id"].to_string())
            .replace("{fine}", &fine["id"].to_string())
            .replace("{code}", &code[..code.len().min(30)]);
        let filled = format!("/api/v1{filled}");
        let request = match users.get(caller) {
            Some(user) => user.request(method, &filled),
            None => stack.request(method, &filled),
        };
        match body(method, path, &zone) {
            Some(body) => request.json(&body),
            None => request,
        }
    };
    let mut faults = Vec::new();
    let refused = REFUSED
        .iter()
        .map(|(method, path, statuses)| (*method, *path, statuses.to_vec()));
    let rows = MATRIX
        .iter()
        .map(|(method, path, statuses)| (*method, *path, statuses.to_vec()));
    for (method, path, statuses) in rows.chain(refused) {
        for (caller, expected) in CALLERS.iter().zip(statuses) {
            if expected == 0 {
                continue;
            }
            let status = request(caller, method, path).send().status();
            if status != expected {
                faults.push(format!(
                    "{method} {path} by {caller}: {status}, not {expected}"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
