//! A payment provider that lies, loses, repeats, delays and comes too late: the money ends where a
//! clean run would have put it.

mod crashes;
mod scene;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Reply, Stack, User, at_once, eventually, unique};

use super::{account, assert_sound, balance, withdraw};

use scene::{Payment, SECRET, SOON, Scene, now_s};

#[test]
fn a_webhook_that_got_lost_costs_time_and_nothing_else() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    assert_eq!(payment.opened["status"], "pending");
    scene.provider.pays(&payment.id, &json!(25), "approved");
    eventually("the sweep finds the payment", SOON, || {
        scene.status(&payment) == "approved"
    });
    assert_eq!(scene.booked(&payment), (2500, 1));
}

#[test]
fn repeated_webhooks_book_once() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    let id = scene.provider.pays(&payment.id, &json!(25), "approved");
    let answers = at_once(16, |_| scene.webhook(&id));
    for answer in answers {
        let answer = answer.expect(200).json();
        assert_eq!(
            (&answer["payment_id"], &answer["status"]),
            (&json!(payment.id), &json!("approved"))
        );
    }
    assert_eq!(scene.booked(&payment), (2500, 1));
}

#[test]
fn what_a_webhook_says_is_not_believed() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    let id = scene.provider.pays(&payment.id, &json!(25), "pending");
    scene.webhook(&id).expect(200);
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("pending", (0, 0))
    );
    for (status, shown) in [
        ("in_process", "in_process"),
        ("rejected", "rejected"),
        ("in_process", "in_process"),
    ] {
        scene.provider.changes(&id, "status", json!(status));
        scene.webhook(&id).expect(200);
        assert_eq!(scene.status(&payment), shown);
    }
    scene.provider.changes(&id, "status", json!("approved"));
    scene.webhook(&id).expect(200);
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("approved", (2500, 1))
    );
}

#[test]
fn a_forged_a_recorded_and_a_foreign_webhook_change_nothing() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    scene.leave_alone(&payment);
    let id = scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.webhook_signed(&id, "a guess", now_s()).expect(401);
    scene.webhook_signed(&id, SECRET, now_s() - 301).expect(401);
    let unsigned = json!({ "type": "payment", "data": { "id": id } });
    scene
        .stack
        .post("/payments/webhook")
        .json(&unsigned)
        .send()
        .expect(401);
    scene
        .stack
        .post("/payments/webhook")
        .json(&json!({}))
        .send()
        .expect(400);
    // Signed, and about nothing of ours.
    let unknown = scene.webhook("123456").expect(200).json();
    assert_eq!(unknown["status"], "ignored");
    let foreign = scene
        .provider
        .pays(&Uuid::new_v4().to_string(), &json!(25), "approved");
    assert_eq!(
        scene.webhook(&foreign).expect(200).json()["status"],
        "ignored"
    );
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("pending", (0, 0))
    );
    scene.webhook(&id).expect(200);
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("approved", (2500, 1))
    );
}

#[test]
fn another_amount_or_currency_than_was_asked_for_is_not_booked() {
    let scene = Scene::shared();
    for (field, wrong, right) in [
        ("transaction_amount", json!(24.99), json!(25)),
        ("transaction_amount", json!(2500), json!(25)),
        ("currency_id", json!("ARS"), json!("BRL")),
    ] {
        let payment = scene.open(&scene.user());
        let id = scene.provider.pays(&payment.id, &json!(25), "pending");
        scene.provider.changes(&id, field, wrong.clone());
        scene.provider.changes(&id, "status", json!("approved"));
        scene.webhook(&id).expect(200);
        assert_eq!(
            (scene.status(&payment).as_str(), scene.booked(&payment)),
            ("pending", (0, 0)),
            "{wrong}"
        );
        let attempts = scene.attempts(&payment);
        assert_eq!(
            (&attempts[0]["id"], &attempts[0]["verdict"]),
            (&json!(id), &json!("disputed"))
        );
        // The provider was wrong about itself and says so.
        scene.provider.changes(&id, field, right);
        scene.webhook(&id).expect(200);
        assert_eq!(
            (scene.status(&payment).as_str(), scene.booked(&payment)),
            ("approved", (2500, 1))
        );
    }
}

