//! Orders that are paid through the provider: in time, too late, never.

use serde_json::{Value, json};
use wharf_tests::{Answer, Options, Stack, User, eventually};

use super::{
    SOON, assert_books_agree, id, make_due, open_shop, show, statuses, step, tick, told, with_tick,
};

/// The path of the page where an order is paid.
pub(super) fn page(stack: &Stack, order: &Value) -> String {
    let link = order["payment_link"].as_str().expect("a link");
    let here = format!("http://{}", stack.address());
    link.strip_prefix(&here).expect("the sandbox").to_owned()
}

/// A person presses a button on the page.
pub(super) fn press(stack: &Stack, page: &str, decision: &str) -> Answer {
    let form = format!("decision={decision}");
    stack.post(page).form(&form).send()
}

/// The sum of the transfers of an order, less its refunds.
pub(super) fn booked(stack: &Stack, order: i64) -> i64 {
    let sum = "SELECT coalesce(sum(CASE WHEN refund_of IS NULL THEN t.amount ELSE -t.amount END), 0)::bigint
        FROM payments.transfer t JOIN orders.charge c ON c.id IN (t.id, t.refund_of) WHERE order_id = $1";
    stack.sql().query_one(sum, &[&order]).unwrap().get(0)
}

#[test]
fn an_approved_payment_makes_the_order_paid_without_a_request() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let order = shop
        .order(&customer, product, 1, "provider")
        .expect(200)
        .json();
    step(&customer, id(&order), "paid").problem(409);
    let page = page(&stack, &order);
    press(&stack, &page, "decline").expect(200);
    eventually("the order knows of the refusal", SOON, || {
        show(&customer, id(&order))["payment_status"] == "rejected"
    });
    press(&stack, &page, "approve").expect(303);
    eventually("the order is paid", SOON, || {
        show(&customer, id(&order))["status"] == "paid"
    });
    let paid = show(&customer, id(&order));
    assert_eq!(paid["payment_status"], "approved");
    assert_eq!(
        (&paid["qr_code"], &paid["payment_link"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(statuses(&customer, id(&order)), ["created", "paid"]);
    assert_eq!(booked(&stack, id(&order)), 1_050);
    assert_books_agree(&stack);
}

#[test]
fn a_cancelled_order_can_no_longer_be_paid() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 1 }));
    let customer = User::driver(&stack);
    let order = shop
        .order(&customer, product, 1, "provider")
        .expect(200)
        .json();
    let page = page(&stack, &order);
    let cancelled = step(&customer, id(&order), "cancelled").expect(200).json();
    assert_eq!(
        (&cancelled["status"], &cancelled["next_states"]),
        (&json!("cancelled"), &json!([]))
    );
    assert_eq!(shop.stock(product), 1);
    // A payment that is made at the provider after the cancellation goes back.
    press(&stack, &page, "approve");
    eventually("nothing is kept", SOON, || booked(&stack, id(&order)) == 0);
    assert_eq!(show(&customer, id(&order))["status"], "cancelled");
    assert_books_agree(&stack);
}

#[test]
fn a_payment_approved_after_the_cancellation_goes_back_once() {
    let stack = with_tick().without_clock().start();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let order = shop
        .order(&customer, product, 1, "provider")
        .expect(200)
        .json();
    // The provider approves the payment, but the order is cancelled before orders hears of it.
    press(&stack, &page(&stack, &order), "approve").expect(303);
    let cancelled = step(&customer, id(&order), "cancelled").expect(200).json();
    assert_eq!(cancelled["status"], "cancelled");
    for _ in 0..3 {
        make_due(&stack);
        tick(&stack).send().expect(204);
    }
    let count = "SELECT count(*), sum(r.amount)::bigint FROM orders.refund r WHERE order_id = $1 AND status = 'done'";
    let row = stack.sql().query_one(count, &[&id(&order)]).unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 1_050));
    assert_eq!(booked(&stack, id(&order)), 0);
    assert_eq!(show(&customer, id(&order))["status"], "cancelled");
    assert_books_agree(&stack);
}

#[test]
fn a_cancelled_paid_order_is_refunded_at_the_provider_once() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 3 }));
    let customer = User::driver(&stack);
    let order = id(&pay(
        &stack,
        &customer,
        &shop
            .order(&customer, product, 1, "provider")
            .expect(200)
            .json(),
    ));
    let end = step(&customer, order, "cancelled").expect(200).json();
    assert_eq!(
        (&end["status"], &end["payment_status"]),
        (&json!("refunded"), &json!("refunded"))
    );
    step(&customer, order, "refunded").expect(200);
    eventually("the money went back", SOON, || booked(&stack, order) == 0);
    let refunds = "SELECT count(*) FROM payments.transfer t JOIN orders.charge c ON c.id = t.refund_of WHERE order_id = $1";
    let refunds: i64 = stack.sql().query_one(refunds, &[&order]).unwrap().get(0);
    assert_eq!((refunds, shop.stock(product)), (1, json!(3)));
    let tracked = statuses(&customer, order);
    assert_eq!(tracked, ["created", "paid", "refunded"]);
    assert_books_agree(&stack);
}

