//! Wallets of several currencies that are filled through the provider, and emptied.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{User, at_once, eventually};

use super::super::{assert_sound, by_hand, key};
use super::scene::{SOON, Scene};

fn top_up(user: &User, amount: i64, currency: &str) -> Value {
    let body = json!({ "amount": amount, "currency": currency });
    user.post("/payment/deposit")
        .json(&body)
        .send()
        .expect(201)
        .json()
}

fn balance(user: &User, currency: &str) -> i64 {
    let path = format!("/payment/balance?currency={currency}");
    user.get(&path).send().expect(200).json()["total"]
        .as_i64()
        .unwrap()
}

impl Scene {
    /// The payer pays it; answers the id at the provider.
    fn pays_in(&self, payment: &str, amount: &Value, currency: &str) -> String {
        let id = self.provider.pays(payment, amount, "pending");
        self.provider.changes(&id, "currency_id", json!(currency));
        self.provider.changes(&id, "status", json!("approved"));
        id
    }
}

#[test]
fn a_wallet_of_each_currency_is_filled_and_emptied_without_conversion() {
    let scene = Scene::shared();
    let (user, admin) = (scene.user(), User::admin(&scene.stack));
    for (currency, kind, account, routing) in [
        ("BRL", "pix", "529.982.247-25", Value::Null),
        ("EUR", "iban", "DE89 3704 0044 0532 0130 00", Value::Null),
        ("USD", "us_bank", "123456789", json!("021000021")),
    ] {
        let before = ["BRL", "EUR", "USD"].map(|it| balance(&user, it));
        let asked = top_up(&user, 2500, currency);
        assert!(
            asked["payment_link"].is_string() && asked["qr_code"].is_string(),
            "{asked}"
        );
        let payment = asked["payment_id"].as_str().unwrap();
        let id = scene.pays_in(payment, &json!(25), currency);
        // Webhooks and the sweep report it repeatedly, in any order.
        for answer in at_once(8, |_| scene.webhook(&id)) {
            answer.expect(200);
        }
        assert_eq!(balance(&user, currency), 2500);
        let after = ["BRL", "EUR", "USD"].map(|it| balance(&user, it));
        assert_eq!(after.iter().sum::<i64>(), before.iter().sum::<i64>() + 2500);

        let body = json!({ "kind": kind, "account": account, "routing_number": routing, "holder_name": "Ana" });
        let added = user
            .post("/payment/destinations")
            .json(&body)
            .send()
            .expect(201)
            .json();
        assert_eq!(
            (&added["currency"], &added["is_usable"]),
            (&json!(currency), &json!(false))
        );
        let destination = added["id"].as_str().unwrap();
        let cash_out = |amount: i64| {
            let body = json!({ "destination_id": destination, "amount": amount });
            user.post("/payment/cash-outs")
                .header("idempotency-key", &key())
                .json(&body)
                .send()
        };
        assert_eq!(cash_out(2000).problem(409)["code"], "destination-waits");
        let wait = "UPDATE payments.destination SET usable_at = now() WHERE id = $1";
        let of: Uuid = destination.parse().unwrap();
        scene.stack.sql().execute(wait, &[&of]).unwrap();
        // Money of another currency does not help.
        assert_eq!(cash_out(2501).problem(400)["code"], "insufficient-funds");
        let out = cash_out(2000).expect(201).json();
        assert_eq!(out["currency"], currency);
        for what in ["approved", "paid"] {
            let path = format!("/payments/payouts/{}/{what}", out["id"].as_str().unwrap());
            assert_eq!(
                by_hand(&admin, &path).expect(200).json()["currency"],
                currency
            );
        }
        assert_eq!(balance(&user, currency), 500);
        let receipt = format!("/payment/receipts/{payment}");
        let receipt = user.get(&receipt).send().expect(200).json();
        assert_eq!(
            (
                &receipt["currency"],
                &receipt["provider_payment_id"],
                &receipt["from"]
            ),
            (&json!(currency), &json!(id), &json!("payment provider"))
        );
    }
    assert_sound(&scene.stack);
}

#[test]
fn a_deposit_paid_twice_counts_once_and_a_wrong_amount_never() {
    let scene = Scene::shared();
    let user = scene.user();
    let asked = top_up(&user, 2500, "EUR");
    let payment = asked["payment_id"].as_str().unwrap();
    for (amount, currency) in [
        (json!(2500), "EUR"),
        (json!(25.01), "EUR"),
        (json!(25), "BRL"),
    ] {
        let lie = scene.pays_in(payment, &amount, currency);
        scene.webhook(&lie).expect(200);
        assert_eq!(balance(&user, "EUR"), 0, "{amount} {currency}");
    }
    let ids: Vec<_> = (0..2)
        .map(|_| scene.pays_in(payment, &json!(25), "EUR"))
        .collect();
    at_once(8, |number| scene.webhook(&ids[number % 2]).expect(200));
    assert_eq!(balance(&user, "EUR"), 2500);
    eventually("the second one is sent back", SOON, || {
        scene.webhook(&ids[0]);
        let back = ids
            .iter()
            .filter(|it| scene.provider.status(it) == "refunded");
        back.count() == 1
    });
    assert_eq!((balance(&user, "EUR"), balance(&user, "BRL")), (2500, 0));
    assert_sound(&scene.stack);
}
