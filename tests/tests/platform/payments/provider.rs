//! A payment provider that lies, loses, repeats and delays: the money ends where a clean run would have put it.

mod crashes;
mod debts;
mod disputes;
mod fake;
mod files;
mod manual;
mod outages;
mod parts;
mod returns;
mod scene;
mod stuck;
mod wallets;

use std::iter::repeat_n;

use scene::{SECRET, SOON, Scene};
use serde_json::json;
use uuid::Uuid;
use wharf_tests::{Options, Reply, User, at_once, eventually, now_s, unique};

use super::{account, assert_sound, balance, deposit};

#[test]
fn a_lost_webhook_only_delays_a_payment() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    assert_eq!(payment.opened["status"], "pending");
    scene.provider.pays(&payment.id, &json!(25), "approved");
    eventually("the sweep finds the payment", SOON, || {
        scene.status(&payment) == "approved"
    });
    assert_eq!(scene.booked(&payment), (2500, 1));
}

/// Card testing: attackers try hundreds of cards on a payment page.
#[test]
fn a_payment_after_many_declined_attempts_is_found() {
    let scene = Scene::shared();
    let payment = scene.open(&scene.user());
    scene.leave_alone(&payment);
    for status in repeat_n("rejected", 150).chain(["approved"]) {
        scene.provider.pays(&payment.id, &json!(25), status);
    }
    let ask = scene.stack.post("/ask/checkout/refresh");
    let told = ask.json(&json!(payment.id)).send().expect(200).json();
    assert_eq!(told["Ok"]["status"], "Approved", "{told}");
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
fn a_webhook_is_verified_by_asking_the_provider() {
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
fn forged_replayed_and_foreign_webhooks_change_nothing() {
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
    // Signed, but about a payment that is not ours.
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
fn a_payment_of_a_wrong_amount_or_currency_is_not_booked() {
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
        // The provider corrects its earlier answer.
        scene.provider.changes(&id, field, right);
        scene.webhook(&id).expect(200);
        assert_eq!(
            (scene.status(&payment).as_str(), scene.booked(&payment)),
            ("approved", (2500, 1))
        );
    }
}

#[test]
fn disputed_payments_are_listed_and_an_admin_sends_them_back() {
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
    let unexplained = format!("/payments/{}/attempts/{id}/return", payment.id);
    admin.post(&unexplained).send().problem(422);
    scene.send_back(&admin, &payment, "nobody-s").expect(404);
    // The provider does not receive the request at once.
    scene
        .provider
        .instead(&format!("{id}/refunds"), (0..3).map(|_| Reply::status(503)));
    let told = scene.send_back(&admin, &payment, &id).expect(200).json();
    assert_eq!(told[0]["verdict"], "returning");
    let acts = admin.get(&format!("/payments/acts?about={id}")).send();
    assert_eq!(acts.expect(200).json()[0]["reason"], "by phone");
    eventually("it is sent back", SOON, || {
        scene.hurry(&payment);
        scene.attempts(&payment)[0]["verdict"] == "returned"
    });
    assert_eq!(scene.provider.status(&id), "refunded");
    scene.send_back(&admin, &payment, &id).expect(200);
    assert_eq!(scene.booked(&payment), (0, 0));
    // A payment of the right amount still counts and is not disputed.
    let id = scene.provider.pays(&payment.id, &json!(25), "approved");
    scene.webhook(&id).expect(200);
    assert_eq!(scene.booked(&payment), (2500, 1));
    let accepted = scene.send_back(&admin, &payment, &id).expect(409).json();
    assert_eq!(accepted["code"], "not-disputed");
}

/// The provider reports one payment first for one checkout, later for another.
#[test]
fn a_payment_is_booked_for_one_checkout_only() {
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
    // The provider reports both at the same time.
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

/// The provider's search ignores its filter.
#[test]
fn a_search_result_of_another_checkout_is_left_to_that_checkout() {
    let scene = Scene::shared();
    let user = scene.user();
    let (first, second) = (scene.open(&user), scene.open(&user));
    for payment in [&first, &second] {
        scene.leave_alone(payment);
    }
    let id = scene.provider.pays(&second.id, &json!(25), "approved");
    let found = json!({ "results": [{
        "id": id, "status": "approved", "transaction_amount": 25, "currency_id": "BRL",
        "external_reference": second.id,
    }] });
    let search = format!("external_reference={}", first.id);
    scene.provider.instead(&search, [Reply::json(200, &found)]);
    let ask = scene.stack.post("/ask/checkout/refresh");
    ask.json(&json!(first.id)).send().expect(200);
    assert_eq!(scene.provider.received(&search).len(), 1);
    assert_eq!(scene.attempts(&first), json!([]));
    scene.webhook(&id).expect(200);
    assert_eq!(
        (scene.booked(&first), scene.booked(&second)),
        ((0, 0), (2500, 1))
    );
}

/// A scanned code is an order at the provider, with statuses, refunds and webhooks of its own.
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
    // Reported several times, with both spellings of the id signed.
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
    // Without a webhook.
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

/// The provider reports a scanned payment twice: as the order and as the payment behind it, which has another id.
#[test]
fn a_payment_by_code_reported_under_two_ids_is_booked_once() {
    let scene = Scene::shared();
    let payment = scene.open_by(&scene.user(), &unique("scanned"), "qr");
    scene.leave_alone(&payment);
    let attempt = scene.provider.pays(&payment.id, &json!(25), "approved");
    let behind = unique("behind");
    let told = json!({
        "id": behind, "status": "approved", "transaction_amount": 25, "currency_id": "BRL",
        "external_reference": payment.id,
    });
    let path = format!("/v1/payments/{behind}");
    let replies = repeat_n(Reply::json(200, &told), 2);
    scene.provider.instead(&path, replies);
    let order = format!("ORD{}", payment.id.replace('-', "").to_uppercase());
    for _ in 0..2 {
        scene.webhook(&behind).expect(200);
        scene.order_webhook(&order, &order).expect(200);
    }
    let attempts = scene.attempts(&payment);
    assert_eq!(attempts.as_array().unwrap().len(), 1, "{attempts}");
    assert_eq!(attempts[0]["id"], json!(attempt));
    assert_eq!(scene.provider.status(&attempt), "approved");
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("approved", (2500, 1))
    );
}

#[test]
fn a_deposit_outside_a_sandbox_goes_through_the_provider() {
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

/// Accounts hold USD, and a merchant of the provider takes one currency.
#[test]
fn an_unsupported_currency_is_refused_before_the_provider_is_asked() {
    let scene = Scene::run(Options::default().variable("psp_currency", "BRL"));
    let user = scene.user();
    let name = account(&user, 0.0);
    let euros = json!({ "amount": 1250, "currency": "EUR" });
    let dollars = json!({ "order_id": "1", "amount": 25, "customer_id": 7, "currency": "USD" });
    for refused in [
        deposit(&user, &name, &json!(12.5)),
        user.post("/payment/deposit").json(&euros).send(),
        user.post("/payments/").json(&dollars).send(),
    ] {
        assert_eq!(refused.problem(422)["code"], "currency-not-taken");
    }
    let opened = "SELECT count(*) FROM payments.checkout";
    let opened: i64 = scene.stack.sql().query_one(opened, &[]).unwrap().get(0);
    assert_eq!((opened, scene.provider.received("").len()), (0, 0));
    let reais = json!({ "amount": 1250, "currency": "BRL" });
    let opened = user.post("/payment/deposit").json(&reais).send();
    assert_eq!(opened.expect(201).json()["status"], "pending");
}

/// The database refuses it even if two webhooks race past the check before.
#[test]
fn a_payment_at_the_provider_is_never_booked_for_a_second_checkout() {
    let scene = Scene::shared();
    let user = scene.user();
    let (first, second) = (scene.open(&user), scene.open(&user));
    scene.leave_alone(&second);
    let id = scene.provider.pays(&first.id, &json!(25), "approved");
    scene.webhook(&id).expect(200);
    let conclude = "SELECT payments.conclude($1::text::uuid, 'pending', NULL, 'approved', 'accepted', $2::text,
        'approved', 2500, 'BRL', 0)::text";
    let mut sql = scene.stack.sql();
    let refused = sql.query(conclude, &[&second.id, &id]).unwrap_err();
    let refused = refused.as_db_error().unwrap();
    assert_eq!(refused.constraint(), Some("psp_payment_pkey"), "{refused}");
    assert_eq!(scene.booked(&second), (0, 0));
}
