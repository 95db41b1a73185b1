//! Signed case files and offline lists, statistics, and names that closed cases no longer keep.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wharf_tests::{Folder, Stack, User, eventually, photo, repository};

use super::appeals::{appeal, decide};
use super::photos::{add, complete, put};
use super::{SOON, Zone, driver, parked, pay_fine};

pub fn document(file: &Value) -> Value {
    let payload = URL_SAFE_NO_PAD
        .decode(file["payload"].as_str().unwrap())
        .unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// The command that drivers and appeal bodies run; built with the tests.
fn verifier() -> PathBuf {
    let built = repository().join("target/release/wharf-verify");
    assert!(built.exists(), "{} is not built", built.display());
    built
}

/// Whether the command verifies a file against the published keys, and its output.
fn verify(stack: &Stack, file: &Value) -> (bool, String) {
    verify_with(stack, file, None)
}

/// The same with a photo that the file has to name.
fn verify_with(stack: &Stack, file: &Value, photo: Option<&[u8]>) -> (bool, String) {
    let folder = Folder::new("case");
    let (case, keys) = (
        folder.path().join("case.json"),
        folder.path().join("keys.json"),
    );
    std::fs::write(&case, file.to_string()).unwrap();
    std::fs::write(
        &keys,
        stack.get("/api/v1/fines/keys").send().expect(200).text(),
    )
    .unwrap();
    let mut command = Command::new(verifier());
    command.args([&case, &keys]);
    if let Some(bytes) = photo {
        let photo = folder.path().join("photo.jpg");
        std::fs::write(&photo, bytes).unwrap();
        command.arg(photo);
    }
    let ran = command.output().unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn driver_and_officer_get_the_same_case_file_which_verifies_offline() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 5_000);
    let fine = zone.fined(&plate);
    pay_fine(&driver, &fine).expect(201);
    let path = format!("/api/v1/fines/{}/case", fine["id"]);
    let file = driver.get(&path).send().expect(200).json();
    let case = document(&file);
    assert_eq!(case["fine"]["plate"], json!(plate));
    assert_eq!(case["check"]["result"], "none");
    assert_eq!(case["payments"][0]["amount_cents"], json!(2_000));
    let kinds: Vec<_> = case["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["kind"].clone())
        .collect();
    assert_eq!(kinds, ["issued", "paid"]);
    let of_officer = document(&zone.controller.get(&path).send().expect(200).json());
    assert_eq!(of_officer["rule_sha256"], case["rule_sha256"]);
    User::driver(&stack).get(&path).send().problem(403);
    stack.get(&path).send().problem(401);

    let (is_verified, said) = verify(&stack, &file);
    assert!(is_verified && said.contains(&plate), "{said}");
    let mut forged = case.clone();
    forged["fine"]["amount_cents"] = json!(1);
    let mut changed = file.clone();
    changed["payload"] = json!(URL_SAFE_NO_PAD.encode(forged.to_string()));
    let (is_verified, said) = verify(&stack, &changed);
    assert!(!is_verified && said.contains("not verified"), "{said}");
}

#[test]
fn the_photos_of_a_case_are_verified_by_their_digests() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let fine = zone.fined(&super::plate());
    let bytes = &photo("a car without a ticket");
    let upload = add(&zone.controller, &fine, bytes.len()).expect(201).json();
    put(&upload["address"], bytes).expect(200);
    complete(&zone.controller, &fine, &upload).expect(200);
    let path = format!("/api/v1/fines/{}/case", fine["id"]);
    let file = zone.controller.get(&path).send().expect(200).json();
    let shown = &document(&file)["photos"][0];
    assert_eq!(shown["taken_at"], json!("2026-01-01T10:00:00.000Z"));
    assert!(!shown["added_at"].is_null(), "{shown}");
    let (is_verified, said) = verify_with(&stack, &file, Some(bytes));
    assert!(is_verified, "{said}");
    let (is_verified, said) = verify_with(&stack, &file, Some(&photo("another car")));
    assert!(!is_verified && said.contains("no photo"), "{said}");
}

#[test]
fn a_controller_without_a_network_has_a_signed_list() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 5_000);
    parked(&stack, &zone, &driver, &plate, 30);
    let path = zone.path("/offline");
    let file = zone.controller.get(&path).send().expect(200).json();
    let list = document(&file);
    assert_eq!(list["plates"][0]["plate"], json!(plate));
    assert_eq!(list["plates"].as_array().unwrap().len(), 1);
    assert!(list["good_until"].as_str() > list["made_at"].as_str());
    assert!(verify(&stack, &file).0);
    driver.get(&path).send().problem(403);
    Zone::found(&stack)
        .controller
        .get(&path)
        .send()
        .problem(403);
}

