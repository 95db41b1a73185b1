//! Menus, orders and kitchens: the rights of customers and shops, and that no stock is sold twice and no order paid twice.

mod attacks;
mod concurrency;
mod counter;
mod crashes;
mod growth;
mod hours;
mod kitchen;
mod live;
mod menu;
mod money;
mod photos;
mod placing;
mod provider;
mod restock;
mod rights;
mod states;

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Answer, Options, Request, Stack, User, unique};

pub(crate) const SOON: Duration = Duration::from_secs(60);

/// A shop of its own for a test: its people and their menu.
pub(crate) struct Shop {
    pub(crate) id: i64,
    owner: User,
    pub(crate) manager: User,
    category: i64,
}

pub(crate) fn id_of(user: &User) -> String {
    user.get("/auth/me").send().expect(200).json()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(crate) fn open_shop(stack: &Stack) -> Shop {
    let owner = User::owner(stack);
    let body = json!({ "name": unique("Shop"), "owner": id_of(&owner) });
    let admin = User::admin(stack);
    let shop = admin.post("/shops").json(&body).send().expect(201).json();
    let id = shop["id"].as_i64().unwrap();
    let manager = hire(stack, id, "manager");
    let body = json!({ "name": "Sides", "shop_id": id });
    let category = manager
        .post("/category/")
        .json(&body)
        .send()
        .expect(200)
        .json();
    Shop {
        id,
        owner,
        manager,
        category: category["id"].as_i64().unwrap(),
    }
}

/// A member of the shop's staff.
pub(crate) fn hire(stack: &Stack, shop: i64, role: &str) -> User {
    let user = User::driver(stack);
    let path = format!("/shops/{shop}/staff/{}/{role}", id_of(&user));
    User::admin(stack).put(&path).send().expect(204);
    user
}

impl Shop {
    /// A product at 10.50, with more about it.
    pub(crate) fn product(&self, more: Value) -> i64 {
        let mut body =
            json!({ "name": unique("Fries"), "price": 10.5, "category_id": self.category });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let made = self.manager.post("/products/").json(&body).send();
        made.expect(200).json()["id"].as_i64().unwrap()
    }

    /// A request for so many of a product.
    pub(crate) fn wish(&self, product: i64, quantity: i64, method: &str) -> Value {
        json!({
            "shop_id": self.id, "payment_method": method,
            "order_items": [{ "product_id": product, "quantity": quantity }],
        })
    }

    pub(crate) fn order(&self, user: &User, product: i64, quantity: i64, method: &str) -> Answer {
        user.post("/orders/")
            .json(&self.wish(product, quantity, method))
            .send()
    }

    /// An order that a cashier has taken the money for.
    fn paid(&self, user: &User, product: i64) -> i64 {
        let id = id(&self.order(user, product, 1, "counter").expect(200).json());
        step(&self.manager, id, "paid").expect(200);
        id
    }

    fn stock(&self, product: i64) -> Value {
        let path = format!("/products/{product}");
        self.manager.get(&path).send().expect(200).json()["stock"].clone()
    }
}

pub(crate) fn id(order: &Value) -> i64 {
    order["id"].as_i64().unwrap()
}

fn step(user: &User, order: i64, status: &str) -> Answer {
    user.request("PATCH", &format!("/orders/{order}"))
        .json(&json!({ "status": status }))
        .send()
}

pub(crate) fn show(user: &User, order: i64) -> Value {
    let path = format!("/orders/{order}");
    user.get(&path).send().expect(200).json()
}

pub(crate) fn statuses(user: &User, order: i64) -> Vec<String> {
    let path = format!("/orders/{order}/tracking");
    let tracked = user.get(&path).send().expect(200).json();
    let rows = tracked.as_array().unwrap().iter();
    rows.map(|it| it["status"].as_str().unwrap().to_owned())
        .collect()
}

/// Money of the wallet's main account, from outside.
pub(crate) fn endow(stack: &Stack, user: &User, cents: i64) {
    let user: Uuid = id_of(user).parse().unwrap();
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = payments").unwrap();
    let mint = "SELECT (book(gen_random_uuid(), 'deposit', house_account('external', 'BRL'),
        main_account($1, 'BRL'), $2, 'BRL', 'gift', 'gift')).outcome";
    let outcome: String = sql.query_one(mint, &[&user, &cents]).unwrap().get(0);
    assert_eq!(outcome, "moved");
}

pub(crate) fn balance(user: &User) -> i64 {
    let wallet = user.get("/payment/balance?currency=BRL").send();
    wallet.expect(200).json()["total"].as_i64().unwrap()
}

