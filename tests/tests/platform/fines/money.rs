//! The money of fines: a fine is paid once, at the amount of the moment, and surplus money goes back.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, at_once, eventually};

use super::appeals::{appeal, decide};
use super::{SOON, Zone, age, approve, driver, moved, pay_fine, plate};
use crate::bookings::{balance, endow};

#[test]
fn one_of_twenty_concurrent_payments_of_a_fine_is_debited() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let (other, _) = super::driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    let statuses = at_once(20, |number| {
        let payer = if number % 2 == 0 { &driver } else { &other };
        pay_fine(payer, &fine).status()
    });
    assert!(statuses.contains(&201), "{statuses:?}");
    assert!(
        statuses.iter().all(|it| [201, 409].contains(it)),
        "{statuses:?}"
    );
    assert_eq!(balance(&driver) + balance(&other), 20_000 - 2_000);
    assert_eq!(moved(&stack, "fine", &fine["id"]), 2_000);
    assert_eq!(
        pay_fine(&driver, &fine).problem(409)["code"],
        "already-paid"
    );
}

#[test]
fn any_user_who_knows_the_number_pays_and_sees_what_they_paid() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    let friend = User::driver(&stack);
    endow(&stack, &friend, 5_000);
    let path = format!("/api/v1/fines/{}", fine["id"]);
    friend.get(&path).send().problem(403);
    let paid = pay_fine(&friend, &fine).expect(201).json();
    assert_eq!(
        (&paid["paid"], &paid["paid_amount"], &paid["due"]),
        (&json!(true), &json!(20), &json!(0))
    );
    assert_eq!(friend.get(&path).send().expect(200).json(), paid);
    assert_eq!(driver.get(&path).send().expect(200).json(), paid);
    assert_eq!(balance(&friend), 3_000);
    stack.post(&format!("{path}/pay")).send().problem(401);
    friend
        .post("/api/v1/fines/999999999/pay")
        .send()
        .problem(404);
}

#[test]
fn a_fine_is_paid_at_the_provider_when_the_wallet_does_not_suffice() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_999);
    let fine = zone.fined(&plate);
    let problem = pay_fine(&driver, &fine).problem(402);
    assert_eq!(problem["code"], "insufficient-funds");
    approve(&stack, &problem["link"]);
    let path = format!("/api/v1/fines/{}", fine["id"]);
    eventually("the fine is paid", SOON, || {
        driver.get(&path).send().expect(200).json()["paid"] == json!(true)
    });
    assert_eq!(
        (balance(&driver), moved(&stack, "fine", &fine["id"])),
        (1_999, 2_000)
    );
}

#[test]
fn a_fine_is_paid_by_its_reference_without_an_account() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let fine = zone.fined(&plate());
    let path = format!(
        "/api/v1/fines/references/{}",
        fine["reference"].as_str().unwrap()
    );
    let shown = stack.get(&path).send().expect(200).json();
    assert_eq!((&shown["id"], &shown["due"]), (&fine["id"], &json!(20)));
    let page = stack.post(&format!("{path}/pay")).send().expect(200).json();
    assert_eq!(page["amount"], json!(20));
    assert_eq!(
        stack.post(&format!("{path}/pay")).send().expect(200).json(),
        page
    );
    let code = stack.get(&format!("{path}/qr.svg")).send().expect(200);
    assert!(code.text().starts_with("<svg"));
    let followed = stack.get(&format!("{path}/pay")).send().expect(303);
    assert_eq!(followed.header("location"), page["link"].as_str());
    approve(&stack, &page["link"]);
    eventually("the fine is paid", SOON, || {
        stack.get(&path).send().expect(200).json()["paid"] == json!(true)
    });
    assert_eq!(
        stack.post(&format!("{path}/pay")).send().problem(409)["code"],
        "already-paid"
    );
    for wrong in ["1", "AAAAAA-AAAAAA-AAAAAA-AAAAAA", "%00"] {
        let path = format!("/api/v1/fines/references/{wrong}");
        assert!(
            [404, 422].contains(&stack.get(&path).send().status()),
            "{wrong}"
        );
        assert!(
            [404, 422].contains(&stack.post(&format!("{path}/pay")).send().status()),
            "{wrong}"
        );
    }
}

