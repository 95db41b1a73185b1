//! Tickets: their price, their payment, extending and ending them.

use std::thread;

use serde_json::{Value, json};
use wharf_tests::{Stack, User, at_once, eventually};

use super::{SOON, Zone, approve, driver, from_now, moved, parked, pay, unsettled};
use crate::bookings::balance;

#[test]
fn a_ticket_is_bought_paid_and_valid() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let start = from_now(&stack, 1);
    let bought = zone.ticket(&driver, &plate, &start, 90).expect(201);
    let ticket = bought.json();
    assert_eq!(ticket["plate"], json!(plate));
    // 0.50 + 1.20 × 1.5
    assert_eq!(
        (&ticket["price"], &ticket["paid"]),
        (&json!(2.3), &json!(false))
    );
    assert_eq!(ticket["start_date"], json!(start));
    for member in ["id", "end_date", "creation_time", "zone_id"] {
        assert!(!ticket[member].is_null(), "{member}");
    }
    let own = |query: &str| {
        let listed = driver
            .get(&format!("/api/v1/users/me/tickets?{query}"))
            .send();
        listed.expect(200).json().as_array().unwrap().len()
    };
    assert_eq!((own(""), own("valid_only=true")), (1, 0));
    let paid = pay(&driver, &ticket).expect(201).json();
    assert_eq!(paid["paid"], json!(true));
    assert_eq!(own("valid_only=true"), 1);
    assert_eq!(balance(&driver), 1_000 - 230);
    assert_eq!(moved(&stack, "ticket", &ticket["id"]), 230);
    assert_eq!(pay(&driver, &ticket).problem(409)["code"], "already-paid");
    let in_zone = zone
        .controller
        .get(&zone.path("/tickets?valid_only=true"))
        .send();
    assert_eq!(in_zone.expect(200).json(), json!([paid]));
    let full = stack
        .get(&zone.path("/occupancy"))
        .send()
        .expect(200)
        .json();
    // It begins in a minute.
    assert_eq!(full["occupied"], json!(0));
}

#[test]
fn one_of_twenty_concurrent_payments_of_a_ticket_is_debited() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let ticket = zone
        .ticket(&driver, &plate, &from_now(&stack, 1), 60)
        .expect(201)
        .json();
    let statuses = at_once(20, |_| pay(&driver, &ticket).status());
    assert!(statuses.contains(&201), "{statuses:?}");
    assert!(
        statuses.iter().all(|it| [201, 409].contains(it)),
        "{statuses:?}"
    );
    assert_eq!(balance(&driver), 10_000 - 170);
    assert_eq!(moved(&stack, "ticket", &ticket["id"]), 170);
}

#[test]
fn a_payment_with_a_key_is_answered_again() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    let ticket = zone
        .ticket(&driver, &plate, &from_now(&stack, 1), 60)
        .expect(201)
        .json();
    let pay = || {
        let request = driver.post(&format!("/api/v1/tickets/{}/pay", ticket["id"]));
        request
            .header("idempotency-key", "a-payment")
            .send()
            .expect(201)
    };
    let (first, again) = (pay(), pay());
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(balance(&driver), 10_000 - 170);
}

#[test]
fn a_ticket_is_paid_at_the_provider_when_the_wallet_does_not_suffice() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 0);
    let ticket = zone
        .ticket(&driver, &plate, &from_now(&stack, 1), 60)
        .expect(201)
        .json();
    let refused = pay(&driver, &ticket);
    let problem = refused.problem(402);
    assert!(
        refused
            .header("link")
            .unwrap()
            .ends_with("; rel=\"payment\"")
    );
    // A copy is shown the same page.
    assert_eq!(pay(&driver, &ticket).problem(402)["link"], problem["link"]);
    approve(&stack, &problem["link"]);
    let path = format!("/api/v1/tickets/{}", ticket["id"]);
    eventually("the ticket is paid", SOON, || {
        driver.get(&path).send().expect(200).json()["paid"] == json!(true)
    });
    assert_eq!(moved(&stack, "ticket", &ticket["id"]), 170);
}

