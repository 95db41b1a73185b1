//! Orders that are paid by wallet or at the counter, and their refunds.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, eventually};

use super::provider::{page, press};
use super::{SOON, assert_books_agree, balance, endow, id, open_shop, show, statuses, step};

#[test]
fn a_wallet_pays_at_once_and_the_shop_receives_it() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    endow(&stack, &customer, 5_000);
    let order = shop
        .order(&customer, product, 2, "wallet")
        .expect(200)
        .json();
    assert_eq!(
        (&order["status"], &order["payment_status"]),
        (&json!("paid"), &json!("approved"))
    );
    assert_eq!((balance(&customer), balance(&shop.owner)), (2_900, 2_100));
    assert_eq!(statuses(&customer, id(&order)), ["created", "paid"]);
    assert_books_agree(&stack);
}

#[test]
fn a_wallet_without_the_money_buys_nothing_and_the_stock_is_free_again() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 1 }));
    let customer = User::driver(&stack);
    endow(&stack, &customer, 1_049);
    let refused = shop.order(&customer, product, 1, "wallet").problem(402);
    assert_eq!(refused["msg"], "insufficient funds");
    assert_eq!((balance(&customer), shop.stock(product)), (1_049, json!(1)));
    let listed = customer.get("/orders").send().expect(200).json();
    assert_eq!(listed[0]["status"], "cancelled");
    endow(&stack, &customer, 1);
    shop.order(&customer, product, 1, "wallet").expect(200);
    assert_books_agree(&stack);
    // Money that came for the void charge all the same would be given back.
    let mut sql = stack.sql();
    let mut late = sql.transaction().unwrap();
    let paid = "SELECT paid.outcome FROM orders.charge, orders.charge_paid(charge.id, NULL) AS paid
        WHERE order_id = $1 AND charge.status = 'void'";
    let order = id(&listed[0]);
    assert_eq!(
        late.query_one(paid, &[&order]).unwrap().get::<_, &str>(0),
        "paid"
    );
    let owed = "SELECT amount FROM orders.refund WHERE order_id = $1";
    assert_eq!(
        late.query_one(owed, &[&order]).unwrap().get::<_, i64>(0),
        1_050
    );
    late.rollback().unwrap();
}

#[test]
fn a_wallet_is_used_by_its_owner_in_shops_that_have_one() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    endow(&stack, &shop.owner, 5_000);
    assert_eq!(
        shop.order(&shop.owner, product, 1, "wallet").problem(400)["code"],
        "own-shop"
    );
    let customer = User::driver(&stack);
    let mut body = shop.wish(product, 1, "wallet");
    body["customer_id"] = json!(super::id_of(&customer));
    let refused = shop.manager.post("/orders").json(&body).send().problem(400);
    assert_eq!(refused["code"], "not-their-wallet");
}

#[test]
fn only_a_cashier_confirms_a_payment_at_the_counter() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let counter = super::hire(&stack, shop.id, "counter");
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let order = id(&shop
        .order(&customer, product, 1, "counter")
        .expect(200)
        .json());
    let path = format!("/orders/{order}/payment");
    let body = json!({ "payment_status": "approved" });
    let confirm = |user: &User| user.request("PATCH", &path).json(&body).send();
    confirm(&customer).problem(403);
    let paid = confirm(&counter).expect(200).json();
    assert_eq!(paid["status"], "paid");
    confirm(&counter).expect(200);
    assert_eq!(statuses(&customer, order), ["created", "paid"]);
    assert_books_agree(&stack);
}

fn give_back(user: &User, order: i64, item: &Value, quantity: i64) -> wharf_tests::Answer {
    let body = json!({ "items": [{ "item_id": item["id"], "quantity": quantity }] });
    user.post(&format!("/orders/{order}/refund"))
        .json(&body)
        .send()
}

