//! Attacks by customers who want more than they paid for.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, at_once, eventually};

use super::provider::{booked, page, press};
use super::{SOON, Shop, assert_books_agree, id, open_shop, show, step};

/// An order at the counter with more in its body.
fn body(shop: &Shop, product: i64, more: Value) -> Value {
    let mut body = shop.wish(product, 1, "counter");
    let members = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(members);
    body
}

#[test]
fn a_coupon_for_three_is_used_by_three_of_twenty_at_once() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customers: Vec<_> = (0..4).map(|_| User::driver(&stack)).collect();
    let coupon = json!({ "code": "THREE", "amount": 5, "max_uses": 3 });
    let path = format!("/shops/{}/coupons", shop.id);
    shop.manager.post(&path).json(&coupon).send().expect(201);
    let wish = body(&shop, product, json!({ "coupon": "THREE" }));
    let statuses = at_once(20, |n| {
        let customer = &customers[n % 4];
        customer.post("/orders").json(&wish).send().status()
    });
    let count = |status: u16| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((count(200), count(409)), (3, 17), "{statuses:?}");
    let listed = shop.manager.get(&path).send().expect(200).json();
    assert_eq!(listed[0]["used"], 3);
    assert_books_agree(&stack);
}

#[test]
fn a_coupon_is_for_orders_of_its_shop_that_are_large_and_early_enough() {
    let stack = Stack::shared();
    let (shop, other) = (open_shop(&stack), open_shop(&stack));
    let product = shop.product(json!({ "price": 10 }));
    let customer = User::driver(&stack);
    let coupon = |shop: &Shop, coupon: Value| {
        let path = format!("/shops/{}/coupons", shop.id);
        shop.manager.post(&path).json(&coupon).send().expect(201);
    };
    coupon(
        &shop,
        json!({ "code": "LARGE", "amount": 5, "min_amount": 10.01 }),
    );
    coupon(
        &shop,
        json!({ "code": "ENOUGH", "amount": 5, "min_amount": 10 }),
    );
    coupon(
        &shop,
        json!({ "code": "LATE", "amount": 5, "valid_until": "2999-01-01T00:00:00Z" }),
    );
    coupon(&other, json!({ "code": "THEIRS", "amount": 5 }));
    let order = |code: &str| {
        let wish = body(&shop, product, json!({ "coupon": code }));
        customer.post("/orders").json(&wish).send()
    };
    assert_eq!(order("LARGE").problem(409)["code"], "coupon-needs-more");
    for accepted in ["ENOUGH", "LATE"] {
        assert_eq!(order(accepted).expect(200).json()["amount"], 5);
    }
    let over = "UPDATE orders.coupon SET valid_until = now() WHERE shop_id = $1 AND code = 'LATE'";
    stack.sql().execute(over, &[&shop.id]).unwrap();
    for unknown in ["LATE", "THEIRS"] {
        assert_eq!(order(unknown).problem(404)["code"], "unknown-coupon");
    }
}

#[test]
fn a_coupon_takes_no_more_than_the_items_cost() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "price": 10 }));
    let path = format!("/shops/{}/coupons", shop.id);
    let rich = json!({ "code": "RICH", "amount": 10.5 });
    shop.manager.post(&path).json(&rich).send().expect(201);
    // A coupon does not reduce the tip.
    let wish = body(&shop, product, json!({ "coupon": "RICH", "tip": 1 }));
    let order = User::driver(&stack).post("/orders").json(&wish).send();
    let order = order.expect(200).json();
    assert_eq!(
        (&order["discount"], &order["amount"]),
        (&json!(10), &json!(1))
    );
}

#[test]
fn a_tip_adds_to_the_price_and_never_takes_from_it() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 5 }));
    let customer = User::driver(&stack);
    for (tip, status) in [
        (json!(-10), 400),
        (json!(-0.01), 400),
        (json!(1_000_000.01), 400),
        (json!(0.001), 422),
        (json!(1e300), 422),
    ] {
        let wish = body(&shop, product, json!({ "tip": tip }));
        customer.post("/orders").json(&wish).send().problem(status);
    }
    assert_eq!(shop.stock(product), 5);
}

