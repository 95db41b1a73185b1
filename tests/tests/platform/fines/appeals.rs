//! Appeals: their states, the right to decide them, and their effect on deadlines and money.

use serde_json::{Value, json};
use wharf_tests::{Answer, Dice, Stack, User, eventually};

use super::{SOON, Zone, age, driver, pay_fine, plate, register};
use crate::bookings::balance;

fn path(fine: &Value, rest: &str) -> String {
    format!("/api/v1/fines/{}/appeal{rest}", fine["id"])
}

pub(super) fn appeal(user: &User, fine: &Value) -> Answer {
    user.post(&path(fine, ""))
        .json(&json!({ "text": "The machine was broken." }))
        .send()
}

pub(super) fn decide(user: &User, fine: &Value, accept: bool) -> Answer {
    let decision = json!({ "accept": accept, "reason": "We looked at it." });
    user.post(&path(fine, "/decision")).json(&decision).send()
}

fn show(user: &User, fine: &Value) -> Value {
    user.get(&format!("/api/v1/fines/{}", fine["id"]))
        .send()
        .expect(200)
        .json()
}

#[test]
fn an_accepted_appeal_cancels_the_fine_and_gives_the_money_back() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    pay_fine(&driver, &fine).expect(201);
    let opened = appeal(&driver, &fine).expect(201).json();
    assert_eq!(opened["status"], "open");
    assert_eq!(appeal(&driver, &fine).problem(409)["code"], "appealed");
    let said = json!({ "text": "Here is the photo of the machine." });
    driver
        .post(&path(&fine, "/messages"))
        .json(&said)
        .send()
        .expect(200);
    zone.controller
        .post(&path(&fine, "/messages"))
        .json(&said)
        .send()
        .expect(200);
    let listed = zone
        .admin
        .get(&zone.path("/appeals"))
        .send()
        .expect(200)
        .json();
    assert_eq!(listed[0]["fine_id"], fine["id"]);
    let file = driver.get(&path(&fine, "")).send().expect(200).json();
    let by_staff: Vec<_> = file["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["is_staff"].clone())
        .collect();
    assert_eq!(by_staff, [false, false, true]);

    decide(&zone.admin, &fine, true).expect(200);
    let shown = show(&driver, &fine);
    assert_eq!(
        (&shown["status"], &shown["appeal"]),
        (&json!("cancelled"), &json!("accepted"))
    );
    eventually("the money is back", SOON, || balance(&driver) == 10_000);
    assert_eq!(
        decide(&zone.admin, &fine, false).problem(409)["code"],
        "appeal-over"
    );
    assert_eq!(
        pay_fine(&driver, &fine).problem(409)["code"],
        "fine-cancelled"
    );
    driver
        .post(&path(&fine, "/messages"))
        .json(&said)
        .send()
        .problem(409);
}

#[test]
fn a_hidden_fine_cannot_be_appealed() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    let hidden = format!("/api/v1/fines/{}", fine["id"]);
    User::admin(&stack).delete(&hidden).send().expect(204);
    for unknown in [fine, json!({ "id": 999_999_999 })] {
        appeal(&driver, &unknown).problem(404);
    }
}

#[test]
fn a_paid_fine_is_not_hidden_while_its_appeal_is_open() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    pay_fine(&driver, &fine).expect(201);
    appeal(&driver, &fine).expect(201);
    let hidden = format!("/api/v1/fines/{}", fine["id"]);
    // The issuer of the fine, who cannot decide the appeal either.
    for user in [&zone.controller, &zone.admin, &User::admin(&stack)] {
        let refused = user.delete(&hidden).send().problem(409);
        assert_eq!(refused["code"], "appeal-open");
    }
    decide(&zone.admin, &fine, true).expect(200);
    eventually("the money is back", SOON, || balance(&driver) == 10_000);
    zone.controller.delete(&hidden).send().expect(204);
}

#[test]
fn a_driver_withdraws_an_appeal_once_and_no_other_caller_does() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    appeal(&driver, &fine).expect(201);
    let withdraw = |user: &User| user.delete(&path(&fine, "")).send();
    assert!([403, 404].contains(&withdraw(&User::driver(&stack)).status()));
    assert_eq!(withdraw(&driver).expect(200).json()["status"], "withdrawn");
    assert_eq!(withdraw(&driver).problem(409)["code"], "appeal-over");
}