#[test]
fn money_that_comes_twice_goes_back() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (poor, plate) = driver(&stack, 0);
    let (rich, _) = driver(&stack, 1_000);
    let ticket = zone
        .ticket(&poor, &plate, &from_now(&stack, 1), 60)
        .expect(201)
        .json();
    let page = pay(&poor, &ticket).problem(402)["link"].clone();
    pay(&rich, &ticket).expect(201);
    approve(&stack, &page);
    eventually("all is settled", SOON, || {
        unsettled(&stack, "ticket", &ticket["id"]) == 0
    });
    assert_eq!(moved(&stack, "ticket", &ticket["id"]), 170);
}

#[test]
fn a_ticket_that_is_over_is_not_paid() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let ticket = zone
        .ticket(&driver, &plate, &from_now(&stack, 0), 60)
        .expect(201)
        .json();
    super::checks::end(&stack, &ticket, 1);
    assert_eq!(pay(&driver, &ticket).problem(409)["code"], "ticket-over");
    assert_eq!(balance(&driver), 1_000);
}

#[test]
fn an_extension_costs_what_the_longer_stay_costs_more() {
    let stack = Stack::shared();
    let zone = Zone::found_with(
        &stack,
        &json!({ "price_exp": 2, "price_lin": 1, "price_offset": 0.25 }),
    );
    let (driver, plate) = driver(&stack, 10_000);
    let start = from_now(&stack, 1);
    let first = zone.ticket(&driver, &plate, &start, 60).expect(201).json();
    assert_eq!(first["price"], json!(1.25));
    pay(&driver, &first).expect(201);
    let end = first["end_date"].as_str().unwrap();
    let quote = json!({ "plate": plate, "start_date": end, "duration": 60 });
    let quoted = stack
        .post(&zone.path("/tickets/quote"))
        .json(&quote)
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&quoted["price"], &quoted["extends"]),
        (&json!(3), &first["id"])
    );
    let second = zone.ticket(&driver, &plate, end, 60).expect(201).json();
    // 2² - 1², without the offset.
    assert_eq!(
        (&second["price"], &second["extends"]),
        (&json!(3), &first["id"])
    );
    let rival = zone.ticket(&driver, &plate, end, 120).expect(201).json();
    assert_eq!(rival["price"], json!(8));
    pay(&driver, &second).expect(201);
    assert_eq!(
        pay(&driver, &rival).problem(409)["code"],
        "already-extended"
    );
    let third = zone.ticket(&driver, &plate, second["end_date"].as_str().unwrap(), 60);
    // 3² - 2²
    assert_eq!(third.expect(201).json()["price"], json!(5));
    // After a gap it is a stay of its own.
    let later = zone.ticket(&driver, &plate, &from_now(&stack, 600), 60);
    assert_eq!(later.expect(201).json()["price"], json!(1.25));
}

#[test]
fn one_of_two_concurrent_free_extensions_is_sold() {
    let stack = Stack::shared();
    let free = json!({ "price_offset": 0, "price_lin": 0 });
    let zone = Zone::found_with(&stack, &free);
    let (driver, plate) = driver(&stack, 0);
    let first = zone.ticket(&driver, &plate, &from_now(&stack, 1), 60);
    let first = first.expect(201).json();
    // Both have found the first ticket without an extension.
    let extend = format!(
        "SELECT outcome
        FROM ticket JOIN zone ON zone.id = zone_id,
            create_ticket(
                gen_random_uuid(), zone_id, zone.revision, plate, buyer, end_at, end_at + interval '1 hour', 0, ticket.id, stay_from
            )
        WHERE ticket.id = {}",
        first["id"]
    );
    assert_eq!(
        stack.overlap("fines", &extend, &extend),
        ("created".to_owned(), "already_extended".to_owned())
    );
}

