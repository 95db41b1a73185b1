//! The host is killed between every two steps that keep an order and its money together. Afterwards one tick finishes the
//! rest, and both agree again.

use std::thread;

use serde_json::json;
use wharf_tests::{Request, Stack, User};

use super::provider::{booked, page, press};
use super::{
    Shop, assert_books_agree, balance, endow, id, make_due, open_shop, show, statuses, step, tick,
    with_tick,
};

/// A statement, and the table that the test locks to make the statement wait.
struct Step(&'static str, &'static str);

const PLACE: Step = Step("FROM place_order(", "orders.last_number");
const PAY: Step = Step("FROM pay_in_turn(", "payments.voided");
const NOTE_PAID: Step = Step("FROM charge_paid(", "orders.customer_order");
const MOVE: Step = Step("FROM move_order(", "orders.customer_order");
const REFUND: Step = Step("FROM refund_in_turn(", "payments.transfer");
const NOTE_REFUNDED: Step = Step("SELECT finish_refund(", "orders.refund");
const GIVE_BACK: Step = Step("FROM refund_items(", "orders.customer_order");
const REFUND_PART: Step = Step("FROM refund_part(", "payments.part_refund");
const OPEN: Step = Step("FROM open_checkout(", "payments.checkout");
const NOTE_OPEN: Step = Step("FROM charge_open(", "orders.customer_order");

const COUNT: Step = Step("FROM move_stock(", "orders.movement");
const CASH_IN: Step = Step("FROM move_order(", "orders.tracking");
// Calling a payment off begins by reading it.
const CALL_OFF: Step = Step("FROM checkout_card AS card", "payments.checkout");
const NOTE_VOID: Step = Step("FROM charge_void(", "orders.customer_order");

/// Sends the request, lets it come as far as the last of these steps and kills the host there.
fn kill_at(stack: &mut Stack, steps: &[Step], request: Request) {
    thread::scope(|scope| {
        let mut locked = stack.lock_table(steps[0].1);
        let asked = scope.spawn(|| request.try_send());
        stack.wait_for_lock(steps[0].0);
        for step in &steps[1..] {
            // The next table is locked before this one is unlocked, so that the request cannot pass both.
            let next = stack.lock_table(step.1);
            drop(std::mem::replace(&mut locked, next));
            stack.wait_for_lock(step.0);
        }
        stack.signal_kill();
        assert!(asked.join().unwrap().is_err(), "the request was answered");
        stack.end_statements();
    });
    stack.kill();
    stack.start_again();
}

/// Asserts that one tick finishes all payments and refunds that the crash interrupted.
fn assert_settled(stack: &Stack) {
    make_due(stack);
    tick(stack).send().expect(204);
    let left = "SELECT (SELECT count(*) FROM orders.charge WHERE status = 'opening')
        + (SELECT count(*) FROM orders.refund WHERE status = 'owed')";
    let left: i64 = stack.sql().query_one(left, &[]).unwrap().get(0);
    assert_eq!(left, 0, "left undone");
    assert_books_agree(stack);
}

fn scene() -> (Stack, Shop, i64, User) {
    let stack = with_tick().without_clock().start();
    let shop = open_shop(&stack);
    let product = shop.product(json!({ "stock": 10 }));
    let customer = User::driver(&stack);
    endow(&stack, &customer, 5_000);
    (stack, shop, product, customer)
}

#[test]
fn an_order_by_wallet_is_paid_or_unpaid_after_any_crash() {
    let (mut stack, shop, product, customer) = scene();
    let cases: [(&[Step], bool); 3] = [
        (&[PLACE], false),
        (&[PAY], false),
        (&[PAY, NOTE_PAID], true),
    ];
    let mut paid = 0;
    for (steps, is_paid) in cases {
        let request = customer
            .post("/orders")
            .json(&shop.wish(product, 1, "wallet"));
        kill_at(&mut stack, steps, request);
        assert_settled(&stack);
        paid += i64::from(is_paid);
        assert_eq!(balance(&customer), 5_000 - 1_050 * paid);
        assert_eq!(shop.stock(product), 10 - paid);
        let listed = customer
            .get("/orders?status=paid")
            .send()
            .expect(200)
            .json();
        assert_eq!(listed.as_array().unwrap().len() as i64, paid, "{listed}");
    }
}

