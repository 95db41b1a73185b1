//! The audit trail, and what users can see and undo of their own account.

use serde_json::{Value, json};
use wharf_tests::{Stack, User};

fn what_happened(user: &User) -> Vec<String> {
    let events = user.get("/auth/audit").send().expect(200).json();
    let events = events.as_array().unwrap().iter();
    events
        .map(|it| it["what"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_event_is_kept_with_where_it_came_from() {
    let stack = Stack::shared();
    let (user, admin) = (User::registered(&stack), User::admin(&stack));
    let wrong = json!({ "login": user.login, "password": "Wrong-Horse-1" });
    stack
        .post("/login")
        .json(&wrong)
        .header("x-request-id", "the-wrong-one")
        .send()
        .problem(401);
    let right = json!({ "login": user.login, "password": user.password });
    stack.post("/login").json(&right).send().expect(200);
    assert_eq!(what_happened(&user), ["signed-in", "refused", "registered"]);

    let events = user.get("/auth/audit").send().expect(200).json();
    let refused = &events[1];
    assert_eq!(
        (
            &refused["address"],
            &refused["request_id"],
            &refused["detail"]
        ),
        (
            &json!("127.0.0.1"),
            &json!("the-wrong-one"),
            &json!("wrong-password")
        )
    );
    let older = user
        .get(&format!("/auth/audit?before={}&limit=1", events[1]["id"]))
        .send()
        .expect(200)
        .json();
    assert_eq!(older, json!([events[2]]));

    let id = user.get("/auth/me").send().expect(200).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/auth/users/{id}/audit");
    assert_eq!(admin.get(&path).send().expect(200).json(), events);
    user.get(&path).send().problem(403);
}

#[test]
fn the_audit_trail_cannot_be_rewritten() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let mut sql = stack.sql();
    for tampering in [
        "UPDATE signin.audit SET what = 'nothing'",
        "DELETE FROM signin.audit",
        "TRUNCATE signin.audit",
    ] {
        // Neither the function nor the owner of the database can do it.
        let as_function = format!("SET ROLE wharf_signin; {tampering}");
        assert!(sql.batch_execute(&as_function).is_err(), "{tampering}");
        sql.batch_execute("RESET ROLE").unwrap();
        assert!(sql.batch_execute(tampering).is_err(), "{tampering}");
    }
    assert_eq!(what_happened(&user), ["registered"]);
}

#[test]
fn people_read_everything_that_is_kept_about_them() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let everything = user.get("/auth/export").send().expect(200);
    let text = everything.text();
    for secret in ["$argon2", "\"seal\"", "\"secret\"", "\"password\""] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let everything: Value = everything.json();
    assert_eq!(everything["account"]["email"], user.email);
    assert_eq!(everything["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(everything["events"][0]["what"], "registered");
}

#[test]
fn an_erased_user_is_gone_and_their_names_are_free() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let id = user.get("/auth/me").send().expect(200).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    user.delete("/auth/me").send().expect(204);
    user.get("/auth/me").send().problem(401);
    let credentials = json!({ "login": user.login, "password": user.password });
    stack.post("/login").json(&credentials).send().problem(401);
    User::admin(&stack)
        .get(&format!("/user?user_id={id}"))
        .send()
        .problem(404);

    let left = "SELECT to_jsonb(account)::text FROM signin.account WHERE id::text = $1";
    let left: String = stack.sql().query_one(left, &[&id]).unwrap().get(0);
    assert!(
        !left.contains(&user.login) && !left.contains("argon2"),
        "{left}"
    );
    let addresses = "SELECT address FROM signin.audit WHERE account::text = $1
        UNION SELECT address FROM signin.session WHERE account::text = $1";
    let addresses = stack.sql().query(addresses, &[&id]).unwrap();
    let addresses: Vec<String> = addresses.iter().map(|it| it.get(0)).collect();
    assert_eq!(addresses, ["erased"]);
    let told = "SELECT count(DISTINCT id) FROM events.entry WHERE kind = 'user:erased' AND payload ->> 'id' = $1";
    assert_eq!(
        stack
            .sql()
            .query_one(told, &[&id])
            .unwrap()
            .get::<_, i64>(0),
        1
    );

    let body = json!({ "login": user.login, "email": user.email, "password": "Correct-Horse-1", "role": "driver" });
    let token = stack
        .post("/register")
        .json(&body)
        .send()
        .expect(200)
        .json();
    let me = stack
        .get("/auth/me")
        .api_key(token["token"].as_str().unwrap())
        .send()
        .expect(200)
        .json();
    assert_ne!(me["id"].as_str().unwrap(), id);
}

/// Ids are no secret, so the name that an erased user gets must not be taken before.
#[test]
fn no_user_can_take_the_name_that_an_erased_user_will_get() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let me = user.get("/auth/me").send().expect(200).json();
    let left = |id: &str| -> String {
        let left = "SELECT login FROM signin.account WHERE id::text = $1";
        stack.sql().query_one(left, &[&id]).unwrap().get(0)
    };
    let id = me["id"].as_str().unwrap();
    let tried = json!({ "name": "A", "surname": "B", "username": format!("erased-{id}"),
                        "email": format!("erased-{id}@example.org"), "password": "Correct-Horse-1" });
    stack
        .post("/api/v1/register")
        .json(&tried)
        .send()
        .expect(201);
    for name in [format!("erased:{id}"), format!("erased:{id}@example.org")] {
        let mut tried = tried.clone();
        tried["username"] = json!(name);
        stack
            .post("/api/v1/register")
            .json(&tried)
            .send()
            .problem(400);
        let body = json!({ "email": name, "password": "Correct-Horse-1" });
        stack.post("/auth/signup").json(&body).send().problem(400);
    }
    user.delete("/auth/me").send().expect(204);
    assert_eq!(left(id), format!("erased:{id}"));
}

#[test]
fn every_use_of_a_proof_is_in_the_audit_trail() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let token = json!({ "name": "x", "scope": "read" });
    let token = user.post("/auth/tokens").json(&token).send().expect(201);
    let exchange = |token: &Value| {
        let body = json!({ "token": token });
        stack.post("/auth/exchange").json(&body).send()
    };
    exchange(&token.json()["token"]).expect(200);
    user.post("/auth/email/verification").send().expect(202);
    user.get("/auth/export").send().expect(200);
    user.post("/auth/totp").send().expect(200);
    user.post("/auth/totp/confirm")
        .json(&json!({ "code": "000000" }))
        .send()
        .problem(401);
    let body = json!({ "username": user.login, "password": user.password });
    let pair = stack.post("/api/v1/login").json(&body).send().expect(200);
    let spent = json!({ "refresh_token": pair.json()["refresh_token"] });
    stack.post("/auth/refresh").json(&spent).send().expect(200);
    assert_eq!(
        what_happened(&user),
        [
            "refreshed",
            "signed-in",
            "refused",
            "exported",
            "verification-asked",
            "personal-token-used",
            "personal-token-made",
            "registered"
        ]
    );
    // The caller with a token of no account is unknown, but the attempt is recorded.
    let refused = stack
        .post("/auth/exchange")
        .json(&json!({ "token": "wharf_pat_nonsense" }))
        .header("x-request-id", &user.login)
        .send();
    refused.problem(401);
    let kept = "SELECT what, detail FROM signin.audit WHERE request_id = $1 AND account IS NULL";
    let kept = stack.sql().query_one(kept, &[&user.login]).unwrap();
    assert_eq!(
        (kept.get::<_, String>(0), kept.get::<_, String>(1)),
        ("refused".to_owned(), "bad-foreign-token".to_owned())
    );
}
