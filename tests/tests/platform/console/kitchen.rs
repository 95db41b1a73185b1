//! A shop at work: orders, refunds, the menu and the staff.

use serde_json::json;
use wharf_tests::{Browser, Stack, User, unique};

use crate::orders::{hire, id, id_of, open_shop, show, statuses};

#[test]
fn staff_take_an_order_from_the_money_to_the_handover() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let fries = shop.product(json!({}));
    let customer = User::driver(&stack);
    let placed = shop.order(&customer, fries, 2, "counter").expect(200);
    let order = id(&placed.json());
    let path = format!("/console/kitchen/{}", shop.id);
    let (taken, step) = (
        format!("{path}/orders/{order}/paid"),
        format!("{path}/orders/{order}/step"),
    );

    let mut cook = Browser::of(&stack, &hire(&stack, shop.id, "kitchen"));
    let board = cook.open(&path);
    assert_eq!(board.answer.header("refresh"), Some("20"));
    assert!(board.says("To be paid (1)"), "{}", board.text());
    let refused = cook.send(&board, &taken, &[]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("not allowed"), "{}", refused.text());

    let mut cashier = Browser::of(&stack, &hire(&stack, shop.id, "counter"));
    let board = cashier.open(&path);
    let board = cashier.send(&board, &taken, &[]);
    assert_eq!(board.path, path);
    assert!(board.says("To prepare (1)"), "{}", board.text());
    assert!(board.says("Still to be made"), "{}", board.text());
    let board = cook.send(&board, &step, &[("status", "preparing")]);
    assert!(board.says("In preparation (1)"), "{}", board.text());
    let board = cook.send(&board, &step, &[("status", "ready_for_pickup")]);
    assert!(board.says("Ready for pickup (1)"), "{}", board.text());
    let board = cashier.send(&board, &step, &[("status", "delivered")]);
    assert!(board.says("No order waits"), "{}", board.text());
    let steps = [
        "created",
        "paid",
        "preparing",
        "ready_for_pickup",
        "delivered",
    ];
    assert_eq!(statuses(&customer, order), steps);
    let over = cashier.open(&format!("{path}/orders?status=delivered"));
    assert!(over.says("2 × "), "{}", over.text());
}

#[test]
fn a_manager_gives_pieces_back_once_and_others_may_not() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let fries = shop.product(json!({}));
    let customer = User::driver(&stack);
    let placed = shop
        .order(&customer, fries, 3, "counter")
        .expect(200)
        .json();
    let (order, item) = (id(&placed), id(&placed["items"][0]));
    let path = format!("/console/kitchen/{}/orders/{order}", shop.id);
    let (refund, field) = (format!("{path}/refund"), format!("back-{item}"));

    let mut manager = Browser::of(&stack, &shop.manager);
    let page = manager.open(&path);
    assert!(!page.has_form(&refund), "{}", page.text());
    let page = manager.send(&page, &format!("{path}/paid"), &[]);
    assert!(page.says("State paid"), "{}", page.text());
    let mut cashier = Browser::of(&stack, &hire(&stack, shop.id, "counter"));
    let refused = cashier.send(&page, &refund, &[(field.as_str(), "2")]);
    assert_eq!(refused.answer.status(), 422);

    let given = manager.send(&page, &refund, &[(field.as_str(), "2")]);
    assert!(
        given.says("2 given back") && given.says("Given back 21.00 BRL"),
        "{}",
        given.text()
    );
    // A double click sends the same form twice.
    manager.send(&page, &refund, &[(field.as_str(), "2")]);
    assert_eq!(show(&customer, order)["refunded"], 21);
    let refused = manager.send(&given, &refund, &[(field.as_str(), "2")]);
    assert_eq!(refused.answer.status(), 422);
    assert!(
        refused.says("less of the item is left"),
        "{}",
        refused.text()
    );
    assert_eq!(show(&customer, order)["refunded"], 21);
}

#[test]
fn a_manager_edits_the_menu() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let mut manager = Browser::of(&stack, &shop.manager);
    let path = format!("/console/kitchen/{}", shop.id);
    let menu_path = format!("{path}/menu");
    let menu = manager.open(&menu_path);
    let categories = format!("{path}/categories");
    let menu = manager.send(&menu, &categories, &[("category_name", "Tea <b>")]);
    assert_eq!(menu.path, menu_path);
    let taken = manager.send(&menu, &categories, &[("category_name", "Tea <b>")]);
    assert_eq!(taken.answer.status(), 422);

    let green = [
        ("name", "Green <i>tea</i>"),
        ("price", "4,999"),
        ("stock", "3"),
    ];
    let refused = manager.send(&menu, &menu_path, &green);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("is no amount of money"), "{}", refused.text());
    assert!(refused.answer.text().contains("value=\"4,999\""));
    let hours = [
        ("price", "4,50"),
        ("days-0", "1"),
        ("days-0", "2"),
        ("from-0", "08:00"),
        ("to-0", "11:30"),
    ];
    let menu = manager.send(&refused, &menu_path, &hours);
    assert!(
        menu.says("Green <i>tea</i> Sides 4.50 3"),
        "{}",
        menu.text()
    );

    let product = menu.link("Green <i>tea</i>");
    let page = manager.open(&product);
    let page = manager.send(&page, &product, &[("price", "5")]);
    let stock = [("reason", "delivery"), ("quantity", "7")];
    let page = manager.send(&page, &format!("{product}/stock"), &stock);
    assert!(
        page.says("10 left") && page.says("delivery 7 10"),
        "{}",
        page.text()
    );
    let number = product.rsplit('/').next().unwrap();
    let shown = shop.manager.get(&format!("/products/{number}")).send();
    let shown = shown.expect(200).json();
    let hours = json!([{ "days": [1, 2], "from": "08:00", "to": "11:30" }]);
    assert_eq!((&shown["hours"], &shown["price"]), (&hours, &json!(5)));

    let menu = manager.open(&menu_path);
    let menu = manager.send(&menu, &format!("{product}/offer"), &[]);
    assert!(menu.says("not offered"), "{}", menu.text());
    let customers = format!("/console/shops/{}", shop.id);
    assert!(!manager.open(&customers).says("Green"));
    let page = manager.open(&product);
    let menu = manager.send(&page, &format!("{product}/delete"), &[]);
    assert!(!menu.says("Green"), "{}", menu.text());
}

