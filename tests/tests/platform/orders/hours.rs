//! Hours in which products are served.

use serde_json::json;
use wharf_tests::{Stack, User};

use super::open_shop;

#[test]
fn a_product_is_served_in_its_hours_only() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let customer = User::driver(&stack);
    let day: i32 = stack
        .sql()
        .query_one(
            "SELECT extract(isodow FROM now() AT TIME ZONE 'America/Sao_Paulo')::int",
            &[],
        )
        .unwrap()
        .get(0);
    let window =
        |days: Vec<i32>| json!({ "hours": [{ "days": days, "from": "00:00", "to": "23:59" }] });
    let other_days: Vec<_> = [1, 2, 3, 4, 5, 6, 7]
        .into_iter()
        // Midnight may pass while the test runs.
        .filter(|it| *it != day && *it != day % 7 + 1)
        .collect();
    let breakfast = shop.product(window(other_days));
    let refused = shop.order(&customer, breakfast, 1, "counter").problem(409);
    assert_eq!(refused["code"], "not-served-now");
    let shown = customer
        .get(&format!("/products/{breakfast}"))
        .send()
        .json();
    assert_eq!(shown["available"], false);
    let always = shop.product(json!({}));
    shop.order(&customer, always, 1, "counter").expect(200);
}

#[test]
fn a_window_of_hours_may_go_on_after_midnight() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = orders").unwrap();
    // 2026-03-06 is a Friday. São Paulo is three hours behind.
    let hours = json!([
        { "days": [5], "from": "18:00", "to": "02:00" },
        { "days": [1, 7], "from": "06:30", "to": "11:00" },
    ]);
    for (moment, is_served) in [
        ("2026-03-06 17:59:59-03", false),
        ("2026-03-06 18:00:00-03", true),
        ("2026-03-07 02:30:00+00", true),
        ("2026-03-07 01:59:59-03", true),
        ("2026-03-07 02:00:00-03", false),
        ("2026-03-07 18:00:00-03", false),
        // The morning of the Friday belongs to the Thursday.
        ("2026-03-06 01:00:00-03", false),
        ("2026-03-08 06:29:59-03", false),
        ("2026-03-08 06:30:00-03", true),
        ("2026-03-08 11:00:00-03", false),
        ("2026-03-09 10:59:59-03", true),
        ("2026-03-10 10:00:00-03", false),
    ] {
        let asked = "SELECT is_served($1, 'America/Sao_Paulo', $2::text::timestamptz)";
        let row = sql.query_one(asked, &[&hours, &moment]).unwrap();
        assert_eq!(row.get::<_, bool>(0), is_served, "{moment}");
    }
}
