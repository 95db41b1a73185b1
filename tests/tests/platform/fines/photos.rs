//! Photos of a fine: put into S3 by their photographer, and never changed afterwards.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wharf_tests::{Answer, Request, Stack, User, photo};

use super::{Zone, driver};

/// To S3 itself, at the whole address that the platform gave.
fn at_s3(method: &str, address: &Value) -> Request {
    let address = address.as_str().unwrap().strip_prefix("http://").unwrap();
    let (host, path) = address.split_once('/').unwrap();
    Request::new(host.parse().unwrap(), method, &format!("/{path}"))
}

pub fn put(address: &Value, bytes: &[u8]) -> Answer {
    at_s3("PUT", address)
        .body("", bytes.to_vec())
        .without_header("content-type")
        .send()
}

pub fn add(user: &User, fine: &Value, size: usize) -> Answer {
    let body =
        json!({ "size": size, "media_type": "image/jpeg", "taken_at": "2026-01-01T10:00:00Z" });
    user.post(&format!("/api/v1/fines/{}/photos", fine["id"]))
        .json(&body)
        .send()
}

pub fn complete(user: &User, fine: &Value, upload: &Value) -> Answer {
    let id = upload["id"].as_str().unwrap();
    user.post(&format!("/api/v1/fines/{}/photos/{id}", fine["id"]))
        .send()
}

#[test]
fn a_photo_is_put_completed_and_named_by_its_digest() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    let bytes = &photo("a car without a ticket");
    let upload = add(&zone.controller, &fine, bytes.len()).expect(201).json();
    assert_eq!(
        complete(&zone.controller, &fine, &upload).problem(409)["code"],
        "no-bytes"
    );
    put(&upload["address"], bytes).expect(200);
    let completed = complete(&zone.controller, &fine, &upload)
        .expect(200)
        .json();
    let digest: String = Sha256::digest(bytes)
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    assert_eq!(completed["sha256"], json!(digest));
    // Repeated: no effect. The old address cannot change the stored bytes.
    assert_eq!(
        complete(&zone.controller, &fine, &upload)
            .expect(200)
            .json()["sha256"],
        json!(digest)
    );
    assert_ne!(
        put(&upload["address"], &photo("a car without a TICKET")).status(),
        200
    );

    let listed = driver
        .get(&format!("/api/v1/fines/{}/photos", fine["id"]))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["by_staff"]),
        (&upload["id"], &json!(true))
    );
    let shown = at_s3("GET", &listed[0]["address"]).send().expect(200);
    assert_eq!(shown.bytes(), *bytes);
    let history = zone
        .admin
        .get(&format!("/api/v1/fines/{}/history", fine["id"]))
        .send()
        .expect(200)
        .json();
    assert_eq!(history[1]["data"]["sha256"], json!(digest));
}

#[test]
fn staff_and_the_driver_add_photos_only_in_their_time() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    add(&User::driver(&stack), &fine, 4).problem(403);
    add(&Zone::found(&stack).controller, &fine, 4).problem(403);
    assert_eq!(add(&driver, &fine, 4).problem(409)["code"], "photos-closed");
    let appeal = json!({ "text": "See the photo." });
    driver
        .post(&format!("/api/v1/fines/{}/appeal", fine["id"]))
        .json(&appeal)
        .send()
        .expect(201);
    let upload = add(&driver, &fine, 4).expect(201).json();
    // A photo of another user.
    complete(&zone.controller, &fine, &upload).problem(404);
    for size in [0, 11 * 1024 * 1024] {
        add(&zone.controller, &fine, size).problem(400);
    }
    for _ in 0..10 {
        add(&zone.controller, &fine, 4).expect(201);
    }
    assert_eq!(
        add(&zone.controller, &fine, 4).problem(409)["code"],
        "too-many-photos"
    );
    super::age(&stack, &fine, 8);
    assert_eq!(
        add(&zone.controller, &fine, 4).problem(409)["code"],
        "photos-closed"
    );
}
