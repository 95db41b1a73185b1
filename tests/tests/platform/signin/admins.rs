//! Admins: the one of the configuration, the last one, and names that would pass for one.

use serde_json::{Value, json};
use wharf_tests::{Answer, Options, Stack, User, at_once, unique};

fn sign_in(stack: &Stack, login: &str, password: &str) -> Answer {
    let body = json!({ "login": login, "password": password });
    stack.post("/login").json(&body).send()
}

fn id(user: &User) -> String {
    let me = user.get("/auth/me").send().expect(200).json();
    me["id"].as_str().unwrap().to_owned()
}

/// A second admin, signed in as one.
fn another_admin(stack: &Stack, admin: &User) -> User {
    let mut user = User::registered(stack);
    let path = format!("/auth/users/{}/roles", id(&user));
    let body = json!({ "roles": ["admin"] });
    admin.put(&path).json(&body).send().expect(200);
    let answer = sign_in(stack, &user.login, &user.password);
    user.token = answer.expect(200).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    user
}

#[test]
fn the_first_admin_is_made_once_in_the_life_of_a_database() {
    let stack = Stack::start();
    let admin = User::admin(&stack);
    let password = admin.password.clone();
    let renamed = json!({ "username": "harbour_master" });
    admin
        .request("PATCH", "/api/v1/users/me")
        .json(&renamed)
        .send()
        .expect(200);
    // The e-mail is still that of the configuration: the same account, by its own password.
    sign_in(&stack, "admin@wharf.test", &password).expect(200);
    sign_in(&stack, "admin", &password).problem(401);

    let other = another_admin(&stack, &admin);
    admin.delete("/auth/me").send().expect(204);
    for name in ["admin", "admin@wharf.test"] {
        sign_in(&stack, name, &password).problem(401);
    }
    other.get("/user").send().expect(200);
}

#[test]
fn an_empty_configured_password_lets_no_admin_in() {
    let stack = Options::default().variable("admin_password", "").start();
    sign_in(&stack, "admin", "").problem(401);
    sign_in(&stack, "admin@wharf.test", "").problem(401);
}

#[test]
fn the_last_admin_stays() {
    let stack = Stack::start();
    let admin = User::admin(&stack);
    for path in ["/auth/me", "/api/v1/users/me"] {
        let problem = admin.delete(path).send().problem(409);
        assert_eq!(problem["code"], "last-admin");
    }
    let other = another_admin(&stack, &admin);
    // Two admins delete each other at the same moment: one of them stays.
    let (first, second) = (id(&admin), id(&other));
    let outcomes = at_once(2, |number| {
        let (who, whom) = match number {
            0 => (&admin, &second),
            _ => (&other, &first),
        };
        let path = format!("/auth/users/{whom}/roles");
        let body = json!({ "roles": ["driver"] });
        who.put(&path).json(&body).send().status()
    });
    let admins =
        "SELECT count(*) FROM signin.account WHERE 'admin' = ANY (roles) AND disabled_at IS NULL";
    let left: i64 = stack.sql().query_one(admins, &[]).unwrap().get(0);
    assert_eq!(left, 1, "{outcomes:?}");
}

#[test]
fn a_login_that_would_pass_for_another_is_taken() {
    let stack = Stack::shared();
    let register = |login: &str| {
        let email = format!("{}@example.org", unique("reserved"));
        let body = json!({ "login": login, "email": email, "password": "Correct-Horse-1", "role": "driver" });
        stack
            .post("/api/v1/register")
            .json(&with_username(body))
            .send()
    };
    for login in ["me", "ME", "root", "Support"] {
        register(login).problem(409);
    }
    let user = User::registered(&stack);
    let renamed = user
        .request("PATCH", "/api/v1/users/me")
        .json(&json!({ "username": "me" }))
        .send();
    renamed.problem(409);
}

fn with_username(mut body: Value) -> Value {
    let login = body["login"].take();
    body["username"] = login;
    body["name"] = json!("Ana");
    body["surname"] = json!("Souza");
    body
}