#[test]
fn an_order_sent_again_after_a_crash_goes_on_where_it_stopped() {
    let (mut stack, shop, product, customer) = scene();
    let ask = || {
        let request = customer.post("/orders").header("idempotency-key", "again");
        request.json(&shop.wish(product, 1, "wallet"))
    };
    kill_at(&mut stack, &[PAY, NOTE_PAID], ask());
    // The key of a request that died is free once its lease has run out.
    let later = "UPDATE orders.idempotency_key SET leased_until = '-infinity' WHERE status IS NULL";
    stack.sql().batch_execute(later).unwrap();
    assert_eq!(ask().send().expect(200).json()["status"], "paid");
    assert_settled(&stack);
    assert_eq!((balance(&customer), shop.stock(product)), (3_950, json!(9)));
}

#[test]
fn a_cancellation_is_refunded_or_absent_after_any_crash() {
    let (mut stack, shop, product, customer) = scene();
    let cases: [(&[Step], bool); 3] = [
        (&[MOVE], false),
        (&[REFUND], true),
        (&[REFUND, NOTE_REFUNDED], true),
    ];
    for (steps, is_refunded) in cases {
        let before = balance(&customer);
        let order = id(&shop
            .order(&customer, product, 1, "wallet")
            .expect(200)
            .json());
        let request = customer
            .request("PATCH", &format!("/orders/{order}"))
            .json(&json!({ "status": "cancelled" }));
        kill_at(&mut stack, steps, request);
        assert_settled(&stack);
        let (status, cost) = if is_refunded {
            ("refunded", 0)
        } else {
            ("paid", 1_050)
        };
        assert_eq!(show(&customer, order)["status"], status);
        assert_eq!(balance(&customer), before - cost);
    }
}

#[test]
fn an_item_is_refunded_at_most_once_after_any_crash() {
    let (mut stack, shop, product, customer) = scene();
    let order = shop.order(&customer, product, 4, "provider").expect(200);
    let order = order.json();
    press(&stack, &page(&stack, &order), "approve").expect(303);
    step(&customer, id(&order), "paid").expect(200);
    let cases: [(&[Step], i64); 3] = [
        (&[GIVE_BACK], 0),
        (&[REFUND_PART], 1_050),
        (&[REFUND_PART, NOTE_REFUNDED], 2_100),
    ];
    for (steps, gone) in cases {
        let body = json!({ "items": [{ "item_id": order["items"][0]["id"], "quantity": 1 }] });
        let path = format!("/orders/{}/refund", id(&order));
        let request = shop.manager.post(&path).json(&body);
        kill_at(&mut stack, steps, request);
        assert_settled(&stack);
        let sent = "SELECT coalesce(sum(amount), 0)::bigint FROM sandbox_psp.refund";
        let sent: i64 = stack.sql().query_one(sent, &[]).unwrap().get(0);
        let back = show(&customer, id(&order))["refunded"].as_f64().unwrap();
        assert_eq!((sent, (back * 100.0).round() as i64), (gone, gone));
    }
}

#[test]
fn an_order_at_the_provider_survives_a_crash_and_can_be_paid() {
    let (mut stack, shop, product, customer) = scene();
    for steps in [&[OPEN] as &[Step], &[OPEN, NOTE_OPEN]] {
        let request = customer
            .post("/orders")
            .json(&shop.wish(product, 1, "provider"));
        kill_at(&mut stack, steps, request);
        assert_settled(&stack);
        let listed = customer.get("/orders?limit=1").send().expect(200).json();
        assert_eq!(listed[0]["payment_status"], "awaiting_payment", "{listed}");
        assert!(listed[0]["payment_link"].is_string(), "{listed}");
    }
    let opened = "SELECT count(*) FROM payments.checkout JOIN orders.charge USING (id)";
    assert_eq!(
        stack.sql().query_one(opened, &[]).unwrap().get::<_, i64>(0),
        2
    );
}

