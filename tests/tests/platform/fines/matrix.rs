//! Role by route: every kind of caller requests every operation of zones, tickets and fines.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use wharf_tests::described::OPERATIONS;
use wharf_tests::{Request, Stack, User, unique};

use super::{Zone, driver, from_now, parked, pay_fine, plate};

/// The callers, in the order of the columns.
const CALLERS: [&str; 7] = [
    "anonymous",
    "stranger",
    "driver",
    "controller",
    "zone admin",
    "admin of another zone",
    "admin",
];

/// Each operation, and the status that each caller gets: anonymous, stranger, driver, controller, admin of the zone,
/// admin of another zone, admin. `-` means that the caller is not tried, because its request would change what the
/// others find.
const MATRIX: &str = "
    GET    /zones                                   200 200 200 200 200 200 200
    POST   /zones                                   401 403 403 403 400 400 400
    GET    /zones/location?lat=89&lon=0             404 404 404 404 404 404 404
    GET    /zones/me                                401 200 200 200 200 200 200
    GET    /zones/me/{otp}                          404 404 404 404 404 404 404
    GET    /zones/{zone}                            200 200 200 200 200 200 200
    PATCH  /zones/{zone}                            401 403 403 403 200 403 200
    GET    /zones/{zone}/occupancy                  200 200 200 200 200 200 200
    GET    /zones/{zone}/offline                    401 403 403 200 200 403 200
    GET    /zones/{zone}/users                      401 403 403 403 200 403 200
    POST   /zones/{zone}/users                      401 403 403 403 409 403 409
    DELETE /zones/{zone}/users/unknown              401 403 403 403 404 403 404
    GET    /zones/{zone}/checks                     401 403 403 200 200 403 200
    POST   /zones/{zone}/checks                     401 403 403 201 201 403 201
    GET    /zones/{zone}/tickets                    401 403 403 200 200 403 200
    POST   /zones/{zone}/tickets                    401 404 404 404 404 404 404
    POST   /zones/{zone}/tickets/quote              200 200 200 200 200 200 200
    GET    /zones/{zone}/fines                      401 403 403 200 200 403 200
    POST   /zones/{zone}/fines                      401 403 403 201 201 403 201
    GET    /zones/{zone}/appeals                    401 403 403 200 200 403 200
    GET    /totems                                  200 200 200 200 200 200 200
    POST   /totems                                  401 401 401 401 401 401 401
    GET    /totems/{totem}                          200 200 200 200 200 200 200
    DELETE /totems/{totem}                          401 403 403 403 -   403 -
    GET    /cars                                    401 403 403 403 403 403 200
    GET    /users/me/cars                           401 200 200 200 200 200 200
    POST   /users/me/cars                           401 400 400 400 400 400 400
    PATCH  /users/me/cars/NOSUCH1                   401 404 404 404 404 404 404
    DELETE /users/me/cars/NOSUCH1                   401 404 404 404 404 404 404
    GET    /users/me/tickets                        401 200 200 200 200 200 200
    GET    /users/me/fines                          401 200 200 200 200 200 200
    GET    /tickets                                 401 403 403 403 403 403 200
    GET    /tickets/{ticket}                        401 403 200 200 200 403 200
    DELETE /tickets/{ticket}                        401 403 409 403 403 403 403
    POST   /tickets/{ticket}/pay                    401 409 409 409 409 409 409
    POST   /tickets/{ticket}/end                    401 403 -   403 403 403 403
    GET    /violations                              401 200 200 200 200 200 200
    PUT    /violations/{code}                       401 403 403 403 403 403 200
    DELETE /violations/{code}                       401 403 403 403 403 403 204
    GET    /statistics                              401 403 403 403 403 403 200
    POST   /fines/tick                              401 401 401 401 401 401 401
    GET    /fines/keys                              200 200 200 200 200 200 200
    GET    /fines                                   401 403 403 403 403 403 200
    GET    /fines/{fine}                            401 403 200 200 200 403 200
    GET    /fines/{fine}/history                    401 403 200 200 200 403 200
    GET    /fines/{fine}/case                       401 403 200 200 200 403 200
    GET    /fines/{fine}/plan                       401 403 409 409 409 403 409
    POST   /fines/{fine}/plan                       401 403 409 403 403 403 403
    POST   /fines/{fine}/plan/1/pay                 401 404 404 404 404 404 404
    POST   /fines/{paid}/pay                        401 409 409 409 409 409 409
    GET    /fines/references/{reference}            200 200 200 200 200 200 200
    GET    /fines/references/{reference}/pay        303 303 303 303 303 303 303
    POST   /fines/references/{reference}/pay        200 200 200 200 200 200 200
    GET    /fines/references/{reference}/qr.svg     200 200 200 200 200 200 200
    GET    /fines/references/{reference}/plan       409 409 409 409 409 409 409
    POST   /fines/references/{reference}/plan       409 409 409 409 409 409 409
    POST   /fines/references/{reference}/plan/1/pay 404 404 404 404 404 404 404
    GET    /fines/{fine}/photos                     401 403 200 200 200 403 200
    POST   /fines/{fine}/photos                     401 403 201 201 201 403 201
    POST   /fines/{fine}/photos/{photo}             401 404 404 404 404 404 404
    GET    /fines/{fine}/appeal                     401 404 200 200 200 404 200
    POST   /fines/{fine}/appeal                     401 403 409 403 403 403 403
    POST   /fines/{fine}/appeal/messages            401 404 200 200 200 404 200
    POST   /fines/{fine}/appeal/decision            401 404 403 403 -   404 -
    DELETE /fines/{fine}/appeal                     401 404 -   403 403 404 403
    DELETE /fines/{fine}                            401 403 403 -   -   403 -
    DELETE /zones/{zone}                            401 403 403 403 -   403 -
    DELETE /fines                                   401 403 403 403 403 403 -
    DELETE /cars                                    401 403 403 403 403 403 -