#[test]
fn a_fine_that_a_discount_made_free_is_paid_when_its_code_is_followed() {
    let stack = Stack::shared();
    let rules = json!({ "fines": { "discounts": [{ "days": 5, "percent": 100 }] } });
    let zone = Zone::found_with(&stack, &json!({ "rules": rules }));
    let fine = zone.fined(&plate());
    let path = format!(
        "/api/v1/fines/references/{}",
        fine["reference"].as_str().unwrap()
    );
    let followed = stack.get(&format!("{path}/pay")).send().problem(409);
    assert_eq!(followed["code"], "already-paid");
    let shown = stack.get(&path).send().expect(200).json();
    assert_eq!(
        (&shown["paid"], &shown["paid_amount"]),
        (&json!(true), &json!(0))
    );
}

fn with_schedule(stack: &Stack) -> Zone {
    Zone::found_with(
        stack,
        &json!({ "rules": { "fines": {
        "discounts": [{ "days": 5, "percent": 30 }, { "days": 15, "percent": 20 }],
        "surcharges": [{ "days": 60, "percent": 50 }, { "days": 90, "percent": 100 }],
        "waiver_percent": 40,
    } } }),
    )
}

fn due(user: &User, fine: &Value) -> Value {
    user.get(&format!("/api/v1/fines/{}", fine["id"]))
        .send()
        .expect(200)
        .json()["due"]
        .clone()
}