#[test]
fn what_is_in_dispute_is_listed_and_sent_back_when_an_admin_says_so() {
    let scene = Scene::shared();
    let (user, admin) = (scene.user(), User::admin(&scene.stack));
    let payment = scene.open(&user);
    let id = scene.provider.pays(&payment.id, &json!(24), "approved");
    scene.webhook(&id).expect(200);
    let listed = admin
        .get("/payments/disputed?limit=100")
        .send()
        .expect(200)
        .json();
    let mine = listed.as_array().unwrap().iter().find(|it| it["id"] == *id);
    let mine = mine.expect("the dispute");
    assert_eq!(
        (&mine["payment_id"], &mine["amount"], &mine["wanted_amount"]),
        (&json!(payment.id), &json!(24), &json!(25))
    );
    user.get("/payments/disputed").send().expect(403);
    scene.send_back(&user, &payment, &id).expect(403);
    scene.send_back(&admin, &payment, "nobody-s").expect(404);
    // The provider does not hear of it at once.
    scene
        .provider
        .instead(&format!("{id}/refunds"), (0..3).map(|_| Reply::status(503)));
    let told = scene.send_back(&admin, &payment, &id).expect(200).json();
    assert_eq!(told[0]["verdict"], "returning");
    eventually("it is sent back", SOON, || {
        scene.hurry(&payment);
        scene.attempts(&payment)[0]["verdict"] == "returned"
    });
    assert_eq!(scene.provider.status(&id), "refunded");
    scene.send_back(&admin, &payment, &id).expect(200);
    assert_eq!(scene.booked(&payment), (0, 0));
    // It can still be paid as it was asked for; that is no dispute.
    let id = scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.webhook(&id).expect(200);
    assert_eq!(scene.booked(&payment), (2500, 1));
    let accepted = scene.send_back(&admin, &payment, &id).expect(409).json();
    assert_eq!(accepted["code"], "not-disputed");
}

/// A provider that says of one payment today that it is for this, tomorrow that it is for that.
#[test]
fn one_payment_pays_for_one_thing() {
    let scene = Scene::shared();
    let user = scene.user();
    let (first, second) = (scene.open(&user), scene.open(&user));
    let id = scene.provider.pays(&first.id, &json!(25), "approved");
    scene.webhook(&id).expect(200);
    let reference = json!(second.id);
    scene
        .provider
        .changes(&id, "external_reference", reference.clone());
    at_once(4, |_| scene.webhook(&id).expect(200));
    assert_eq!(
        (scene.booked(&first), scene.booked(&second)),
        ((2500, 1), (0, 0))
    );
    assert_eq!(scene.attempts(&second), json!([]));
    // The same, when there was no money in it yet.
    let (first, second) = (scene.open(&user), scene.open(&user));
    let id = scene.provider.pays(&first.id, &json!(25), "pending");
    scene.webhook(&id).expect(200);
    scene
        .provider
        .changes(&id, "external_reference", json!(second.id));
    scene.provider.changes(&id, "status", json!("approved"));
    scene.webhook(&id).expect(200);
    assert_eq!(scene.attempts(&first)[0]["verdict"], "disputed");
    assert_eq!(
        (scene.booked(&first), scene.booked(&second)),
        ((0, 0), (0, 0))
    );
    // And when it says both at the same time.
    let (first, second) = (scene.open(&user), scene.open(&user));
    let id = scene.provider.pays(&first.id, &json!(25), "approved");
    let answers = at_once(16, |number| {
        let reference = if number % 2 == 0 { &first } else { &second };
        scene
            .provider
            .changes(&id, "external_reference", json!(reference.id));
        scene.webhook(&id).status()
    });
    assert!(answers.contains(&200), "{answers:?}");
    let (one, other) = (scene.booked(&first).0, scene.booked(&second).0);
    assert_eq!(one + other, 2500, "{one} and {other}");
    assert_sound(&scene.stack);
}

