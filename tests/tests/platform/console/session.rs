//! Signing in, up and out.

use wharf_tests::{Browser, Stack, User, unique};

#[test]
fn a_person_signs_up_and_out_and_in_again_where_they_were_going() {
    let stack = Stack::shared();
    let mut browser = Browser::new(&stack);
    let login = unique("ana");
    let page = browser.open("/console/sign-up");
    let filled = [
        ("login", &*login),
        ("email", &*format!("{login}@example.org")),
        ("password", "Correct-Horse-1"),
        ("role", "driver"),
    ];
    let home = browser.send(&page, "/console/sign-up", &filled);
    assert_eq!(home.path, "/console");
    assert!(home.says("Find a place") && !home.says("Treasury"));
    let page = browser.send(&home, "/console/sign-out", &[]);
    assert_eq!(page.path, "/console/sign-in");
    let page = browser.open("/console/bookings");
    assert!(page.path.starts_with("/console/sign-in"), "{}", page.path);
    let wrong = [("login", &*login), ("password", "Wrong-Horse-1")];
    let page = browser.send(&page, "/console/sign-in", &wrong);
    assert_eq!(page.answer.status(), 422);
    let right = [("login", &*login), ("password", "Correct-Horse-1")];
    let page = browser.send(&page, "/console/sign-in", &right);
    assert_eq!(page.path, "/console/bookings");
    assert!(page.says("You have booked nothing yet"));
}

#[test]
fn an_ended_session_and_a_form_of_another_site_do_nothing() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let mut browser = Browser::of(&stack, &user);
    assert!(browser.open("/console").says("Bookings"));
    let forged = stack
        .post("/console/sign-out")
        .cookie("access_token", &user.token)
        .header("origin", "https://evil.test")
        .form("");
    assert_eq!(forged.send().status(), 403);
    assert!(browser.open("/console").says("Bookings"));
    user.post("/auth/signout").send().expect(200);
    let page = browser.open("/console");
    assert!(page.path.starts_with("/console/sign-in"), "{}", page.path);
}
