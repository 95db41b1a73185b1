//! Placing an order: its price, its owner, refusals.

use serde_json::{Value, json};
use wharf_tests::{Dice, Stack, User, unique};

use super::{assert_books_agree, balance, endow, hire, id, open_shop, show, step};

#[test]
fn an_order_has_the_shape_old_clients_read() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "name": "Burger" }));
    let customer = User::driver(&stack);
    let body = json!({
        "shop_id": shop.id, "order_items": [{ "product_id": product, "quantity": 2 }],
        // Price and payment in a request are ignored.
        "amount": 0.01, "status": "delivered", "payment_status": "approved",
    });
    let order = customer
        .post("/orders/")
        .json(&body)
        .send()
        .expect(200)
        .json();
    let me = customer.get("/auth/me").send().json()["id"].clone();
    for (member, value) in [
        ("status", json!("created")),
        ("payment_status", json!("awaiting_payment")),
        ("amount", json!(21)),
        ("customer_id", me),
    ] {
        assert_eq!(order[member], value, "{member} of {order}");
    }
    assert!(
        order["payment_link"].as_str().unwrap().starts_with("http"),
        "{order}"
    );
    assert!(order["qr_code"].is_string(), "{order}");
    let item = &order["items"][0];
    assert_eq!(
        (
            &item["product_id"],
            &item["name"],
            &item["price"],
            &item["quantity"]
        ),
        (&json!(product), &json!("Burger"), &json!(10.5), &json!(2))
    );
    let listed = customer
        .get(&format!("/orders/?order_id={}", id(&order)))
        .send()
        .expect(200)
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["id"], order["id"]);
    customer
        .get("/orders/?order_id=999999999")
        .send()
        .problem(404);
    let created = customer
        .get("/orders/?status=created&limit=1")
        .send()
        .json();
    assert_eq!(created.as_array().unwrap().len(), 1);
}

#[test]
fn a_refused_order_names_the_refused_thing() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "name": "Last pie", "stock": 1 }));
    let customer = User::driver(&stack);
    let refused = shop.order(&customer, product, 2, "provider").problem(409);
    assert_eq!(
        (&refused["code"], &refused["msg"]),
        (&json!("sold-out"), &json!("Sold out: Last pie"))
    );
    // Two lines of a product share its stock.
    let line = json!({ "product_id": product, "quantity": 1 });
    let mut twice = shop.wish(product, 1, "counter");
    twice["order_items"] = json!([line, line]);
    let refused = customer.post("/orders").json(&twice).send().problem(409);
    assert_eq!(refused["code"], "sold-out");
    let empty = json!({ "shop_id": shop.id, "order_items": [] });
    assert_eq!(
        customer.post("/orders").json(&empty).send().problem(400)["code"],
        "no-items"
    );
    for quantity in [0, -1, 1_001] {
        shop.order(&customer, product, quantity, "counter")
            .problem(400);
    }
    // A product of another shop is unknown in this one.
    let other = open_shop(&stack);
    other.order(&customer, product, 1, "counter").problem(404);
    assert_eq!(shop.stock(product), 1);
}

#[test]
fn an_order_that_costs_another_amount_than_expected_is_refused_and_takes_nothing() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 5 }));
    let customer = User::driver(&stack);
    endow(&stack, &customer, 5_000);
    let coupon = json!({ "code": "HALF", "percent": 50, "max_uses": 1 });
    let coupons = format!("/shops/{}/coupons", shop.id);
    shop.manager.post(&coupons).json(&coupon).send().expect(201);
    let mut wish = shop.wish(product, 2, "wallet");
    wish["coupon"] = json!("half");
    wish["tip"] = json!(1.5);
    let mut ask = |expected: f64| {
        wish["expected_amount"] = json!(expected);
        customer.post("/orders").json(&wish).send()
    };
    // The amount is that of the answer: less the discount, with the tip.
    for other in [0.0, 11.99, 12.01, 21.0, 22.5] {
        assert_eq!(ask(other).problem(409)["code"], "price-changed");
    }
    let path = format!("/products/{product}");
    let dearer = json!({ "price": 11.5 });
    let change = shop.manager.request("PATCH", &path).json(&dearer).send();
    change.expect(200);
    assert_eq!(ask(12.0).problem(409)["code"], "price-changed");
    // Neither money, pieces, the only use of the coupon nor a number is gone.
    assert_eq!((balance(&customer), shop.stock(product)), (5_000, json!(5)));
    let order = ask(13.0).expect(200).json();
    assert_eq!(
        (&order["amount"], &order["pickup_number"], &order["status"]),
        (&json!(13), &json!(1), &json!("paid"))
    );
    assert_eq!((balance(&customer), shop.stock(product)), (3_700, json!(3)));
    assert_books_agree(&stack);
}