/// The amounts that notices of an order tell its customer.
fn told(stack: &Stack, order: i64, template: &str) -> Vec<i64> {
    let amounts = "SELECT (params ->> 'amount_cents')::bigint FROM notify.inbox
        WHERE template = $1 AND (params ->> 'order_id')::bigint = $2";
    let rows = stack.sql().query(amounts, &[&template, &order]).unwrap();
    rows.iter().map(|it| it.get(0)).collect()
}

/// A stack whose clock can be moved from outside.
fn with_tick() -> Options {
    Options::default().variable("tick_token", "tick-tock")
}

fn tick(stack: &Stack) -> Request {
    stack.post("/orders/tick").bearer("tick-tock")
}

/// Makes unfinished payments and refunds due for the sweep now instead of in some seconds.
fn make_due(stack: &Stack) {
    let due = "UPDATE orders.charge SET due_at = now(); UPDATE orders.refund SET due_at = now()";
    stack.sql().batch_execute(due).unwrap();
}

/// Asserts that the ledger and the counter hold the price of each paid order and nothing of any other, that stocks are
/// the sums of their movements, that orders took only declared steps, and that the ledger adds up.
fn assert_books_agree(stack: &Stack) {
    let mut sql = stack.sql();
    let faults = [
        (
            "an order and its money disagree",
            "SELECT o.id::text || ' is ' || o.status || ' and holds ' || held.cents
            FROM orders.customer_order o
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(CASE WHEN t.refund_of IS NULL THEN t.amount ELSE -t.amount END), 0)
                    + coalesce((SELECT sum(amount) FROM orders.charge WHERE order_id = o.id AND kind = 'counter'), 0)
                    - coalesce((SELECT sum(r.amount) FROM orders.refund r JOIN orders.charge c ON c.id = r.charge_id
                        WHERE r.order_id = o.id AND c.kind = 'counter'), 0) AS cents
                FROM payments.transfer t
                JOIN orders.charge c ON c.id IN (t.id, t.refund_of)
                WHERE c.order_id = o.id
            ) AS held
            WHERE held.cents <> CASE WHEN o.paid_at IS NULL OR o.status IN ('rejected', 'refunded') THEN 0
                    ELSE o.amount - o.refunded END
                AND NOT EXISTS (SELECT FROM orders.charge WHERE order_id = o.id AND status IN ('opening', 'open'))
                AND NOT EXISTS (SELECT FROM orders.refund WHERE order_id = o.id AND status = 'owed')",
        ),
        (
            "an order took a step that is not declared",
            "SELECT order_id || ': ' || before || ' to ' || status
            FROM (
                SELECT order_id, status, lag(status) OVER (PARTITION BY order_id ORDER BY id) AS before
                FROM orders.tracking
            ) AS taken
            WHERE before IS NOT NULL
                AND NOT EXISTS (SELECT FROM orders.step s WHERE s.before = taken.before AND s.after = taken.status)",
        ),
        (
            "a stock is not the sum of its movements",
            "SELECT p.id::text FROM orders.product p
            WHERE p.stock IS NOT NULL AND p.stock <> (
                SELECT sum(change) FROM orders.movement WHERE product_id = p.id AND choice_id IS NULL)",
        ),
        (
            "a stock of a choice is not the sum of its movements",
            "SELECT c.id::text FROM orders.choice c
            WHERE c.stock IS NOT NULL AND c.deleted_at IS NULL AND c.stock <> (
                SELECT coalesce(sum(change), 0) FROM orders.movement WHERE choice_id = c.id)",
        ),
        (
            "items do not add up",
            "SELECT o.id::text FROM orders.customer_order o
            WHERE subtotal <> (SELECT sum(price * quantity) FROM orders.item WHERE order_id = o.id)
                OR amount <> subtotal - discount + tip",
        ),
    ];
    for (fault, query) in faults {
        if let Some(row) = sql.query(query, &[]).unwrap().first() {
            panic!("{fault}: {}", row.get::<_, String>(0));
        }
    }
    sql.batch_execute("SET search_path = payments").unwrap();
    let trial = include_str!("../../../components/payments/src/sql/trial_balance.sql");
    for row in sql.query(trial, &[]).unwrap() {
        for fault in [
            "difference",
            "drifted_balances",
            "drifted_holds",
            "drifted_fees",
        ] {
            assert_eq!(row.get::<_, i64>(fault), 0, "{fault}");
        }
    }
}
