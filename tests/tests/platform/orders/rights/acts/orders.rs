//! Orders and kitchens.

use serde_json::json;

use super::{Act, CASHIER, COOK, MANAGER, ORDERS_FOR_OTHERS, SEES, STAFF, act, patch};
use crate::orders::step;

pub(super) const ACTS: &[Act] = &[
    act("GET /orders", "list an order", SEES, |at, user| {
        user.get(&format!("/orders?order_id={}", at.unpaid()))
            .send()
    }),
    act(
        "POST /orders",
        "order for the customer",
        ORDERS_FOR_OTHERS,
        |at, user| user.post("/orders").json(&at.for_customer()).send(),
    ),
    act(
        "POST /orders/checkout",
        "order for the customer as older clients do",
        ORDERS_FOR_OTHERS,
        |at, user| {
            user.post("/orders/checkout")
                .json(&at.for_customer())
                .send()
        },
    ),
    act(
        "GET /orders/{order_id}",
        "see an order",
        SEES,
        |at, user| user.get(&format!("/orders/{}", at.unpaid())).send(),
    ),
    act(
        "GET /orders/{order_id}/tracking",
        "see what became of an order",
        SEES,
        |at, user| {
            user.get(&format!("/orders/{}/tracking", at.unpaid()))
                .send()
        },
    ),
    act(
        "GET /orders/{order_id}/tracking/live",
        "watch an order",
        SEES,
        |at, user| {
            // It is over, so the stream ends.
            let path = format!("/orders/{}/tracking/live", at.after(&["refunded"]));
            user.get(&path).header("accept", "text/event-stream").send()
        },
    ),
    act(
        "PATCH /orders/{order_id}",
        "confirm a payment",
        CASHIER,
        |at, user| step(user, at.unpaid(), "paid"),
    ),
    act(
        "PATCH /orders/{order_id}",
        "cancel an unpaid order",
        &["customer", "counter", "manager", "admin"],
        |at, user| step(user, at.unpaid(), "cancelled"),
    ),
    act(
        "PATCH /orders/{order_id}",
        "call a paid order off",
        &["customer", "manager", "admin"],
        |at, user| step(user, at.paid(), "cancelled"),
    ),
    act("PATCH /orders/{order_id}", "prepare", COOK, |at, user| {
        step(user, at.paid(), "preparing")
    }),
    act(
        "PATCH /orders/{order_id}",
        "take preparing back",
        COOK,
        |at, user| step(user, at.after(&["preparing"]), "paid"),
    ),
    act("PATCH /orders/{order_id}", "reject", COOK, |at, user| {
        step(user, at.paid(), "rejected")
    }),
    act(
        "PATCH /orders/{order_id}",
        "refund what is being prepared",
        MANAGER,
        |at, user| step(user, at.after(&["preparing"]), "refunded"),
    ),
    act("PATCH /orders/{order_id}", "hand out", STAFF, |at, user| {
        step(
            user,
            at.after(&["preparing", "ready_for_pickup"]),
            "delivered",
        )
    }),
    act(
        "PUT /orders/{order_id}/status",
        "prepare as older clients do",
        COOK,
        |at, user| {
            let path = format!("/orders/{}/status", at.paid());
            user.put(&path)
                .json(&json!({ "status": "preparing" }))
                .send()
        },
    ),
    act(
        "PATCH /orders/{order_id}/payment",
        "take money at the counter",
        CASHIER,
        |at, user| {
            let body = json!({ "payment_status": "approved", "payment_method": "counter" });
            patch(user, &format!("/orders/{}/payment", at.unpaid()))
                .json(&body)
                .send()
        },
    ),
    act(
        "POST /orders/{order_id}/refund",
        "give an item back",
        MANAGER,
        |at, user| {
            let order = at.paid();
            let shown = at.customer.get(&format!("/orders/{order}")).send().json();
            let body = json!({ "items": [{ "item_id": shown["items"][0]["id"], "quantity": 1 }] });
            user.post(&format!("/orders/{order}/refund"))
                .json(&body)
                .send()
        },
    ),
    act("GET /kitchen", "see the kitchen", STAFF, |at, user| {
        user.get(&format!("/kitchen?shop_id={}", at.shop.id)).send()
    }),
    act(
        "GET /kitchen/items",
        "see what is to be made",
        STAFF,
        |at, user| {
            user.get(&format!("/kitchen/items?shop_id={}", at.shop.id))
                .send()
        },
    ),
];
