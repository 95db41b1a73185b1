//! Sign-in while Redis is away: wrong passwords are still counted, and every registration is announced.

use std::time::Duration;

use serde_json::json;
use wharf_tests::{Options, User, at_once, eventually};

#[test]
fn without_redis_people_register_sign_in_and_are_counted() {
    let stack = Options::default().start_cabled();
    User::admin(&stack);
    stack.redis_cable().cut();
    let user = User::registered(&stack);
    user.get("/auth/me").send().expect(200);
    let try_in = |password: &str| {
        stack
            .post("/login")
            .json(&json!({ "login": user.login, "password": password }))
            .send()
    };
    try_in(&user.password).expect(200);
    for _ in 0..10 {
        try_in("Wrong-Horse-1").problem(401);
    }
    let refused = try_in(&user.password);
    refused.problem(429);
    assert!(refused.header("retry-after").is_some());
    let statuses = at_once(32, |_| {
        let body = json!({ "otp": "000000" });
        let validated = stack.post("/api/v1/otp/validate").json(&body);
        validated.send().status()
    });
    let heard = statuses.iter().filter(|it| **it == 401).count();
    assert_eq!(heard, 5, "{statuses:?}");
    user.post("/auth/signout").send().expect(200);
    user.get("/auth/me").send().problem(401);

    stack.redis_cable().mend();
    let told = || {
        let events = "SELECT state FROM events.entry WHERE kind = 'user:created' AND payload ->> 'email' = $1";
        let rows = stack.sql().query(events, &[&user.email]).unwrap();
        rows.iter()
            .map(|it| it.get::<_, String>(0))
            .collect::<Vec<_>>()
    };
    assert_eq!(told().len(), 1);
    eventually(
        "the event arrives without a wake-up",
        Duration::from_secs(30),
        || told() == ["done"],
    );
    let holders = "SELECT count(*) FROM payments.holder WHERE email = $1";
    assert_eq!(
        stack
            .sql()
            .query_one(holders, &[&user.email])
            .unwrap()
            .get::<_, i64>(0),
        1
    );
}

/// Money moves only for sessions that are known to live.
#[test]
fn without_redis_a_session_that_is_over_moves_no_money() {
    let stack = Options::default().start_cabled();
    let user = User::registered(&stack);
    let spend = || {
        let request = user.post("/payment/promocode/generate");
        request.json(&json!({ "amount": 1 })).send().status()
    };
    user.get("/payment/balance").send().expect(200);
    stack.redis_cable().cut();
    assert_ne!(spend(), 401, "the session lives");
    user.post("/auth/signout").send().expect(200);
    eventually(
        "payments refuses to move money",
        Duration::from_secs(10),
        || spend() == 401,
    );
}
