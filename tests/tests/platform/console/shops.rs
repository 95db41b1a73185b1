//! Menus, orders and their payment, as customers see them.

use serde_json::json;
use wharf_tests::{Browser, Page, Stack, User, eventually};

use crate::orders::{SOON, Shop, balance, endow, open_shop};

/// The page that shows what so many pieces of a product cost.
fn check(browser: &mut Browser, shop: &Shop, product: i64, count: &str) -> Page {
    let path = format!("/console/shops/{}", shop.id);
    let menu = browser.open(&path);
    let field = format!("count-{product}");
    browser.send(&menu, &format!("{path}/check"), &[(field.as_str(), count)])
}

#[test]
fn a_customer_chooses_sees_the_total_pays_once_from_the_wallet_and_cancels() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let choices = json!([{ "name": "Small" }, { "name": "Large", "price": 2.5 }]);
    let options = json!([{ "name": "Size", "at_least": 1, "choices": choices }]);
    let fries = shop.product(json!({ "options": options }));
    let soda = shop.product(json!({ "name": "Soda", "stock": 0 }));
    let customer = User::driver(&stack);
    endow(&stack, &customer, 10_000);
    let product = customer.get(&format!("/products/{fries}")).send();
    let large = product.expect(200).json()["options"][0]["choices"][1]["id"].to_string();

    let mut browser = Browser::of(&stack, &customer);
    let path = format!("/console/shops/{}", shop.id);
    let (checking, count) = (format!("{path}/check"), format!("count-{fries}"));
    let menu = browser.open(&path);
    assert!(menu.says("sold out"), "{}", menu.text());
    assert!(!menu.answer.text().contains(&format!("count-{soda}")));
    let filled = [(count.as_str(), "2"), ("tip", "1,50")];
    let asked = browser.send(&menu, &checking, &filled);
    assert!(asked.says("Total 22.50"), "{}", asked.text());
    // The same product once more, with another choice.
    let more = browser.send(&asked, &format!("{path}/more"), &[]);
    let choice = format!("choice-{fries}");
    let filled = [(count.as_str(), "1"), (choice.as_str(), large.as_str())];
    let asked = browser.send(&more, &checking, &filled);
    assert!(asked.says("Large 13.00"), "{}", asked.text());
    assert!(asked.says("Total 35.50"), "{}", asked.text());

    let paid = browser.send(&asked, &path, &[("method", "wallet")]);
    assert!(paid.says("State paid"), "{}", paid.text());
    assert!(paid.says("Total 35.50"), "{}", paid.text());
    // A double click sends the same form twice.
    let again = browser.send(&asked, &path, &[("method", "wallet")]);
    assert_eq!(again.path, paid.path);
    assert_eq!(balance(&customer), 6_450);
    let orders = browser.open("/console/shops/orders");
    assert_eq!(orders.text().matches("by wallet: approved").count(), 1);

    let cancel = format!("{}/cancel", paid.path);
    let cancelled = browser.send(&paid, &cancel, &[]);
    assert!(
        cancelled.says("State refunded") && !cancelled.has_form(&cancel),
        "{}",
        cancelled.text()
    );
    eventually("the money is back", SOON, || balance(&customer) == 10_000);
}

#[test]
fn a_price_that_has_changed_is_shown_before_anything_is_ordered() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let fries = shop.product(json!({}));
    let mut browser = Browser::of(&stack, &User::driver(&stack));
    let path = format!("/console/shops/{}", shop.id);
    let asked = check(&mut browser, &shop, fries, "2");
    assert!(asked.says("Total 21.00"), "{}", asked.text());
    let refused = browser.send(&asked, &path, &[("method", "wallet")]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("insufficient funds"), "{}", refused.text());

    let dearer = shop.manager.patch(&format!("/products/{fries}"));
    dearer.json(&json!({ "price": 12 })).send().expect(200);
    let refused = browser.send(&refused, &path, &[("method", "counter")]);
    assert_eq!(refused.answer.status(), 422);
    assert!(
        refused.says("expected amount") && refused.says("Total 24.00"),
        "{}",
        refused.text()
    );
    let placed = browser.send(&refused, &path, &[]);
    assert!(
        placed.says("pay 24.00 BRL there") && placed.says("State created"),
        "{}",
        placed.text()
    );
}

#[test]
fn an_order_is_paid_on_the_page_of_the_provider() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let fries = shop.product(json!({}));
    let mut browser = Browser::of(&stack, &User::driver(&stack));
    let asked = check(&mut browser, &shop, fries, "1");
    let path = format!("/console/shops/{}", shop.id);
    let placed = browser.send(&asked, &path, &[("method", "provider")]);
    let code = format!("{}/qr.png", placed.path);
    let image = browser.open(&code).answer;
    assert_eq!(image.header("content-type"), Some("image/png"));
    let link = placed.link("Pay 10.50 BRL at the provider");
    let here = format!("http://{}", stack.address());
    let page = link.strip_prefix(&here).expect("the sandbox");
    stack.post(page).form("decision=approve").send().expect(303);
    browser.send(&placed, &format!("{}/ask", placed.path), &[]);
    eventually("the order is paid", SOON, || {
        browser.open(&placed.path).says("State paid")
    });
    assert_eq!(browser.try_open(&code).answer.status(), 404);
}

#[test]
fn only_a_customer_sees_an_order_and_an_empty_one_is_refused() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let fries = shop.product(json!({}));
    let mut browser = Browser::of(&stack, &User::driver(&stack));
    let refused = check(&mut browser, &shop, fries, "");
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("Say how many"), "{}", refused.text());
    let refused = check(&mut browser, &shop, fries, "-1");
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.answer.text().contains("value=\"-1\""));

    let asked = check(&mut browser, &shop, fries, "1");
    let path = format!("/console/shops/{}", shop.id);
    let placed = browser.send(&asked, &path, &[("method", "counter")]);
    let mut stranger = Browser::of(&stack, &User::driver(&stack));
    assert_eq!(stranger.try_open(&placed.path).answer.status(), 404);
    // Without an account people read the menu, and sign in to order.
    let mut nobody = Browser::new(&stack);
    let menu = nobody.open(&path);
    assert!(menu.says("10.50 BRL") && menu.says("Sign in to order"));
    let led = nobody.open("/console/shops/orders");
    assert!(led.path.starts_with("/console/sign-in"), "{}", led.path);
}