";

struct Row {
    method: &'static str,
    path: &'static str,
    statuses: Vec<Option<u16>>,
}

fn rows() -> Vec<Row> {
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        Some(Row {
            method: words.next()?,
            path: words.next()?,
            statuses: words.map(|it| it.parse().ok()).collect(),
        })
    };
    MATRIX.lines().filter_map(row).collect()
}

/// The operations of the function in the API description.
fn described() -> BTreeSet<(String, String)> {
    let is_ours = |path: &str| {
        let Some(rest) = path.strip_prefix("/api/v1/") else {
            return false;
        };
        let first = rest.split('/').next().unwrap_or_default();
        [
            "zones",
            "totems",
            "cars",
            "tickets",
            "fines",
            "violations",
            "statistics",
        ]
        .contains(&first)
            || ["cars", "tickets", "fines"]
                .iter()
                .any(|it| rest.starts_with(&format!("users/me/{it}")))
    };
    OPERATIONS
        .iter()
        .filter(|it| is_ours(it.path))
        .map(|it| (it.method.to_owned(), it.path.to_owned()))
        .collect()
}

/// Whether a path of the matrix is one of this template.
fn is_like(path: &str, template: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let path: Vec<_> = path.split('/').collect();
    let template: Vec<_> = template.trim_start_matches("/api/v1").split('/').collect();
    path.len() == template.len()
        && path.iter().zip(&template).all(|(it, like)| {
            if like.starts_with('{') {
                it.starts_with('{') || ["unknown", "NOSUCH1", "1"].contains(it)
            } else {
                it == like
            }
        })
}

