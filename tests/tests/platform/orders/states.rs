//! An order takes the declared steps and no others.

use serde_json::json;
use wharf_tests::{Dice, Stack, User};

use super::{assert_books_agree, hire, id, open_shop, show, statuses, step};

const WORDS: [&str; 10] = [
    "created",
    "requested",
    "paid",
    "preparing",
    "ready_for_pickup",
    "out_for_delivery",
    "delivered",
    "cancelled",
    "refunded",
    "rejected",
];

#[test]
fn random_walks_take_declared_steps_only() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 1000 }));
    let customer = User::driver(&stack);
    let mut dice = Dice::new(11);
    for _ in 0..25 {
        let order = id(&shop
            .order(&customer, product, 1, "counter")
            .expect(200)
            .json());
        for _ in 0..12 {
            let before = show(&shop.manager, order);
            let word = WORDS[dice.index(WORDS.len())];
            let answer = step(&shop.manager, order, word);
            let is_next = before["next_states"]
                .as_array()
                .unwrap()
                .contains(&json!(word));
            if is_next || before["status"] == word {
                assert_eq!(answer.expect(200).json()["status"], word);
            } else {
                // A step back, a cancellation that is a refund, or a refusal.
                assert!([200, 409].contains(&answer.status()), "{answer}");
            }
        }
    }
    assert_books_agree(&stack);
}

#[test]
fn a_missing_or_unknown_status_is_a_400_and_the_same_status_no_change() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let order = id(&shop
        .order(&customer, product, 1, "counter")
        .expect(200)
        .json());
    let path = format!("/orders/{order}");
    for body in [json!({}), json!({ "status": "eaten" })] {
        let refused = customer
            .request("PATCH", &path)
            .json(&body)
            .send()
            .problem(400);
        assert_eq!(refused["status code"], 400);
    }
    step(&customer, order, "created").expect(200);
    let put = json!({ "status": "paid" });
    shop.manager
        .put(&format!("{path}/status"))
        .json(&put)
        .send()
        .expect(200);
    step(&shop.manager, order, "paid").expect(200);
    assert_eq!(statuses(&customer, order), ["created", "paid"]);
}

#[test]
fn a_step_in_the_kitchen_can_be_taken_back_within_a_minute() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let kitchen = hire(&stack, shop.id, "kitchen");
    let product = shop.product(json!({}));
    let order = shop.paid(&User::driver(&stack), product);
    for status in [
        "preparing",
        "paid",
        "preparing",
        "ready_for_pickup",
        "preparing",
    ] {
        step(&kitchen, order, status).expect(200);
    }
    let later =
        "UPDATE orders.customer_order SET updated_at = now() - interval '61 seconds' WHERE id = $1";
    stack.sql().execute(later, &[&order]).unwrap();
    assert_eq!(
        step(&kitchen, order, "paid").problem(409)["code"],
        "too-late"
    );
    step(&kitchen, order, "ready_for_pickup").expect(200);
}

#[test]
fn the_notice_that_an_order_is_ready_waits_for_a_step_back() {
    let stack = super::with_tick().without_clock().start();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let (first, second) = (
        shop.paid(&User::driver(&stack), product),
        shop.paid(&User::driver(&stack), product),
    );
    for order in [first, second] {
        step(&shop.manager, order, "preparing").expect(200);
        step(&shop.manager, order, "ready_for_pickup").expect(200);
    }
    let told = || -> Vec<i64> {
        let told = "SELECT substr(aggregate, length('order:') + 1)::bigint FROM events.entry
            WHERE kind = 'notify' AND payload ->> 'template' = 'order_ready'";
        let rows = stack.sql().query(told, &[]).unwrap();
        rows.iter().map(|it| it.get(0)).collect()
    };
    super::tick(&stack).send().expect(204);
    assert!(told().is_empty());
    step(&shop.manager, first, "preparing").expect(200);
    let minute =
        "UPDATE orders.customer_order SET tell_ready_at = tell_ready_at - interval '1 minute'";
    stack.sql().batch_execute(minute).unwrap();
    for _ in 0..2 {
        super::tick(&stack).send().expect(204);
    }
    assert_eq!(told(), [second]);
}
