//! The menu: products, their hours and their stock.

use std::process::Command;

use serde_json::{Value, json};
use wharf_tests::{Stack, User, unique};

use super::{Shop, assert_books_agree, hire, id, open_shop, show, step};

fn names(user: &User, path: &str) -> Vec<String> {
    let listed = user.get(path).send().expect(200).json();
    let rows = listed.as_array().unwrap().iter();
    rows.map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_category_and_a_product_have_the_shapes_old_clients_read() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let category = shop
        .manager
        .get(&format!("/category/?category_id={}", shop.category))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        category,
        json!({ "id": shop.category, "name": "Sides", "enabled": true, "shop_id": shop.id })
    );
    let product =
        shop.product(json!({ "name": "Fries", "description": "Crisp", "allergens": ["gluten"] }));
    let shown = shop
        .manager
        .get(&format!("/products/{product}"))
        .send()
        .expect(200)
        .json();
    for (member, value) in [
        ("id", json!(product)),
        ("name", json!("Fries")),
        ("price", json!(10.5)),
        ("category_id", json!(shop.category)),
        ("enabled", json!(true)),
        ("category", json!("Sides")),
        ("allergens", json!(["gluten"])),
        ("available", json!(true)),
    ] {
        assert_eq!(shown[member], value, "{member}");
    }
    let patch = |body: &Value| {
        shop.manager
            .request("PATCH", &format!("/products/{product}/"))
            .json(body)
            .send()
    };
    let refused = patch(&json!({})).problem(400);
    assert_eq!(refused["status code"], 400);
    assert!(refused["msg"].is_string(), "{refused}");
    assert_eq!(
        patch(&json!({ "price": 12 })).expect(200).json()["price"],
        12
    );
    patch(&json!({ "price": 0.001 })).problem(422);
    patch(&json!({ "price": -1 })).problem(400);
}

#[test]
fn a_deleted_category_is_gone() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let body = json!({ "name": "Drinks", "shop_id": shop.id });
    let made = shop
        .manager
        .post("/category")
        .json(&body)
        .send()
        .expect(200)
        .json();
    let path = format!("/category/{}", made["id"]);
    User::driver(&stack).delete(&path).send().problem(403);
    shop.manager.delete(&path).send().expect(204);
    shop.manager.delete(&path).send().problem(404);
}

#[test]
fn only_offered_products_are_listed_and_pages_hold_ten() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    for number in 0..11 {
        shop.product(json!({ "name": format!("Dish {number:02}") }));
    }
    let hidden = shop.product(json!({ "name": "Secret dish", "enabled": false }));
    let customer = User::driver(&stack);
    let path = format!("/products/?shop_id={}", shop.id);
    assert_eq!(names(&customer, &path).len(), 10);
    let rest = names(&customer, &format!("{path}&skip=10&limit=10"));
    assert_eq!(rest, ["Dish 10"]);
    assert_eq!(
        names(&customer, &format!("{path}&name=dISH%2007")),
        ["Dish 07"]
    );
    let all = format!("{path}&all=true&limit=100");
    assert_eq!(names(&customer, &all).len(), 11);
    assert_eq!(names(&shop.manager, &all).len(), 12);
    customer
        .get(&format!("/products/{hidden}"))
        .send()
        .problem(404);
    let refused = shop.order(&customer, hidden, 1, "counter").problem(409);
    assert!(
        refused["msg"].as_str().unwrap().contains("Secret dish"),
        "{refused}"
    );
}

#[test]
fn a_deleted_product_is_gone_and_orders_keep_its_name_and_price() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "name": "Cheese pie" }));
    let customer = User::driver(&stack);
    let order = shop
        .order(&customer, product, 2, "counter")
        .expect(200)
        .json();
    let path = format!("/products/{product}");
    shop.manager.delete(&path).send().expect(204);
    shop.manager.get(&path).send().problem(404);
    shop.manager.delete(&path).send().problem(404);
    // The name is free again, at another price.
    shop.product(json!({ "name": "Cheese pie", "price": 99 }));
    let kept = show(&customer, id(&order));
    assert_eq!(kept["items"][0]["name"], "Cheese pie");
    assert_eq!(
        (&kept["items"][0]["price"], &kept["amount"]),
        (&json!(10.5), &json!(21))
    );
    shop.order(&customer, product, 1, "counter").problem(404);
}

