//! The dialect of the zones: staff registers staff, and a registration is a session.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, unique};

use super::PASSWORD;

fn zone_registration(name: &str) -> Value {
    json!({ "name": "Ana", "surname": "Souza", "username": name,
            "email": format!("{name}@example.org"), "password": PASSWORD })
}

#[test]
fn a_registration_with_the_zones_opens_a_session() {
    let stack = Stack::shared();
    let name = unique("ze");
    let session = stack
        .post("/api/v1/register")
        .json(&zone_registration(&name))
        .send()
        .expect(201)
        .json();
    assert_eq!(
        (&session["token_type"], &session["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    let user = &session["user"];
    assert_eq!(
        (
            &user["username"],
            &user["name"],
            &user["surname"],
            &user["role"]
        ),
        (
            &json!(name),
            &json!("Ana"),
            &json!("Souza"),
            &json!("driver")
        )
    );
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(
        stack
            .get("/api/v1/users/me")
            .bearer(token)
            .send()
            .expect(200)
            .json(),
        *user
    );

    let problem = stack
        .post("/api/v1/register")
        .json(&zone_registration(&name))
        .send()
        .problem(409);
    assert!(problem["error"].is_string(), "{problem}");
    let mut incomplete = zone_registration(&unique("ze"));
    incomplete.as_object_mut().unwrap().remove("surname");
    stack
        .post("/api/v1/register")
        .json(&incomplete)
        .send()
        .problem(400);

    let login = |name: &str, password: &str| {
        stack
            .post("/api/v1/login")
            .json(&json!({ "username": name, "password": password }))
            .send()
    };
    login(&name, PASSWORD).expect(200);
    login(&name, "Wrong-Horse-1").problem(401);
    login(&unique("unknown"), PASSWORD).problem(404);
    let renewed = stack
        .get("/api/v1/login")
        .bearer(token)
        .send()
        .expect(200)
        .json();
    assert_eq!(renewed["user"], *user);
    stack
        .get("/api/v1/users/me")
        .bearer(renewed["access_token"].as_str().unwrap())
        .send()
        .expect(200);
}

#[test]
fn staff_of_a_zone_is_registered_by_staff() {
    let stack = Stack::shared();
    let (admin, driver) = (User::admin(&stack), User::registered(&stack));
    let staff = |role: &str| {
        let mut body = zone_registration(&unique("staff"));
        body["role"] = json!(role);
        body
    };
    let register = |body: &Value| stack.post("/api/v1/register").json(body);
    for role in ["controller", "admin"] {
        register(&staff(role)).send().problem(401);
        register(&staff(role))
            .bearer(&driver.token)
            .send()
            .problem(403);
        let made = register(&staff(role))
            .bearer(&admin.token)
            .send()
            .expect(201)
            .json();
        assert_eq!(made["user"]["role"], role);
    }
    register(&staff("superuser"))
        .bearer(&admin.token)
        .send()
        .problem(403);
    register(&staff("emperor"))
        .bearer(&admin.token)
        .send()
        .problem(400);
}

#[test]
fn people_change_themselves_and_admins_change_people() {
    let stack = Stack::shared();
    let (admin, user, other) = (
        User::admin(&stack),
        User::registered(&stack),
        User::registered(&stack),
    );
    let patch = |path: &str, body: Value| user.request("PATCH", path).json(&body).send();
    let changed = patch(
        "/api/v1/users/me",
        json!({ "name": "Bia", "email": format!("x{}", user.email) }),
    );
    let changed = changed.expect(200).json();
    assert_eq!(
        (&changed["name"], &changed["email"]),
        (&json!("Bia"), &json!(format!("x{}", user.email)))
    );
    patch("/api/v1/users/me", json!({ "email": other.email })).problem(409);
    patch("/api/v1/users/me", json!({ "email": "nobody" })).problem(400);
    // What is not said stays, above all the password.
    stack
        .post("/login")
        .json(&json!({ "login": user.login, "password": PASSWORD }))
        .send()
        .expect(200);

    let path = format!("/api/v1/users/{}", user.login);
    patch(&path, json!({ "name": "C" })).problem(403);
    let seen = admin.get(&path).send().expect(200).json();
    assert_eq!(seen["name"], "Bia");
    let promoted = admin
        .request("PATCH", &path)
        .json(&json!({ "role": "controller" }))
        .send();
    assert_eq!(promoted.expect(200).json()["role"], "controller");
    user.get("/auth/me").send().problem(401);
    let page = admin
        .get("/api/v1/users?limit=2&offset=1")
        .send()
        .expect(200)
        .json();
    assert_eq!(page.as_array().unwrap().len(), 2);
    admin.delete(&path).send().expect(204);
    admin.get(&path).send().problem(404);
    admin.delete(&path).send().problem(404);
}

#[test]
fn a_name_and_a_chat_can_be_changed_and_what_is_the_first_admins_cannot_be_taken() {
    // The first admin was never here.
    let stack = Stack::start();
    let (user, other) = (User::registered(&stack), User::registered(&stack));
    let patch = |body: Value| user.request("PATCH", "/api/v1/users/me").json(&body).send();
    for theirs in [
        json!({ "email": "admin@wharf.test" }),
        json!({ "email": "Admin@Wharf.test" }),
        json!({ "username": "admin" }),
        json!({ "username": other.login }),
    ] {
        patch(theirs).problem(409);
    }
    let admin = User::admin(&stack);
    admin
        .request("PATCH", "/api/v1/users/me")
        .json(&json!({ "name": "Boss", "email": admin.email, "username": "admin" }))
        .send()
        .expect(200);

    let name = unique("renamed");
    let renamed = patch(json!({ "username": name, "telegram_id": 77 })).expect(200);
    assert_eq!(renamed.json()["username"], name);
    let me = user.get("/auth/me").send().expect(200).json();
    assert_eq!(
        (&me["login"], &me["telegram_id"]),
        (&json!(name), &json!(77))
    );
    let body = json!({ "login": name, "password": PASSWORD });
    stack.post("/login").json(&body).send().expect(200);
    patch(json!({ "telegram_id": 0 })).expect(200);
    assert_eq!(
        user.get("/auth/me").send().expect(200).json()["telegram_id"],
        0
    );
    patch(json!({ "telegram_id": -1 })).problem(400);
    let path = format!("/api/v1/users/{name}");
    admin
        .request("PATCH", &path)
        .json(&json!({ "username": user.login }))
        .send()
        .expect(200);
    admin.get(&path).send().problem(404);
}

#[test]
fn a_password_that_is_changed_by_its_person_ends_the_other_sessions() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let body = json!({ "login": user.login, "password": PASSWORD });
    let elsewhere = stack.post("/login").json(&body).send().expect(200).json();
    let new = json!({ "password": "Another-Horse-2" });
    user.request("PATCH", "/api/v1/users/me")
        .json(&new)
        .send()
        .expect(200);
    user.get("/auth/me").send().expect(200);
    stack
        .get("/auth/me")
        .bearer(elsewhere["token"].as_str().unwrap())
        .send()
        .problem(401);
    stack.post("/login").json(&body).send().problem(401);
    let told =
        "SELECT count(*) FROM events.entry WHERE kind = 'notify:security' AND payload ->> 'template' = $1
        AND payload ->> 'user_id' = (SELECT id::text FROM signin.account WHERE login = $2)";
    let told = |template: &str| -> i64 {
        let row = stack.sql().query_one(told, &[&template, &user.login]);
        row.unwrap().get(0)
    };
    assert_eq!(told("password-changed"), 1);
    let moved = json!({ "email": format!("z{}", user.email) });
    user.request("PATCH", "/api/v1/users/me")
        .json(&moved)
        .send()
        .expect(200);
    // The former mailbox was never proven, so it gets no news.
    assert_eq!(told("email-changed"), 0);
}
