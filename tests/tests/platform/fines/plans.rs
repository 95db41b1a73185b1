//! Fines that are paid in parts: each part once, by wallet or by reference, and all at once when one is late.

use serde_json::{Value, json};
use wharf_tests::{Answer, Dice, Stack, User, at_once, eventually};

use super::{SOON, Zone, age, approve, driver, moved, pay_fine, plate, unsettled};
use crate::bookings::{balance, endow};

/// A zone whose fines of 20 are paid in four parts at most, 30 days apart, and cost 30 after 60 days.
pub fn zone(stack: &Stack) -> Zone {
    Zone::found_with(
        stack,
        &json!({ "rules": { "fines": {
            "discounts": [{ "days": 5, "percent": 50 }],
            "surcharges": [{ "days": 60, "percent": 50 }],
            "waiver_percent": 60,
            "plan_parts": 4,
        } } }),
    )
}

fn path(fine: &Value, rest: &str) -> String {
    format!("/api/v1/fines/{}/plan{rest}", fine["id"])
}

pub fn begin(user: &User, fine: &Value, parts: u32) -> Answer {
    user.post(&path(fine, ""))
        .json(&json!({ "parts": parts }))
        .send()
}

pub fn pay_part(user: &User, fine: &Value, part: u32) -> Answer {
    user.post(&path(fine, &format!("/{part}/pay"))).send()
}

pub fn show(user: &User, fine: &Value) -> Value {
    user.get(&format!("/api/v1/fines/{}", fine["id"]))
        .send()
        .expect(200)
        .json()
}

pub fn kinds(user: &User, fine: &Value) -> Vec<Value> {
    let lines = user
        .get(&format!("/api/v1/fines/{}/history", fine["id"]))
        .send();
    let lines = lines.expect(200).json();
    let kinds = lines.as_array().unwrap().iter();
    kinds.map(|it| it["kind"].clone()).collect()
}

#[test]
fn a_part_is_a_whole_unit_of_the_currency_at_least() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    let show_offer = |cents: i64| {
        let cost = "UPDATE fines.fine SET amount = $2 WHERE id = $1";
        let id = fine["id"].as_i64().unwrap();
        stack.sql().execute(cost, &[&id, &cents]).unwrap();
        driver.get(&path(&fine, "?parts=4")).send()
    };
    let offered = show_offer(400).expect(200).json();
    assert_eq!(offered["parts"][3]["amount"], json!(1));
    assert_eq!(show_offer(399).problem(409)["code"], "no-plan");
}

#[test]
fn a_fine_is_paid_in_parts_of_its_whole_amount() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    assert_eq!((&fine["due"], &fine["plan"]), (&json!(10), &Value::Null));
    let offer = path(&fine, "?parts=3");
    let offered = driver.get(&offer).send().expect(200).json();
    assert_eq!(
        (&offered["status"], &offered["total"]),
        (&json!("offered"), &json!(20))
    );
    let amounts = offered["parts"].as_array().unwrap().iter();
    let amounts: Vec<_> = amounts.map(|it| it["amount"].clone()).collect();
    assert_eq!(amounts, [json!(6.67), json!(6.67), json!(6.66)]);
    for parts in [0, 1, 61] {
        begin(&driver, &fine, parts).problem(400);
    }
    assert_eq!(begin(&driver, &fine, 5).problem(409)["code"], "no-plan");
    assert_eq!(
        pay_part(&driver, &fine, 1).problem(404)["code"],
        "unknown-part"
    );

    let begun = begin(&driver, &fine, 3).expect(201).json();
    assert_eq!(
        (&begun["status"], &begun["paid_amount"], &begun["due"]),
        (&json!("issued"), &json!(6.67), &json!(13.33))
    );
    assert_eq!(begun["plan"]["status"], "running");
    assert_eq!(begun["due_if_waived"], Value::Null);
    assert_eq!(begin(&driver, &fine, 3).problem(409)["code"], "plan-chosen");
    assert_eq!(
        pay_part(&driver, &fine, 1).problem(409)["code"],
        "already-paid"
    );
    assert_eq!(
        pay_part(&driver, &fine, 3).problem(409)["code"],
        "part-early"
    );
    assert_eq!(
        pay_part(&driver, &fine, 4).problem(404)["code"],
        "unknown-part"
    );
    // Surcharges do not count while each part comes in time.
    age(&stack, &fine, 29);
    let friend = User::driver(&stack);
    endow(&stack, &friend, 1_000);
    pay_part(&friend, &fine, 2).expect(201);
    age(&stack, &fine, 30);
    assert_eq!(show(&driver, &fine)["due"], json!(6.66));
    let paid = pay_part(&driver, &fine, 3).expect(201).json();
    assert_eq!(
        (&paid["paid"], &paid["paid_amount"], &paid["due"]),
        (&json!(true), &json!(20), &json!(0))
    );
    assert_eq!(paid["plan"]["status"], "paid");
    assert_eq!(
        pay_part(&driver, &fine, 3).problem(409)["code"],
        "already-paid"
    );
    assert_eq!(
        (balance(&driver), balance(&friend)),
        (10_000 - 1_333, 1_000 - 667)
    );
    assert_eq!(moved(&stack, "fine", &fine["id"]), 2_000);
    assert_eq!(
        kinds(&driver, &fine),
        ["issued", "planned", "part_paid", "part_paid", "paid"]
    );
    // Each payer sees what they paid for.
    assert_eq!(show(&friend, &fine)["paid"], json!(true));
    let file = driver.get(&format!("/api/v1/fines/{}/case", fine["id"]));
    let case = super::cases::document(&file.send().expect(200).json());
    let parts = case["payments"].as_array().unwrap().iter();
    let parts: Vec<_> = parts.map(|it| (&it["part"], &it["amount_cents"])).collect();
    assert_eq!(
        parts,
        [
            (&json!(1), &json!(667)),
            (&json!(2), &json!(667)),
            (&json!(3), &json!(666))
        ]
    );
    assert_eq!(case["plan"]["status"], "paid");
}

