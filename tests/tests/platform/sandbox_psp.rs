//! The sandbox, called like the provider that it replaces.

use serde_json::{Value, json};
use wharf_tests::{Answer, Options, Stack, unique};

const TOKEN: &str = "sandbox-merchant";

struct Merchant(Stack);

impl Merchant {
    fn get(&self, path: &str) -> Answer {
        let path = format!("/sandbox-psp{path}");
        self.0.get(&path).bearer(TOKEN).send()
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let path = format!("/sandbox-psp{path}");
        self.0.post(&path).bearer(TOKEN).json(body).send()
    }
}

#[test]
fn a_payment_is_found_by_its_reference_shown_and_refunded_once() {
    let stack = Options::default().variable("psp_token", TOKEN).start();
    let merchant = Merchant(stack);
    let reference = unique("bill");
    let bill = json!({
        "items": [{ "title": "Two burgers", "quantity": 1, "unit_price": 25.5, "currency_id": "BRL" }],
        "external_reference": reference,
        "notification_url": "http://127.0.0.1:9/",
    });
    let made = merchant
        .post("/checkout/preferences", &bill)
        .expect(201)
        .json();
    let id = made["id"].as_str().unwrap();
    let pay = merchant.0.post(&format!("/sandbox-psp/pay/{id}"));
    pay.form("decision=approve").send().expect(200);

    let found = format!("/v1/payments/search?external_reference={reference}");
    let found = merchant.get(&found).expect(200).json();
    let payment = format!("/v1/payments/{}", found["results"][0]["id"]);
    let shown = || merchant.get(&payment).expect(200).json();
    assert_eq!(
        (&shown()["status"], &shown()["transaction_amount"]),
        (&json!("approved"), &json!(25.5))
    );
    merchant
        .0
        .get(&format!("/sandbox-psp{payment}"))
        .send()
        .problem(401);

    let refunds = format!("/sandbox-psp{payment}/refunds");
    let refund = |key: &str, body: &Value| {
        let request = merchant.0.post(&refunds).bearer(TOKEN);
        request.header("x-idempotency-key", key).json(body).send()
    };
    for _ in 0..2 {
        let part = refund("one", &json!({ "amount": 10 })).expect(201).json();
        assert_eq!(
            (&part["amount"], &part["payment_id"]),
            (&json!(10), &found["results"][0]["id"])
        );
    }
    refund("two", &json!({ "amount": 15.51 })).expect(400);
    refund("three", &json!({ "amount": 0 })).expect(400);
    assert_eq!(
        (&shown()["status"], &shown()["transaction_amount_refunded"]),
        (&json!("approved"), &json!(10))
    );
    for key in ["four", "four", "five"] {
        let rest = refund(key, &json!({})).expect(201).json();
        assert_eq!(rest["amount"], 15.5);
    }
    assert_eq!(
        (&shown()["status"], &shown()["transaction_amount_refunded"]),
        (&json!("refunded"), &json!(25.5))
    );
}

#[test]
fn a_part_of_an_order_is_refunded_once() {
    let stack = Options::default().variable("psp_token", TOKEN).start();
    let merchant = Merchant(stack);
    let bill = json!({ "total_amount": "25.50", "external_reference": unique("bill") });
    let made = merchant.post("/v1/orders", &bill).expect(201).json();
    let path = format!("/v1/orders/{}", made["id"].as_str().unwrap());
    let page = made["type_response"]["qr_data"].as_str().unwrap();
    let (_, page) = page.rsplit_once("/pay/").unwrap();
    let pay = merchant.0.post(&format!("/sandbox-psp/pay/{page}"));
    pay.form("decision=approve").send().expect(200);

    let paid = merchant.get(&path).expect(200).json();
    let payment = &paid["transactions"]["payments"][0]["id"];
    let part = json!({ "transactions": [{ "id": payment, "amount": "10.00" }] });
    let refunds = format!("/sandbox-psp{path}/refund");
    for _ in 0..2 {
        let request = merchant.0.post(&refunds).bearer(TOKEN);
        let request = request.header("x-idempotency-key", "one").json(&part);
        let order = request.send().expect(201).json();
        let refunds = order["transactions"]["refunds"].as_array().unwrap();
        assert_eq!(refunds.len(), 1, "{order}");
        assert_eq!(
            (&refunds[0]["transaction_id"], &refunds[0]["amount"]),
            (payment, &json!("10.00"))
        );
    }
    let stranger = json!({ "transactions": [{ "id": "PAY1", "amount": "1.00" }] });
    merchant
        .post(&format!("{path}/refund"), &stranger)
        .expect(404);
    let order = merchant.post(&format!("{path}/refund"), &json!({}));
    assert_eq!(order.expect(201).json()["status"], "refunded");
}