#[test]
fn items_that_were_paid_through_the_provider_go_back_there_once() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let made = shop.order(&customer, product, 3, "provider").expect(200);
    let paid = pay(&stack, &customer, &made.json());
    let (order, item) = (id(&paid), &paid["items"][0]["id"]);
    let give_back = |quantity: i64, key: &str| {
        let body = json!({ "items": [{ "item_id": item, "quantity": quantity }] });
        let request = shop.manager.post(&format!("/orders/{order}/refund"));
        request.header("idempotency-key", key).json(&body).send()
    };
    let key = wharf_tests::unique("back");
    // The answer to the first request may get lost with its host.
    let forget = "DELETE FROM orders.idempotency_key WHERE key LIKE '%' || $1";
    for is_lost in [false, true, false] {
        let back = give_back(1, &key).expect(200).json();
        if is_lost {
            assert_eq!(stack.sql().execute(forget, &[&key]).unwrap(), 1);
        }
        assert_eq!(
            (&back["refunded"], &back["status"]),
            (&json!(10.5), &json!("paid"))
        );
    }
    assert_eq!(booked(&stack, order), 2_100);
    assert_eq!(sent_back(&stack, order), 1_050);
    give_back(3, &wharf_tests::unique("back")).problem(409);

    // The rest goes back when the order is cancelled.
    let end = step(&customer, order, "cancelled").expect(200).json();
    assert_eq!(
        (&end["status"], &end["refunded"]),
        (&json!("refunded"), &json!(31.5))
    );
    eventually("all of it went back", SOON, || {
        (booked(&stack, order), sent_back(&stack, order)) == (0, 3_150)
    });
    assert_books_agree(&stack);
}

#[test]
fn a_chargeback_after_an_item_refund_takes_only_the_rest() {
    // Not shared: until the order knows, it and its money disagree.
    let stack = Options::default().start();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let cases: [(&[&str], &str); 2] = [
        (&[], "refunded"),
        // An order that was handed out stays so, without its money.
        (&["preparing", "ready_for_pickup", "delivered"], "delivered"),
    ];
    for (steps, end) in cases {
        let made = shop.order(&customer, product, 2, "provider").expect(200);
        let paid = pay(&stack, &customer, &made.json());
        let (order, item) = (id(&paid), &paid["items"][0]["id"]);
        let body = json!({ "items": [{ "item_id": item, "quantity": 1 }] });
        let path = format!("/orders/{order}/refund");
        shop.manager.post(&path).json(&body).send().expect(200);
        for status in steps {
            step(&shop.manager, order, status).expect(200);
        }
        // An admin of payments sends it all back, as the payer's bank may do too.
        let charge = "SELECT id::text FROM orders.charge WHERE order_id = $1";
        let charge: String = stack.sql().query_one(charge, &[&order]).unwrap().get(0);
        let path = format!("/payments/{charge}?new_status=refunded&reason=by+phone");
        User::admin(&stack)
            .request("PATCH", &path)
            .send()
            .expect(200);
        eventually("the order knows", SOON, || {
            show(&customer, order)["payment_status"] == "refunded"
        });
        let shown = show(&customer, order);
        assert_eq!(
            (&shown["status"], &shown["refunded"]),
            (&json!(end), &json!(21))
        );
        eventually("all of it went back", SOON, || {
            (booked(&stack, order), sent_back(&stack, order)) == (0, 2_100)
        });
        if end == "refunded" {
            eventually("the payer is told", SOON, || {
                told(&stack, order, "order_refunded") == [1_050]
            });
        }
    }
    assert_books_agree(&stack);
}

#[test]
fn a_manual_refund_at_the_provider_is_not_repeated_with_the_order() {
    // Not shared: until the rest goes back, the order and its money disagree.
    let stack = Options::default().start();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let made = shop.order(&customer, product, 1, "provider").expect(200);
    let order = id(&pay(&stack, &customer, &made.json()));
    let by_hand = "INSERT INTO sandbox_psp.refund (payment, amount)
        SELECT p.id, 50
        FROM orders.charge c
        JOIN sandbox_psp.bill b ON b.reference = c.id::text
        JOIN sandbox_psp.payment p ON p.bill = b.id
        WHERE c.order_id = $1";
    assert_eq!(stack.sql().execute(by_hand, &[&order]).unwrap(), 1);
    let visit = "UPDATE payments.checkout SET visit_at = now() WHERE id IN (SELECT id FROM orders.charge WHERE order_id = $1)";
    eventually("the ledger knows", SOON, || {
        stack.sql().execute(visit, &[&order]).unwrap();
        booked(&stack, order) == 1_000
    });
    step(&customer, order, "cancelled").expect(200);
    eventually("the rest went back", SOON, || {
        (booked(&stack, order), sent_back(&stack, order)) == (0, 1_050)
    });
}

/// The sum that the provider says it has sent back of an order.
fn sent_back(stack: &Stack, order: i64) -> i64 {
    let sum = "SELECT coalesce(sum(r.amount), 0)::bigint
        FROM orders.charge c
        JOIN sandbox_psp.bill b ON b.reference = c.id::text
        JOIN sandbox_psp.payment p ON p.bill = b.id
        JOIN sandbox_psp.refund r ON r.payment = p.id
        WHERE c.order_id = $1";
    stack.sql().query_one(sum, &[&order]).unwrap().get(0)
}

