//! The lists of a kitchen, and the figures for its manager.

use serde_json::{Value, json};
use wharf_tests::{Stack, User};

use super::{assert_books_agree, hire, id, open_shop, step};

fn list(user: &User, path: &str) -> Vec<Value> {
    let listed = user.get(path).send().expect(200).json();
    listed.as_array().unwrap().clone()
}

#[test]
fn the_kitchen_sees_ready_then_prepared_then_waiting_orders_oldest_first() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let kitchen = hire(&stack, shop.id, "kitchen");
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    shop.order(&customer, product, 1, "counter").expect(200);
    let orders: Vec<_> = (0..6).map(|_| shop.paid(&customer, product)).collect();
    let take = |order: i64, steps: &[&str]| {
        for status in steps {
            step(&kitchen, order, status).expect(200);
        }
    };
    take(orders[5], &["preparing", "ready_for_pickup"]);
    take(orders[3], &["preparing"]);
    take(orders[1], &["preparing"]);
    take(orders[4], &["preparing", "ready_for_pickup", "delivered"]);
    let path = format!("/kitchen?shop_id={}", shop.id);
    let listed = list(&kitchen, &path);
    let ids: Vec<_> = listed.iter().map(id).collect();
    assert_eq!(ids, [orders[5], orders[1], orders[3], orders[0], orders[2]]);
    assert!(
        listed
            .iter()
            .all(|it| it["waiting_seconds"].as_i64().unwrap() >= 0)
    );
    assert_eq!(list(&kitchen, &format!("{path}&limit=2&skip=1")).len(), 2);
    customer.get(&path).send().problem(403);
}

#[test]
fn pending_items_are_added_up_over_orders_and_stations_see_their_own() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let kitchen = hire(&stack, shop.id, "kitchen");
    let fries = shop.product(json!({ "name": "Fries" }));
    let juice = shop.product(json!({ "name": "Juice", "station": "bar" }));
    let customer = User::driver(&stack);
    for (product, quantity) in [(fries, 3), (fries, 4), (juice, 2)] {
        let order = id(&shop
            .order(&customer, product, quantity, "counter")
            .expect(200)
            .json());
        step(&shop.manager, order, "paid").expect(200);
    }
    shop.order(&customer, fries, 5, "counter").expect(200);
    let seen = |path: &str| -> Vec<(String, i64)> {
        let rows = list(&kitchen, &format!("{path}shop_id={}", shop.id));
        rows.iter()
            .map(|it| {
                (
                    it["name"].as_str().unwrap().to_owned(),
                    it["quantity"].as_i64().unwrap(),
                )
            })
            .collect()
    };
    assert_eq!(
        seen("/kitchen/items?"),
        [("Fries".to_owned(), 7), ("Juice".to_owned(), 2)]
    );
    assert_eq!(
        seen("/kitchen/items?station=bar&"),
        [("Juice".to_owned(), 2)]
    );
    let bar = list(
        &kitchen,
        &format!("/kitchen?station=bar&shop_id={}", shop.id),
    );
    assert_eq!(
        (bar.len(), &bar[0]["items"][0]["name"]),
        (1, &json!("Juice"))
    );
}

#[test]
fn the_ready_estimate_of_an_order_follows_the_last_orders() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    let first = shop.paid(&customer, product);
    assert_eq!(super::show(&customer, first)["ready_by"], Value::Null);
    step(&shop.manager, first, "preparing").expect(200);
    step(&shop.manager, first, "ready_for_pickup").expect(200);
    let slow =
        "UPDATE orders.customer_order SET paid_at = ready_at - interval '5 minutes' WHERE id = $1";
    stack.sql().execute(slow, &[&first]).unwrap();
    let second = shop.paid(&customer, product);
    let seconds: f64 = stack
        .sql()
        .query_one(
            "SELECT extract(epoch FROM $1::text::timestamptz - paid_at)::float8 FROM orders.customer_order WHERE id = $2",
            &[&super::show(&customer, second)["ready_by"].as_str().unwrap(), &second],
        )
        .unwrap()
        .get(0);
    assert!((seconds - 300.0).abs() < 1.0, "{seconds}");
}

