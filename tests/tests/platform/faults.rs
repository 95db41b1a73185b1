//! Stores that go away and hosts that are killed. Each test breaks a platform of its own.

use std::time::Duration;

use serde_json::json;
use wharf_tests::{Answer, Options, User, eventually, unique};

const SOON: Duration = Duration::from_secs(60);

/// Checks the answer while a store is away: a 503 with a `Retry-After`, within two seconds.
fn is_unavailable(answer: &Answer) {
    answer.problem(503);
    assert!(answer.header("retry-after").is_some(), "{answer}");
    assert!(
        answer.took() < Duration::from_secs(2) + SLACK,
        "{:?}",
        answer.took()
    );
}

/// How much longer an answer may take on a busy machine.
const SLACK: Duration = Duration::from_secs(2);

#[test]
fn without_postgres_the_answer_is_503_until_it_is_back() {
    let stack = Options::default().start_cabled();
    let user = User::driver(&stack);
    user.get("/auth/me").send().expect(200);

    stack.postgres_cable().cut();
    // The first request meets a broken connection, the second one cannot connect.
    for _ in 0..2 {
        is_unavailable(&user.get("/auth/me").send());
    }
    let login = json!({ "login": user.login, "password": user.password });
    is_unavailable(&stack.post("/login").json(&login).send());
    stack.get("/.well-known/spin/health").send().expect(200);
    stack.get("/.well-known/jwks.json").send().expect(200);

    stack.postgres_cable().mend();
    eventually("the platform recovers by itself", SOON, || {
        user.get("/auth/me").send().status() == 200
    });
    stack.post("/login").json(&login).send().expect(200);
}

/// A network that drops packets closes no connection.
#[test]
fn a_postgres_that_says_nothing_is_given_up_on() {
    let stack = Options::default().start_cabled();
    let user = User::driver(&stack);
    stack.postgres_cable().stall();
    let answer = user.get("/auth/me").send();
    answer.problem(503);
    assert!(answer.header("retry-after").is_some());
    assert!(
        answer.took() < Duration::from_secs(2) + SLACK,
        "{:?}",
        answer.took()
    );
    stack.postgres_cable().mend();
    eventually("the platform recovers by itself", SOON, || {
        user.get("/auth/me").send().status() == 200
    });
}

#[test]
fn signin_works_without_redis() {
    let stack = Options::default().start_cabled();
    let before = User::driver(&stack);
    let sign_in = |user: &User| {
        let login = json!({ "login": user.login, "password": user.password });
        stack.post("/login").json(&login).send().expect(200).took()
    };
    // Most of it is the hash of the password, which takes seconds on a busy machine.
    let usual = sign_in(&before);
    for away in ["cut", "stalled"] {
        match away {
            "cut" => stack.redis_cable().cut(),
            _ => stack.redis_cable().stall(),
        }
        let user = User::driver(&stack);
        user.get("/auth/me").send().expect(200);
        before.get("/auth/me").send().expect(200);
        let took = sign_in(&user);
        assert!(
            took < 3 * usual + Duration::from_secs(5),
            "{away}: {took:?}"
        );
        // The event that could not be published is in the outbox.
        let written = "SELECT count(*) FROM events.entry WHERE payload ->> 'email' = $1";
        assert_eq!(
            stack
                .sql()
                .query_one(written, &[&user.email])
                .unwrap()
                .get::<_, i64>(0),
            1
        );
        stack.redis_cable().mend();
    }
}

#[test]
fn accounts_and_sessions_survive_a_kill_and_a_restart() {
    let mut stack = Options::default().start_embedded();
    let user = User::driver(&stack);
    stack.kill();
    assert!(user.get("/auth/me").try_send().is_err());
    stack.start_again();
    // The same accounts, the same sessions, the same keys.
    user.get("/auth/me").send().expect(200);
    let login = json!({ "login": user.login, "password": user.password });
    stack.post("/login").json(&login).send().expect(200);
}

#[test]
fn a_platform_that_is_killed_takes_its_stores_with_it() {
    let mut stack = Options::default().start_embedded();
    let mut redis = stack.redis();
    let mut sql = stack.sql();
    stack.kill();
    eventually("redis is gone", SOON, || {
        redis::cmd("PING").exec(&mut redis).is_err()
    });
    eventually("postgres is gone", SOON, || {
        sql.simple_query("SELECT 1").is_err()
    });
}

#[test]
fn a_platform_that_is_told_to_stop_ends_in_order() {
    let mut stack = Options::default().start_embedded();
    let user = User::driver(&stack);
    let mut sql = stack.sql();
    let status = stack.stop(Duration::from_secs(15)).expect("it ends");
    assert!(status.success(), "{status}");
    assert!(
        sql.simple_query("SELECT 1").is_err(),
        "PostgreSQL is still there"
    );
    stack.start_again();
    user.get("/auth/me").send().expect(200);
}

/// What was acknowledged is kept, however the host ends.
#[test]
fn an_acknowledged_registration_survives_a_kill() {
    let mut stack = Options::default().start_embedded();
    for _ in 0..3 {
        let registered = std::thread::scope(|scope| {
            let busy: Vec<_> = (0..4)
                .map(|_| {
                    let stack = &stack;
                    scope.spawn(move || {
                        let mut logins = Vec::new();
                        loop {
                            let login = unique("kept");
                            let body = json!({
                                "login": login,
                                "email": format!("{login}@example.org"),
                                "password": "Correct-Horse-1",
                                "role": "driver",
                            });
                            match stack.post("/register").json(&body).try_send() {
                                Ok(answer) if answer.status() == 200 => logins.push(login),
                                _ => return logins,
                            }
                        }
                    })
                })
                .collect();
            eventually("some are registered", SOON, || {
                let count = stack
                    .sql()
                    .query_one("SELECT count(*) FROM signin.account", &[]);
                count.is_ok_and(|it| it.get::<_, i64>(0) > 8)
            });
            stack.signal_kill();
            busy.into_iter()
                .flat_map(|it| it.join().unwrap())
                .collect::<Vec<_>>()
        });
        stack.kill();
        stack.start_again();
        let kept = "SELECT count(*) FROM signin.account WHERE login = ANY ($1)";
        let kept: i64 = stack.sql().query_one(kept, &[&registered]).unwrap().get(0);
        assert_eq!(kept, i64::try_from(registered.len()).unwrap());
        let lost = "SELECT count(*) FROM signin.account WHERE NOT EXISTS
            (SELECT FROM events.entry WHERE aggregate = 'user:' || account.id) AND login <> 'admin'";
        let lost: i64 = stack.sql().query_one(lost, &[]).unwrap().get(0);
        assert_eq!(lost, 0, "accounts that were not announced");
    }
}
