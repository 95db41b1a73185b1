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
        stack
            .post("/register")
            .json(&body)
            .try_send()
            .unwrap()
            .status()
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
fn two_hundred_sign_ins_at_once_succeed_and_do_not_delay_other_requests() {
    let stack = Stack::start();
    let user = User::registered(&stack);
    let quiet: Vec<_> = (0..50).flat_map(|_| others(&stack, &user)).collect();
    let (statuses, meanwhile) = std::thread::scope(|scope| {
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
                stack
                    .post("/login")
                    .json(&body)
                    .try_send()
                    .unwrap()
                    .status()
            })
        });
        let began = Instant::now();
        let mut meanwhile = Vec::new();
        while !crowd.is_finished() && began.elapsed() < Duration::from_secs(60) {
            meanwhile.extend(others(&stack, &user));
        }
        (crowd.join().unwrap(), meanwhile)
    });
    assert!(
        statuses.iter().all(|it| matches!(it, 200 | 401 | 429)),
        "{statuses:?}"
    );
    assert!(statuses.contains(&200), "{statuses:?}");
    // Hashes take all of the machine, but other requests do not queue behind them: if all two hundred hashes could
    // queue, another request would wait for all of them.
    let (quiet, meanwhile) = (late(quiet), late(meanwhile));
    let bound = quiet * 10 + Duration::from_secs(2);
    assert!(
        meanwhile < bound,
        "{meanwhile:?}, when it is quiet {quiet:?}"
    );
}

/// How long requests take that need no hash of a password.
fn others(stack: &Stack, user: &User) -> [Duration; 2] {
    let place = stack.get("/parking").send().expect(200).took();
    let me = user.get("/auth/me").send().expect(200).took();
    [place, me]
}

/// The time that nine of ten requests stay below.
fn late(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 9 / 10]
}

#[test]
fn too_many_wrong_passwords_are_rate_limited() {
    let stack = Stack::start();
    let (user, other) = (User::registered(&stack), User::registered(&stack));
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
    // From now on a right password is refused as well.
    try_in(&user.login, &user.password).problem(429);
    try_in(&other.login, &other.password).expect(200);

    // A login that does not exist is limited in the same way.
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
    stack.post("/token").form(&form).send().expect(429);
}

/// Registrations count whether they succeed or not.
#[test]
fn one_address_makes_only_so_many_accounts_in_a_minute() {
    let stack = Stack::start();
    let register = |password: &str| {
        let name = unique("one_of_many");
        let body = json!({ "login": name, "email": format!("{name}@example.org"), "password": password,
                           "role": "driver" });
        stack.post("/register").json(&body).send()
    };
    let kiosk = User::registered(&stack);
    let count = |to: u32| {
        let key: Vec<String> = redis::cmd("KEYS")
            .arg("{tries}:register-from:*")
            .query(&mut stack.redis())
            .unwrap();
        let _: () = redis::cmd("SET")
            .arg(&key[0])
            .arg(to)
            .arg("KEEPTTL")
            .query(&mut stack.redis())
            .unwrap();
    };
    register("Correct-Horse-1").expect(200);
    count(299);
    register("Correct-Horse-1").expect(200);
    let refused = register("Correct-Horse-1");
    refused.problem(429);
    assert!(refused.header("retry-after").is_some());
    // Accounts made for others count against the user who makes them.
    kiosk.post("/customer/anonymous").send().expect(200);
}

#[test]
fn an_account_hashes_only_so_many_new_passwords() {
    let stack = Stack::start();
    let user = User::registered(&stack);
    let mut refused = None;
    for number in 0..25 {
        let body = json!({ "password": format!("Another-Horse-{number}") });
        let answer = user.request("PATCH", "/api/v1/users/me").json(&body).send();
        if answer.status() == 429 {
            refused = Some((number, answer));
            break;
        }
        answer.expect(200);
    }
    let (number, answer) = refused.expect("a limit");
    assert_eq!(number, 20);
    assert!(answer.header("retry-after").is_some());
}

/// Each of the new passwords waits for a hash, and more of them come than may wait.
#[test]
fn a_flood_of_new_passwords_takes_no_place_of_a_sign_in() {
    let stack = Stack::start();
    let user = User::registered(&stack);
    let changing: Vec<User> = (0..8).map(|_| User::registered(&stack)).collect();
    let (flooded, signed_in) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            at_once(96, |number| {
                // From networks of their own, so that the limit of one network does not keep them out.
                let from = format!("127.0.{}.1", number + 1);
                [0, 1].map(|turn| {
                    let name = unique("flood");
                    let registration = json!({ "login": name, "email": format!("{name}@example.org"),
                        "password": "Correct-Horse-1", "role": "driver" });
                    let change = json!({ "password": format!("Another-Horse-{number}-{turn}") });
                    let request = match changing.get(number) {
                        Some(it) => it.request("PATCH", "/api/v1/users/me").json(&change),
                        None => stack.post("/register").json(&registration),
                    };
                    request.from(&from).try_send().unwrap().status()
                })
            })
        });
        let mut signed_in = Vec::new();
        while !flood.is_finished() {
            let body = json!({ "login": user.login, "password": user.password });
            let answer = stack.post("/login").json(&body).try_send().unwrap();
            signed_in.push(answer.status());
        }
        (flood.join().unwrap().concat(), signed_in)
    });
    assert!(
        flooded.iter().all(|it| matches!(it, 200 | 401 | 429)),
        "{flooded:?}"
    );
    assert!(flooded.contains(&429), "no queue was full: {flooded:?}");
    assert!(signed_in.len() > 1, "{signed_in:?}");
    assert!(signed_in.iter().all(|it| *it == 200), "{signed_in:?}");
}

#[test]
fn strangers_slow_an_account_down_and_do_not_lock_it() {
    let stack = Stack::start();
    let user = User::registered(&stack);
    let attempt = |password: &str, from: &str| {
        let body = json!({ "login": user.login, "password": password });
        stack.post("/login").json(&body).from(from).send()
    };
    attempt("Wrong-Horse-1", "127.0.1.1").problem(401);
    let counts: Vec<String> = redis::cmd("KEYS")
        .arg("{tries}:account:*")
        .query(&mut stack.redis())
        .unwrap();
    for count in counts {
        redis::cmd("SET")
            .arg(count)
            .arg(100)
            .arg("KEEPTTL")
            .exec(&mut stack.redis())
            .unwrap();
    }
    // One attempt from unknown addresses is checked in each period: it may be the person on a journey.
    attempt(&user.password, "127.0.1.2").expect(200);
    let slowed: Vec<String> = redis::cmd("KEYS")
        .arg("{tries}:slow:*")
        .query(&mut stack.redis())
        .unwrap();
    // The period is set to begin now, however long the check of the password took.
    redis::cmd("EXPIRE")
        .arg(&slowed[0])
        .arg(15)
        .exec(&mut stack.redis())
        .unwrap();
    let refused = attempt("Wrong-Horse-1", "127.0.1.3");
    refused.problem(429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(wait <= 15, "{wait}");
    for _ in 0..3 {
        attempt(&user.password, "127.0.0.1").expect(200);
    }
}
