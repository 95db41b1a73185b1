//! Concurrent requests: one order per request, one buyer of the last piece, one payment per order.

use serde_json::json;
use wharf_tests::{Dice, Stack, User, at_once, eventually};

use super::{SOON, assert_books_agree, balance, endow, hire, id, open_shop, show, step};
use crate::orders::provider::{page, press};

#[test]
fn twenty_submits_with_one_key_make_one_order_and_one_payment() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 100 }));
    let customer = User::driver(&stack);
    let body = shop.wish(product, 1, "provider");
    let answers = at_once(20, |_| {
        let request = || {
            customer
                .post("/orders/")
                .header("idempotency-key", "one")
                .json(&body)
        };
        let mut answer = request().send();
        eventually("the first copy is answered", SOON, || {
            let is_running = answer.status() == 409;
            if is_running {
                answer = request().send();
            }
            !is_running
        });
        id(&answer.expect(200).json())
    });
    assert!(answers.iter().all(|it| *it == answers[0]), "{answers:?}");
    let count = "SELECT (SELECT count(*) FROM orders.customer_order WHERE shop_id = $1),
        (SELECT count(*) FROM payments.checkout JOIN orders.charge USING (id) WHERE order_id = $2)";
    let row = stack
        .sql()
        .query_one(count, &[&shop.id, &answers[0]])
        .unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 1));
    assert_eq!(shop.stock(product), 99);
}

#[test]
fn one_of_fifty_buyers_gets_the_last_piece_and_only_that_one_is_charged() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 1 }));
    let buyers: Vec<_> = (0..5).map(|_| User::driver(&stack)).collect();
    let statuses = at_once(50, |n| {
        shop.order(&buyers[n % 5], product, 1, "provider").status()
    });
    let sold = statuses.iter().filter(|it| **it == 200).count();
    let refused = statuses.iter().filter(|it| **it == 409).count();
    assert_eq!((sold, refused), (1, 49), "{statuses:?}");
    let charges = "SELECT count(*) FROM orders.charge JOIN orders.customer_order o ON o.id = order_id WHERE shop_id = $1";
    let charges: i64 = stack.sql().query_one(charges, &[&shop.id]).unwrap().get(0);
    assert_eq!((charges, shop.stock(product)), (1, json!(0)));
    assert_books_agree(&stack);
}

#[test]
fn carts_that_share_products_in_any_order_never_oversell() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let products: Vec<_> = (0..3)
        .map(|_| shop.product(json!({ "stock": 10 })))
        .collect();
    let customer = User::driver(&stack);
    let sold = at_once(40, |n| {
        let mut dice = Dice::new(n as u64);
        let lines: Vec<_> = (0..3)
            .map(|_| json!({ "product_id": products[dice.index(3)], "quantity": 1 }))
            .collect();
        let body = json!({ "shop_id": shop.id, "payment_method": "counter", "order_items": lines });
        let answer = customer.post("/orders").json(&body).send();
        assert!([200, 409].contains(&answer.status()), "{answer}");
        answer.status() == 200
    });
    assert!(sold.iter().any(|it| *it) && sold.iter().any(|it| !*it));
    assert_books_agree(&stack);
}

#[test]
fn counts_and_orders_of_the_same_products_do_not_deadlock() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let products: Vec<_> = (0..4)
        .map(|_| shop.product(json!({ "stock": 60 })))
        .collect();
    let customer = User::driver(&stack);
    at_once(60, |n| {
        let mut dice = Dice::new(n as u64);
        let mut product = || products[dice.index(4)];
        if n % 4 == 0 {
            let counted = json!({ "reason": "count", "quantity": n % 8 });
            let path = format!("/products/{}/stock", product());
            shop.manager.post(&path).json(&counted).send().expect(200);
            return;
        }
        let lines: Vec<_> = (0..3)
            .map(|_| json!({ "product_id": product(), "quantity": 1 }))
            .collect();
        let body = json!({ "shop_id": shop.id, "payment_method": "counter", "order_items": lines });
        let answer = customer.post("/orders").json(&body).send();
        assert!([200, 409].contains(&answer.status()), "{answer}");
        if n % 3 == 0 && answer.status() == 200 {
            // A count may have rejected it meanwhile.
            let answer = step(&customer, id(&answer.json()), "cancelled");
            assert!([200, 409].contains(&answer.status()), "{answer}");
        }
    });
    assert_books_agree(&stack);
}