#[test]
fn a_payment_that_goes_back_is_answered_with_the_reason() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 10_000);
    // Pays from the wallet, and carries out `change` before the money moves.
    let pay_during = |subject: &str, it: &Value, change: &str| {
        let wallet = stack.lock(&format!(
            "SELECT FROM payments.account WHERE owner = (SELECT id FROM signin.account WHERE login = '{}') FOR UPDATE",
            driver.login
        ));
        thread::scope(|scope| {
            let paying = scope.spawn(|| {
                let path = format!("/api/v1/{subject}s/{}/pay", it["id"]);
                driver.post(&path).send()
            });
            eventually("the payment has begun", SOON, || {
                unsettled(&stack, subject, &it["id"]) == 1
            });
            stack.sql().batch_execute(change).unwrap();
            drop(wallet);
            paying.join().unwrap()
        })
    };
    let buy = |start: &str| {
        let ticket = zone.ticket(&driver, &plate, start, 60);
        ticket.expect(201).json()
    };

    let deleted = buy(&from_now(&stack, 600));
    let change = format!(
        "UPDATE fines.ticket SET removed_at = now() WHERE id = {}",
        deleted["id"]
    );
    let answer = pay_during("ticket", &deleted, &change);
    assert_eq!(answer.problem(404)["code"], "unknown-ticket");

    let first = buy(&from_now(&stack, 60));
    pay(&driver, &first).expect(201);
    let end = first["end_date"].as_str().unwrap();
    let [late, rival] = [buy(end), buy(end)];
    let change = format!(
        "UPDATE fines.ticket SET paid_at = now() WHERE id = {}",
        rival["id"]
    );
    let answer = pay_during("ticket", &late, &change);
    assert_eq!(answer.problem(409)["code"], "already-extended");

    let fine = zone.fined(&super::plate());
    let change = format!(
        "UPDATE fines.fine SET hidden_at = now() WHERE id = {}",
        fine["id"]
    );
    let answer = pay_during("fine", &fine, &change);
    assert_eq!(answer.problem(404)["code"], "unknown-fine");
    eventually("the money is back", SOON, || {
        balance(&driver) == 10_000 - 170
    });
}

#[test]
fn the_later_of_two_concurrent_early_ends_of_a_ticket_is_refused() {
    let stack = Stack::shared();
    let refunds = json!({ "rules": { "control": { "refund_early_end": true } } });
    let zone = Zone::found_with(&stack, &refunds);
    let (driver, plate) = driver(&stack, 1_000);
    let ticket = zone
        .ticket(&driver, &plate, &from_now(&stack, 60), 60)
        .expect(201)
        .json();
    pay(&driver, &ticket).expect(201);
    let (id, until) = (&ticket["id"], ticket["end_date"].as_str().unwrap());
    // Both have computed the price from the unchanged ticket.
    let end = format!(
        "SELECT outcome FROM end_ticket({id}, (SELECT buyer FROM ticket WHERE id = {id}), '{until}', now(), 0)"
    );
    assert_eq!(
        stack.overlap("fines", &end, &end),
        ("ended".to_owned(), "ticket_changed".to_owned())
    );
    eventually("the price is back", SOON, || {
        unsettled(&stack, "ticket", id) == 0
    });
    assert_eq!(balance(&driver), 1_000);
}

#[test]
fn an_early_end_is_refunded_where_the_zone_allows_it() {
    let stack = Stack::shared();
    let allows = json!({ "rules": { "control": { "refund_early_end": true } } });
    for (members, left) in [(allows, 10_000), (json!({}), 10_000 - 410)] {
        let zone = Zone::found_with(&stack, &members);
        let (driver, plate) = driver(&stack, 10_000);
        let ticket = zone
            .ticket(&driver, &plate, &from_now(&stack, 60), 180)
            .expect(201)
            .json();
        pay(&driver, &ticket).expect(201);
        assert_eq!(balance(&driver), 10_000 - 410);
        let end = format!("/api/v1/tickets/{}/end", ticket["id"]);
        User::driver(&stack).post(&end).send().problem(403);
        let ended = driver.post(&end).send().expect(200).json();
        assert_eq!(ended["end_date"], ended["start_date"]);
        eventually("the difference is back", SOON, || balance(&driver) == left);
        assert_eq!(moved(&stack, "ticket", &ticket["id"]), 10_000 - left);
    }
}