#[test]
fn what_is_paid_after_the_end_goes_back() {
    let scene = Scene::shared();
    let expired = scene.open(&scene.user());
    scene.run_out(&expired);
    eventually("its time is over", SOON, || {
        scene.status(&expired) == "expired"
    });
    let cancelled = scene.open(&scene.user());
    scene.patch(&cancelled, "cancelled").expect(200);
    for payment in [&expired, &cancelled] {
        let before = scene.status(payment);
        let id = scene.provider.pays(&payment.id, &json!(25), "approved");
        scene.webhook(&id).expect(200);
        assert_eq!(scene.provider.status(&id), "refunded");
        assert_eq!(
            (scene.status(payment), scene.booked(payment)),
            (before, (0, 0))
        );
    }
}

#[test]
fn what_is_paid_twice_goes_back_once() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    let ids: Vec<_> = (0..3)
        .map(|_| scene.provider.pays(&payment.id, &json!(25), "approved"))
        .collect();
    at_once(12, |number| scene.webhook(&ids[number % 3]).expect(200));
    eventually("the others are sent back", SOON, || {
        scene.hurry(&payment);
        ids.iter()
            .filter(|it| scene.provider.status(it) == "refunded")
            .count()
            == 2
    });
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("approved", (2500, 1))
    );
}

#[test]
fn a_provider_that_is_down_is_seen_and_asked_again() {
    let scene = Scene::shared();
    let (user, title) = (scene.user(), unique("down"));
    scene
        .provider
        .instead(&title, (0..5).map(|_| Reply::status(503)));
    let payment = scene.open_titled(&user, &title);
    assert_eq!(payment.opened["status"], "payment_service_unavailable");
    assert_eq!(payment.opened["payment_link"], Value::Null);
    assert_eq!(
        scene.provider.received(&title).len(),
        3,
        "asked a bounded number of times"
    );
    scene.hurry(&payment);
    eventually("it is open at last", SOON, || {
        scene.status(&payment) == "pending"
    });
    let shown = user
        .get(&format!("/payments/{}", payment.id))
        .send()
        .expect(200)
        .json();
    assert!(shown["payment_link"].is_string() && shown["qr_code"].is_string());
    // Whether an answer got lost on the way, the provider can tell a copy by its key.
    let keys: Vec<_> = scene
        .provider
        .received(&title)
        .iter()
        .map(|it| it.headers["x-idempotency-key"].to_str().unwrap().to_owned())
        .collect();
    assert!(keys.iter().all(|it| *it == keys[0]), "{keys:?}");
    // The patience that an outage cost does not delay what comes after it.
    let next =
        "SELECT visit_at <= now() + interval '5 seconds' FROM payments.checkout WHERE id = $1";
    let payment = scene.open(&user);
    let id: Uuid = payment.id.parse().unwrap();
    let unheard =
        "UPDATE payments.checkout SET psp_id = NULL, visits = 7, visit_at = now() WHERE id = $1";
    scene.stack.sql().execute(unheard, &[&id]).unwrap();
    eventually("it is asked for again", SOON, || {
        let known = "SELECT psp_id IS NOT NULL FROM payments.checkout WHERE id = $1";
        scene.stack.sql().query_one(known, &[&id]).unwrap().get(0)
    });
    let is_soon: bool = scene.stack.sql().query_one(next, &[&id]).unwrap().get(0);
    assert!(is_soon);
}

