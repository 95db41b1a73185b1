//! Accounts before an admin.

use wharf_tests::{Browser, Page, Stack, User, unique};

/// The page of a user's account, as the admin finds it.
fn find(browser: &mut Browser, user: &User) -> Page {
    let name = user.login.to_uppercase();
    browser.open(&format!("/console/people/find?name={name}"))
}

#[test]
fn an_admin_finds_a_person_and_changes_their_roles() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let mut browser = Browser::of(&stack, &User::admin(&stack));
    assert!(browser.open("/console/people").says("Login"));
    let unknown = unique("nobody");
    let refused = browser.try_open(&format!("/console/people/find?name={unknown}"));
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("There is no such user"), "{}", refused.text());

    let page = find(&mut browser, &user);
    assert!(
        page.says(&user.email) && page.says("Roles driver"),
        "{}",
        page.text()
    );
    let changed = browser.send(
        &page,
        &format!("{}/roles", page.path),
        &[("role", "moderator")],
    );
    assert_eq!(changed.path, page.path);
    assert!(
        changed.says("Roles moderator") && changed.says("roles-changed moderator"),
        "{}",
        changed.text()
    );
    user.get("/auth/me").send().problem(401);
    let me = user.signed_in_again().get("/auth/me").send().expect(200);
    assert_eq!(me.json()["roles"], serde_json::json!(["moderator"]));
}

#[test]
fn an_admin_signs_a_person_out_disables_and_enables_them() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let mut browser = Browser::of(&stack, &User::admin(&stack));
    let page = find(&mut browser, &user);
    let (disable, enable) = (
        format!("{}/disable", page.path),
        format!("{}/enable", page.path),
    );
    let page = browser.send(&page, &format!("{}/sign-out", page.path), &[]);
    assert!(page.says("Roles driver"), "{}", page.text());
    user.get("/auth/me").send().problem(401);
    let user = user.signed_in_again();

    let factor = format!("{}/factor", page.path);
    assert!(page.says("Second factor off") && !page.has_form(&factor));
    let enrolled = "UPDATE signin.account SET totp = gen_random_uuid() WHERE login = $1";
    stack.sql().execute(enrolled, &[&user.login]).unwrap();
    let stale = browser.open(&page.path);
    assert!(stale.says("Second factor on"), "{}", stale.text());
    let page = browser.send(&stale, &factor, &[]);
    assert!(page.says("Second factor off") && !page.has_form(&factor));
    let refused = browser.send(&stale, &factor, &[]);
    assert_eq!(refused.answer.status(), 422);
    assert!(refused.says("has no second factor"), "{}", refused.text());

    let page = browser.send(&page, &disable, &[]);
    assert!(
        page.says("State disabled") && !page.has_form(&disable),
        "{}",
        page.text()
    );
    user.get("/auth/me").send().problem(401);
    let mut person = Browser::new(&stack);
    let filled = [("login", &*user.login), ("password", &*user.password)];
    let form = person.open("/console/sign-in");
    let refused = person.send(&form, "/console/sign-in", &filled);
    assert_eq!(refused.answer.status(), 422);
    let page = browser.send(&page, &enable, &[]);
    assert!(
        page.says("State enabled") && !page.has_form(&enable),
        "{}",
        page.text()
    );
    let home = person.send(&refused, "/console/sign-in", &filled);
    assert_eq!(home.path, "/console");
}

#[test]
fn people_are_for_admins_who_do_not_change_themselves() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let admin = User::admin(&stack);
    let mut driver = Browser::of(&stack, &user);
    assert!(!driver.open("/console").says("Accounts, their roles"));
    let mut browser = Browser::of(&stack, &admin);
    let person = find(&mut browser, &user);
    for path in ["/console/people", &*person.path] {
        assert_eq!(driver.try_open(path).answer.status(), 403, "{path}");
    }
    // The form of the admin, sent by the person whom it is about.
    let roles = format!("{}/roles", person.path);
    let refused = driver.send(&person, &roles, &[("role", "admin")]);
    assert_eq!(refused.answer.status(), 403);
    let me = user.get("/auth/me").send().expect(200).json();
    assert_eq!(me["roles"], serde_json::json!(["driver"]));

    let own = find(&mut browser, &admin);
    assert!(own.says("This is you"), "{}", own.text());
    assert!(!own.has_form(&format!("{}/disable", own.path)));
}