#[test]
fn one_of_many_concurrent_payments_of_a_part_is_debited() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let (other, _) = super::driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    let statuses = at_once(12, |number| match number % 3 {
        0 => begin(&driver, &fine, 2).status(),
        1 => begin(&driver, &fine, 4).status(),
        _ => pay_fine(&other, &fine).status(),
    });
    assert!(
        statuses.iter().all(|it| [201, 409].contains(it)),
        "{statuses:?}"
    );
    let first = show(&driver, &fine);
    let debited = || 20_000 - balance(&driver) - balance(&other);
    let paid = |fine: &Value| (fine["paid_amount"].as_f64().unwrap_or(0.0) * 100.0).round();
    eventually("the first payment alone is kept", SOON, || {
        f64::from(i32::try_from(debited()).unwrap()) == paid(&show(&driver, &fine))
    });
    if first["paid"] == json!(true) {
        return;
    }
    let statuses = at_once(12, |number| {
        let payer = if number % 2 == 0 { &driver } else { &other };
        pay_part(payer, &fine, 2).status()
    });
    assert!(
        statuses.iter().all(|it| [201, 409].contains(it)),
        "{statuses:?}"
    );
    eventually("the second part is paid once", SOON, || {
        f64::from(i32::try_from(debited()).unwrap()) == paid(&show(&driver, &fine))
    });
    assert_eq!(moved(&stack, "fine", &fine["id"]), debited());
}

#[test]
fn money_that_comes_twice_for_a_part_goes_back() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    let page = begin(&driver, &fine, 2).problem(402)["link"].clone();
    endow(&stack, &driver, 1_000);
    begin(&driver, &fine, 2).expect(201);
    approve(&stack, &page);
    eventually("all is settled", SOON, || {
        unsettled(&stack, "fine", &fine["id"]) == 0
    });
    assert_eq!(moved(&stack, "fine", &fine["id"]), 1_000);
    let shown = show(&driver, &fine);
    assert_eq!(
        (&shown["paid_amount"], &shown["due"], balance(&driver)),
        (&json!(10), &json!(10), 0)
    );
}

#[test]
fn a_late_part_ends_the_plan_and_the_rest_is_due() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    begin(&driver, &fine, 2).expect(201);
    age(&stack, &fine, 31);
    let late = show(&driver, &fine);
    assert_eq!(
        (&late["plan"]["status"], &late["due"]),
        (&json!("over"), &json!(10))
    );
    assert_eq!(
        pay_part(&driver, &fine, 2).problem(409)["code"],
        "plan-over"
    );
    // A sweep writes it, after all other fines of this stack.
    eventually("the history says it", SOON * 3, || {
        kinds(&driver, &fine).contains(&json!("plan_ended"))
    });
    // The surcharge of the schedule counts again, for the rest.
    age(&stack, &fine, 30);
    assert_eq!(show(&driver, &fine)["due"], json!(20));
    assert_eq!(begin(&driver, &fine, 2).problem(409)["code"], "plan-chosen");
    let paid = pay_fine(&driver, &fine).expect(201).json();
    assert_eq!(paid["paid_amount"], json!(30));
    assert_eq!(balance(&driver), 10_000 - 3_000);
    assert_eq!(moved(&stack, "fine", &fine["id"]), 3_000);
}

#[test]
fn a_driver_is_reminded_of_the_next_part() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    begin(&driver, &fine, 4).expect(201);
    let reminded = || -> i64 {
        let told = "SELECT count(*) FROM events.entry WHERE aggregate = $1 AND payload ->> 'template' = 'fine_part_ending'";
        let aggregate = format!("fine:{}", fine["id"]);
        stack.sql().query_one(told, &[&aggregate]).unwrap().get(0)
    };
    age(&stack, &fine, 29);
    eventually("the driver is reminded", SOON, || reminded() == 1);
    pay_part(&driver, &fine, 2).expect(201);
    age(&stack, &fine, 30);
    eventually("and of the part after it", SOON, || reminded() == 2);
}