#[test]
fn a_code_is_asked_for_in_the_same_words_each_time() {
    let scene = Scene::shared();
    let user = scene.user();
    let title = format!("{}{}", unique("code"), "x".repeat(200));
    scene
        .provider
        .instead(&title[..40], (0..4).map(|_| Reply::status(503)));
    let payment = scene.open_by(&user, &title, "qr");
    assert_eq!(payment.opened["status"], "payment_service_unavailable");
    scene.hurry(&payment);
    eventually("it is open at last", SOON, || {
        scene.status(&payment) == "pending"
    });
    let asked: Vec<_> = scene.provider.received(&title[..40]);
    assert!(asked.len() >= 5, "{}", asked.len());
    for it in &asked {
        assert_eq!(it.body, asked[0].body);
        assert_eq!(
            it.headers["x-idempotency-key"],
            asked[0].headers["x-idempotency-key"]
        );
    }
    let description = asked[0].json()["description"].as_str().unwrap().to_owned();
    assert_eq!(
        description,
        title[..150],
        "as long as the provider takes it"
    );
    let dollars = json!({ "order_id": "1", "amount": 25, "customer_id": 7, "currency": "USD", "method": "qr" });
    let refused = user
        .post("/payments/")
        .json(&dollars)
        .send()
        .expect(422)
        .json();
    assert_eq!(refused["code"], "currency-not-for-qr");
}

/// What is scanned is an order there, with words, refunds and webhooks of its own.
#[test]
fn an_order_is_booked_as_a_payment_is() {
    let scene = Scene::shared();
    let user = scene.user();
    let open = || {
        let payment = scene.open_by(&user, &unique("scanned"), "qr");
        assert_eq!(payment.opened["status"], "pending");
        let id = format!("ORD{}", payment.id.replace('-', "").to_uppercase());
        (payment, id)
    };
    // Told several times, in both spellings that are signed.
    let (payment, id) = open();
    scene.order_webhook(&id, &id).expect(200);
    assert_eq!(scene.status(&payment), "pending");
    let attempt = scene.provider.pays(&payment.id, &json!(25), "pending");
    scene.order_webhook(&id, &id.to_lowercase()).expect(200);
    scene
        .provider
        .changes(&attempt, "status", json!("approved"));
    scene.order_webhook(&id, "ORD0").expect(401);
    at_once(8, |number| {
        let lower = id.to_lowercase();
        match number % 3 {
            0 => scene.order_webhook(&id, &id),
            1 => scene.order_webhook(&id, &lower),
            _ => scene.order_webhook(&lower, &lower),
        }
        .expect(200)
    });
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("approved", (2500, 1))
    );
    scene.patch(&payment, "refunded").expect(200);
    assert_eq!(
        (
            scene.provider.status(&attempt).as_str(),
            scene.booked(&payment)
        ),
        ("refunded", (0, 2))
    );
    // Never told.
    let (payment, _) = open();
    scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.hurry(&payment);
    eventually("the sweep finds it", SOON, || {
        scene.status(&payment) == "approved"
    });
    // Another amount.
    let (payment, id) = open();
    scene.provider.pays(&payment.id, &json!(24.99), "approved");
    scene.order_webhook(&id, &id).expect(200);
    assert_eq!(scene.attempts(&payment)[0]["verdict"], "disputed");
    assert_eq!(scene.booked(&payment), (0, 0));
    // Too late.
    let (payment, id) = open();
    scene.run_out(&payment);
    eventually("its time is over", SOON, || {
        scene.status(&payment) == "expired"
    });
    let attempt = scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.order_webhook(&id, &id).expect(200);
    assert_eq!(
        (
            scene.provider.status(&attempt).as_str(),
            scene.booked(&payment)
        ),
        ("refunded", (0, 0))
    );
    assert_sound(&scene.stack);
}

#[test]
fn what_the_provider_will_never_take_is_over_and_said_so() {
    let scene = Scene::shared();
    let (user, title, order) = (scene.user(), unique("refused"), unique("order"));
    let why = json!({ "message": "invalid unit_price" });
    scene.provider.instead(&title, [Reply::json(400, &why)]);
    let body = json!({ "order_id": order, "amount": 25, "customer_id": 7, "description": title });
    let refused = user.post("/payments/").json(&body).send().expect(502);
    assert_eq!(refused.json()["code"], "refused-by-provider");
    assert!(!refused.text().contains("unit_price"), "{refused}");
    let path = format!("/payments/?order_id={order}");
    let listed = user.get(&path).send().expect(200).json();
    assert_eq!(listed[0]["status"], "cancelled");
    // Not so when it is we who are not known there.
    let title = unique("unknown");
    scene
        .provider
        .instead(&title, (0..3).map(|_| Reply::status(401)));
    let payment = scene.open_titled(&user, &title);
    assert_eq!(payment.opened["status"], "payment_service_unavailable");
}

