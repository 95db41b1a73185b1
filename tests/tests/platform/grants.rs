//! What a function may do in Redis and S3, which all functions share: what the manifest grants its login and its key, and
//! nothing beside it.

use std::time::Duration;

use redis::{Connection, RedisError, Value, cmd};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use wharf_tests::{Answer, Request, Stack, Token, User, eventually};

const SOON: Duration = Duration::from_secs(20);

/// The login of each function, with a key of its own.
const KEYS: [(&str, &str); 9] = [
    ("signin", "{tries}:pair:grants"),
    ("payments", "events:wake:grants:payments"),
    ("bookings", "bookings:searches:grants"),
    ("orders", "sweep:orders"),
    ("fines", "{tries}:passcode:grants"),
    ("modpacks", "sweep:modpacks"),
    ("notify", "events:wake:grants:notify"),
    ("telegram", "telegram:dialogue:grants"),
    // It writes none.
    ("jobs", ""),
];

/// The key of each function in S3, with an object of its own.
const OBJECTS: [(&str, &str); 3] = [
    ("orders", "products/0/grants"),
    ("fines", "fines/0/grants"),
    ("modpacks", "objects/grants"),
];

fn ask(redis: &mut Connection, command: &[&str]) -> Result<Value, RedisError> {
    let (name, arguments) = command.split_first().unwrap();
    cmd(name).arg(arguments).query(redis)
}

fn assert_refused(redis: &mut Connection, login: &str, command: &[&str]) {
    let Err(refused) = ask(redis, command) else {
        panic!("{login} may {command:?}");
    };
    let why = refused.to_string();
    let is_for_lack_of_rights = why.contains("permission") || why.contains("executing the script");
    assert!(is_for_lack_of_rights, "{login}, {command:?}: {why}");
}

#[test]
fn a_function_reaches_nothing_of_another_in_redis() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let session = Token::of(&user.token).claims["sid"].clone();
    let mark: &str = &format!("session:ended:{}", session.as_str().unwrap());
    user.post("/auth/signout").send().expect(200);
    let mut owner = stack.redis();
    let mut is_marked = || ask(&mut owner, &["EXISTS", mark]).unwrap() == Value::Int(1);
    eventually("the session is marked", SOON, &mut is_marked);
    for (login, own) in KEYS {
        let mut redis = stack.redis_as(login);
        let marks = ask(&mut redis, &["MGET", "session:ends:count", mark]).unwrap();
        assert!(
            matches!(&marks, Value::Array(marks) if !marks.contains(&Value::Nil)),
            "{login}: {marks:?}"
        );
        if !own.is_empty() {
            ask(&mut redis, &["SET", own, "1", "NX", "PX", "1"]).unwrap();
        }
        for &(other, key) in KEYS.iter().filter(|it| it.0 != login && !it.1.is_empty()) {
            // fines checks passcodes by code of signin, which counts the wrong ones.
            if (login, other) != ("signin", "fines") {
                assert_refused(&mut redis, login, &["SET", key, "1"]);
            }
        }
        for command in [
            &["SUBSCRIBE", "outbox"][..],
            &["PSUBSCRIBE", "*"],
            &["PUBLISH", "tick", "tick"],
            &["PUBLISH", "notifications", "{}"],
            &["KEYS", "*"],
            &["SCAN", "0"],
            &["FLUSHALL"],
            &["MONITOR"],
            &["CLIENT", "LIST"],
            &["CONFIG", "GET", "requirepass"],
            &["ACL", "LIST"],
        ] {
            assert_refused(&mut redis, login, command);
        }
        if login == "signin" {
            continue;
        }
        let forget = "return redis.call('DEL', KEYS[1])";
        let forget_unnamed = "return redis.call('DEL', ARGV[1])";
        for command in [
            &["DEL", mark][..],
            &["SET", mark, "", "PX", "1"],
            &["EXPIRE", mark, "0"],
            &["EVAL", forget, "1", mark],
            &["EVAL", forget_unnamed, "0", mark],
            &["SET", "session:ends:count", "0"],
            &["ZREMRANGEBYRANK", "session:ends", "0", "-1"],
            &["DEL", "session:marks-are-kept"],
            &["PUBLISH", "user:created", "{}"],
        ] {
            assert_refused(&mut redis, login, command);
        }
    }
    assert!(is_marked());
}

#[test]
fn each_function_is_known_to_redis_by_its_own_login() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let mut owner = stack.redis();
    let functions = KEYS.map(|(login, _)| login);
    for login in functions.into_iter().chain(["triggers"]) {
        eventually(&format!("{login} is there"), SOON, || {
            // The others act at each tick.
            admin.get("/jobs/events").send().expect(200);
            let list: String = cmd("CLIENT").arg("LIST").query(&mut owner).unwrap();
            list.contains(&format!(" user=wharf_{login} "))
        });
    }
}

/// What S3 answers to an action at its presigned address.
fn ask_s3<'a, Action: S3Action<'a>>(action: &Action, headers: &[(&str, &str)]) -> Answer {
    let address = action.sign(SOON);
    let address = address.as_str().strip_prefix("http://").unwrap();
    let (host, path) = address.split_once('/').unwrap();
    let method = Action::METHOD.to_str();
    let request = Request::new(host.parse().unwrap(), method, &format!("/{path}"));
    let request = headers
        .iter()
        .fold(request, |it, (name, text)| it.header(name, text));
    request.send()
}

fn assert_refused_by_s3<'a, Action: S3Action<'a>>(action: &Action, headers: &[(&str, &str)]) {
    let refused = ask_s3(action, headers).expect(403);
    let text = refused.text();
    assert!(text.contains("<Code>AccessDenied</Code>"), "{text}");
}

#[test]
fn a_function_reaches_nothing_of_another_in_s3() {
    let stack = Stack::shared();
    let keys = OBJECTS.map(|(function, own)| {
        let s3 = stack.s3_as(function);
        let endpoint = s3.endpoint.parse().unwrap();
        let bucket = Bucket::new(endpoint, UrlStyle::Path, s3.bucket, s3.region).unwrap();
        let credentials = Credentials::new(s3.access_key, s3.secret_key);
        (bucket, credentials, own)
    });
    for (bucket, key, own) in &keys {
        ask_s3(&bucket.put_object(Some(key), own), &[]).expect(200);
    }
    for (bucket, key, own) in &keys {
        let key = Some(key);
        ask_s3(&bucket.get_object(key, own), &[]).expect(200);
        for (_, other) in OBJECTS.iter().filter(|it| it.1 != *own) {
            assert_refused_by_s3(&bucket.get_object(key, other), &[]);
            assert_refused_by_s3(&bucket.put_object(key, other), &[]);
            assert_refused_by_s3(&bucket.delete_object(key, other), &[]);
            assert_refused_by_s3(&bucket.create_multipart_upload(key, other), &[]);
            let source = format!("/{}/{other}", bucket.name());
            let mut copy = bucket.put_object(key, own);
            copy.headers_mut().insert("x-amz-copy-source", &*source);
            assert_refused_by_s3(&copy, &[("x-amz-copy-source", &source)]);
            let mut list = bucket.list_objects_v2(key);
            list.with_prefix(*other);
            assert_refused_by_s3(&list, &[]);
        }
        assert_refused_by_s3(&bucket.list_objects_v2(key), &[]);
    }
    for (bucket, key, own) in &keys {
        ask_s3(&bucket.get_object(Some(key), own), &[]).expect(200);
        ask_s3(&bucket.delete_object(Some(key), own), &[]).expect(204);
    }
}