#[test]
fn a_reported_payment_pays_the_order_once_after_any_crash() {
    let (mut stack, shop, product, customer) = scene();
    let made = shop.order(&customer, product, 1, "provider").expect(200);
    press(&stack, &page(&stack, &made.json()), "approve").expect(303);
    let request = tick(&stack);
    kill_at(&mut stack, &[NOTE_PAID], request);
    assert_eq!(show(&customer, id(&made.json()))["status"], "created");
    assert_settled(&stack);
    assert_eq!(statuses(&customer, id(&made.json())), ["created", "paid"]);
}

#[test]
fn an_expired_order_frees_its_stock_once_after_any_crash() {
    let (mut stack, shop, product, customer) = scene();
    for steps in [&[CALL_OFF] as &[Step], &[CALL_OFF, NOTE_VOID]] {
        let made = shop.order(&customer, product, 1, "provider").expect(200);
        // Orders first hears all earlier events of the provider.
        tick(&stack).send().expect(204);
        let past = "UPDATE orders.customer_order SET expires_at = now() - interval '1 second'";
        stack.sql().batch_execute(past).unwrap();
        make_due(&stack);
        let request = tick(&stack);
        kill_at(&mut stack, steps, request);
        assert_settled(&stack);
        assert_eq!(
            statuses(&customer, id(&made.json())),
            ["created", "cancelled"]
        );
        assert_eq!(shop.stock(product), 10);
    }
}

#[test]
fn a_count_that_rejects_orders_refunds_them_once_after_any_crash() {
    let (mut stack, shop, product, customer) = scene();
    let cases: [(&[Step], i64); 3] = [
        (&[COUNT], 1_050),
        (&[REFUND], 0),
        (&[REFUND, NOTE_REFUNDED], 0),
    ];
    for (steps, cost) in cases {
        let path = format!("/products/{product}/stock");
        let count = |quantity: i64| {
            let body = json!({ "reason": "count", "quantity": quantity });
            shop.manager.post(&path).json(&body)
        };
        count(1).send().expect(200);
        let before = balance(&customer);
        let made = shop.order(&customer, product, 1, "wallet").expect(200);
        if steps.len() == 1 && cost > 0 {
            kill_at(&mut stack, steps, count(0));
        } else {
            count(0).send().expect(200);
            make_due(&stack);
            let request = tick(&stack);
            kill_at(&mut stack, steps, request);
        }
        assert_settled(&stack);
        let status = if cost == 0 { "rejected" } else { "paid" };
        assert_eq!(show(&customer, id(&made.json()))["status"], status);
        assert_eq!(balance(&customer), before - cost);
        // An order in preparation is not touched by the next count.
        if cost > 0 {
            step(&shop.manager, id(&made.json()), "preparing").expect(200);
        }
    }
}

#[test]
fn a_counter_payment_counts_once_after_any_crash_and_the_page_is_refunded() {
    let (mut stack, shop, product, customer) = scene();
    let cases: [(&[Step], &str); 3] = [
        (&[CASH_IN], "created"),
        (&[CALL_OFF], "paid"),
        (&[CALL_OFF, NOTE_VOID], "paid"),
    ];
    for (steps, status) in cases {
        let made = shop.order(&customer, product, 1, "provider").expect(200);
        let (order, page) = (id(&made.json()), page(&stack, &made.json()));
        let body = json!({ "payment_status": "approved", "payment_method": "counter" });
        let path = format!("/orders/{order}/payment");
        let request = shop.manager.request("PATCH", &path).json(&body);
        kill_at(&mut stack, steps, request);
        assert_settled(&stack);
        assert_eq!(show(&customer, order)["status"], status);
        if status == "paid" {
            press(&stack, &page, "approve");
        } else {
            step(&customer, order, "cancelled").expect(200);
        }
        assert_settled(&stack);
        assert_eq!(booked(&stack, order), 0);
    }
}
