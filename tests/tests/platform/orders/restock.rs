//! The stock after items of an order were refunded.

use serde_json::{Value, json};
use wharf_tests::{Stack, User};

use super::{Shop, assert_books_agree, endow, hire, id, open_shop, step};

/// Gives one piece of an order's only item back.
fn give_back(shop: &Shop, order: &Value, restock: Option<bool>) {
    let mut piece = json!({ "item_id": order["items"][0]["id"], "quantity": 1 });
    if let Some(restock) = restock {
        piece["restock"] = json!(restock);
    }
    let path = format!("/orders/{}/refund", id(order));
    let body = json!({ "items": [piece] });
    let back = shop.manager.post(&path).json(&body).send();
    back.expect(200);
}

fn rich(stack: &Stack) -> User {
    let customer = User::driver(stack);
    endow(stack, &customer, 100_000);
    customer
}

#[test]
fn unprepared_items_are_restocked_and_others_at_the_clerks_choice() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 10 }));
    let customer = rich(&stack);
    let buy = |quantity| shop.order(&customer, product, quantity, "wallet");
    let order = buy(6).expect(200).json();
    assert_eq!(shop.stock(product), 4);
    give_back(&shop, &order, None);
    assert_eq!(shop.stock(product), 5);
    // A prepared piece that cannot be sold again.
    give_back(&shop, &order, Some(false));
    assert_eq!(shop.stock(product), 5);
    step(&shop.manager, id(&order), "preparing").expect(200);
    give_back(&shop, &order, None);
    assert_eq!(shop.stock(product), 5);
    // A piece that can be sold again, as an unopened bottle.
    give_back(&shop, &order, Some(true));
    assert_eq!(shop.stock(product), 6);
    step(&shop.manager, id(&order), "cancelled").expect(200);
    assert_eq!(shop.stock(product), 6);

    // An order that ends before it was prepared puts back its remaining pieces, and none twice.
    let order = buy(4).expect(200).json();
    give_back(&shop, &order, None);
    give_back(&shop, &order, Some(false));
    assert_eq!(shop.stock(product), 3);
    step(&customer, id(&order), "cancelled").expect(200);
    assert_eq!(shop.stock(product), 5);
    assert_books_agree(&stack);
}

#[test]
fn choices_go_back_with_their_items() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let options = json!([{
        "name": "Topping", "at_least": 0, "at_most": 1,
        "choices": [{ "name": "Cheese", "price": 1, "stock": 5 }],
    }]);
    let product = shop.product(json!({ "stock": 5, "options": options }));
    let stocks = || {
        let path = format!("/products/{product}");
        let shown = shop.manager.get(&path).send().expect(200).json();
        let cheese = shown["options"][0]["choices"][0].clone();
        (
            shown["stock"].clone(),
            cheese["stock"].clone(),
            cheese["id"].clone(),
        )
    };
    let customer = rich(&stack);
    let mut wish = shop.wish(product, 3, "wallet");
    wish["order_items"][0]["choices"] = json!([stocks().2]);
    let order = customer.post("/orders").json(&wish).send();
    let order = order.expect(200).json();
    let left = || {
        let (product, cheese, _) = stocks();
        (product.as_i64().unwrap(), cheese.as_i64().unwrap())
    };
    assert_eq!(left(), (2, 2));
    give_back(&shop, &order, None);
    assert_eq!(left(), (3, 3));
    step(&customer, id(&order), "cancelled").expect(200);
    assert_eq!(left(), (5, 5));
    assert_books_agree(&stack);
}

#[test]
fn a_count_asks_for_the_pieces_that_are_still_to_be_made() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 4 }));
    let customer = rich(&stack);
    let order = shop
        .order(&customer, product, 4, "wallet")
        .expect(200)
        .json();
    give_back(&shop, &order, Some(false));
    // Three are there, and three are needed.
    let kitchen = hire(&stack, shop.id, "kitchen");
    let counted = json!({ "reason": "count", "quantity": 3 });
    let path = format!("/products/{product}/stock");
    kitchen.post(&path).json(&counted).send().expect(200);
    assert_eq!(super::show(&customer, id(&order))["status"], "paid");
    assert_eq!(shop.stock(product), 0);
    assert_books_agree(&stack);
}