#[test]
fn choices_are_priced_and_as_many_as_the_product_asks_for() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let options = json!({ "options": [
        { "name": "Size", "at_least": 1, "at_most": 1,
          "choices": [{ "name": "Small" }, { "name": "Large", "price": 2.5, "stock": 1 }] },
        { "name": "Extras", "at_most": 2, "choices": [{ "name": "Bacon", "price": 1.25 }] },
    ]});
    let product = shop.product(options.clone());
    let path = format!("/products/{product}");
    let shown = customer.get(&path).send().expect(200).json();
    let choice = |group: usize, choice: usize| {
        shown["options"][group]["choices"][choice]["id"]
            .as_i64()
            .unwrap()
    };
    let (small, large, bacon) = (choice(0, 0), choice(0, 1), choice(1, 0));
    let order = |choices: &[i64]| {
        let body = json!({
            "shop_id": shop.id, "payment_method": "counter",
            "order_items": [{ "product_id": product, "choices": choices, "comment": "well done" }],
        });
        customer.post("/orders").json(&body).send()
    };
    for wrong in [&[][..], &[small, large], &[bacon]] {
        assert_eq!(order(wrong).problem(400)["code"], "wrong-choices");
    }
    order(&[small, small]).problem(400);
    let taken = order(&[large, bacon]).expect(200).json();
    assert_eq!(taken["amount"], 14.25);
    assert_eq!(taken["items"][0]["comment"], "well done");
    let sold_out = order(&[large]).problem(409);
    assert!(
        sold_out["msg"].as_str().unwrap().contains("Large"),
        "{sold_out}"
    );
    order(&[small]).expect(200);
    // A cancelled order puts its pieces of a choice back.
    step(&customer, id(&taken), "cancelled").expect(200);
    order(&[large]).expect(200);
    let moved = shop.manager.get(&format!("{path}/stock")).send();
    let moved = moved.expect(200).json();
    let of_large: Vec<_> = moved
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["choice_id"] == large)
        .map(|it| (it["reason"].as_str().unwrap(), &it["change"]))
        .collect();
    let (one, back) = (json!(1), json!(-1));
    assert_eq!(
        of_large,
        [
            ("order", &back),
            ("release", &one),
            ("order", &back),
            ("count", &one)
        ]
    );
    assert_books_agree(&stack);
    // A choice that is sent again keeps its id; a missing one is deleted.
    let fewer = json!({ "options": [options["options"][0].clone()] });
    let changed = shop.manager.request("PATCH", &path).json(&fewer).send();
    let changed = changed.expect(200).json();
    assert_eq!(changed["options"].as_array().unwrap().len(), 1);
    assert_eq!(changed["options"][0]["choices"][1]["id"], large);
    order(&[small, bacon]).problem(404);
}

#[test]
fn every_change_of_a_stock_is_recorded() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let product = shop.product(json!({ "stock": 5 }));
    let order = id(&shop
        .order(&customer, product, 3, "counter")
        .expect(200)
        .json());
    assert_eq!(shop.stock(product), 2);
    step(&customer, order, "cancelled").expect(200);
    let path = format!("/products/{product}/stock");
    let move_stock = |reason: &str, quantity: i64| {
        let body = json!({ "reason": reason, "quantity": quantity });
        shop.manager.post(&path).json(&body).send()
    };
    move_stock("delivery", 10).expect(200);
    move_stock("count", 7).expect(200);
    move_stock("order", 7).problem(422);
    let moved = shop.manager.get(&path).send().expect(200).json();
    let rows: Vec<_> = moved
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["reason"].as_str().unwrap(),
                it["change"].as_i64().unwrap(),
                it["stock"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("count", -8, 7),
            ("delivery", 10, 15),
            ("release", 3, 5),
            ("order", -3, 2),
            ("count", 5, 5)
        ]
    );
    customer.get(&path).send().problem(403);
    assert_books_agree(&stack);
}