#[test]
fn a_price_that_no_order_can_have_is_refused_and_takes_no_stock() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let choices: Vec<_> = (0..50)
        .map(|n| json!({ "name": n.to_string(), "price": 1_000_000 }))
        .collect();
    let product = shop.product(json!({
        "price": 1_000_000, "stock": 1_000_000,
        "options": [{ "name": "Extras", "at_most": 50, "choices": choices }],
    }));
    let shown = shop.manager.get(&format!("/products/{product}")).send();
    let shown = shown.expect(200).json();
    let all = shown["options"][0]["choices"].as_array().unwrap();
    let all: Vec<_> = all.iter().map(|it| &it["id"]).collect();
    let line = json!({ "product_id": product, "quantity": 1_000, "choices": all });
    let customer = User::driver(&stack);
    let code = json!({ "code": "EVERYTHING", "percent": 100 });
    let path = format!("/shops/{}/coupons", shop.id);
    shop.manager.post(&path).json(&code).send().expect(201);
    for coupon in [Value::Null, json!("EVERYTHING")] {
        let more = json!({ "order_items": vec![&line; 100], "coupon": coupon });
        let order = customer.post("/orders").json(&body(&shop, product, more));
        let answer = order.send();
        match coupon.is_null() {
            true => assert_eq!(answer.problem(400)["code"], "too-expensive"),
            // The whole discount is distributed, in whole cents.
            false => assert_eq!(answer.expect(200).json()["amount"], 0),
        }
    }
    assert_eq!(shop.stock(product), 900_000);
    assert_books_agree(&stack);
}

#[test]
fn a_hidden_product_or_choice_cannot_be_ordered() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let options = json!({ "options": [
        { "name": "Size", "at_most": 1, "choices": [{ "name": "Large", "price": 3 }] },
    ]});
    let (plain, sized) = (shop.product(json!({})), shop.product(options));
    let shown = customer.get(&format!("/products/{sized}")).send().json();
    let large = &shown["options"][0]["choices"][0]["id"];
    let foreign = json!({ "order_items": [{ "product_id": plain, "choices": [large] }] });
    let refused = customer.post("/orders").json(&body(&shop, plain, foreign));
    refused.send().problem(404);

    let path = format!("/categories/{}", shop.category);
    let hide = |enabled: bool| {
        let body = json!({ "enabled": enabled });
        let changed = shop.manager.request("PATCH", &path).json(&body).send();
        changed.expect(200);
    };
    hide(false);
    let refused = shop.order(&customer, plain, 1, "counter").problem(409);
    assert_eq!(refused["code"], "not-offered");
    let listed = customer.get(&format!("/products?shop_id={}", shop.id));
    assert_eq!(listed.send().expect(200).json(), json!([]));
    hide(true);
    shop.order(&customer, plain, 1, "counter").expect(200);
}

#[test]
fn a_link_shows_its_own_order_only_and_moves_nothing() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let [mine, theirs] = [(); 2].map(|()| {
        let made = shop.order(&User::driver(&stack), product, 1, "counter");
        made.expect(200).json()
    });
    let link = |it: &Value| it["tracking_link"].as_str().unwrap().to_owned();
    assert_ne!(link(&mine), link(&theirs));
    let followed = stack.get(&link(&theirs)).send().expect(200).json();
    assert_eq!(followed["pickup_number"], theirs["pickup_number"]);
    let members: Vec<_> = followed.as_object().unwrap().keys().cloned().collect();
    for secret in ["customer_id", "id", "items", "email", "tracking_link"] {
        assert!(!members.contains(&secret.to_owned()), "{members:?}");
    }
    // An order's number does not work as a link, and a link gives no right to change.
    stack
        .get(&format!("/orders/follow/{}", theirs["id"]))
        .send()
        .problem(404);
    for method in ["PATCH", "DELETE", "POST"] {
        let refused = stack.request(method, &link(&theirs));
        let status = refused.json(&json!({ "status": "paid" })).send().status();
        assert!([404, 405].contains(&status), "{method}: {status}");
    }
}

#[test]
fn an_order_cancelled_during_its_payment_is_either_paid_or_refunded() {
    const ROUNDS: usize = 20;
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": ROUNDS }));
    let customer = User::driver(&stack);
    let orders: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let made = shop.order(&customer, product, 1, "provider").expect(200);
            let (order, page) = (id(&made.json()), page(&stack, &made.json()));
            at_once(3, |n| match n {
                0 => drop(press(&stack, &page, "approve")),
                1 => drop(step(&customer, order, "paid")),
                _ => drop(step(&customer, order, "cancelled").expect(200)),
            });
            order
        })
        .collect();
    for order in orders {
        eventually("nothing is kept", SOON, || booked(&stack, order) == 0);
        let end = show(&customer, order)["status"].clone();
        assert!(
            [json!("cancelled"), json!("refunded")].contains(&end),
            "{end}"
        );
    }
    assert_eq!(shop.stock(product), ROUNDS);
    assert_books_agree(&stack);
}