/// What other functions hear: nothing that can never be is called an outage, or they would ask for ever.
#[test]
fn a_function_that_asks_for_what_cannot_be_hears_so() {
    let scene = Scene::shared();
    let title = unique("refused");
    scene.provider.instead(&title, [Reply::status(400)]);
    let open = |field: &str, value: Value| {
        let mut request = json!({
            "id": Uuid::now_v7(), "opener": "orders", "reference": "7", "customer": "8", "owner": Uuid::nil(),
            "amount": 2500, "currency": "BRL", "description": "lunch", "email": null, "method": "Link",
            "seconds_to_pay": null,
        });
        request[field] = value;
        let answer = scene.stack.post("/ask/checkout/open").json(&request);
        answer.send().expect(200).json()
    };
    let malformed = |what: &str| json!({ "Err": { "Malformed": what } });
    for field in ["opener", "reference", "customer"] {
        for wrong in ["", "a\0b", &"x".repeat(3000)] {
            assert_eq!(open(field, json!(wrong)), malformed(field), "{wrong:?}");
        }
    }
    assert_eq!(open("amount", json!(0)), malformed("amount"));
    assert_eq!(open("currency", json!("DOLLARS")), malformed("currency"));
    let refused = json!({ "Err": "RefusedByProvider" });
    assert_eq!(open("description", json!(title)), refused);
    let shortened = open("description", json!(format!("a\0b{}", "x".repeat(3000))));
    assert_eq!(shortened["Ok"]["status"], "Pending", "{shortened}");
}

#[test]
fn a_provider_whose_answer_is_lost_is_asked_again() {
    let scene = Scene::shared();
    let lost = unique("lost");
    scene.provider.instead(&lost, [Reply::lost()]);
    let payment = scene.open_titled(&scene.user(), &lost);
    assert_eq!(payment.opened["status"], "pending");
}

#[test]
fn a_provider_that_says_nothing_holds_up_nobody_for_long() {
    let scene = Scene::start();
    let user = scene.user();
    let hangs = || Reply::status(500).after(Duration::from_secs(60));
    scene.provider.instead("hung", (0..1000).map(|_| hangs()));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let body = json!({ "order_id": "1", "amount": 25, "customer_id": 7, "description": "hung" });
                    let answer = user.post("/payments/").json(&body).send().expect(200);
                    assert!(
                        answer.took() < Duration::from_secs(8),
                        "{:?}",
                        answer.took()
                    );
                    assert_eq!(answer.json()["status"], "payment_service_unavailable");
                    thread::sleep(Duration::from_millis(500));
                }
            });
        }
        let looks: Vec<_> = (0..50)
            .map(|_| {
                thread::sleep(Duration::from_millis(100));
                user.get("/payment/balance").send().expect(200).took()
            })
            .collect();
        is_over.store(true, Ordering::Relaxed);
        let slowest = looks.iter().max().unwrap();
        assert!(*slowest < Duration::from_secs(2), "{looks:?}");
    });
    // Most of them did not even ask.
    let (asked, opened) = (
        scene.provider.received("hung").len(),
        "SELECT count(*) FROM payments.checkout",
    );
    let opened: i64 = scene.stack.sql().query_one(opened, &[]).unwrap().get(0);
    assert!(
        i64::try_from(asked).unwrap() < opened,
        "{asked} for {opened}"
    );
}

#[test]
fn a_refund_that_the_provider_did_not_hear_is_told_again() {
    let scene = Scene::shared();
    let (payment, id) = scene.paid();
    scene
        .provider
        .instead(&format!("{id}/refunds"), (0..4).map(|_| Reply::status(503)));
    scene.patch(&payment, "refunded").expect(200);
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("refunded", (0, 2))
    );
    assert_eq!(scene.provider.status(&id), "approved");
    eventually("the provider hears of it", SOON, || {
        scene.hurry(&payment);
        scene.provider.status(&id) == "refunded"
    });
}