#[test]
fn figures_show_sales_and_waiting_times() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let (fries, juice) = (
        shop.product(json!({ "name": "Fries" })),
        shop.product(json!({ "name": "Juice" })),
    );
    let customer = User::driver(&stack);
    for _ in 0..2 {
        shop.paid(&customer, fries);
    }
    let order = shop.paid(&customer, juice);
    step(&shop.manager, order, "refunded").expect(200);
    shop.order(&customer, juice, 1, "counter").expect(200);
    let path = format!("/shops/{}/figures", shop.id);
    let figures = list(&shop.manager, &path);
    // Midnight may pass while the test runs.
    let sum = |member: &str| -> f64 { figures.iter().map(|it| it[member].as_f64().unwrap()).sum() };
    assert_eq!((sum("orders"), sum("revenue")), (3.0, 21.0));
    let best = &figures[0]["best_sellers"][0];
    assert_eq!(
        (&best["name"], best["product_id"].as_i64()),
        (&json!("Fries"), Some(fries))
    );
    let csv = shop.manager.get(&format!("{path}.csv")).send().expect(200);
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = csv.text();
    assert_eq!(text.lines().count(), figures.len() + 1);
    assert!(text.lines().nth(1).unwrap().ends_with(" × Fries"), "{text}");
    shop.manager
        .get(&format!("{path}?from=2026-02-01&to=2026-01-01"))
        .send()
        .problem(400);
    hire(&stack, shop.id, "kitchen")
        .get(&path)
        .send()
        .problem(403);
    assert_books_agree(&stack);
}

#[test]
fn figures_show_the_50th_and_90th_percentile_of_waiting() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let customer = User::driver(&stack);
    for minutes in 1..=11 {
        let order = shop.paid(&customer, product);
        let ready = "UPDATE orders.customer_order SET day = '2026-01-05',
            ready_at = paid_at + $2::int * interval '1 minute' WHERE id = $1";
        stack.sql().execute(ready, &[&order, &minutes]).unwrap();
    }
    let path = format!("/shops/{}/figures", shop.id);
    let day = "from=2026-01-05&to=2026-01-05";
    let figures = list(&shop.manager, &format!("{path}?{day}"));
    let waiting = ["waiting_p50_seconds", "waiting_p90_seconds"].map(|it| figures[0][it].as_i64());
    assert_eq!(waiting, [Some(360), Some(600)]);
    let csv = shop.manager.get(&format!("{path}.csv?{day}")).send();
    let text = csv.expect(200).text();
    assert_eq!(
        text.lines().nth(1).unwrap().rsplit_once(',').unwrap().0,
        "2026-01-05,11,115.50,360,600"
    );
}

/// The rows of a table that a plan read.
fn rows_read(plan: &Value, table: &str) -> i64 {
    let number = |member: &str| plan[member].as_f64().unwrap_or(0.0);
    let read = match plan["Relation Name"] == table {
        true => (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops"),
        false => 0.0,
    };
    let parts = plan["Plans"].as_array().into_iter().flatten();
    read as i64 + parts.map(|it| rows_read(it, table)).sum::<i64>()
}

#[test]
fn a_page_of_ten_thousand_open_orders_reads_no_more_than_it_shows() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let product = shop.product(json!({}));
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = orders").unwrap();
    let fill = "WITH filled AS (
            INSERT INTO customer_order (shop_id, day, number, customer, customer_name, placed_by, status,
                payment_method, subtotal, discount, tip, amount, expires_at, paid_at)
            SELECT $1, current_date, n, gen_random_uuid(), 'full house', gen_random_uuid(),
                CASE WHEN n % 3 = 0 THEN 'preparing' ELSE 'paid' END, 'counter', 0, 0, 0, 0, now(), now()
            FROM generate_series(1, 10000) AS n
            RETURNING id
        )
        INSERT INTO item (order_id, product_id, name, price, quantity, station)
        SELECT id, $2, 'Fries', 0, 1, 'kitchen' FROM filled, generate_series(1, 2)";
    sql.execute(fill, &[&shop.id, &product]).unwrap();
    sql.batch_execute("ANALYZE customer_order; ANALYZE item")
        .unwrap();

    let statement = include_str!("../../../../components/orders/src/sql/list_kitchen.sql");
    let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) {statement}");
    let caller = uuid::Uuid::nil();
    let none: Option<&str> = None;
    let explained = sql.query_one(
        &explain,
        &[&shop.id, &caller, &true, &none, &100_i64, &0_i64],
    );
    let explained: Value = explained.unwrap().get(0);
    let plan = &explained[0]["Plan"];
    assert_eq!(rows_read(plan, "customer_order"), 100, "{plan:#}");
    assert_eq!(rows_read(plan, "item"), 200, "{plan:#}");
    let listed = list(&shop.manager, &format!("/kitchen?shop_id={}", shop.id));
    assert_eq!(listed.len(), 100);
    assert!(listed.iter().all(|it| it["status"] == "preparing"));
}
