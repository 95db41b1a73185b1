//! The launcher's dialect: `/api/method/…`, which answers every refusal with a number.

use serde_json::json;
use wharf_tests::{Answer, Stack, User, unique};

use super::PASSWORD;

/// The number in a refusal.
fn number(answer: Answer, status: u16) -> i64 {
    let body = answer.expect(status).json();
    assert!(body["error"]["message"].is_string(), "{body}");
    body["error"]["code"].as_i64().unwrap()
}

#[test]
fn a_launcher_signs_in_by_query_or_by_body() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let login = &user.login;
    let method = "/api/method/auth.login";
    let body = json!({ "login": login, "password": PASSWORD, "v": "1.0" });
    let answers = [
        stack
            .get(&format!("{method}?login={login}&password={PASSWORD}&v=1.0"))
            .send(),
        stack.post(method).json(&body).send(),
        stack
            .post(method)
            .form(&format!("login={login}&password={PASSWORD}&v=1.0"))
            .send(),
        stack
            .post(&format!("{method}?login={login}&password={PASSWORD}&v=1.0"))
            .send(),
    ];
    for answer in answers {
        let answer = answer.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        assert_eq!(
            (&body["user"]["login"], &body["user"]["roles"]),
            (&json!(login), &json!([10]))
        );
        let token = body["token"].as_str().unwrap();
        let me = stack
            .get(&format!("/api/method/users.get?token={token}&v=1.0"))
            .send()
            .expect(200)
            .json();
        assert_eq!(me, body["user"]);
    }
}

#[test]
fn a_launcher_is_refused_by_number() {
    let stack = Stack::shared();
    let (user, admin) = (User::registered(&stack), User::admin(&stack));
    let get = |path: &str| stack.get(&format!("/api/method/{path}")).send();
    let login = &user.login;
    assert_eq!(
        number(
            get(&format!(
                "auth.login?login={login}&password={PASSWORD}&v=2.0"
            )),
            400
        ),
        1
    );
    assert_eq!(
        number(get(&format!("auth.login?login={login}&v=1.0")), 400),
        30
    );
    assert_eq!(
        number(
            get(&format!(
                "auth.login?login={login}&password=wrong-horse&v=1.0"
            )),
            401
        ),
        12
    );
    assert_eq!(
        number(
            get("auth.login?login=nobody&password=wrong-horse&v=1.0"),
            401
        ),
        12
    );
    assert_eq!(
        number(
            get("auth.register?login=a%20b&password=Correct-Horse-1&v=1.0"),
            400
        ),
        33
    );
    assert_eq!(number(get("users.get?v=1.0"), 401), 10);
    assert_eq!(number(get("users.get?v=1.0&token=nonsense"), 401), 10);
    assert_eq!(
        number(user.get("/api/method/users.list?v=1.0").send(), 403),
        20
    );
    assert_eq!(
        number(
            admin
                .get("/api/method/users.setRole?v=1.0&user_id=x&role=10")
                .send(),
            400
        ),
        32
    );
    assert_eq!(
        number(
            admin
                .get("/api/method/users.setRole?v=1.0&user_id=1&role=7")
                .send(),
            400
        ),
        31
    );
    assert_eq!(
        number(
            stack.request("DELETE", "/api/method/auth.login").send(),
            405
        ),
        41
    );
    let nobody = "/api/method/users.get?v=1.0&login=nobody_at_all";
    assert_eq!(number(admin.get(nobody).send(), 404), 31);
}

/// CSRF: the browser sends the cookie with a link on any page, and a GET changes things here.
#[test]
fn a_cross_site_link_to_a_method_changes_nothing() {
    let stack = Stack::shared();
    let (user, admin) = (User::registered(&stack), User::admin(&stack));
    let number = user
        .get("/api/method/users.get?v=1.0")
        .send()
        .expect(200)
        .json()["id"]
        .clone();
    let link = format!("/api/method/users.setRole?v=1.0&user_id={number}&role=99");
    for method in ["GET", "HEAD", "POST"] {
        let followed = stack
            .request(method, &link)
            .header("cookie", &format!("access_token={}", admin.token));
        followed.send().expect(403);
        let from_there = stack
            .request(method, &link)
            .cookie("access_token", &admin.token)
            .header("origin", "https://evil.example");
        from_there.send().expect(403);
    }
    let me = user.get("/auth/me").send().expect(200).json();
    assert_eq!(me["roles"], json!(["driver"]));
    // On a page of ours it is the admin who asks.
    stack
        .get(&link)
        .cookie("access_token", &admin.token)
        .send()
        .expect(200);
}

#[test]
fn a_launcher_registers_refreshes_and_is_made_a_moderator() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let name = unique("steve");
    let path = format!("/api/method/auth.register?login={name}&password={PASSWORD}&v=1.0");
    let entered = stack.get(&path).send().expect(200).json();
    assert_eq!(number(stack.get(&path).send(), 409), 31);
    let token = entered["token"].as_str().unwrap();
    let refreshed = stack
        .get(&format!(
            "/api/method/auth.refreshToken?token={token}&v=1.0"
        ))
        .send();
    assert_eq!(refreshed.expect(200).json()["user"], entered["user"]);
    let spent = entered["refresh_token"].as_str().unwrap();
    let body = json!({ "refresh_token": spent, "v": "1.0" });
    // Also with a token that is no longer valid.
    stack
        .post("/api/method/auth.refreshToken?token=expired")
        .json(&body)
        .send()
        .expect(200);

    let id = &entered["user"]["id"];
    let set = |role: u8| {
        let path = format!("/api/method/users.setRole?v=1.0&user_id={id}&role={role}");
        admin.get(&path).send().expect(200).json()["roles"].clone()
    };
    assert_eq!(
        (set(50), set(99), set(10)),
        (json!([50]), json!([99]), json!([10]))
    );
    let listed = admin
        .get("/api/method/users.list?v=1.0&limit=100")
        .send()
        .expect(200)
        .json();
    assert!(listed["users"].as_array().is_some_and(|it| !it.is_empty()));
}