#[test]
fn a_refund_made_at_the_provider_is_booked_here() {
    let scene = Scene::shared();
    let (payment, id) = scene.paid();
    scene.provider.changes(&id, "status", json!("charged_back"));
    at_once(4, |_| scene.webhook(&id).expect(200));
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("refunded", (0, 2))
    );
    assert_sound(&scene.stack);
}

#[test]
fn a_part_that_the_provider_gave_back_is_booked_here() {
    let scene = Scene::shared();
    let (payment, id) = scene.paid();
    for (gone, left) in [(10, 1500), (10, 1500), (12, 1300)] {
        let field = "transaction_amount_refunded";
        scene.provider.changes(&id, field, json!(gone));
        at_once(4, |_| scene.webhook(&id).expect(200));
        assert_eq!(scene.booked(&payment).0, left);
        assert_eq!(scene.status(&payment), "approved");
    }
    // The rest goes when we say so.
    scene.patch(&payment, "refunded").expect(200);
    assert_eq!(
        (scene.provider.status(&id).as_str(), scene.booked(&payment)),
        ("refunded", (0, 4))
    );
    assert_sound(&scene.stack);
}

/// A card's holder has months to take the money back, and the webhook about it may get lost.
#[test]
fn money_that_is_taken_back_after_weeks_is_noticed() {
    let scene = Scene::shared();
    let (payment, attempt) = scene.paid();
    let id: Uuid = payment.id.parse().unwrap();
    let weeks = "UPDATE payments.checkout SET created_at = now() - interval '40 days', visits = 9, visit_at = now()
        WHERE id = $1";
    scene.stack.sql().execute(weeks, &[&id]).unwrap();
    let next = "SELECT visit_at - now() BETWEEN interval '1 day' AND interval '6 days'
        FROM payments.checkout WHERE id = $1";
    eventually("it will be looked at again", SOON, || {
        let is_due: Option<bool> = scene.stack.sql().query_one(next, &[&id]).unwrap().get(0);
        is_due == Some(true)
    });
    scene
        .provider
        .changes(&attempt, "status", json!("charged_back"));
    scene.hurry(&payment);
    eventually("the books know", SOON, || {
        (scene.status(&payment).as_str(), scene.booked(&payment)) == ("refunded", (0, 2))
    });
}

/// Deposits `amount` for an account of the user; answers the account, the payment's id and its attempt's.
fn deposited(scene: &Scene, user: &User, account: &str, amount: f64) -> (Payment, String) {
    let body = json!({ "paymentAccountId": account, "amount": amount });
    let row = user
        .post("/payments/deposit")
        .json(&body)
        .send()
        .expect(200)
        .json();
    let id = row["payment_id"].as_str().unwrap().to_owned();
    let attempt = scene.provider.pays(&id, &json!(amount), "pending");
    scene
        .provider
        .changes(&attempt, "currency_id", json!("USD"));
    scene
        .provider
        .changes(&attempt, "status", json!("approved"));
    scene.webhook(&attempt).expect(200);
    (Payment { id, opened: row }, attempt)
}

/// What a house account has in USD, by the books.
fn house(stack: &Stack, name: &str) -> i64 {
    let books = User::admin(stack)
        .get("/payments/trial-balance")
        .send()
        .expect(200)
        .json();
    let totals = books["totals"].as_array().unwrap();
    let usd = totals.iter().find(|it| it["currency"] == "USD").unwrap();
    let accounts = usd["house_accounts"].as_object().unwrap();
    let sum: i64 = accounts.values().map(|it| it.as_i64().unwrap()).sum();
    assert_eq!(json!(sum), usd["house"], "{usd:#}");
    accounts.get(name).map_or(0, |it| it.as_i64().unwrap())
}