#[test]
fn lists_of_orders_are_filtered_and_hold_ten() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let (customer, other) = (User::driver(&stack), User::driver(&stack));
    let orders: Vec<_> = (0..11)
        .map(|_| {
            let made = shop.order(&customer, product, 1, "counter");
            id(&made.expect(200).json())
        })
        .collect();
    shop.order(&other, product, 1, "counter").expect(200);
    step(&customer, orders[0], "cancelled").expect(200);
    let ids = |user: &User, query: &str| -> Vec<i64> {
        let listed = user.get(&format!("/orders/{query}")).send().expect(200);
        listed.json().as_array().unwrap().iter().map(id).collect()
    };
    let newest: Vec<_> = orders.iter().rev().copied().collect();
    assert_eq!(ids(&customer, ""), newest[..10]);
    assert_eq!(ids(&customer, "?skip=10"), newest[10..]);
    assert_eq!(ids(&customer, "?skip=1&limit=2"), newest[1..3]);
    assert_eq!(ids(&customer, "?status=cancelled"), orders[..1]);
    let name = super::id_of(&customer);
    let of_customer = format!("?customer_id={name}&shop_id={}&limit=100", shop.id);
    assert_eq!(ids(&shop.manager, &of_customer), newest);
    assert_eq!(ids(&other, &of_customer), [0; 0]);
    let wrong = customer.get("/orders/?status=eaten").send().status();
    assert!([400, 422].contains(&wrong), "{wrong}");
}

#[test]
fn older_clients_check_out_and_each_step_has_its_actor_and_moment() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let wish = shop.wish(shop.product(json!({})), 1, "counter");
    let made = customer.post("/orders/checkout").json(&wish).send();
    let order = id(&made.expect(200).json());
    let counter = hire(&stack, shop.id, "counter");
    let body = json!({ "status": "paid" });
    let path = format!("/orders/{order}/status");
    counter.put(&path).json(&body).send().expect(200);
    let tracked = customer.get(&format!("/orders/{order}/tracking")).send();
    let tracked = tracked.expect(200).json();
    for (row, (status, actor)) in [("created", &customer), ("paid", &counter)]
        .into_iter()
        .enumerate()
    {
        let row = &tracked[row];
        assert_eq!(
            (&row["status"], &row["actor"], &row["order_id"]),
            (&json!(status), &json!(super::id_of(actor)), &json!(order))
        );
        let moment = row["created_at"].as_str().unwrap();
        let is_now = "SELECT now() - $1::text::timestamptz BETWEEN '0' AND interval '1 minute'";
        let is_now = stack.sql().query_one(is_now, &[&moment]).unwrap();
        assert!(is_now.get::<_, bool>(0), "{row}");
    }
}

#[test]
fn the_etag_of_a_followed_order_changes_with_its_estimate() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let first = shop.paid(&customer, product);
    let made = shop.order(&customer, product, 1, "counter").expect(200);
    let link = made.json()["tracking_link"].as_str().unwrap().to_owned();
    step(&shop.manager, id(&made.json()), "paid").expect(200);
    let before = stack.get(&link).send().expect(200);
    let etag = before.header("etag").unwrap();
    stack
        .get(&link)
        .header("if-none-match", etag)
        .send()
        .expect(304);
    for status in ["preparing", "ready_for_pickup"] {
        step(&shop.manager, first, status).expect(200);
    }
    let after = stack.get(&link).header("if-none-match", etag).send();
    assert!(after.expect(200).json()["ready_by"].is_string());
}

#[test]
fn pick_up_numbers_count_per_shop_and_day() {
    let stack = Stack::shared();
    for shop in [open_shop(&stack), open_shop(&stack)] {
        let product = shop.product(json!({}));
        let customer = User::driver(&stack);
        for number in 1..=3 {
            let order = shop
                .order(&customer, product, 1, "counter")
                .expect(200)
                .json();
            assert_eq!(order["pickup_number"], number);
        }
    }
}

#[test]
fn a_kiosk_orders_for_a_customer_and_other_callers_cannot() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let kiosk = hire(&stack, shop.id, "kiosk");
    let made = kiosk.post("/customers/anonymous").send().expect(200).json();
    let mut body = shop.wish(product, 1, "counter");
    body["customer_id"] = made["id"].clone();
    let order = kiosk.post("/orders/").json(&body).send().expect(200).json();
    assert_eq!(order["customer_id"], made["id"]);
    // The kiosk placed it, so it may call it off.
    step(&kiosk, id(&order), "cancelled").expect(200);
    let stranger = User::driver(&stack);
    stranger.post("/orders/").json(&body).send().problem(403);
    body["customer_id"] = json!(4_000_000_000_u32);
    assert_eq!(
        kiosk.post("/orders/").json(&body).send().problem(404)["code"],
        "unknown-customer"
    );
}

#[test]
fn an_order_is_shown_to_its_customer_and_its_shop() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let (customer, stranger) = (User::driver(&stack), User::driver(&stack));
    let order = id(&shop
        .order(&customer, product, 1, "counter")
        .expect(200)
        .json());
    for user in [&customer, &shop.manager, &User::admin(&stack)] {
        show(user, order);
    }
    let other_manager = open_shop(&stack).manager;
    for user in [&stranger, &other_manager] {
        for path in ["", "/tracking"] {
            user.get(&format!("/orders/{order}{path}"))
                .send()
                .problem(404);
        }
        step(user, order, "cancelled").problem(404);
        let listed = user.get(&format!("/orders?order_id={order}")).send();
        listed.problem(404);
    }
}