#[test]
fn parts_are_paid_by_the_reference_without_an_account() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let fine = zone.fined(&plate());
    let path = format!(
        "/api/v1/fines/references/{}",
        fine["reference"].as_str().unwrap()
    );
    let offer = stack.get(&format!("{path}/plan?parts=2")).send();
    assert_eq!(offer.expect(200).json()["total"], json!(20));
    stack.get(&format!("{path}/plan")).send().problem(409);
    let chosen = json!({ "parts": 2 });
    let page = stack.post(&format!("{path}/plan")).json(&chosen).send();
    let page = page.expect(200).json();
    assert_eq!(page["amount"], json!(10));
    approve(&stack, &page["link"]);
    let paid = || {
        let plan = stack.get(&path).send().expect(200).json();
        plan["paid_amount"].as_f64().unwrap_or(0.0)
    };
    eventually("the first part is paid", SOON, || paid() == 10.0);
    let shown = stack.get(&format!("{path}/plan")).send().expect(200).json();
    assert_eq!(shown["status"], "running");
    let page = stack.post(&format!("{path}/plan/2/pay")).send();
    approve(&stack, &page.expect(200).json()["link"]);
    eventually("the fine is paid", SOON, || paid() == 20.0);
    assert_eq!(moved(&stack, "fine", &fine["id"]), 2_000);
    let again = stack.post(&format!("{path}/plan/2/pay")).send();
    assert_eq!(again.problem(409)["code"], "already-paid");
}

#[test]
fn only_the_driver_chooses_a_plan_which_begins_with_its_first_payment() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let (driver, plate) = driver(&stack, 100);
    let fine = zone.fined(&plate);
    let other = User::driver(&stack);
    endow(&stack, &other, 5_000);
    begin(&other, &fine, 2).problem(403);
    other.get(&path(&fine, "?parts=2")).send().problem(403);
    let problem = begin(&driver, &fine, 2).problem(402);
    let still = show(&driver, &fine);
    assert_eq!((&still["plan"], &still["due"]), (&Value::Null, &json!(10)));
    approve(&stack, &problem["link"]);
    eventually("the plan runs", SOON, || {
        show(&driver, &fine)["plan"]["status"] == "running"
    });
    let plain = Zone::found(&stack).fined(&super::plate());
    let by_reference = format!(
        "/api/v1/fines/references/{}/plan",
        plain["reference"].as_str().unwrap()
    );
    let refused = stack
        .post(&by_reference)
        .json(&json!({ "parts": 2 }))
        .send();
    assert_eq!(refused.problem(409)["code"], "no-plan");
}

/// After any requests in any order, the books and the fine agree.
#[test]
fn a_planned_fine_keeps_its_rules_on_any_walk() {
    let stack = Stack::shared();
    let zone = zone(&stack);
    let seed = u64::from(uuid::Uuid::new_v4().as_fields().0);
    let mut dice = Dice::new(seed);
    for _ in 0..6 {
        let (driver, plate) = driver(&stack, 10_000);
        let fine = zone.fined(&plate);
        let appeal = format!("/api/v1/fines/{}/appeal", fine["id"]);
        let said = json!({ "text": "The machine was broken." });
        let verdict = |accept: bool| {
            let decision = json!({ "accept": accept, "reason": "We looked at it." });
            let decided = zone.admin.post(&format!("{appeal}/decision"));
            decided.json(&decision).send().status()
        };
        let mut walked = Vec::new();
        for _ in 0..9 {
            let (name, status) = match dice.below(9) {
                0 | 1 => ("begin", begin(&driver, &fine, 3).status()),
                2 | 3 => ("part 2", pay_part(&driver, &fine, 2).status()),
                4 => ("part 3", pay_part(&driver, &fine, 3).status()),
                5 => ("rest", pay_fine(&driver, &fine).status()),
                6 => ("appeal", driver.post(&appeal).json(&said).send().status()),
                7 => ("verdict", verdict(dice.below(3) == 0)),
                _ => ("age", {
                    age(&stack, &fine, 16);
                    200
                }),
            };
            walked.push((name, status));
            assert!(status < 500, "seed {seed}: {walked:?}");
        }
        let state = show(&driver, &fine);
        let cents = |it: &Value| (it.as_f64().unwrap_or(0.0) * 100.0).round();
        let kept = match state["status"].as_str().unwrap() {
            "cancelled" => 0.0,
            _ => cents(&state["paid_amount"]),
        };
        eventually(
            &format!("seed {seed}: {walked:?} keeps {kept}"),
            SOON,
            || {
                let debited = i32::try_from(10_000 - balance(&driver)).unwrap();
                f64::from(debited) == kept
            },
        );
        let owes = state["status"] == "issued";
        assert_eq!(owes, cents(&state["due"]) > 0.0, "seed {seed}: {walked:?}");
    }
}