/// Whom nobody pays from a machine is paid by a person, who finds it on a list.
#[test]
fn a_withdrawal_waits_for_whoever_pays_it_out() {
    let scene = Scene::start();
    let (user, admin) = (scene.user(), User::admin(&scene.stack));
    let name = account(&user, 0.0);
    deposited(&scene, &user, &name, 12.5);
    let row = withdraw(&user, &name, &json!(12.5)).expect(200).json();
    assert_eq!(house(&scene.stack, "payouts"), 1250);
    let payouts = || admin.get("/payments/payouts").send().expect(200).json();
    let waiting = payouts();
    assert_eq!(
        (
            &waiting[0]["id"],
            &waiting[0]["amount"],
            &waiting[0]["paymentAccountId"]
        ),
        (&row["id"], &json!(12.5), &json!(name))
    );
    let path = format!("/payments/payouts/{}/paid", row["id"].as_str().unwrap());
    user.post(&path).send().expect(403);
    user.get("/payments/payouts").send().expect(403);
    admin
        .post(&format!("/payments/payouts/{}/paid", Uuid::new_v4()))
        .send()
        .expect(404);
    let answers = at_once(4, |_| admin.post(&path).send().expect(200).json());
    assert!(answers.iter().all(|it| it["paidAt"].is_string()));
    assert_eq!(
        (
            payouts(),
            house(&scene.stack, "payouts"),
            house(&scene.stack, "external")
        ),
        (json!([]), 0, 1250)
    );
    assert_sound(&scene.stack);
}

#[test]
fn a_withdrawal_that_cannot_be_paid_out_or_bounces_is_the_users_again() {
    let scene = Scene::start();
    let (user, admin) = (scene.user(), User::admin(&scene.stack));
    let name = account(&user, 0.0);
    deposited(&scene, &user, &name, 12.5);
    let path = |of: &Value, what| format!("/payments/payouts/{}/{what}", of.as_str().unwrap());
    let withdrawn = |amount| {
        let row = withdraw(&user, &name, &json!(amount)).expect(200).json();
        row["id"].clone()
    };
    let [unpaid, bounced] = [withdrawn(2.5), withdrawn(4.0)];
    admin.post(&path(&bounced, "paid")).send().expect(200);
    assert_eq!(balance(&user, &name), json!(6));
    user.post(&path(&unpaid, "returned")).send().expect(403);

    for id in [&unpaid, &bounced] {
        let answers = at_once(4, |_| {
            admin.post(&path(id, "returned")).send().expect(200).json()
        });
        assert!(answers.iter().all(|it| it["returnedAt"].is_string()));
    }
    assert_eq!(balance(&user, &name), json!(12.5));
    assert_eq!(
        (
            admin.get("/payments/payouts").send().expect(200).json(),
            house(&scene.stack, "payouts"),
            house(&scene.stack, "external")
        ),
        (json!([]), 0, 0)
    );
    let paid = admin.post(&path(&unpaid, "paid")).send().problem(409);
    assert_eq!(paid["code"], "payout-returned");
    let nobody = json!(Uuid::new_v4());
    admin.post(&path(&nobody, "returned")).send().problem(404);
    assert_sound(&scene.stack);
}

#[test]
fn what_was_spent_before_it_was_taken_back_is_the_house_s_loss() {
    let scene = Scene::start();
    let user = scene.user();
    let name = account(&user, 0.0);
    let (payment, attempt) = deposited(&scene, &user, &name, 12.5);
    withdraw(&user, &name, &json!(12.5)).expect(200);
    // An admin cannot take back what is not there; the card's holder can.
    let refused = scene.patch(&payment, "refunded").expect(400).json();
    assert_eq!(refused["code"], "insufficient-funds");
    let part = "transaction_amount_refunded";
    scene.provider.changes(&attempt, part, json!(2.5));
    scene.webhook(&attempt).expect(200);
    assert_eq!(house(&scene.stack, "losses"), -250);
    scene
        .provider
        .changes(&attempt, "status", json!("charged_back"));
    at_once(4, |_| scene.webhook(&attempt).expect(200));
    assert_eq!(
        (
            scene.status(&payment).as_str(),
            house(&scene.stack, "losses")
        ),
        ("refunded", -1250)
    );
    assert_eq!(house(&scene.stack, "psp"), 0);
    assert_sound(&scene.stack);
}

