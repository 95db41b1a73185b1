//! Who may do what: each role against each act.

use serde_json::json;
use wharf_tests::{Answer, Stack, User};

use super::{Shop, hire, id, id_of, open_shop, step};

const ROLES: [&str; 7] = [
    "customer", "stranger", "kiosk", "kitchen", "counter", "manager", "admin",
];

/// An act, and the roles that may do it.
type Act = (
    &'static str,
    fn(&Stack, &Shop, &User, &User) -> Answer,
    &'static [&'static str],
);

/// A paid order of the customer.
fn paid(stack: &Stack, shop: &Shop, customer: &User) -> i64 {
    let _ = stack;
    shop.paid(customer, shop.product(json!({})))
}

const ACTS: [Act; 14] = [
    (
        "see an order",
        |stack, shop, customer, user| {
            let order = paid(stack, shop, customer);
            user.get(&format!("/orders/{order}")).send()
        },
        &["customer", "kitchen", "counter", "manager", "admin"],
    ),
    (
        "order for another",
        |_, shop, customer, user| {
            let mut body = shop.wish(shop.product(json!({})), 1, "counter");
            body["customer_id"] = json!(id_of(customer));
            user.post("/orders").json(&body).send()
        },
        &["customer", "kiosk", "counter", "manager", "admin"],
    ),
    (
        "confirm a payment",
        |_, shop, customer, user| {
            let order = shop.order(customer, shop.product(json!({})), 1, "counter");
            step(user, id(&order.expect(200).json()), "paid")
        },
        &["counter", "manager", "admin"],
    ),
    (
        "cancel an unpaid order",
        |_, shop, customer, user| {
            let order = shop.order(customer, shop.product(json!({})), 1, "counter");
            step(user, id(&order.expect(200).json()), "cancelled")
        },
        &["customer", "counter", "manager", "admin"],
    ),
    (
        "prepare",
        |stack, shop, customer, user| step(user, paid(stack, shop, customer), "preparing"),
        &["kitchen", "manager", "admin"],
    ),
    (
        "reject",
        |stack, shop, customer, user| step(user, paid(stack, shop, customer), "rejected"),
        &["kitchen", "manager", "admin"],
    ),
    (
        "refund what is being prepared",
        |stack, shop, customer, user| {
            let order = paid(stack, shop, customer);
            step(&shop.manager, order, "preparing").expect(200);
            step(user, order, "refunded")
        },
        &["manager", "admin"],
    ),
    (
        "hand out",
        |stack, shop, customer, user| {
            let order = paid(stack, shop, customer);
            step(&shop.manager, order, "preparing").expect(200);
            step(&shop.manager, order, "ready_for_pickup").expect(200);
            step(user, order, "delivered")
        },
        &["kitchen", "counter", "manager", "admin"],
    ),
    (
        "edit the menu",
        |_, shop, _, user| {
            let body = json!({ "name": wharf_tests::unique("New"), "shop_id": shop.id });
            user.post("/categories").json(&body).send()
        },
        &["manager", "admin"],
    ),
    (
        "count a stock",
        |_, shop, _, user| {
            let path = format!("/products/{}/stock", shop.product(json!({})));
            let body = json!({ "reason": "count", "quantity": 3 });
            user.post(&path).json(&body).send()
        },
        &["kitchen", "manager", "admin"],
    ),
    (
        "see the kitchen",
        |_, shop, _, user| user.get(&format!("/kitchen?shop_id={}", shop.id)).send(),
        &["kitchen", "counter", "manager", "admin"],
    ),
    (
        "see figures",
        |_, shop, _, user| user.get(&format!("/shops/{}/figures", shop.id)).send(),
        &["manager", "admin"],
    ),
    (
        "see coupons",
        |_, shop, _, user| user.get(&format!("/shops/{}/coupons", shop.id)).send(),
        &["manager", "admin"],
    ),
    (
        "assign staff",
        |_, shop, customer, user| {
            let path = format!("/shops/{}/staff/{}/kiosk", shop.id, id_of(customer));
            let given = user.put(&path).send();
            shop.manager.delete(&path).send().expect(204);
            given
        },
        &["manager", "admin"],
    ),
];

#[test]
fn each_role_may_do_what_the_table_says_and_nothing_else() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let users: Vec<_> = ROLES
        .iter()
        .map(|role| match *role {
            "customer" => customer.clone(),
            // A manager, but of another shop.
            "stranger" => open_shop(&stack).manager,
            "admin" => User::admin(&stack),
            role => hire(&stack, shop.id, role),
        })
        .collect();
    for (act, carry_out, allowed) in ACTS {
        for (role, user) in ROLES.iter().zip(&users) {
            let answer = carry_out(&stack, &shop, &customer, user);
            if allowed.contains(role) {
                assert!(answer.status() < 300, "{role} may {act}: {answer}");
            } else {
                assert!(
                    [403, 404].contains(&answer.status()),
                    "{role} may not {act}: {answer}"
                );
            }
        }
    }
}

#[test]
fn a_role_that_was_taken_away_is_gone() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let kitchen = hire(&stack, shop.id, "kitchen");
    let path = format!("/shops/{}/staff", shop.id);
    let staff = shop.manager.get(&path).send().expect(200).json();
    assert_eq!(staff.as_array().unwrap().len(), 2);
    let one = format!("{path}/{}/kitchen", id_of(&kitchen));
    kitchen.delete(&one).send().problem(403);
    shop.manager.delete(&one).send().expect(204);
    kitchen
        .get(&format!("/kitchen?shop_id={}", shop.id))
        .send()
        .problem(403);
    shop.manager
        .put(&format!("{path}/{}/chef", id_of(&kitchen)))
        .send()
        .problem(404);
}