#[test]
fn an_early_end_is_priced_by_the_tariff_of_the_sale() {
    let stack = Stack::shared();
    let refunds = json!({ "rules": { "control": { "refund_early_end": true } } });
    // At the tariff of the end the first half would cost nothing, or more than all of the ticket.
    for change in [
        json!({ "price_offset": 0, "price_lin": 0 }),
        json!({ "price_lin": 100 }),
        json!({ "rules": { "control": { "refund_early_end": true }, "pricing": { "max_stay_minutes": 5 } } }),
    ] {
        let zone = Zone::found_with(&stack, &refunds);
        let (driver, plate) = driver(&stack, 10_000);
        let ticket = parked(&stack, &zone, &driver, &plate, 600);
        assert_eq!(ticket["price"], json!(12.5));
        let half = "UPDATE fines.ticket SET start_at = start_at - interval '5 hours', end_at = end_at - interval '5 hours',
            stay_from = stay_from - interval '5 hours' WHERE id = $1";
        let id = ticket["id"].as_i64().unwrap();
        stack.sql().execute(half, &[&id]).unwrap();
        let renamed = json!({ "name": wharf_tests::unique("Zone") });
        for change in [&change, &renamed] {
            let changed = zone.admin.patch(&zone.path("")).json(change).send();
            changed.expect(200);
        }
        let end = format!("/api/v1/tickets/{id}/end");
        driver.post(&end).send().expect(200);
        // 0.50 + 1.20 × 5, and two cents for each minute that the test takes.
        eventually("the rest is back", SOON, || {
            (650..700).contains(&moved(&stack, "ticket", &ticket["id"]))
        });
    }
}

#[test]
fn an_extension_is_not_sold_once_its_ticket_has_ended_early() {
    let stack = Stack::shared();
    let refunds = json!({ "rules": { "control": { "refund_early_end": true } } });
    let zone = Zone::found_with(&stack, &refunds);
    let (driver, plate) = driver(&stack, 1_000);
    let buy = |start: &str| {
        let ticket = zone.ticket(&driver, &plate, start, 60).expect(201);
        ticket.json()
    };
    let first = buy(&from_now(&stack, 60));
    pay(&driver, &first).expect(201);
    let end = first["end_date"].as_str().unwrap();
    // Without the offset of 0.50, which the first one has paid.
    let [wanted, page] = [buy(end), buy(end)];
    assert_eq!(wanted["price"], json!(1.2));
    let (poor, _) = super::driver(&stack, 0);
    let page = (pay(&poor, &page).problem(402)["link"].clone(), page);
    let path = format!("/api/v1/tickets/{}/end", first["id"]);
    driver.post(&path).send().expect(200);
    eventually("the first one is refunded", SOON, || {
        balance(&driver) == 1_000
    });
    assert_eq!(pay(&driver, &wanted).problem(409)["code"], "ticket-changed");
    assert_eq!(balance(&driver), 1_000);
    // A payment that was on its way goes back.
    approve(&stack, &page.0);
    let charge = "SELECT count(*) FROM fines.charge WHERE subject = 'ticket' AND subject_id = $1 AND status = 'opening'";
    let id = page.1["id"].as_i64().unwrap();
    eventually("the page is settled", SOON, || {
        let open: i64 = stack.sql().query_one(charge, &[&id]).unwrap().get(0);
        open == 0 && moved(&stack, "ticket", &page.1["id"]) == 0
    });
    let path = format!("/api/v1/tickets/{id}");
    assert_eq!(
        driver.get(&path).send().expect(200).json()["paid"],
        json!(false)
    );
    // A new one at that moment is a stay of its own.
    assert_eq!(buy(end)["price"], json!(1.7));
}

