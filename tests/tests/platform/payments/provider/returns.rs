//! Money that goes back: refunds, chargebacks and withdrawals that are returned.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Reply, Stack, User, at_once, eventually};

use super::super::{account, assert_sound, balance, withdraw};
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
fn of_two_payments_for_one_checkout_the_second_is_refunded() {
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
fn a_chargeback_of_spent_money_is_a_loss_of_the_house() {
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
fn a_deposit_above_the_limit_of_the_account_is_refunded() {
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
