//! Money that goes back: refunds, chargebacks and withdrawals that are returned.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Reply, Stack, User, at_once, eventually};

use super::super::{account, assert_sound, balance, by_hand, send, withdraw};
use super::scene::{Payment, SOON, Scene};

#[test]
fn a_payment_after_the_end_is_refunded() {
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
fn the_second_payment_for_a_checkout_is_refunded() {
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

/// A refund of an order that names no payment returns all its payments.
#[test]
fn each_of_two_payments_in_an_order_goes_back_by_itself() {
    let scene = Scene::shared();
    let payment = scene.open_by(&scene.user(), "lunch by code", "qr");
    let order = format!("ORD{}", payment.id.replace('-', "")).to_uppercase();
    let ids = [(); 2].map(|()| scene.provider.pays(&payment.id, &json!(25), "approved"));
    let statuses = || {
        let mut statuses = ids.each_ref().map(|it| scene.provider.status(it));
        statuses.sort();
        statuses
    };
    scene.order_webhook(&order, &order).expect(200);
    eventually("one of them is sent back", SOON, || {
        scene.hurry(&payment);
        let attempts = scene.attempts(&payment);
        let mut attempts = attempts.as_array().unwrap().iter();
        attempts.any(|it| it["verdict"] == "returned")
    });
    assert_eq!(statuses(), ["approved", "refunded"]);
    scene.order_webhook(&order, &order).expect(200);
    assert_eq!(
        (scene.status(&payment).as_str(), scene.booked(&payment)),
        ("approved", (2500, 1))
    );
    scene.patch(&payment, "refunded").expect(200);
    assert_eq!(statuses(), ["refunded", "refunded"]);
    assert_eq!(scene.booked(&payment), (0, 2));
    assert_sound(&scene.stack);
}

#[test]
fn a_refund_request_lost_on_the_way_is_sent_again() {
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
    // The rest goes back at our request.
    scene.patch(&payment, "refunded").expect(200);
    assert_eq!(
        (scene.provider.status(&id).as_str(), scene.booked(&payment)),
        ("refunded", (0, 4))
    );
    assert_sound(&scene.stack);
}

/// A card's holder has months to take the money back, and the webhook about it may get lost.
#[test]
fn a_chargeback_after_weeks_is_noticed() {
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
pub(super) fn deposited(
    scene: &Scene,
    user: &User,
    account: &str,
    amount: f64,
) -> (Payment, String) {
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

/// The balance of a house account in USD, by the books.
pub(super) fn house(stack: &Stack, name: &str) -> i64 {
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

/// An admin finds it on a list and pays it by hand.
#[test]
fn a_withdrawal_waits_until_an_admin_pays_it_out() {
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
    by_hand(&user, &path).expect(403);
    user.get("/payments/payouts").send().expect(403);
    admin.post(&path).json(&json!({})).send().expect(400);
    by_hand(
        &admin,
        &format!("/payments/payouts/{}/paid", Uuid::new_v4()),
    )
    .expect(404);
    let answers = at_once(4, |_| by_hand(&admin, &path).expect(200).json());
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
fn a_withdrawal_that_fails_or_bounces_returns_to_the_user() {
    let scene = Scene::start();
    let (user, admin) = (scene.user(), User::admin(&scene.stack));
    let name = account(&user, 0.0);
    deposited(&scene, &user, &name, 12.5);
    let path = |of: &Value, what| format!("/payments/payouts/{}/{what}", of.as_str().unwrap());
    let withdrawn = |amount| {
        let row = withdraw(&user, &name, &json!(amount)).expect(200).json();
        row["id"].clone()
    };
    let [unpaid, bounced, arrived] = [2.5, 4.0, 3.0].map(withdrawn);
    for paid in [&arrived, &bounced] {
        by_hand(&admin, &path(paid, "paid")).expect(200);
    }
    assert_eq!(balance(&user, &name), json!(3));
    by_hand(&user, &path(&unpaid, "returned")).expect(403);

    for id in [&unpaid, &bounced] {
        let answers = at_once(4, |_| {
            by_hand(&admin, &path(id, "returned")).expect(200).json()
        });
        assert!(answers.iter().all(|it| it["returnedAt"].is_string()));
    }
    assert_eq!(balance(&user, &name), json!(9.5));
    // The transfer that bounced is returned, and no other.
    assert_eq!(
        (
            admin.get("/payments/payouts").send().expect(200).json(),
            house(&scene.stack, "payouts"),
            house(&scene.stack, "external")
        ),
        (json!([]), 0, 300)
    );
    let paid = by_hand(&admin, &path(&unpaid, "paid")).problem(409);
    assert_eq!(paid["code"], "payout-returned");
    let nobody = json!(Uuid::new_v4());
    by_hand(&admin, &path(&nobody, "returned")).problem(404);
    assert_sound(&scene.stack);
}

/// The user's money is taken, and nothing moves until the rest is settled.
#[test]
fn a_chargeback_of_spent_money_is_owed_by_the_user() {
    let scene = Scene::start();
    let (user, other) = (scene.user(), scene.user());
    let (name, second) = (account(&user, 0.0), account(&other, 0.0));
    let (payment, attempt) = deposited(&scene, &user, &name, 100.0);
    send(&user, &name, &second, &json!(0.01)).expect(200);
    scene
        .provider
        .changes(&attempt, "status", json!("charged_back"));
    at_once(4, |_| scene.webhook(&attempt).expect(200));
    // Only one cent was missing, so the user owes one cent.
    assert_eq!(balance(&user, &name), json!(0));
    let houses = || ["receivables", "losses", "psp"].map(|it| house(&scene.stack, it));
    assert_eq!(scene.status(&payment), "refunded");
    assert_eq!(houses(), [-1, 0, 0]);
    let wallet = user.get("/payment/balance").send().expect(200).json();
    assert_eq!(
        (&wallet["balance"], &wallet["owed"]),
        (&json!(0), &json!(1))
    );

    // Incoming money settles the debt first; until then nothing goes out.
    for refused in [
        withdraw(&user, &name, &json!(1)),
        send(&user, &name, &second, &json!(1)),
        user.post("/payment/promocode/generate")
            .json(&json!({ "amount": 1 }))
            .send(),
    ] {
        assert_eq!(refused.problem(409)["code"], "receivable-open");
    }
    deposited(&scene, &user, &name, 2.0);
    withdraw(&user, &name, &json!(1.99)).expect(200);
    assert_eq!((balance(&user, &name), houses()), (json!(0), [0, 0, -200]));
    assert_sound(&scene.stack);
}

#[test]
fn a_debt_takes_all_free_money_and_its_rest_can_be_written_off() {
    let scene = Scene::start();
    let (user, other, admin) = (scene.user(), scene.user(), User::admin(&scene.stack));
    let (first, second, elsewhere) = (
        account(&user, 0.0),
        account(&user, 0.0),
        account(&other, 0.0),
    );
    let (_, attempt) = deposited(&scene, &user, &first, 12.5);
    send(&user, &first, &second, &json!(5)).expect(200);
    send(&user, &first, &elsewhere, &json!(7.5)).expect(200);
    // A part first, then all of it.
    let part = "transaction_amount_refunded";
    scene.provider.changes(&attempt, part, json!(2.5));
    scene.webhook(&attempt).expect(200);
    assert_eq!(balance(&user, &second), json!(2.5));
    scene
        .provider
        .changes(&attempt, "status", json!("charged_back"));
    scene.webhook(&attempt).expect(200);
    assert_eq!(balance(&user, &second), json!(0));
    assert_eq!(house(&scene.stack, "receivables"), -750);

    let list = || admin.get("/payments/receivables").send().expect(200).json();
    let owed = list();
    assert_eq!(owed.as_array().unwrap().len(), 1, "{owed}");
    assert_eq!(
        (&owed[0]["amount"], &owed[0]["settled"]),
        (&json!(10), &json!(2.5))
    );
    let path = format!(
        "/payments/receivables/{}/written-off",
        owed[0]["id"].as_str().unwrap()
    );
    by_hand(&user, &path).expect(403);
    at_once(4, |_| by_hand(&admin, &path).expect(200));
    assert_eq!(list(), json!([]));
    let houses = ["receivables", "losses", "psp"].map(|it| house(&scene.stack, it));
    assert_eq!(houses, [0, -750, 0]);
    assert_sound(&scene.stack);
}

#[test]
fn a_deposit_above_the_limit_of_the_account_is_refunded() {
    let scene = Scene::shared();
    let user = scene.user();
    let name = account(&user, 0.0);
    let full = "SELECT payments.book(gen_random_uuid(), 'deposit', payments.house_account('external', 'USD'), id,
            1000000000000 - 100, 'USD')::text
        FROM payments.account WHERE name = $1";
    let mut sql = scene.stack.sql();
    sql.batch_execute("SET search_path = payments").unwrap();
    sql.query_one(full, &[&name]).unwrap();
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
