//! A provider that is down, slow or silent, and chaos.

use std::iter::repeat_n;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use postgres::Client;
use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Reply, Stack, at_once, eventually, now_s, unique};

use super::super::assert_sound;
use super::scene::{SOON, Scene};

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
    // The answer may have been lost, so each retry carries the same key.
    let keys: Vec<_> = scene
        .provider
        .received(&title)
        .iter()
        .map(|it| it.headers["x-idempotency-key"].to_str().unwrap().to_owned())
        .collect();
    assert!(keys.iter().all(|it| *it == keys[0]), "{keys:?}");
    // The pause after an outage does not delay later requests.
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
fn retries_for_a_qr_code_send_the_same_body() {
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

#[test]
fn a_payment_that_the_provider_refuses_is_cancelled() {
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
    // A rejected token or a redirect does not refuse the payment itself.
    for reply in [
        Reply::status(401),
        Reply::redirect("https://psp.test/maintenance"),
    ] {
        let title = unique("unknown");
        scene.provider.instead(&title, repeat_n(reply, 3));
        let payment = scene.open_titled(&user, &title);
        assert_eq!(payment.opened["status"], "payment_service_unavailable");
    }
}

#[test]
fn an_unusable_answer_of_the_provider_is_requested_again() {
    let scene = Scene::shared();
    let (user, title) = (scene.user(), unique("useless"));
    let long = format!("https://psp.test/{}", "x".repeat(5_000));
    let replies = [
        Reply::json(201, &json!({ "id": "1", "init_point": long })),
        Reply::bytes(200, "<!doctype html>"),
    ];
    scene.provider.instead(&title, replies);
    let payment = scene.open_titled(&user, &title);
    assert_eq!(payment.opened["status"], "payment_service_unavailable");
    eventually("it can be paid", SOON, || {
        scene.hurry(&payment);
        scene.status(&payment) == "pending"
    });
}

/// Callers retry outages for ever, so an impossible request must be refused.
#[test]
fn impossible_requests_of_functions_are_refused_and_not_called_outages() {
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
fn a_silent_provider_does_not_delay_other_requests() {
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
                        answer.took() < Duration::from_secs(20),
                        "{:?}",
                        answer.took()
                    );
                    assert_eq!(answer.json()["status"], "payment_service_unavailable");
                    thread::sleep(Duration::from_millis(500));
                }
            });
        }
        let mut looks: Vec<_> = (0..50)
            .map(|_| {
                thread::sleep(Duration::from_millis(100));
                user.get("/payment/balance").send().expect(200).took()
            })
            .collect();
        is_over.store(true, Ordering::Relaxed);
        looks.sort();
        // If they queued behind a hanging request, nearly all would wait for its timeout of three seconds.
        assert!(looks[45] < Duration::from_secs(2), "{looks:?}");
    });
    // Most of them did not contact the provider.
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
fn a_provider_that_limits_requests_is_not_asked_for_a_while() {
    const PAYMENTS: usize = 40;
    let scene = Scene::start();
    let user = scene.user();
    let (title, refused) = (unique("crowd"), Reply::status(429));
    scene.provider.instead(&title, repeat_n(refused, 1000));
    for _ in 0..PAYMENTS {
        let payment = scene.open_titled(&user, &title);
        assert_eq!(payment.opened["status"], "payment_service_unavailable");
    }
    let asked = scene.provider.received(&title).len();
    assert!(asked < PAYMENTS, "{asked}");
}

/// All faults at once in random order, then one clean look by the sweep.
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
        // Some payments have several webhooks, some none.
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

/// The seconds until the next visit after each of ten visits to a checkout.
fn pauses(sql: &mut Client, status: &str, expires_in_s: f64, is_sending_back: bool) -> Vec<i32> {
    let pauses = "SELECT round(extract(epoch FROM next_visit(
            jsonb_populate_record(NULL::checkout, jsonb_build_object(
                'visits', visits, 'status', $1::text, 'psp_id', '1', 'created_at', now(),
                'expires_at', now() + $2::float8 * interval '1 second')),
            $3) - now()))::int
        FROM generate_series(0, 9) AS visits ORDER BY visits";
    let rows = sql.query(pauses, &[&status, &expires_in_s, &is_sending_back]);
    rows.unwrap().iter().map(|it| it.get(0)).collect()
}

#[test]
fn the_sweep_visits_a_checkout_less_often_but_open_ones_still_often() {
    let mut sql = Stack::shared().sql();
    sql.batch_execute("SET search_path = payments").unwrap();
    let doubling = [5, 10, 20, 40, 80, 160, 320, 640, 640, 640];
    assert_eq!(pauses(&mut sql, "approved", -60.0, true), doubling);
    assert_eq!(pauses(&mut sql, "pending", 86_400.0, false), doubling);
    assert_eq!(pauses(&mut sql, "pending", -60.0, false), doubling);
    // Once more when its time is up.
    let ending = pauses(&mut sql, "pending", 30.0, false);
    assert_eq!(ending, [5, 10, 20, 31, 31, 31, 31, 31, 31, 31]);
    let after = [300, 1_800, 10_800, 64_800];
    let day = [86_400; 6];
    assert_eq!(
        pauses(&mut sql, "approved", -60.0, false),
        [&after[..], &day].concat()
    );
}