#[test]
fn an_admin_opens_a_shop_and_its_manager_appoints_and_dismisses() {
    let stack = Stack::shared();
    let mut admin = Browser::of(&stack, &User::admin(&stack));
    let list = admin.open("/console/kitchen");
    let name = unique("Corner");
    let filled = [("name", name.as_str()), ("time_zone", "Nowhere/City")];
    let refused = admin.send(&list, "/console/kitchen", &filled);
    assert_eq!(refused.answer.status(), 422);
    let zone = [("time_zone", "Europe/Lisbon")];
    let opened = admin.send(&refused, "/console/kitchen", &zone);
    assert!(opened.says(&format!("Menu of {name}")), "{}", opened.text());
    let kitchen = opened.path.trim_end_matches("/menu").to_owned();
    let staff = format!("{kitchen}/staff");

    let person = User::driver(&stack);
    let mut member = Browser::of(&stack, &person);
    assert!(!member.open("/console/kitchen").has_form("/console/kitchen"));
    assert_eq!(member.try_open(&kitchen).answer.status(), 403);
    let page = admin.open(&staff);
    let refused = admin.send(&page, &staff, &[("user", "../1"), ("role", "manager")]);
    assert_eq!(refused.answer.status(), 422);
    let number = id_of(&person);
    let filled = [("user", number.as_str()), ("role", "manager")];
    let page = admin.send(&refused, &staff, &filled);
    assert!(page.says(&format!("{number} manager")), "{}", page.text());
    let shop = member.open(&format!("{kitchen}/shop"));
    assert!(shop.says("Europe/Lisbon") && !shop.has_form(&format!("{kitchen}/shop")));
    let page = member.open(&staff);
    member.send(&page, &format!("{staff}/dismiss"), &[]);
    assert_eq!(member.try_open(&kitchen).answer.status(), 403);
}

#[test]
fn a_manager_makes_a_coupon_that_takes_off_and_withdraws_it() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let fries = shop.product(json!({}));
    let mut manager = Browser::of(&stack, &shop.manager);
    let path = format!("/console/kitchen/{}/coupons", shop.id);
    let page = manager.open(&path);
    assert!(page.says("The shop has no coupons"), "{}", page.text());
    let both = [("code", "TEN"), ("percent", "10"), ("amount", "1,00")];
    let refused = manager.send(&page, &path, &both);
    assert_eq!(refused.answer.status(), 422, "{}", refused.text());
    assert!(refused.answer.text().contains("value=\"1,00\""));
    let ten = [
        ("code", "TEN"),
        ("amount", ""),
        ("percent", "10"),
        ("min_amount", "5"),
        ("max_uses", "2"),
        ("valid_until", "2030-01-31T18:00"),
    ];
    let page = manager.send(&refused, &path, &ten);
    assert!(
        page.says("TEN 10 % 5.00 0 of 2 2030-01-31 18:00"),
        "{}",
        page.text()
    );

    let customer = User::driver(&stack);
    let mut wish = shop.wish(fries, 1, "counter");
    wish["coupon"] = json!("TEN");
    let placed = customer.post("/orders").json(&wish).send().expect(200);
    assert_eq!(placed.json()["discount"], json!(1.05));
    let page = manager.open(&path);
    assert!(page.says("1 of 2"), "{}", page.text());
    let page = manager.send(&page, &format!("{path}/withdraw"), &[("withdrawn", "TEN")]);
    assert!(page.says("The shop has no coupons"), "{}", page.text());

    // The kitchen neither sees nor makes coupons.
    let mut cook = Browser::of(&stack, &hire(&stack, shop.id, "kitchen"));
    assert_eq!(cook.try_open(&path).answer.status(), 403);
}

#[test]
fn a_manager_sees_what_the_shop_sold() {
    let stack = Stack::shared();
    let shop = open_shop(&stack);
    let fries = shop.product(json!({}));
    let customer = User::driver(&stack);
    let placed = shop.order(&customer, fries, 2, "counter").expect(200);
    let mut manager = Browser::of(&stack, &shop.manager);
    let path = format!("/console/kitchen/{}", shop.id);
    let figures = format!("{path}/figures");
    let nothing = manager.open(&figures);
    assert!(nothing.says("No order was paid then"), "{}", nothing.text());
    let board = manager.open(&path);
    let taken = format!("{path}/orders/{}/paid", id(&placed.json()));
    manager.send(&board, &taken, &[]);
    let sold = manager.open(&figures);
    let amount = placed.json()["amount"].as_f64().unwrap();
    assert!(
        sold.says(&format!("All days 1 {amount:.2}")),
        "{}",
        sold.text()
    );
    assert!(sold.says("2 × "), "{}", sold.text());
    let wrong = manager.try_open(&format!("{figures}?from=2030-01-01&to=2020-01-01"));
    assert_eq!(wrong.answer.status(), 422, "{}", wrong.text());
    let past = manager.open(&format!("{figures}?from=2020-01-01&to=2020-01-31"));
    assert!(past.says("No order was paid then"), "{}", past.text());
}
