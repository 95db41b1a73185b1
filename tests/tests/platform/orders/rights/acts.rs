//! The act of each operation, and the roles that may do it.

mod menus;
mod orders;

use serde_json::{Value, json};
use wharf_tests::{Answer, Request, User, unique};

use crate::orders::{Shop, id, id_of, step};

pub(super) struct Scene {
    pub(super) shop: Shop,
    pub(super) customer: User,
}

pub(super) struct Act {
    pub(super) operation: &'static str,
    pub(super) what: &'static str,
    pub(super) allowed: &'static [&'static str],
    pub(super) carry_out: fn(&Scene, &User) -> Answer,
}

/// Operations that every caller may use. They show offered products, and orders only by their link.
pub(super) const OPEN: [&str; 12] = [
    "GET /categories",
    "GET /categories/{category_id}",
    "GET /products",
    "GET /products/{product_id}",
    "GET /products/{product_id}/photos/{photo_id}",
    "GET /shops",
    "GET /shops/{shop_id}",
    "GET /shops/{shop_id}/menu.csv",
    "GET /orders/follow/{link}",
    "GET /orders/follow/{link}/live",
    "POST /orders/webhook",
    // With the token of the clock.
    "POST /orders/tick",
];

const ADMIN: &[&str] = &["admin"];
const MANAGER: &[&str] = &["manager", "admin"];
const COOK: &[&str] = &["kitchen", "manager", "admin"];
const CASHIER: &[&str] = &["counter", "manager", "admin"];
const STAFF: &[&str] = &["kitchen", "counter", "manager", "admin"];
const SEES: &[&str] = &["customer", "kitchen", "counter", "manager", "admin"];
const ORDERS_FOR_OTHERS: &[&str] = &["customer", "kiosk", "counter", "manager", "admin"];

impl Scene {
    fn product(&self) -> i64 {
        self.shop.product(json!({}))
    }

    fn product_path(&self) -> String {
        format!("/products/{}", self.product())
    }

    fn category_path(&self) -> String {
        let body = json!({ "name": unique("Category"), "shop_id": self.shop.id });
        let made = self.shop.manager.post("/categories").json(&body).send();
        format!("/categories/{}", made.expect(200).json()["id"])
    }

    fn of_shop(&self, rest: &str) -> String {
        format!("/shops/{}{rest}", self.shop.id)
    }

    fn coupon(&self) -> Value {
        json!({ "code": unique("C").to_uppercase(), "percent": 5 })
    }

    /// An order of the customer that a cashier has to take the money for.
    fn unpaid(&self) -> i64 {
        let made = self
            .shop
            .order(&self.customer, self.product(), 1, "counter");
        id(&made.expect(200).json())
    }

    fn paid(&self) -> i64 {
        self.shop.paid(&self.customer, self.product())
    }

    fn after(&self, steps: &[&str]) -> i64 {
        let order = self.paid();
        for status in steps {
            step(&self.shop.manager, order, status).expect(200);
        }
        order
    }

    fn for_customer(&self) -> Value {
        let mut body = self.shop.wish(self.product(), 1, "counter");
        body["customer_id"] = json!(id_of(&self.customer));
        body
    }

    /// The path of a member of the staff, present or future.
    fn kiosk_of(&self, user: &User) -> String {
        self.of_shop(&format!("/staff/{}/kiosk", id_of(user)))
    }
}

fn patch(user: &User, path: &str) -> Request {
    user.request("PATCH", path)
}

const fn act(
    operation: &'static str,
    what: &'static str,
    allowed: &'static [&'static str],
    carry_out: fn(&Scene, &User) -> Answer,
) -> Act {
    Act {
        operation,
        what,
        allowed,
        carry_out,
    }
}

pub(super) fn all() -> impl Iterator<Item = &'static Act> {
    menus::ACTS.iter().chain(orders::ACTS)
}