#[test]
fn a_link_follows_an_order_without_an_account() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let order = shop
        .order(&customer, product, 1, "counter")
        .expect(200)
        .json();
    let link = order["tracking_link"].as_str().unwrap();
    let seen = stack.get(link).send().expect(200);
    let followed = seen.json();
    assert_eq!(followed["status"], "created");
    assert!(
        !seen.text().contains(&super::id_of(&customer)),
        "{followed}"
    );
    let etag = seen.header("etag").unwrap().to_owned();
    let again = || stack.get(link).header("if-none-match", &etag).send();
    assert_eq!(again().expect(304).text(), "");
    step(&shop.manager, id(&order), "paid").expect(200);
    assert_eq!(again().expect(200).json()["status"], "paid");
    stack
        .get(&format!("/orders/{}", id(&order)))
        .send()
        .problem(401);
    let wrong = uuid::Uuid::new_v4();
    stack
        .get(&format!("/orders/follow/{wrong}"))
        .send()
        .problem(404);
}

#[test]
fn the_lines_of_random_carts_add_up_with_choices_coupons_and_tips() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let mut dice = Dice::new(7);
    let coupons = format!("/shops/{}/coupons", shop.id);
    for body in [
        json!({ "code": "TEN", "percent": 10 }),
        json!({ "code": "FIVER", "amount": 5, "min_amount": 20 }),
    ] {
        shop.manager.post(&coupons).json(&body).send().expect(201);
    }
    let products: Vec<(i64, i64, i64)> = (0..4)
        .map(|_| {
            let (price, extra) = (dice.below(5_000) as i64, dice.below(300) as i64);
            let decimal = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
            let body = json!({
                "price": serde_json::from_str::<Value>(&decimal(price)).unwrap(),
                "options": [{ "name": "Extra", "at_most": 1, "choices": [
                    { "name": "Sauce", "price": serde_json::from_str::<Value>(&decimal(extra)).unwrap() }] }],
            });
            (shop.product(body), price, extra)
        })
        .collect();
    for _ in 0..20 {
        let mut subtotal = 0;
        let mut lines = Vec::new();
        for _ in 0..=dice.below(4) {
            let (product, price, extra) = products[dice.index(products.len())];
            let quantity = 1 + dice.below(9) as i64;
            let path = format!("/products/{product}");
            let sauce = customer.get(&path).send().json()["options"][0]["choices"][0]["id"].clone();
            let has_sauce = dice.below(2) == 0;
            subtotal += quantity * (price + if has_sauce { extra } else { 0 });
            let choices = if has_sauce { json!([sauce]) } else { json!([]) };
            lines.push(json!({ "product_id": product, "quantity": quantity, "choices": choices }));
        }
        let tip = dice.below(10) as i64;
        let (coupon, discount) = match dice.below(3) {
            0 => (json!("ten"), subtotal / 10),
            1 if subtotal >= 2_000 => (json!("FIVER"), 500),
            _ => (Value::Null, 0),
        };
        let body = json!({
            "shop_id": shop.id, "payment_method": "counter", "order_items": lines, "tip": tip, "coupon": coupon,
        });
        let order = customer
            .post("/orders")
            .json(&body)
            .send()
            .expect(200)
            .json();
        let cents: i64 = stack
            .sql()
            .query_one(
                "SELECT amount FROM orders.customer_order WHERE id = $1",
                &[&id(&order)],
            )
            .unwrap()
            .get(0);
        assert_eq!(cents, subtotal - discount + 100 * tip, "{order}");
    }
    assert_books_agree(&stack);
}

#[test]
fn a_coupon_has_limited_uses_and_a_cancelled_order_frees_one() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let path = format!("/shops/{}/coupons", shop.id);
    let code = unique("ONCE").to_uppercase();
    let body = json!({ "code": code, "percent": 100, "max_uses": 1 });
    shop.manager.post(&path).json(&body).send().expect(201);
    let order = || {
        let mut body = shop.wish(product, 1, "counter");
        body["coupon"] = json!(code);
        body["tip"] = json!(1);
        customer.post("/orders").json(&body).send()
    };
    let first = order().expect(200).json();
    assert_eq!(
        (&first["discount"], &first["amount"]),
        (&json!(10.5), &json!(1))
    );
    assert_eq!(order().problem(409)["code"], "coupon-used-up");
    step(&customer, id(&first), "cancelled").expect(200);
    order().expect(200);
    let gone = format!("{path}/{code}");
    customer.delete(&gone).send().problem(403);
    shop.manager.delete(&gone).send().expect(204);
    assert_eq!(order().problem(404)["code"], "unknown-coupon");
}