#[test]
fn a_short_count_rejects_and_refunds_the_newest_orders() {
    let stack = Stack::shared();
    let shop: Shop = open_shop(&stack);
    let kitchen = hire(&stack, shop.id, "kitchen");
    let product = shop.product(json!({ "stock": 5 }));
    let orders: Vec<_> = (0..3)
        .map(|_| shop.paid(&User::driver(&stack), product))
        .collect();
    let path = format!("/products/{product}/stock");
    let body = json!({ "reason": "count", "quantity": 1 });
    let counted = kitchen.post(&path).json(&body).send().expect(200).json();
    assert_eq!(counted["stock"], 0);
    let status = |order: i64| show(&shop.manager, order)["status"].clone();
    assert_eq!(
        orders.iter().map(|it| status(*it)).collect::<Vec<_>>(),
        ["paid", "rejected", "rejected"]
    );
    let last = show(&shop.manager, orders[2]);
    assert_eq!(
        (&last["payment_status"], &last["refunded"]),
        (&json!("refunded"), &json!(10.5))
    );
    assert_books_agree(&stack);
}

#[test]
fn a_name_is_taken_once_per_shop() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let name = unique("Pie");
    shop.product(json!({ "name": name }));
    let body = json!({ "name": name.to_uppercase(), "price": 1, "category_id": shop.category });
    let refused = shop
        .manager
        .post("/products")
        .json(&body)
        .send()
        .problem(409);
    assert_eq!(refused["code"], "name-taken");
}

#[test]
fn one_command_gives_a_shop_the_sample_menu() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    for done in ["\"created\":15", "\"changed\":15"] {
        let script = wharf_tests::repository().join("infra/menu");
        let output = Command::new(script)
            .args([format!("http://{}", stack.address()), shop.id.to_string()])
            .env("TOKEN", &shop.manager.token)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains(done), "{output:?}");
    }
    let path = format!("?shop_id={}&limit=100", shop.id);
    let categories = names(&shop.manager, &format!("/categories{path}"));
    let sample = [
        "Sides",
        "Sanduíches",
        "Pizzas",
        "Acompanhamentos",
        "Bebidas",
        "Sobremesas",
    ];
    assert_eq!(categories, sample);
    let products = names(&shop.manager, &format!("/products{path}"));
    assert_eq!(products.len(), 15);
}

#[test]
fn an_exported_menu_file_imports_unchanged() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let path = format!("/shops/{}/menu.csv", shop.id);
    let import = |user: &User, text: &str| {
        let body = text.to_owned();
        user.put(&path).body("text/csv", body).send()
    };
    let seed = std::fs::read_to_string(wharf_tests::repository().join("infra/menu.csv")).unwrap();
    import(&User::driver(&stack), &seed).problem(403);
    let done = import(&shop.manager, &seed).expect(200).json();
    assert_eq!(done, json!({ "created": 15, "changed": 0 }));
    let listed = |path: &str| {
        names(
            &shop.manager,
            &format!("{path}?shop_id={}&limit=100", shop.id),
        )
    };
    assert_eq!(listed("/categories").len(), 6);
    let exported = shop.manager.get(&path).send().expect(200);
    assert_eq!(
        exported.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    let done = import(&shop.manager, &exported.text()).expect(200).json();
    assert_eq!(done, json!({ "created": 0, "changed": 15 }));
    assert_eq!(
        shop.manager.get(&path).send().expect(200).text(),
        exported.text()
    );
    // The stock of a line counts the pieces that are free: pieces of unprepared orders come on top.
    let product = shop.product(json!({ "name": "Soup of the day", "stock": 5 }));
    shop.order(&User::driver(&stack), product, 2, "counter")
        .expect(200);
    import(
        &shop.manager,
        "category,name,price,stock\nSides,Soup of the day,9,7\n",
    )
    .expect(200);
    let counted = shop.manager.get(&format!("/products/{product}")).send();
    assert_eq!(counted.expect(200).json()["stock"], 7);
    // A wrong line changes nothing.
    let wrong = "category,name,price\nNew,Soup,9\nNew,Stew,free\n";
    let refused = import(&shop.manager, wrong).problem(400);
    assert!(
        refused["msg"].as_str().unwrap().starts_with("line 3"),
        "{refused}"
    );
    assert_eq!(listed("/categories").len(), 6);
    assert_eq!(listed("/products").len(), 16);
    assert_books_agree(&stack);
}
