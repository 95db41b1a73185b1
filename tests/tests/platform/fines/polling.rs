//! Drivers poll and see each fine once, also while others are issued.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};
use wharf_tests::{Stack, User};

use super::{Zone, driver, pay_fine, plate, register};

const FINES: &str = "/api/v1/users/me/fines";

#[test]
fn an_unchanged_list_is_not_sent_again() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 5_000);
    let poll = |tag: &str| driver.get(FINES).header("if-none-match", tag).send();
    let first = driver.get(FINES).send().expect(200);
    let empty = first.header("etag").unwrap().to_owned();
    assert_eq!(first.json(), json!([]));
    let unchanged = poll(&empty).expect(304);
    assert_eq!(
        (unchanged.text().as_str(), unchanged.header("etag")),
        ("", Some(empty.as_str()))
    );
    let fine = zone.fined(&plate);
    let fined = poll(&empty).expect(200);
    let tag = fined.header("etag").unwrap().to_owned();
    assert_eq!(fined.json()[0]["id"], fine["id"]);
    poll(&tag).expect(304);
    pay_fine(&driver, &fine).expect(201);
    let paid = poll(&tag).expect(200);
    assert_eq!(paid.json()[0]["paid"], json!(true));
    // Another driver's list has a version of its own.
    let other = User::driver(&stack)
        .get(FINES)
        .header("if-none-match", &tag)
        .send();
    other.expect(200);
    poll("nonsense").expect(200);
}

#[test]
fn a_poller_sees_each_fine_once_while_fines_are_issued() {
    const CONTROLLERS: usize = 4;
    const EACH: usize = 12;
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let driver = User::driver(&stack);
    let plates: Vec<String> = (0..CONTROLLERS * EACH).map(|_| plate()).collect();
    for plate in &plates[..plates.len() / 2] {
        register(&driver, plate);
    }
    let is_over = AtomicBool::new(false);
    let mut seen: Vec<Value> = Vec::new();
    let mut cursor = 0;
    let mut poll = || {
        let page = driver
            .get(&format!("{FINES}?since={cursor}&limit=5"))
            .send()
            .expect(200)
            .json();
        let page = page.as_array().unwrap().clone();
        for fine in &page {
            let next = fine["cursor"].as_i64().unwrap();
            assert!(next > cursor, "{next} after {cursor}");
            cursor = next;
            seen.push(fine["id"].clone());
        }
        page.is_empty()
    };
    let issued: Vec<Value> = thread::scope(|scope| {
        let issuing: Vec<_> = plates
            .chunks(EACH)
            .map(|plates| {
                let zone = &zone;
                let driver = &driver;
                scope.spawn(move || {
                    let fines: Vec<Value> = plates
                        .iter()
                        .map(|plate| {
                            let fine = zone.fined(plate)["id"].clone();
                            // Half of the plates are proven after they were fined.
                            driver
                                .post("/api/v1/users/me/cars")
                                .json(&json!({ "plate": plate }))
                                .send();
                            fine
                        })
                        .collect();
                    fines
                })
            })
            .collect();
        let is_over = &is_over;
        let waiting = scope.spawn(move || {
            let joined: Vec<_> = issuing.into_iter().map(|it| it.join()).collect();
            // Set before `unwrap`, because the poller must end also when a thread failed.
            is_over.store(true, Ordering::SeqCst);
            let issued = joined.into_iter().flat_map(|it| it.unwrap());
            issued.collect::<Vec<Value>>()
        });
        loop {
            let was_over = is_over.load(Ordering::SeqCst);
            if poll() && was_over {
                break;
            }
        }
        waiting.join().unwrap()
    });
    let sorted = |ids: &[Value]| {
        let mut ids: Vec<i64> = ids.iter().map(|it| it.as_i64().unwrap()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(sorted(&seen), sorted(&issued));
}