#[test]
fn an_unpaid_ticket_is_deleted_by_the_owner_of_its_car() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let ticket = zone
        .ticket(&driver, &plate, &from_now(&stack, 1), 60)
        .expect(201)
        .json();
    let path = format!("/api/v1/tickets/{}", ticket["id"]);
    for other in [&zone.admin, &zone.controller, &User::admin(&stack)] {
        other.delete(&path).send().problem(403);
    }
    driver.delete(&path).send().expect(204);
    driver.delete(&path).send().problem(404);
    pay(&driver, &ticket).problem(404);
    let paid = parked(&stack, &zone, &driver, &plate, 30);
    let path = format!("/api/v1/tickets/{}", paid["id"]);
    driver.delete(&path).send().problem(409);
}

#[test]
fn an_invalid_ticket_is_refused() {
    let stack = Stack::shared();
    let zone = Zone::found_with(
        &stack,
        &json!({ "rules": { "pricing": { "max_stay_minutes": 120 } } }),
    );
    let (driver, plate) = driver(&stack, 1_000);
    let refused = |plate: &str, start: &str, minutes: i64, status: u16| -> Value {
        zone.ticket(&driver, plate, start, minutes).problem(status)
    };
    let soon = from_now(&stack, 1);
    refused(&plate, &from_now(&stack, -10), 60, 400);
    refused(&plate, &from_now(&stack, 31 * 24 * 60), 60, 400);
    refused(&plate, &soon, 0, 400);
    assert_eq!(refused(&plate, &soon, 121, 400)["code"], "stay-too-long");
    assert_eq!(
        refused(&super::plate(), &soon, 60, 404)["code"],
        "unknown-car"
    );
    let nowhere = json!({ "plate": plate, "start_date": soon, "duration": 60 });
    driver
        .post("/api/v1/zones/999999999/tickets")
        .json(&nowhere)
        .send()
        .problem(404);
    zone.admin
        .patch(&zone.path(""))
        .json(&json!({ "available": false }))
        .send()
        .expect(200);
    assert_eq!(refused(&plate, &soon, 60, 409)["code"], "zone-unavailable");
}

#[test]
fn all_tickets_are_listed_by_their_dates_to_admins() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    let days = [2, 4, 6].map(|it| from_now(&stack, it * 24 * 60));
    let bought = |start: &String| {
        let ticket = zone.ticket(&driver, &plate, start, 60).expect(201);
        ticket.json()["id"].clone()
    };
    let tickets = [bought(&days[0]), bought(&days[1]), bought(&days[2])];
    let admin = User::admin(&stack);
    let listed = |query: &str| {
        let path = format!("/api/v1/tickets?limit=100&{query}");
        let listed = admin.get(&path).send().expect(200).json();
        let listed = listed.as_array().unwrap().clone();
        tickets
            .clone()
            .map(|it| listed.iter().any(|listed| listed["id"] == it))
    };
    let (second, third) = (&days[1], &days[2]);
    assert_eq!(listed(""), [true, true, true]);
    assert_eq!(
        listed(&format!("start_date_after={second}")),
        [false, false, true]
    );
    assert_eq!(
        listed(&format!("end_date_before={third}")),
        [true, true, false]
    );
    assert_eq!(
        listed(&format!(
            "start_date_after={}&end_date_before={third}",
            days[0]
        )),
        [false, true, false]
    );
    assert_eq!(listed("valid_only=true"), [false, false, false]);
}

#[test]
fn a_removed_zone_keeps_its_tickets_and_fines() {
    let stack = Stack::shared();
    let zone = Zone::found(&stack);
    let (driver, plate) = driver(&stack, 1_000);
    parked(&stack, &zone, &driver, &plate, 30);
    let (_, other) = super::driver(&stack, 0);
    let fine = zone.fined(&other);
    zone.admin.delete(&zone.path("")).send().expect(204);
    driver
        .delete(&format!("/api/v1/users/me/cars/{plate}"))
        .send()
        .expect(204);
    let tickets = driver
        .get("/api/v1/users/me/tickets")
        .send()
        .expect(200)
        .json();
    assert_eq!(tickets.as_array().unwrap().len(), 1);
    zone.controller
        .get(&format!("/api/v1/fines/{}", fine["id"]))
        .send()
        .expect(200);
    let listed = zone
        .controller
        .get(&zone.path("/fines"))
        .send()
        .expect(200)
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
}
