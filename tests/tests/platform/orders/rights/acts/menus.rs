//! Menus and shops.

use serde_json::json;
use wharf_tests::unique;

use super::{ADMIN, Act, COOK, MANAGER, STAFF, act, patch};
use crate::orders::photos;

pub(super) const ACTS: &[Act] = &[
    act(
        "POST /categories",
        "create a category",
        MANAGER,
        |at, user| {
            let body = json!({ "name": unique("New"), "shop_id": at.shop.id });
            user.post("/categories").json(&body).send()
        },
    ),
    act(
        "PATCH /categories/{category_id}",
        "change a category",
        MANAGER,
        |at, user| {
            patch(user, &at.category_path())
                .json(&json!({ "enabled": false }))
                .send()
        },
    ),
    act(
        "DELETE /categories/{category_id}",
        "delete a category",
        MANAGER,
        |at, user| user.delete(&at.category_path()).send(),
    ),
    act("POST /products", "create a product", MANAGER, |at, user| {
        let body = json!({ "name": unique("New"), "price": 1, "category_id": at.shop.category });
        user.post("/products").json(&body).send()
    }),
    act(
        "PATCH /products/{product_id}",
        "change a product",
        MANAGER,
        |at, user| {
            patch(user, &at.product_path())
                .json(&json!({ "price": 2 }))
                .send()
        },
    ),
    act(
        "DELETE /products/{product_id}",
        "delete a product",
        MANAGER,
        |at, user| user.delete(&at.product_path()).send(),
    ),
    act(
        "POST /products/{product_id}/photos",
        "add a photo",
        MANAGER,
        |at, user| photos::add(user, at.product(), &photos::JPEG),
    ),
    act(
        "PUT /products/{product_id}/photos",
        "order photos",
        MANAGER,
        |at, user| {
            let path = format!("{}/photos", at.product_path());
            user.put(&path).json(&json!({ "photos": [] })).send()
        },
    ),
    act(
        "POST /products/{product_id}/photos/{photo_id}",
        "complete a photo",
        MANAGER,
        |at, user| {
            user.post(&photos::shown(&at.shop, at.product(), &photos::JPEG))
                .send()
        },
    ),
    act(
        "DELETE /products/{product_id}/photos/{photo_id}",
        "take a photo away",
        MANAGER,
        |at, user| {
            user.delete(&photos::shown(&at.shop, at.product(), &photos::JPEG))
                .send()
        },
    ),
    act(
        "GET /products/{product_id}/stock",
        "see what changed a stock",
        STAFF,
        |at, user| user.get(&format!("{}/stock", at.product_path())).send(),
    ),
    act(
        "POST /products/{product_id}/stock",
        "count a stock",
        COOK,
        |at, user| {
            let body = json!({ "reason": "count", "quantity": 3 });
            user.post(&format!("{}/stock", at.product_path()))
                .json(&body)
                .send()
        },
    ),
    act("POST /shops", "open a shop", ADMIN, |_, user| {
        user.post("/shops")
            .json(&json!({ "name": unique("Shop") }))
            .send()
    }),
    act(
        "PATCH /shops/{shop_id}",
        "change a shop",
        ADMIN,
        |at, user| {
            patch(user, &at.of_shop(""))
                .json(&json!({ "name": unique("Shop") }))
                .send()
        },
    ),
    act(
        "GET /shops/{shop_id}/staff",
        "see the staff",
        MANAGER,
        |at, user| user.get(&at.of_shop("/staff")).send(),
    ),
    act(
        "PUT /shops/{shop_id}/staff/{user_id}/{role}",
        "give a role",
        MANAGER,
        |at, user| {
            let path = at.kiosk_of(&at.customer);
            let given = user.put(&path).send();
            at.shop.manager.delete(&path).send().expect(204);
            given
        },
    ),
    act(
        "DELETE /shops/{shop_id}/staff/{user_id}/{role}",
        "take a role away",
        MANAGER,
        |at, user| user.delete(&at.kiosk_of(&at.customer)).send(),
    ),
    act(
        "PUT /shops/{shop_id}/menu.csv",
        "import a menu",
        MANAGER,
        |at, user| {
            let menu = format!("category,name,price\nSides,{},5\n", unique("New"));
            user.put(&at.of_shop("/menu.csv"))
                .body("text/csv", menu)
                .send()
        },
    ),
    act(
        "GET /shops/{shop_id}/figures",
        "see figures",
        MANAGER,
        |at, user| user.get(&at.of_shop("/figures")).send(),
    ),
    act(
        "GET /shops/{shop_id}/figures.csv",
        "export figures",
        MANAGER,
        |at, user| user.get(&at.of_shop("/figures.csv")).send(),
    ),
    act(
        "GET /shops/{shop_id}/coupons",
        "see coupons",
        MANAGER,
        |at, user| user.get(&at.of_shop("/coupons")).send(),
    ),
    act(
        "POST /shops/{shop_id}/coupons",
        "create a coupon",
        MANAGER,
        |at, user| user.post(&at.of_shop("/coupons")).json(&at.coupon()).send(),
    ),
    act(
        "DELETE /shops/{shop_id}/coupons/{code}",
        "withdraw a coupon",
        MANAGER,
        |at, user| {
            let coupon = at.coupon();
            at.shop
                .manager
                .post(&at.of_shop("/coupons"))
                .json(&coupon)
                .send()
                .expect(201);
            let code = coupon["code"].as_str().unwrap();
            user.delete(&at.of_shop(&format!("/coupons/{code}"))).send()
        },
    ),
];
