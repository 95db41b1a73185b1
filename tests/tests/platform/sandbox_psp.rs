//! The sandbox, asked as the provider that it stands for.

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

    for _ in 0..2 {
        let refund = merchant
            .post(&format!("{payment}/refunds"), &json!({}))
            .expect(201)
            .json();
        assert_eq!(refund["amount"], 25.5);
    }
    assert_eq!(shown()["status"], "refunded");
}