#[test]
fn an_appeal_stops_the_clock_and_its_rejection_renews_the_discount() {
    let stack = Stack::shared();
    let zone = Zone::found_with(
        &stack,
        &json!({ "rules": { "fines": {
        "discounts": [{ "days": 10, "percent": 50 }],
        "surcharges": [{ "days": 20, "percent": 100 }],
    } } }),
    );
    let (driver, plate) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    age(&stack, &fine, 11);
    assert_eq!(show(&driver, &fine)["due"], json!(20));
    appeal(&driver, &fine).expect(201);
    // Forty days pass with it.
    let id = fine["id"].as_i64().unwrap();
    let pass = "UPDATE fines.fine SET issued_at = issued_at - interval '40 days', frozen_since = frozen_since - interval '40 days' WHERE id = $1";
    stack.sql().execute(pass, &[&id]).unwrap();
    assert_eq!(show(&driver, &fine)["due"], json!(20));
    decide(&zone.admin, &fine, false).expect(200);
    let shown = show(&driver, &fine);
    assert_eq!(
        (&shown["due"], &shown["appeal"]),
        (&json!(10), &json!("rejected"))
    );
    // The time of the appeal is not counted: the surcharge comes nine days after the decision.
    let later = |days: i32| {
        let pass = "UPDATE fines.fine SET issued_at = issued_at - make_interval(days => $2),
            discount_again_until = discount_again_until - make_interval(days => $2) WHERE id = $1";
        stack.sql().execute(pass, &[&id, &days]).unwrap();
    };
    later(8);
    assert_eq!(show(&driver, &fine)["due"], json!(10));
    later(3);
    assert_eq!(show(&driver, &fine)["due"], json!(40));
    assert_eq!(appeal(&driver, &fine).problem(409)["code"], "appealed");
}

#[test]
fn neither_the_issuer_nor_the_driver_decides_an_appeal() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let body = json!({ "plate": plate, "amount": 20 });
    let fine = zone.fine(&zone.admin, &body).expect(201).json();
    for user in [&zone.admin, &zone.controller, &User::driver(&stack)] {
        appeal(user, &fine).problem(403);
    }
    appeal(&driver, &fine).expect(201);
    assert_eq!(
        decide(&zone.admin, &fine, false).problem(403)["code"],
        "own-decision"
    );
    decide(&zone.controller, &fine, true).problem(403);
    decide(&driver, &fine, true).problem(403);
    // A stranger does not learn that there is one.
    let stranger = User::driver(&stack);
    decide(&stranger, &fine, true).problem(404);
    stranger.get(&path(&fine, "")).send().problem(404);
    Zone::found(&stack)
        .admin
        .get(&path(&fine, ""))
        .send()
        .problem(404);
    zone.admin.delete(&path(&fine, "")).send().problem(403);
    decide(&User::admin(&stack), &fine, false).expect(200);

    // Neither does an admin of the zone whose own fine it is.
    let own = super::plate();
    register(&zone.admin, &own);
    let fine = zone.fined(&own);
    appeal(&zone.admin, &fine).expect(201);
    let refused = decide(&zone.admin, &fine, true).problem(403);
    assert_eq!(refused["code"], "forbidden");
}

#[test]
fn an_appeal_has_its_time() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    age(&stack, &fine, 31);
    assert_eq!(
        appeal(&driver, &fine).problem(409)["code"],
        "appeal-too-late"
    );
    for text in [String::new(), "  ".to_owned(), "x".repeat(4_001)] {
        driver
            .post(&path(&fine, ""))
            .json(&json!({ "text": text }))
            .send()
            .problem(400);
    }
}

/// After any requests in any order, money and state agree.
#[test]
fn a_fine_keeps_its_rules_on_any_walk() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let seed = u64::from(uuid::Uuid::new_v4().as_fields().0);
    let mut dice = Dice::new(seed);
    for _ in 0..6 {
        let (driver, plate) = driver(&stack, 2_000);
        let fine = zone.fined(&plate);
        let mut walked = Vec::new();
        for _ in 0..7 {
            let (name, status) = match dice.below(6) {
                0 => ("pay", pay_fine(&driver, &fine).status()),
                1 => ("appeal", appeal(&driver, &fine).status()),
                2 => ("accept", decide(&zone.admin, &fine, true).status()),
                3 => ("reject", decide(&zone.admin, &fine, false).status()),
                4 => ("withdraw", driver.delete(&path(&fine, "")).send().status()),
                _ => ("age", {
                    age(&stack, &fine, 3);
                    200
                }),
            };
            walked.push((name, status));
            assert!(status < 500, "seed {seed}: {walked:?}");
        }
        let state = show(&driver, &fine);
        let left = match state["status"].as_str().unwrap() {
            "paid" => 0,
            _ => 2_000,
        };
        eventually(
            &format!("seed {seed}: {walked:?} leaves {left}"),
            SOON,
            || balance(&driver) == left,
        );
        let has_been = |name: &str| walked.iter().any(|it| it.0 == name && it.1 < 300);
        assert_eq!(
            state["status"] == "cancelled",
            has_been("accept"),
            "seed {seed}: {walked:?}"
        );
        let ends = ["accept", "reject", "withdraw"];
        let ended = walked
            .iter()
            .filter(|it| ends.contains(&it.0) && it.1 < 300)
            .count();
        assert!(ended <= 1, "seed {seed}: {walked:?}");
    }
    let _ = plate();
}