#[test]
fn statistics_count_tickets_and_fines() {
    let stack = Stack::start();
    let admin = User::admin(&stack);
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    parked(&stack, &zone, &driver, &plate, 60);
    zone.ticket(&driver, &plate, &super::from_now(&stack, 120), 45)
        .expect(201);
    let paid = zone.fined(&super::plate());
    pay_fine(&driver, &paid).expect(201);
    zone.fined(&super::plate());
    driver.get("/api/v1/statistics").send().problem(403);
    zone.admin.get("/api/v1/statistics").send().problem(403);
    let found = admin.get("/api/v1/statistics").send().expect(200).json();
    for (member, value) in [
        ("tickets", 2),
        ("paid_tickets", 1),
        ("covered_plates", 2),
        ("fines", 2),
        ("paid_fines", 1),
        ("paid_percent", 50),
    ] {
        assert_eq!(found[member], json!(value), "{member}");
    }
    assert_eq!(
        found["money"][0],
        json!({
            "currency": "USD", "tickets": 1.7, "average_ticket": 1.7, "fines_issued": 40, "fines_paid": 20,
        })
    );
    let roles = found["users"]["by_role"].as_array().unwrap();
    let holders = |role: &str| {
        let it = roles.iter().find(|it| it["role"] == *role);
        it.map(|it| it["users"].clone())
    };
    assert_eq!(
        ["superuser", "admin", "controller", "driver"].map(holders),
        [1, 1, 1, 1].map(|it| Some(json!(it)))
    );
    assert_eq!(found["users"]["total"], json!(4));
    let table = admin
        .get("/api/v1/statistics?format=csv")
        .send()
        .expect(200);
    assert_eq!(table.header("content-type"), Some("text/csv"));
    assert!(
        table.text().contains("duration,30-60,2\r\n")
            && table.text().contains("users,superuser,1\r\n"),
        "{}",
        table.text()
    );
    let none = admin
        .get("/api/v1/statistics?since=2099-01-01T00:00:00Z")
        .send()
        .expect(200)
        .json();
    assert_eq!(none["tickets"], json!(0));
}

/// A case also stays open for a while after its fine was paid or an appeal was decided.
#[test]
fn only_closed_cases_are_anonymized_after_the_retention_time() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let closed = zone.fined(&plate);
    let [open, late, decided] = [(); 3].map(|()| {
        let other = super::plate();
        super::register(&driver, &other);
        zone.fined(&other)
    });
    appeal(&driver, &decided).expect(201);
    decide(&zone.admin, &decided, false).expect(200);
    for paid in [&closed, &decided, &late] {
        pay_fine(&driver, paid).expect(201);
    }
    let mut sql = stack.sql();
    let age = "UPDATE fines.fine SET issued_at = issued_at - interval '4 years',
            paid_at = paid_at - CASE WHEN id <> $2 THEN interval '4 years' ELSE '0' END
        WHERE id = ANY ($1)";
    let ids = [&closed, &open, &late, &decided].map(|it| it["id"].as_i64().unwrap());
    sql.execute(age, &[&ids.as_slice(), &ids[2]]).unwrap();
    // The release before issued the fine: it did not mark the check.
    let unmark = "UPDATE fines.plate_check SET is_fined = false, checked_at = checked_at - interval '4 years'
        WHERE id = (SELECT check_id FROM fines.fine WHERE id = $1)";
    assert_eq!(sql.execute(unmark, &[&ids[1]]).unwrap(), 1);
    let mut wait_until_known_are = |expected: &[i64]| {
        let known =
            "SELECT id FROM fines.fine WHERE id = ANY ($1) AND plate IS NOT NULL ORDER BY id";
        eventually("closed cases are anonymized", SOON, || {
            let rows = sql.query(known, &[&ids.as_slice()]).unwrap();
            rows.iter()
                .map(|it| it.get::<_, i64>(0))
                .eq(expected.iter().copied())
        });
    };
    wait_until_known_are(&ids[1..]);
    let age =
        "UPDATE fines.appeal SET decided_at = decided_at - interval '4 years' WHERE fine_id = $1";
    stack.sql().execute(age, &[&ids[3]]).unwrap();
    wait_until_known_are(&ids[1..3]);
    let listed = driver
        .get("/api/v1/users/me/fines")
        .send()
        .expect(200)
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let case = zone
        .admin
        .get(&format!("/api/v1/fines/{}/case", ids[0]))
        .send()
        .expect(200)
        .json();
    assert!(!document(&case).to_string().contains(&plate));
}
