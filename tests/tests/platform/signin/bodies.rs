//! Bodies that no client should send. None of them is our fault, and none leaves anything behind.

use serde_json::json;
use wharf_tests::{Answer, Stack, unique};

const WRITING: [&str; 5] = [
    "/register",
    "/login",
    "/change-password",
    "/auth/signup",
    "/auth/signin",
];

/// A refusal of what was sent.
fn refused(answer: &Answer, expected: &[u16]) {
    assert!(
        expected.contains(&answer.status()),
        "expected one of {expected:?}, got {answer}"
    );
    answer.problem(answer.status());
}

#[test]
fn malformed_json_is_a_bad_request() {
    let stack = Stack::shared();
    let deep = "[".repeat(100_000);
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"null null",
        b"{\"login\":\"ana\",}",
        b"login=ana",
        b"\xff\xfe\x00",
        b"{\"login\":\"\xc3\x28\"}",
        b"{\"login\":\"\\ud800\"}",
        deep.as_bytes(),
    ];
    for path in WRITING {
        for body in bodies {
            let answer = stack
                .post(path)
                .body("application/json", body.to_vec())
                .send();
            refused(&answer, &[400, 422]);
        }
    }
}

#[test]
fn a_body_of_the_wrong_shape_is_refused_by_its_field() {
    let stack = Stack::shared();
    for (path, expected) in [
        ("/register", 422),
        ("/login", 422),
        ("/change-password", 422),
        ("/auth/signup", 400),
    ] {
        for body in [
            "[]",
            "{}",
            "null",
            "7",
            "\"ana\"",
            "{\"login\":{},\"email\":[],\"password\":7}",
        ] {
            let problem = stack
                .post(path)
                .body("application/json", body)
                .send()
                .problem(expected);
            assert_eq!(problem["code"], "invalid-body", "{path} {body}");
        }
    }
    let problem = stack
        .post("/login")
        .json(&json!({ "login": 7, "password": "x" }))
        .send()
        .problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "/login", "{problem}");
}

#[test]
fn another_media_type_than_json_is_refused() {
    let stack = Stack::shared();
    let body = json!({ "login": "ana", "password": "Correct-Horse-1" }).to_string();
    for path in WRITING {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ] {
            stack
                .post(path)
                .body(kind, body.clone())
                .send()
                .problem(415);
        }
        stack
            .post(path)
            .body("", body.clone())
            .without_header("content-type")
            .send()
            .problem(415);
    }
    let charset = stack
        .post("/login")
        .body("application/json; charset=utf-8", body.clone())
        .send();
    charset.problem(401);
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let stack = Stack::shared();
    let large = json!({ "login": "x".repeat(3 << 20), "password": "y" });
    for path in WRITING {
        stack.post(path).json(&large).send().problem(413);
    }
}

#[test]
fn a_text_that_cannot_be_stored_is_refused() {
    let stack = Stack::shared();
    for text in ["ana\u{0}maria", "\u{0}", "\u{feff}ana", "ana\u{202e}"] {
        for body in [
            json!({ "login": text, "email": "a@example.org", "password": "Correct-Horse-1", "role": "driver" }),
            json!({ "login": unique("text"), "email": text, "password": "Correct-Horse-1", "role": "driver" }),
        ] {
            refused(&stack.post("/register").json(&body).send(), &[409, 422]);
        }
        let body = json!({ "login": text, "password": text });
        refused(&stack.post("/login").json(&body).send(), &[401, 422]);
        let body = json!({ "email": text, "password": text });
        refused(&stack.post("/auth/signin").json(&body).send(), &[400, 401]);
    }
}

#[test]
fn a_number_out_of_range_is_refused() {
    let stack = Stack::shared();
    for number in [
        "99999999999999999999",
        "1e300",
        "-9223372036854775809",
        "1.5",
    ] {
        let login = unique("number");
        let body = format!(
            r#"{{"login":"{login}","email":"{login}@example.org","password":"Correct-Horse-1","role":"driver","telegram_id":{number}}}"#
        );
        refused(
            &stack
                .post("/register")
                .body("application/json", body)
                .send(),
            &[409, 422],
        );
    }
}

#[test]
fn an_unknown_method_or_address_is_named_as_such() {
    let stack = Stack::shared();
    for (method, path) in [
        ("GET", "/login"),
        ("DELETE", "/register"),
        ("PUT", "/auth/signin"),
    ] {
        stack.request(method, path).send().problem(405);
    }
    stack.get("/auth/nothing-here").send().problem(404);
}

#[test]
fn nothing_is_left_of_a_refused_registration() {
    let stack = Stack::shared();
    let login = unique("refused");
    let registration = |password: &str| json!({ "login": login, "email": format!("{login}@example.org"), "password": password, "role": "driver" });
    stack
        .post("/register")
        .json(&registration("short"))
        .send()
        .problem(409);
    let mut wrong = registration("Correct-Horse-1");
    wrong["role"] = json!("admin");
    let answer = stack.post("/register").json(&wrong).send();
    assert!(matches!(answer.status(), 409 | 422), "{answer}");
    let left = "SELECT count(*) FROM signin.account WHERE login = $1";
    assert_eq!(
        stack
            .sql()
            .query_one(left, &[&login])
            .unwrap()
            .get::<_, i64>(0),
        0
    );
    let told = "SELECT count(*) FROM events.entry WHERE payload ->> 'email' = $1";
    let email = format!("{login}@example.org");
    assert_eq!(
        stack
            .sql()
            .query_one(told, &[&email])
            .unwrap()
            .get::<_, i64>(0),
        0
    );
    stack
        .post("/register")
        .json(&registration("Correct-Horse-1"))
        .send()
        .expect(200);
}
