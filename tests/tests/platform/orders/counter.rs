//! Orders for the provider that a cashier takes the money for.

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User, at_once, eventually};

use super::provider::{booked, page, press};
use super::{
    SOON, assert_books_agree, balance, endow, hire, id, make_due, open_shop, show, statuses, step,
    tick, told, with_tick,
};

fn cash_in(user: &User, order: i64) -> Answer {
    let body = json!({ "payment_status": "approved", "payment_method": "counter" });
    user.request("PATCH", &format!("/orders/{order}/payment"))
        .json(&body)
        .send()
}

fn refunds(stack: &Stack, order: i64) -> (i64, i64) {
    let sum = "SELECT count(*), coalesce(sum(amount), 0)::bigint FROM orders.refund
        WHERE order_id = $1 AND status = 'done'";
    let row = stack.sql().query_one(sum, &[&order]).unwrap();
    (row.get(0), row.get(1))
}

#[test]
fn a_cashier_takes_the_money_when_the_provider_is_down() {
    let stack = with_tick()
        .variable("psp_url", "http://127.0.0.1:9")
        .without_clock()
        .start();
    let shop = open_shop(&stack);
    let counter = hire(&stack, shop.id, "counter");
    let customer = User::driver(&stack);
    let product = shop.product(json!({}));
    let made = shop.order(&customer, product, 1, "provider").expect(200);
    let order = id(&made.json());
    cash_in(&customer, order).problem(403);
    for _ in 0..2 {
        let paid = cash_in(&counter, order).expect(200).json();
        assert_eq!(
            (
                &paid["status"],
                &paid["payment_status"],
                &paid["payment_method"]
            ),
            (&json!("paid"), &json!("approved"), &json!("counter"))
        );
    }
    assert_eq!(statuses(&customer, order), ["created", "paid"]);
    // Confirming the payment again does not move the order back in the kitchen.
    step(&shop.manager, order, "preparing").expect(200);
    let shown = cash_in(&counter, order).expect(200).json();
    assert_eq!(shown["status"], "preparing");
    make_due(&stack);
    tick(&stack).send().expect(204);
    assert_eq!(show(&customer, order)["status"], "preparing");
    assert_books_agree(&stack);
}

#[test]
fn a_page_paid_after_the_counter_is_refunded_once() {
    let stack = with_tick().without_clock().start();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let product = shop.product(json!({}));
    let made = shop.order(&customer, product, 2, "provider").expect(200);
    let (order, page) = (id(&made.json()), page(&stack, &made.json()));
    // The provider approves the payment, but the cashier takes the money before orders hears of it.
    press(&stack, &page, "approve").expect(303);
    let paid = cash_in(&shop.manager, order).expect(200).json();
    assert_eq!(paid["payment_link"], Value::Null);
    for _ in 0..3 {
        make_due(&stack);
        tick(&stack).send().expect(204);
    }
    assert_eq!(booked(&stack, order), 0);
    assert_eq!(refunds(&stack, order), (1, 2_100));
    eventually("the payer is told", SOON, || {
        told(&stack, order, "order_paid_late") == [2_100]
    });
    assert_eq!(statuses(&customer, order), ["created", "paid"]);
    assert_eq!(show(&customer, order)["refunded"], 0);
    assert_books_agree(&stack);

    // The counter's money goes back at the counter, and nothing goes back through the provider.
    step(&customer, order, "cancelled").expect(200);
    assert_eq!(refunds(&stack, order), (2, 4_200));
    assert_eq!(booked(&stack, order), 0);
    assert_books_agree(&stack);
}

#[test]
fn a_page_whose_order_was_paid_at_the_counter_keeps_no_money() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let made = shop.order(&customer, shop.product(json!({})), 1, "provider");
    let made = made.expect(200).json();
    let (order, page) = (id(&made), page(&stack, &made));
    cash_in(&shop.manager, order).expect(200);
    press(&stack, &page, "approve");
    eventually("nothing is kept of it", SOON, || booked(&stack, order) == 0);
    assert_eq!(statuses(&customer, order), ["created", "paid"]);
    assert_books_agree(&stack);
}

#[test]
fn a_cashier_hears_that_an_order_was_paid_through_the_provider() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let made = shop.order(&customer, shop.product(json!({})), 1, "provider");
    let made = made.expect(200).json();
    press(&stack, &page(&stack, &made), "approve").expect(303);
    step(&customer, id(&made), "paid").expect(200);
    let refused = cash_in(&shop.manager, id(&made)).problem(409);
    assert_eq!(refused["code"], "already-paid");
    assert_eq!(statuses(&customer, id(&made)), ["created", "paid"]);
    assert_books_agree(&stack);
}

#[test]
fn an_order_possibly_paid_by_wallet_neither_expires_nor_is_paid_again() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    endow(&stack, &customer, 2_000);
    let place = |method| id(&shop.order(&customer, product, 1, method).expect(200).json());
    let (order, unpaid) = (place("wallet"), place("counter"));
    // The state after a crash between the ledger and the order, before a sweep. Both orders are late.
    let undo = format!(
        "SET search_path = orders;
        DELETE FROM tracking WHERE order_id = {order} AND status = 'paid';
        UPDATE charge SET status = 'opening', due_at = 'infinity' WHERE order_id = {order};
        UPDATE customer_order SET
            status = 'created', payment_status = 'pending', paid_at = NULL,
            expires_at = now() - interval '1 second'
        WHERE id IN ({order}, {unpaid})"
    );
    stack.sql().batch_execute(&undo).unwrap();
    let refused = cash_in(&shop.manager, order).problem(409);
    assert_eq!(refused["code"], "not-paid");
    eventually("the other one expires", SOON, || {
        show(&customer, unpaid)["status"] == "cancelled"
    });
    assert_eq!(statuses(&customer, order), ["created"]);
    let later = "UPDATE orders.charge SET due_at = now() WHERE order_id = $1";
    stack.sql().execute(later, &[&order]).unwrap();
    eventually("a sweep asks the ledger", SOON, || {
        show(&customer, order)["status"] == "paid"
    });
    assert_eq!(statuses(&customer, order), ["created", "paid"]);
    assert_eq!(balance(&customer), 950);
    assert_books_agree(&stack);
}

#[test]
fn the_counter_and_the_provider_at_once_pay_an_order_once() {
    const ROUNDS: usize = 15;
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let product = shop.product(json!({}));
    let orders: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let made = shop.order(&customer, product, 1, "provider").expect(200);
            let (order, page) = (id(&made.json()), page(&stack, &made.json()));
            at_once(3, |n| match n {
                0 => drop(press(&stack, &page, "approve")),
                1 => drop(step(&customer, order, "paid")),
                _ => {
                    let status = cash_in(&shop.manager, order).status();
                    assert!([200, 409].contains(&status), "{status}");
                }
            });
            order
        })
        .collect();
    for order in orders {
        eventually("the money is there once", SOON, || {
            let shown = show(&customer, order);
            let held = match shown["payment_method"].as_str().unwrap() {
                "counter" => 0,
                _ => 1_050,
            };
            shown["status"] == "paid" && booked(&stack, order) == held
        });
        assert_eq!(statuses(&customer, order), ["created", "paid"]);
    }
    assert_books_agree(&stack);
}