#[test]
fn discounts_and_surcharges_apply_on_their_days() {
    let stack = Stack::shared();
    let zone = with_schedule(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    assert_eq!(
        (&fine["due"], &fine["due_if_waived"]),
        (&json!(14), &json!(12))
    );
    // The schedule is that of the moment at which the fine was issued: a later change of the zone does not count.
    let none = json!({ "rules": {} });
    zone.admin
        .patch(&zone.path(""))
        .json(&none)
        .send()
        .expect(200);
    for (days, expected) in [(4, 14), (2, 16), (10, 20), (43, 20), (2, 30), (30, 40)] {
        age(&stack, &fine, days);
        assert_eq!(due(&driver, &fine), json!(expected), "{days} days later");
    }
    pay_fine(&driver, &fine).expect(201);
    assert_eq!(balance(&driver), 10_000 - 4_000);
}

#[test]
fn a_driver_who_has_appealed_is_offered_no_discount_for_giving_the_appeal_up() {
    let stack = Stack::shared();
    let zone = with_schedule(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    let path = format!("/api/v1/fines/{}", fine["id"]);
    let shown = || driver.get(&path).send().expect(200).json();
    assert_eq!(shown()["due_if_waived"], json!(12));
    let appeal = json!({ "text": "The machine was broken." });
    let opened = driver.post(&format!("{path}/appeal")).json(&appeal).send();
    opened.expect(201);
    assert_eq!(shown()["due_if_waived"], Value::Null);
}

#[test]
fn a_payment_started_in_time_counts_even_when_reported_late() {
    let stack = Stack::shared();
    let zone = with_schedule(&stack);
    let (driver, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    let page = pay_fine(&driver, &fine).problem(402)["link"].clone();
    // The discount ends before the provider tells of the payment.
    age(&stack, &fine, 20);
    assert_eq!(due(&driver, &fine), json!(20));
    approve(&stack, &page);
    let path = format!("/api/v1/fines/{}", fine["id"]);
    eventually("the fine is paid", SOON, || {
        driver.get(&path).send().expect(200).json()["paid"] == json!(true)
    });
    let paid = driver.get(&path).send().expect(200).json();
    assert_eq!(
        (&paid["paid_amount"], &paid["due"]),
        (&json!(14), &json!(0))
    );
    assert_eq!(moved(&stack, "fine", &fine["id"]), 1_400);
}

#[test]
fn a_driver_is_told_once_that_a_discount_closes() {
    let stack = Stack::shared();
    let zone = with_schedule(&stack);
    let (_, plate) = driver(&stack, 0);
    let fine = zone.fined(&plate);
    let told = || -> i64 {
        let told = "SELECT count(*) FROM events.entry WHERE aggregate = $1 AND payload ->> 'template' = 'discount_ending'";
        let aggregate = format!("fine:{}", fine["id"]);
        stack.sql().query_one(told, &[&aggregate]).unwrap().get(0)
    };
    assert_eq!(told(), 0);
    age(&stack, &fine, 4);
    eventually("the driver is told", SOON, || told() == 1);
    // A later fine is swept, so another sweep has been there since.
    let later = zone.fined(&super::plate());
    age(&stack, &later, 6);
    let stepped = || {
        let lines = zone
            .admin
            .get(&format!("/api/v1/fines/{}/history", later["id"]))
            .send();
        lines.expect(200).text().contains("stepped")
    };
    eventually("a sweep has passed", SOON, stepped);
    assert_eq!(told(), 1);
}

#[test]
fn a_late_sweep_records_the_same_amount() {
    let stack = Stack::shared();
    let zone = with_schedule(&stack);
    let jumped = zone.fined(&plate());
    let walked = zone.fined(&plate());
    let noted = |fine: &Value| {
        let noted = "SELECT noted_due FROM fines.fine WHERE id = $1 AND (next_step_at > now() OR next_step_at IS NULL)";
        let id = fine["id"].as_i64().unwrap();
        let row = stack.sql().query_opt(noted, &[&id]).unwrap();
        row.map(|it| it.get::<_, i64>(0))
    };
    for (days, expected) in [(6, 1_600), (10, 2_000), (45, 3_000), (30, 4_000)] {
        age(&stack, &walked, days);
        eventually("the step is noted", SOON, || {
            noted(&walked) == Some(expected)
        });
    }
    age(&stack, &jumped, 91);
    eventually("the jump is noted", SOON, || noted(&jumped) == Some(4_000));
    let stepped = |fine: &Value| {
        let lines = zone
            .admin
            .get(&format!("/api/v1/fines/{}/history", fine["id"]))
            .send();
        let lines = lines.expect(200).json();
        lines
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["kind"] == "stepped")
            .count()
    };
    assert_eq!((stepped(&walked), stepped(&jumped)), (4, 1));
}

#[test]
fn a_driver_who_gives_up_the_appeal_pays_less_and_cannot_appeal() {
    let stack = Stack::shared();
    let zone = with_schedule(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    let waive = format!("/api/v1/fines/{}/pay?waive_appeal=true", fine["id"]);
    // Only the driver can give up the appeal.
    let other = User::driver(&stack);
    endow(&stack, &other, 5_000);
    other.post(&waive).send().problem(403);
    driver.post(&waive).send().expect(201);
    assert_eq!(balance(&driver), 10_000 - 1_200);
    let appeal = json!({ "text": "I was not there." });
    let refused = driver
        .post(&format!("/api/v1/fines/{}/appeal", fine["id"]))
        .json(&appeal)
        .send();
    assert_eq!(refused.problem(409)["code"], "appeal-waived");
    let plain = Zone::found(&stack).fined(&super::plate());
    let refused = driver
        .post(&format!(
            "/api/v1/fines/{}/pay?waive_appeal=true",
            plain["id"]
        ))
        .send();
    assert_eq!(refused.problem(409)["code"], "no-waiver");
}

#[test]
fn a_driver_who_appeals_gets_no_discount_for_giving_up_the_appeal() {
    let stack = Stack::shared();
    let zone = with_schedule(&stack);
    let fined = || {
        let (driver, plate) = driver(&stack, 0);
        let fine = zone.fined(&plate);
        (driver, fine)
    };
    let waive = |user: &User, fine: &Value| {
        let path = format!("/api/v1/fines/{}/pay?waive_appeal=true", fine["id"]);
        user.post(&path).send()
    };
    let (driver, fine) = fined();
    appeal(&driver, &fine).expect(201);
    assert_eq!(waive(&driver, &fine).problem(409)["code"], "appealed");

    // A driver cannot appeal before the page of the waiver payment has expired.
    let (driver, fine) = fined();
    waive(&driver, &fine).problem(402);
    let refused = appeal(&driver, &fine).problem(409);
    assert_eq!(refused["code"], "payment-running");
    let expire =
        "UPDATE fines.charge SET expires_at = now() WHERE subject = 'fine' AND subject_id = $1";
    stack
        .sql()
        .execute(expire, &[&fine["id"].as_i64()])
        .unwrap();
    appeal(&driver, &fine).expect(201);

    // A driver cannot appeal before a sweep has found that the wallet of a crashed request did not pay.
    let (driver, fine) = fined();
    let begin = format!(
        "SET search_path = fines;
        SELECT open_fine_charge({id}, NULL, user_id, 'wallet', true) FROM feed WHERE fine_id = {id};
        UPDATE charge SET due_at = 'infinity' WHERE subject = 'fine' AND subject_id = {id}",
        id = fine["id"]
    );
    stack.sql().batch_execute(&begin).unwrap();
    let refused = appeal(&driver, &fine).problem(409);
    assert_eq!(refused["code"], "payment-running");
    let later = "UPDATE fines.charge SET due_at = now() WHERE subject = 'fine' AND subject_id = $1";
    stack.sql().execute(later, &[&fine["id"].as_i64()]).unwrap();
    eventually("the driver appeals", SOON, || {
        appeal(&driver, &fine).status() == 201
    });
}

/// The user who receives what is paid in a zone.
fn payee_of(stack: &Stack, zone: &Zone) -> User {
    let city = User::driver(stack);
    let name = city.get("/auth/me").send().expect(200).json()["id"].clone();
    let change = json!({ "payee": name });
    let admin = User::admin(stack);
    let changed = admin.patch(&zone.path("")).json(&change).send();
    changed.expect(200);
    city
}

#[test]
fn a_city_spends_the_money_of_a_fine_once_it_cannot_be_appealed() {
    let stack = Stack::shared();
    let zone = with_schedule(&stack);
    let city = payee_of(&stack, &zone);
    let mut total = 0;
    for (days, query, cents, available) in [
        (29, "", 2_000, 0),
        (31, "", 2_000, 2_000),
        (0, "?waive_appeal=true", 1_200, 3_200),
    ] {
        let (driver, plate) = driver(&stack, 2_000);
        let fine = zone.fined(&plate);
        age(&stack, &fine, days);
        let path = format!("/api/v1/fines/{}/pay{query}", fine["id"]);
        driver.post(&path).send().expect(201);
        total += cents;
        let wallet = city.get("/payment/balance").send().expect(200).json();
        assert_eq!(
            (&wallet["total"], &wallet["available"]),
            (&json!(total), &json!(available)),
            "{days} days after the fine"
        );
    }
}

#[test]
fn a_city_does_not_spend_the_money_of_a_fine_while_its_appeal_is_open() {
    let stack = Stack::shared();
    let zone = with_schedule(&stack);
    let city = payee_of(&stack, &zone);
    let (driver, plate) = driver(&stack, 2_000);
    let fine = zone.fined(&plate);
    age(&stack, &fine, 29);
    pay_fine(&driver, &fine).expect(201);
    appeal(&driver, &fine).expect(201);
    let id = fine["id"].as_i64().unwrap();
    let is_held = "SELECT until > now() + interval '6 days' FROM payments.hold JOIN fines.charge ON charge.id = payment
        WHERE subject = 'fine' AND subject_id = $1";
    let mut sql = stack.sql();
    eventually("the hold is extended", SOON, || {
        sql.query_one(is_held, &[&id]).unwrap().get::<_, bool>(0)
    });
    // Days pass without a decision.
    for pass in [
        "UPDATE payments.hold SET until = now() + interval '1 day' FROM fines.charge
            WHERE charge.id = payment AND subject = 'fine' AND subject_id = $1",
        "UPDATE fines.charge SET held_until = now() - interval '5 days' WHERE subject = 'fine' AND subject_id = $1",
        "UPDATE fines.appeal SET hold_due_at = now() WHERE fine_id = $1",
    ] {
        assert_eq!(sql.execute(pass, &[&id]).unwrap(), 1, "{pass}");
    }
    eventually("the hold is extended again", SOON, || {
        sql.query_one(is_held, &[&id]).unwrap().get::<_, bool>(0)
    });
    decide(&zone.admin, &fine, true).expect(200);
    eventually("the money is back", SOON, || balance(&driver) == 2_000);

    // A fine that is paid when it could not be appealed any more, and was appealed in time.
    let fine = zone.fined(&plate);
    age(&stack, &fine, 29);
    appeal(&driver, &fine).expect(201);
    age(&stack, &fine, 2);
    pay_fine(&driver, &fine).expect(201);
    let wallet = city.get("/payment/balance").send().expect(200).json();
    assert_eq!(
        (&wallet["total"], &wallet["available"]),
        (&json!(2_000), &json!(0))
    );
}

#[test]
fn a_payment_whose_answer_was_lost_is_finished_by_the_sweep() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let fine = zone.fined(&plate);
    pay_fine(&driver, &fine).expect(201);
    // The state after a crash between the ledger and the fine.
    let id = fine["id"].as_i64().unwrap();
    let undo = "UPDATE fines.fine SET status = 'issued', paid_at = NULL, paid_amount = NULL, paid_charge = NULL, payments = 0 WHERE id = $1";
    stack.sql().execute(undo, &[&id]).unwrap();
    let reopen = "UPDATE fines.charge SET status = 'opening', due_at = now() WHERE subject = 'fine' AND subject_id = $1";
    stack.sql().execute(reopen, &[&id]).unwrap();
    eventually("the sweep asks the ledger", SOON, || {
        let shown = driver
            .get(&format!("/api/v1/fines/{id}"))
            .send()
            .expect(200)
            .json();
        shown["paid"] == json!(true)
    });
    assert_eq!(balance(&driver), 8_000);
}
