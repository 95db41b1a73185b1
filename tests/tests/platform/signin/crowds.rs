//! Many at once, and too many.

use std::time::{Duration, Instant};

use serde_json::json;
use wharf_tests::{Stack, User, at_once, unique};

#[test]
fn of_fifty_who_register_one_login_at_once_one_does() {
    let stack = Stack::start();
    let name = unique("wanted");
    let statuses = at_once(50, |number| {
        let body = json!({ "login": name, "email": format!("{name}.{number}@example.org"),
                           "password": "Correct-Horse-1", "role": "driver" });
        stack.post("/register").json(&body).send().status()
    });
    assert_eq!(
        statuses.iter().filter(|it| **it == 200).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|it| matches!(it, 200 | 409 | 429)),
        "{statuses:?}"
    );
    let accounts = "SELECT count(*) FROM signin.account WHERE lower(login) = lower($1)";
    assert_eq!(
        stack
            .sql()
            .query_one(accounts, &[&name])
            .unwrap()
            .get::<_, i64>(0),
        1
    );
}

#[test]
fn two_hundred_sign_ins_at_once_break_nothing_and_hold_nobody_up() {
    let stack = Stack::start();
    let user = User::driver(&stack);
    let (statuses, slowest) = std::thread::scope(|scope| {
        let crowd = scope.spawn(|| {
            at_once(200, |number| {
                let password = if number % 2 == 0 {
                    &user.password
                } else {
                    "Wrong-Horse-1"
                };
                let name = if number % 4 == 1 {
                    "nobody"
                } else {
                    &user.login
                };
                let body = json!({ "login": name, "password": password });
                stack.post("/login").json(&body).send().status()
            })
        });
        let (mut slowest, began) = (Duration::ZERO, Instant::now());
        while !crowd.is_finished() && began.elapsed() < Duration::from_secs(60) {
            slowest = slowest.max(stack.get("/parking").send().expect(200).took());
            slowest = slowest.max(user.get("/auth/me").send().expect(200).took());
        }
        (crowd.join().unwrap(), slowest)
    });
    assert!(
        statuses.iter().all(|it| matches!(it, 200 | 401 | 429)),
        "{statuses:?}"
    );
    assert!(statuses.contains(&200), "{statuses:?}");
    assert!(
        slowest < Duration::from_secs(2),
        "somebody else waited {slowest:?}"
    );
}

#[test]
fn who_is_wrong_too_often_has_to_wait() {
    let stack = Stack::start();
    let (user, other) = (User::driver(&stack), User::driver(&stack));
    let try_in = |login: &str, password: &str| {
        stack
            .post("/login")
            .json(&json!({ "login": login, "password": password }))
            .send()
    };
    for _ in 0..10 {
        try_in(&user.login, "Wrong-Horse-1").problem(401);
    }
    let refused = try_in(&user.login.to_uppercase(), "Wrong-Horse-1");
    refused.problem(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    // Whether the password is right is not told any more.
    try_in(&user.login, &user.password).problem(429);
    try_in(&other.login, &other.password).expect(200);

    // For who does not exist it is the same.
    for _ in 0..10 {
        try_in("nobody", "Wrong-Horse-1").problem(401);
    }
    try_in("nobody", "Wrong-Horse-1").problem(429);
    for (path, body) in [
        (
            "/api/v1/login",
            json!({ "username": user.login, "password": "Wrong-Horse-1" }),
        ),
        (
            "/auth/signin",
            json!({ "email": user.login, "password": "Wrong-Horse-1" }),
        ),
    ] {
        stack.post(path).json(&body).send().problem(429);
    }
    let form = format!("username={}&password=x", user.login);
    stack.post("/token").form(&form).send().problem(429);
}