fn pay(stack: &Stack, customer: &User, order: &Value) -> Value {
    press(stack, &page(stack, order), "approve").expect(303);
    step(customer, id(order), "paid").expect(200).json()
}

#[test]
fn an_order_that_is_not_paid_in_time_is_cancelled_and_its_stock_is_free() {
    let stack = with_tick().without_clock().start();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 2 }));
    let customer = User::driver(&stack);
    let orders = ["counter", "provider"]
        .map(|method| id(&shop.order(&customer, product, 1, method).expect(200).json()));
    tick(&stack).send().expect(204);
    for order in orders {
        assert_eq!(show(&customer, order)["status"], "created");
    }
    let past = "UPDATE orders.customer_order SET expires_at = now() - interval '1 second'";
    stack.sql().batch_execute(past).unwrap();
    make_due(&stack);
    tick(&stack).send().expect(204);
    for order in orders {
        assert_eq!(statuses(&customer, order), ["created", "cancelled"]);
    }
    assert_eq!(shop.stock(product), 2);
    let told = "SELECT count(*) FROM events.entry WHERE kind = 'notify' AND payload ->> 'template' = 'order_cancelled'";
    assert_eq!(
        stack.sql().query_one(told, &[]).unwrap().get::<_, i64>(0),
        2
    );
    assert_books_agree(&stack);
}

#[test]
fn a_payment_of_a_wrong_amount_does_not_pay_an_order() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let made = shop.order(&customer, shop.product(json!({})), 1, "provider");
    let made = made.expect(200).json();
    let order = id(&made);
    let says = |cents: i64| {
        let lie = "UPDATE sandbox_psp.bill SET amount = $2 FROM orders.charge c
            WHERE c.order_id = $1 AND reference = c.id::text";
        assert_eq!(stack.sql().execute(lie, &[&order, &cents]).unwrap(), 1);
    };
    says(1);
    press(&stack, &page(&stack, &made), "approve").expect(303);
    step(&customer, order, "paid").problem(409);
    assert_eq!(show(&customer, order)["status"], "created");
    assert_eq!(booked(&stack, order), 0);
    says(1_050);
    for _ in 0..2 {
        step(&customer, order, "paid").expect(200);
    }
    assert_eq!(statuses(&customer, order), ["created", "paid"]);
    assert_eq!(booked(&stack, order), 1_050);
    assert_books_agree(&stack);
}

#[test]
fn a_setting_bounds_the_time_to_pay_an_order() {
    let stack = Options::default()
        .variable("order_seconds_to_pay", "1")
        .start();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 1 }));
    let customer = User::driver(&stack);
    let order = shop.order(&customer, product, 1, "counter").expect(200);
    eventually("it is called off", SOON, || {
        show(&customer, id(&order.json()))["status"] == "cancelled"
    });
    assert_eq!(shop.stock(product), 1);
}

#[test]
fn an_order_placed_while_the_provider_is_down_gets_its_code_later() {
    let stack = with_tick()
        .variable("psp_url", "http://127.0.0.1:9")
        .without_clock()
        .start();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let order = shop
        .order(&customer, product, 1, "provider")
        .expect(200)
        .json();
    assert_eq!(order["payment_status"], "payment_service_unavailable");
    assert_eq!(
        (&order["status"], &order["payment_link"]),
        (&json!("created"), &Value::Null)
    );
    // Writes what payments records when the provider answers at last.
    let answered = "UPDATE payments.checkout SET status = 'pending', psp_id = 'late', link = 'http://127.0.0.1:9/pay', scan = 'code'
        FROM orders.charge WHERE charge.id = checkout.id AND order_id = $1";
    stack.sql().execute(answered, &[&id(&order)]).unwrap();
    make_due(&stack);
    tick(&stack).send().expect(204);
    let later = show(&customer, id(&order));
    assert_eq!(later["payment_status"], "awaiting_payment");
    assert!(
        later["payment_link"].is_string() && later["qr_code"].is_string(),
        "{later}"
    );
}

#[test]
fn a_client_claim_that_an_order_was_paid_is_not_believed() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let order = id(&shop
        .order(&customer, product, 1, "provider")
        .expect(200)
        .json());
    let claim =
        json!({ "order_id": order, "customer_id": 1, "received_at": "2026-01-01T00:00:00Z" });
    stack
        .post("/orders/webhook")
        .json(&claim)
        .send()
        .expect(200);
    let path = format!("/orders/{order}");
    let both = json!({ "status": "paid", "payment_status": "approved" });
    customer
        .request("PATCH", &path)
        .json(&both)
        .send()
        .problem(409);
    let old = json!({ "payment_status": "approved" });
    customer
        .request("PATCH", &format!("{path}/payment"))
        .json(&old)
        .send()
        .problem(409);
    step(&shop.manager, order, "paid").problem(409);
    assert_eq!(show(&customer, order)["status"], "created");
}