#[test]
fn concurrent_confirmations_and_webhooks_pay_each_of_two_hundred_orders_once() {
    const ROUNDS: usize = 50;
    const AT_A_TIME: usize = 4;
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    at_once(AT_A_TIME, |_| {
        let customer = User::driver(&stack);
        for _ in 0..ROUNDS {
            let made = shop.order(&customer, product, 1, "provider").expect(200);
            let (order, page) = (id(&made.json()), page(&stack, &made.json()));
            at_once(4, |n| match n {
                0 => drop(press(&stack, &page, "approve").expect(303)),
                1 | 2 => drop(step(&customer, order, "paid")),
                _ => {
                    let path = format!("/orders/{order}/payment");
                    let body = json!({ "payment_status": "approved" });
                    customer.request("PATCH", &path).json(&body).send();
                }
            });
            step(&customer, order, "paid").expect(200);
        }
    });
    let taken = "SELECT
        (SELECT count(*) FROM orders.customer_order WHERE shop_id = $1 AND status = 'paid'),
        (SELECT count(*) FROM orders.tracking t JOIN orders.customer_order o ON o.id = t.order_id
            WHERE shop_id = $1 AND t.status = 'paid'),
        (SELECT count(*) FROM payments.transfer t JOIN orders.charge c ON c.id IN (t.id, t.refund_of)
            JOIN orders.customer_order o ON o.id = c.order_id WHERE shop_id = $1)";
    let row = stack.sql().query_one(taken, &[&shop.id]).unwrap();
    let counts = [0, 1, 2].map(|it| row.get::<_, i64>(it));
    assert_eq!(counts, [(ROUNDS * AT_A_TIME) as i64; 3]);
    assert_books_agree(&stack);
}

#[test]
fn a_wallet_pays_as_many_orders_as_it_has_money_for() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 10 }));
    let customer = User::driver(&stack);
    endow(&stack, &customer, 3_200);
    let statuses = at_once(8, |_| shop.order(&customer, product, 1, "wallet").status());
    let paid = statuses.iter().filter(|it| **it == 200).count();
    assert_eq!(paid, 3, "{statuses:?}");
    assert!(
        statuses.iter().all(|it| [200, 402].contains(it)),
        "{statuses:?}"
    );
    assert_eq!((balance(&customer), balance(&shop.owner)), (50, 3_150));
    // Pieces of unpaid orders are in the stock again.
    assert_eq!(shop.stock(product), 7);
    assert_books_agree(&stack);
}

#[test]
fn a_concurrent_cancellation_and_preparation_do_not_both_succeed() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let kitchen = hire(&stack, shop.id, "kitchen");
    let product = shop.product(json!({ "stock": 100 }));
    let customer = User::driver(&stack);
    for _ in 0..10 {
        let order = shop.paid(&customer, product);
        at_once(2, |n| match n {
            0 => step(&customer, order, "cancelled").status(),
            _ => step(&kitchen, order, "preparing").status(),
        });
        let end = show(&customer, order);
        let expected = match end["status"].as_str().unwrap() {
            "preparing" => json!(0),
            "refunded" => json!(10.5),
            other => panic!("{other}"),
        };
        assert_eq!(end["refunded"], expected);
    }
    assert_books_agree(&stack);
}

#[test]
fn a_product_that_is_deleted_meanwhile_is_not_changed() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let change = |is_deleted: bool| {
        format!(
            "SELECT outcome FROM change_product({product}, gen_random_uuid(), true, NULL, NULL, NULL, NULL, NULL, NULL,
                NULL, NULL, NULL, {is_deleted})"
        )
    };
    let outcomes = stack.overlap("orders", &change(true), &change(false));
    assert_eq!(
        outcomes,
        ("changed".to_owned(), "unknown_product".to_owned())
    );
}
