//! People bring their old passwords: accounts of replaced systems are imported and sign in as before.

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User, unique};

/// Of `correct horse` with a cost of 8.
const BCRYPT: &str = "$2b$08$N9qo8uLOickgx2ZMRZoMyeIX9cC48bcLgGe7wDaYaEfhbwJnSbd/S";
/// Of `correct horse`, as Keycloak exports it.
const KEYCLOAK: &str = "eAA4hxO3phBzs5xL0cbw/QNMYgcXgmgYB5i1VB4SaJo=";
/// Of `correct horse`, with the parameters of SuperTokens.
const ARGON2: &str =
    "$argon2id$v=19$m=87795,t=1,p=2$c2FsdHNhbHRzYWx0$HoYP1U/CVkrxJmi+A8WcVZdot9ipUVK46PgKWtodjXA";

fn import(admin: &User, lines: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let answer = admin
        .post("/auth/users/import")
        .body("application/x-ndjson", lines.join("\n"))
        .send()
        .expect(200);
    let text = answer.text();
    text.lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect()
}

fn sign_in(stack: &Stack, login: &str, password: &str) -> Answer {
    let body = json!({ "login": login, "password": password });
    stack.post("/login").json(&body).send()
}

fn stored(stack: &Stack, login: &str) -> String {
    let hash = "SELECT password FROM signin.account WHERE login = $1";
    stack.sql().query_one(hash, &[&login]).unwrap().get(0)
}

#[test]
fn old_passwords_of_every_kind_sign_in_and_are_replaced() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let keycloak = json!({
        "credentialData": json!({ "hashIterations": 27_500, "algorithm": "pbkdf2-sha256" }).to_string(),
        "secretData": json!({ "value": KEYCLOAK, "salt": "c2FsdHNhbHRzYWx0c2FsdA==" }).to_string(),
    });
    let logins = [unique("bcrypt"), unique("keycloak"), unique("argon")];
    let lines = [
        json!({ "login": logins[0], "password_hash": BCRYPT, "roles": ["customer"] }),
        json!({ "login": logins[1], "keycloak": keycloak, "roles": ["driver", "owner"] }),
        json!({ "login": logins[2], "password_hash": ARGON2 }),
    ];
    let report = import(&admin, &lines);
    assert!(
        report.iter().all(|it| it["outcome"] == "imported"),
        "{report:?}"
    );
    for login in &logins {
        let old = stored(&stack, login);
        sign_in(&stack, login, "wrong horse").problem(401);
        assert_eq!(stored(&stack, login), old);
        sign_in(&stack, login, "correct horse").expect(200);
        let new = stored(&stack, login);
        assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
        sign_in(&stack, login, "correct horse").expect(200);
        assert_eq!(stored(&stack, login), new);
    }
}

#[test]
fn ids_numbers_and_roles_come_along() {
    let stack = Stack::start();
    let admin = User::admin(&stack);
    let id = "0199f0a0-0000-7000-8000-000000000001";
    let line = json!({
        "id": id, "number": 4_711, "login": "ana", "email": "ana@example.org", "email_verified": true,
        "name": "Ana", "surname": "Souza", "roles": ["owner"], "password_hash": BCRYPT,
    });
    let report = import(&admin, &[line]);
    assert_eq!(
        report,
        [json!({ "line": 1, "outcome": "imported", "id": id })]
    );
    let token = sign_in(&stack, "ana@example.org", "correct horse").expect(200);
    let token = token.json()["token"].as_str().unwrap().to_owned();
    let me = stack
        .get("/auth/me")
        .api_key(&token)
        .send()
        .expect(200)
        .json();
    assert_eq!((&me["id"], &me["roles"]), (&json!(id), &json!(["owner"])));
    let shown = stack.get("/api/v1/users/me").api_key(&token).send();
    assert_eq!(shown.expect(200).json()["id"], 4_711);
    let written =
        "SELECT actor::text FROM signin.audit WHERE account::text = $1 AND what = 'imported'";
    let written = stack.sql().query_one(written, &[&id]).unwrap();
    let me = admin.get("/auth/me").send().expect(200).json();
    assert_eq!(written.get::<_, String>(0), me["id"].as_str().unwrap());
    // Accounts that are made later have higher numbers.
    let later = User::registered(&stack).get("/api/v1/users/me").send();
    assert!(later.expect(200).json()["id"].as_i64().unwrap() > 4_711);
}

#[test]
fn a_repeated_import_changes_nothing_and_wrong_lines_stop_no_other() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let taken = User::registered(&stack);
    let (first, last) = (unique("first"), unique("last"));
    let lines = [
        json!({ "login": first, "password_hash": BCRYPT }),
        json!({ "login": unique("weak"), "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99" }),
        json!({ "login": taken.login }),
        json!({ "login": unique("rank"), "roles": ["root"] }),
        json!("no object"),
        json!({ "login": last }),
    ];
    let outcomes = |report: &[Value]| -> Vec<String> {
        let told = report
            .iter()
            .map(|it| it["outcome"].as_str().unwrap().to_owned());
        told.collect()
    };
    let once = import(&admin, &lines);
    assert_eq!(
        outcomes(&once),
        [
            "imported", "refused", "refused", "refused", "refused", "imported"
        ]
    );
    assert_eq!(once[2]["reason"], "login-taken");
    assert_eq!(once[4]["line"], 5);
    sign_in(&stack, &first, "correct horse").expect(200);
    let hash = stored(&stack, &first);
    let again = import(&admin, &lines);
    assert_eq!(
        outcomes(&again),
        [
            "present", "refused", "refused", "refused", "refused", "present"
        ]
    );
    assert_eq!(again[0]["id"], once[0]["id"]);
    assert_eq!(stored(&stack, &first), hash);
    let made =
        "SELECT count(*) FROM events.entry WHERE kind = 'user:created' AND payload ->> 'id' = $1";
    let id = once[0]["id"].as_str().unwrap();
    let made: i64 = stack.sql().query_one(made, &[&id]).unwrap().get(0);
    assert_eq!(made, 1);
}

#[test]
fn a_long_import_is_taken_line_by_line() {
    let stack = Stack::start();
    let admin = User::admin(&stack);
    let lines: Vec<Value> = (0..2_000)
        .map(|it| json!({ "login": format!("person_{it}"), "password_hash": BCRYPT, "roles": ["driver"] }))
        .collect();
    let mut left = lines;
    while !left.is_empty() {
        let report = import(&admin, &left);
        assert_eq!(report.len(), left.len());
        // A slow machine does not get through them in one request.
        let imported = report.partition_point(|it| it["outcome"] == "imported");
        let postponed = &report[imported..];
        assert!(imported > 0 && postponed.iter().all(|it| it["outcome"] == "postponed"));
        left.drain(..imported);
    }
    let body = "not even lines";
    let refused = admin
        .post("/auth/users/import")
        .body("text/plain", body)
        .send();
    refused.problem(415);
}