#[test]
fn refunded_items_subtract_their_discount_and_never_exceed_the_payment() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "price": 3.33 }));
    let customer = User::driver(&stack);
    endow(&stack, &customer, 5_000);
    let coupons = format!("/shops/{}/coupons", shop.id);
    let ten = json!({ "code": "TENTH", "percent": 10 });
    shop.manager.post(&coupons).json(&ten).send().expect(201);
    let mut body = shop.wish(product, 3, "wallet");
    body["coupon"] = json!("TENTH");
    let order = customer
        .post("/orders")
        .json(&body)
        .send()
        .expect(200)
        .json();
    // 9.99 less trunc(0.999).
    assert_eq!((&order["amount"], balance(&customer)), (&json!(9), 4_100));
    let (id, item) = (id(&order), &order["items"][0]);
    give_back(&customer, id, item, 1).problem(403);
    let back = give_back(&shop.manager, id, item, 1).expect(200).json();
    assert_eq!(
        (&back["refunded"], &back["items"][0]["refunded"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(balance(&customer), 4_400);
    give_back(&shop.manager, id, item, 3).problem(409);
    give_back(&shop.manager, id, item, 2).expect(200);
    give_back(&shop.manager, id, item, 1).problem(409);
    assert_eq!((balance(&customer), balance(&shop.owner)), (5_000, 0));
    // Nothing is left for the cancellation.
    step(&customer, id, "cancelled").expect(200);
    assert_eq!(
        (balance(&customer), &show(&customer, id)["refunded"]),
        (5_000, &json!(9))
    );
    assert_books_agree(&stack);
}

#[test]
fn items_of_unpaid_or_other_orders_are_not_refunded() {
    let stack = Stack::shared();
    let (shop, other) = (open_shop(&stack), open_shop(&stack));
    let customer = User::driver(&stack);
    let product = shop.product(json!({}));
    let made = shop.order(&customer, product, 1, "counter");
    let unpaid = made.expect(200).json();
    let order = shop.paid(&customer, product);
    let beside = shop.paid(&customer, product);
    let elsewhere = other.paid(&customer, other.product(json!({})));
    let item = |order: i64| show(&customer, order)["items"][0].clone();
    for (order, item) in [
        (id(&unpaid), item(id(&unpaid))),
        (order, item(id(&unpaid))),
        (order, item(beside)),
        (order, item(elsewhere)),
    ] {
        let refused = give_back(&shop.manager, order, &item, 1).problem(409);
        assert_eq!(refused["code"], "nothing-to-refund");
    }
    for order in [id(&unpaid), order, beside, elsewhere] {
        let shown = show(&customer, order);
        assert_eq!(
            (&shown["refunded"], &shown["items"][0]["refunded"]),
            (&json!(0), &json!(0))
        );
    }
    assert_books_agree(&stack);
}

#[test]
fn a_cancelled_paid_order_is_refunded_to_the_wallet_once() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 1 }));
    let customer = User::driver(&stack);
    endow(&stack, &customer, 2_000);
    let order = id(&shop
        .order(&customer, product, 1, "wallet")
        .expect(200)
        .json());
    for _ in 0..2 {
        let end = step(&customer, order, "refunded").expect(200).json();
        assert_eq!(
            (&end["status"], &end["refunded"]),
            (&json!("refunded"), &json!(10.5))
        );
    }
    assert_eq!((balance(&customer), shop.stock(product)), (2_000, json!(1)));
    // Once the order is being prepared, only the shop can refund it, and the stock stays as it is.
    let order = id(&shop
        .order(&customer, product, 1, "wallet")
        .expect(200)
        .json());
    step(&shop.manager, order, "preparing").expect(200);
    step(&customer, order, "cancelled").problem(403);
    step(&shop.manager, order, "cancelled").expect(200);
    assert_eq!((balance(&customer), shop.stock(product)), (2_000, json!(0)));
    assert_books_agree(&stack);
}

#[test]
fn an_order_that_costs_nothing_is_paid_at_once() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let water = shop.product(json!({ "price": 0 }));
    let customer = User::driver(&stack);
    let order = shop
        .order(&customer, water, 1, "provider")
        .expect(200)
        .json();
    assert_eq!(
        (&order["status"], &order["amount"]),
        (&json!("paid"), &json!(0))
    );
    step(&customer, id(&order), "cancelled").expect(200);
    assert_books_agree(&stack);
}

#[test]
fn a_wallet_is_filled_through_the_provider_and_then_pays_an_order() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let pay_in = |amount: i64| {
        customer
            .post("/payment/deposit")
            .header("idempotency-key", "fill")
            .json(&json!({ "amount": amount, "currency": "BRL" }))
            .send()
    };
    let deposit = pay_in(3_000).expect(201).json();
    assert_eq!(pay_in(3_000).expect(201).json(), deposit);
    pay_in(4_000).problem(422);
    assert_eq!(balance(&customer), 0);
    press(&stack, &page(&stack, &deposit), "approve").expect(303);
    eventually("the money is there", SOON, || balance(&customer) == 3_000);
    let order = shop
        .order(&customer, product, 1, "wallet")
        .expect(200)
        .json();
    assert_eq!(
        (&order["status"], balance(&customer)),
        (&json!("paid"), 1_950)
    );
    let nothing = json!({ "amount": 0, "currency": "BRL" });
    let path = "/payment/deposit";
    customer.post(path).json(&nothing).send().problem(400);
    assert_books_agree(&stack);
}