#[test]
fn the_matrix_has_every_operation_of_the_description() {
    let rows = rows();
    assert!(rows.iter().all(|it| it.statuses.len() == CALLERS.len()));
    let missing: Vec<_> = described()
        .into_iter()
        .filter(|(method, path)| {
            !rows
                .iter()
                .any(|it| it.method == method && is_like(it.path, path))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(described().len(), rows.len());
}

fn body(stack: &Stack, method: &str, path: &str, zone: &Zone) -> Option<Value> {
    Some(match (method, path) {
        ("PATCH", "/zones/{zone}") => json!({ "available": true }),
        ("PATCH", _) => json!({ "plate": "NOSUCH1" }),
        ("POST", "/zones") => json!({
            "name": unique("Zone"), "available": true, "geometry": "{}", "price_offset": 0, "price_lin": 1, "price_exp": 1,
        }),
        ("POST", "/zones/{zone}/users") => {
            json!({ "username": zone.controller.login, "role": "controller" })
        }
        ("POST", "/zones/{zone}/tickets" | "/zones/{zone}/tickets/quote") => {
            json!({ "plate": plate(), "start_date": from_now(stack, 0), "duration": 30 })
        }
        ("POST", "/zones/{zone}/fines") => json!({ "plate": plate(), "amount": 20 }),
        ("POST", "/zones/{zone}/checks") => json!({ "plate": plate() }),
        ("POST", "/totems") => json!({
            "id": "kiosk", "zone_id": zone.id, "latitude": 0, "longitude": 0, "otp": "none",
        }),
        ("POST", "/users/me/cars") => json!({ "plate": "?" }),
        ("POST", "/fines/{fine}/plan" | "/fines/references/{reference}/plan") => {
            json!({ "parts": 2 })
        }
        ("POST", "/fines/{fine}/photos") => json!({ "size": 1000, "media_type": "image/jpeg" }),
        ("POST", "/fines/{fine}/appeal" | "/fines/{fine}/appeal/messages") => {
            json!({ "text": "No." })
        }
        ("POST", "/fines/{fine}/appeal/decision") => json!({ "accept": false, "reason": "No." }),
        ("PUT", _) => json!({ "title": "No ticket", "amount": 30, "currency": "USD" }),
        _ => return None,
    })
}

#[test]
fn every_caller_is_answered_as_their_role_allows() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 5_000);
    let ticket = parked(&stack, &zone, &driver, &plate, 30);
    let fined = || {
        let plate = super::plate();
        super::register(&driver, &plate);
        zone.fined(&plate)
    };
    let (fine, paid) = (fined(), fined());
    pay_fine(&driver, &paid).expect(201);
    let appeal = json!({ "text": "The machine was broken." });
    let path = format!("/api/v1/fines/{}/appeal", fine["id"]);
    driver.post(&path).json(&appeal).send().expect(201);
    let totem = unique("kiosk");
    let kiosk = "INSERT INTO fines.totem (id, zone_id, latitude, longitude, registered_by) VALUES ($1, $2, 0, 0, gen_random_uuid())";
    stack.sql().execute(kiosk, &[&totem, &zone.id]).unwrap();
    let users: BTreeMap<&str, User> = [
        ("stranger", User::driver(&stack)),
        ("driver", driver.clone()),
        ("controller", zone.controller.clone()),
        ("zone admin", zone.admin.clone()),
        ("admin of another zone", Zone::found(&stack).admin),
        ("admin", User::admin(&stack)),
    ]
    .into();
    let code = unique("C").to_uppercase();
    let photo = uuid::Uuid::new_v4().to_string();
    let request = |caller: &str, method: &str, path: &str| -> Request {
        let filled = [
            ("{zone}", zone.id.to_string()),
            ("{ticket}", ticket["id"].to_string()),
            ("{fine}", fine["id"].to_string()),
            ("{paid}", paid["id"].to_string()),
            (
                "{reference}",
                fine["reference"].as_str().unwrap().to_owned(),
            ),
            ("{totem}", totem.clone()),
            ("{photo}", photo.clone()),
            // No passcode is like it, so no wrong try is counted.
            ("{otp}", "none".to_owned()),
            ("{code}", code[..code.len().min(30)].to_owned()),
        ]
        .iter()
        .fold(format!("/api/v1{path}"), |path, (name, value)| {
            path.replace(name, value)
        });
        let request = match users.get(caller) {
            Some(user) => user.request(method, &filled),
            None => stack.request(method, &filled),
        };
        match body(&stack, method, path, &zone) {
            Some(body) => request.json(&body),
            None => request,
        }
    };
    let mut faults = Vec::new();
    for row in rows() {
        for (caller, expected) in CALLERS.iter().zip(&row.statuses) {
            let Some(expected) = expected else {
                continue;
            };
            let status = request(caller, row.method, row.path).send().status();
            if status != *expected {
                let (method, path) = (row.method, row.path);
                faults.push(format!(
                    "{method} {path} by {caller}: {status}, not {expected}"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