#[test]
fn what_has_no_room_where_it_should_go_goes_back() {
    let scene = Scene::shared();
    let user = scene.user();
    let name = account(&user, 0.0);
    let full = "SELECT payments.deposit(gen_random_uuid(), owner, name, 1000000000000 - 100)::text
        FROM payments.account WHERE name = $1";
    scene.stack.sql().query_one(full, &[&name]).unwrap();
    let (payment, attempt) = deposited(scene, &user, &name, 12.5);
    assert_eq!(
        (
            scene.provider.status(&attempt).as_str(),
            scene.booked(&payment)
        ),
        ("refunded", (0, 0))
    );
    assert_eq!(scene.attempts(&payment)[0]["verdict"], "returned");
    assert_sound(&scene.stack);
}

#[test]
fn outside_a_sandbox_a_deposit_is_paid_for() {
    let scene = Scene::shared();
    let user = scene.user();
    let name = unique("account");
    let mut body = json!({ "paymentAccountId": name, "paymentAccountType": "DEBIT", "balance": 1 });
    user.post("/payments/accounts")
        .json(&body)
        .send()
        .expect(403);
    body["balance"] = json!(0);
    user.post("/payments/accounts")
        .json(&body)
        .send()
        .expect(200);
    let body = json!({ "paymentAccountId": name, "amount": 12.5 });
    let row = user
        .post("/payments/deposit")
        .json(&body)
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&row["status"], &row["amount"]),
        (&json!("PENDING"), &json!(12.5))
    );
    assert!(row["payment_link"].is_string(), "{row}");
    assert_eq!(balance(&user, &name), json!(0));

    let id = scene.provider.pays(
        row["payment_id"].as_str().unwrap(),
        &json!(12.5),
        "approved",
    );
    scene.provider.changes(&id, "currency_id", json!("USD"));
    scene.webhook(&id).expect(200);
    assert_eq!(balance(&user, &name), json!(12.5));
    let histories = user.get("/payments/histories").send().expect(200).json();
    assert_eq!(
        (&histories[0]["amount"], &histories[0]["status"]),
        (&json!(12.5), &json!("COMPLETED"))
    );
    // No sandbox, no page to approve on.
    scene.stack.get("/sandbox-psp/pay/1").send().expect(404);
}

/// Everything at once, in an order that the dice decide; then one clean look by the sweep.
#[test]
fn chaos_ends_in_the_same_books_as_a_clean_run() {
    const PAYMENTS: usize = 24;
    let scene = Scene::shared();
    let user = scene.user();
    let outcomes = at_once(PAYMENTS, |number| {
        let title = unique("chaos");
        if number % 5 == 0 {
            scene
                .provider
                .instead(&title, [Reply::lost(), Reply::status(502)]);
        }
        let payment = scene.open_titled(&user, &title);
        let is_paid = number % 3 != 0;
        let id = scene.provider.pays(&payment.id, &json!(25), "pending");
        scene.webhook_signed(&id, "a guess", now_s());
        if number % 2 == 0 {
            scene.webhook(&id);
        }
        if number % 4 == 0 {
            scene.provider.instead(
                &format!("/v1/payments/{id}"),
                [Reply::lost(), Reply::status(500)],
            );
        }
        let last = if is_paid { "approved" } else { "rejected" };
        scene.provider.changes(&id, "status", json!(last));
        // Some are told several times, some never.
        for _ in 0..number % 4 {
            scene.webhook(&id);
        }
        scene.hurry(&payment);
        (payment, last)
    });
    for (payment, last) in &outcomes {
        eventually("everything is as the provider holds it", SOON, || {
            scene.status(payment) == *last
        });
        let booked = if *last == "approved" {
            (2500, 1)
        } else {
            (0, 0)
        };
        assert_eq!(scene.booked(payment), booked);
    }
    assert_sound(&scene.stack);
}
