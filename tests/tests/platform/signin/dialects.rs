//! The fast-food clients', the zones' and the launchers' dialects, and that a person is the same in all.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User, eventually, unique};

const PASSWORD: &str = "Correct-Horse-1";

fn claims(token: &Value) -> Value {
    let claims = token.as_str().expect("a token").split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

fn zone_registration(name: &str) -> Value {
    json!({ "name": "Ana", "surname": "Souza", "username": name,
            "email": format!("{name}@example.org"), "password": PASSWORD })
}

fn token(stack: &Stack, name: &str, password: &str) -> Answer {
    stack
        .post("/token")
        .form(&format!("username={name}&password={password}"))
        .send()
}

#[test]
fn a_person_is_the_same_in_every_dialect() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let (login, email) = (&user.login, &user.email);
    let sub = user.get("/auth/me").send().expect(200).json()["id"].clone();

    let parking = stack
        .post("/login")
        .json(&json!({ "login": login, "password": PASSWORD }))
        .send();
    let parking = parking.expect(200).json()["token"].clone();
    let accounts = stack
        .post("/auth/signin")
        .json(&json!({ "email": email, "password": PASSWORD }))
        .send();
    let accounts = json!(accounts.expect(200).cookie("access_token").unwrap().value);
    let fast_food = token(&stack, email, PASSWORD).expect(200).json();
    let zones = stack
        .post("/api/v1/login")
        .json(&json!({ "username": login, "password": PASSWORD }))
        .send();
    let zones = zones.expect(200).json();
    let path = format!("/api/method/auth.login?login={login}&password={PASSWORD}&v=1.0");
    let launcher = stack.get(&path).send().expect(200).json();
    for token in [
        &parking,
        &accounts,
        &fast_food["access_token"],
        &zones["access_token"],
        &launcher["token"],
    ] {
        assert_eq!(claims(token)["sub"], sub);
        stack
            .get("/auth/me")
            .bearer(token.as_str().unwrap())
            .send()
            .expect(200);
    }
    let number = &zones["user"]["id"];
    assert!(number.is_i64());
    assert_eq!(
        (&fast_food["customer_id"], &launcher["user"]["id"]),
        (number, number)
    );
}

// Fast food.

#[test]
fn a_form_buys_a_token_and_the_token_names_its_customer() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let answer = token(&stack, &user.email, PASSWORD).expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let tokens = answer.json();
    let bearer = tokens["access_token"].as_str().unwrap();
    let me = stack.get("/auth").bearer(bearer).send().expect(200).json();
    assert_eq!(me["id"], tokens["customer_id"]);
    assert_eq!(
        (&me["email"], &me["cpf"]),
        (&json!(user.email), &Value::Null)
    );

    let wrong = token(&stack, &user.email, "Wrong-Horse-1").problem(400);
    assert_eq!(
        (&wrong["status code"], &wrong["msg"]),
        (&json!(400), &json!("Incorrect username or password"))
    );
    let unknown = token(&stack, "nobody%40example.org", "Wrong-Horse-1").problem(400);
    assert_eq!(wrong["code"], unknown["code"]);
    stack
        .post("/token")
        .form("username=ana")
        .send()
        .problem(422);
    stack
        .post("/token")
        .json(&json!({ "username": "a", "password": "b" }))
        .send()
        .problem(415);
    stack
        .post("/token")
        .form("grant_type=magic&username=a&password=b")
        .send()
        .problem(400);
    stack.get("/auth").send().problem(401);
    assert_eq!(
        stack.get("/health").send().expect(200).json(),
        json!({ "status": "Operational" })
    );
}

#[test]
fn a_kiosk_registers_and_identifies_its_customers() {
    let stack = Stack::shared();
    let kiosk = User::driver(&stack);
    let cpf = format!("{:011}", uuid::Uuid::new_v4().as_u128() % 100_000_000_000);
    let dotted = format!("{}.{}.{}-{}", &cpf[..3], &cpf[3..6], &cpf[6..9], &cpf[9..]);
    let email = format!("{}@example.org", unique("joe"));
    let body = json!({ "name": "Joe", "email": email, "cpf": dotted, "password": PASSWORD });
    let made = kiosk
        .post("/customers/register")
        .json(&body)
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&made["name"], &made["email"], &made["cpf"]),
        (&json!("Joe"), &json!(email), &json!(cpf))
    );

    let again = kiosk
        .post("/customer/register")
        .json(&body)
        .send()
        .problem(400);
    assert!(again["msg"].is_string(), "{again}");
    let same_cpf =
        json!({ "name": "J", "email": format!("2{email}"), "cpf": cpf, "password": PASSWORD });
    kiosk
        .post("/customer/register")
        .json(&same_cpf)
        .send()
        .problem(400);

    for spelled in [&cpf, &dotted] {
        let found = kiosk
            .post("/customer/identify")
            .json(&json!({ "cpf": spelled }))
            .send();
        assert_eq!(found.expect(200).json(), made);
    }
    kiosk
        .post("/customers/identify")
        .json(&json!({ "cpf": "00000000001" }))
        .send()
        .problem(404);
    kiosk
        .post("/customers/identify")
        .json(&json!({ "cpf": "123" }))
        .send()
        .problem(422);
    token(&stack, &email, PASSWORD).expect(200);

    let anonymous = kiosk.post("/customer/anonymous").send().expect(200).json();
    assert_eq!(
        (&anonymous["name"], &anonymous["email"], &anonymous["cpf"]),
        (&json!("Anonymous"), &Value::Null, &Value::Null)
    );
}

#[test]
fn customers_are_listed_to_who_registered_them_and_to_admins() {
    let stack = Stack::shared();
    let (kiosk, stranger, admin) = (
        User::driver(&stack),
        User::driver(&stack),
        User::admin(&stack),
    );
    let made = kiosk.post("/customer/anonymous").send().expect(200).json();
    let one = format!("/customer/?customer_id={}", made["id"]);
    assert_eq!(kiosk.get(&one).send().expect(200).json(), made);
    assert_eq!(admin.get(&one).send().expect(200).json(), made);
    stranger.get(&one).send().problem(404);
    let listed = kiosk
        .get("/customers/?skip=0&limit=10")
        .send()
        .expect(200)
        .json();
    assert!(listed.as_array().unwrap().contains(&made), "{listed}");
    let listed = stranger.get("/customers").send().expect(200).json();
    assert!(!listed.as_array().unwrap().contains(&made), "{listed}");
    kiosk.get("/customers?limit=x").send().problem(422);
}

#[test]
fn an_admin_makes_an_admin() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let email = format!("{}@example.org", unique("boss"));
    let body = json!({ "name": "Boss", "email": email, "password": PASSWORD });
    User::driver(&stack)
        .post("/customers/admin")
        .json(&body)
        .send()
        .problem(403);
    admin
        .post("/customers/admin")
        .json(&body)
        .send()
        .expect(200);
    let made = token(&stack, &email, PASSWORD).expect(200).json();
    assert_eq!(claims(&made["access_token"])["roles"], json!(["admin"]));
    let nameless = admin
        .post("/customers/admin")
        .json(&json!({ "name": "Later" }))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&nameless["name"], &nameless["email"]),
        (&json!("Later"), &Value::Null)
    );
}

// Zones.

#[test]
fn who_registers_with_the_zones_has_a_session() {
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
    login(&unique("nobody"), PASSWORD).problem(404);
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
    let (admin, driver) = (User::admin(&stack), User::driver(&stack));
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
        User::driver(&stack),
        User::driver(&stack),
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
    let (user, other) = (User::driver(&stack), User::driver(&stack));
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
    let user = User::driver(&stack);
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
        "SELECT count(*) FROM events.outbox WHERE kind = 'notify' AND payload ->> 'template' = $1
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
    assert_eq!(told("email-changed"), 1);
    let letters =
        "SELECT count(*) FROM events.outbox WHERE kind = 'deliver:email' AND payload ->> 'to' = $1";
    eventually(
        "whoever reads the old mailbox hears of it",
        Duration::from_secs(20),
        || {
            let row = stack.sql().query_one(letters, &[&user.email]).unwrap();
            row.get::<_, i64>(0) == 1
        },
    );
}

// Launchers.

/// The number in a refusal.
fn number(answer: Answer, status: u16) -> i64 {
    let body = answer.expect(status).json();
    assert!(body["error"]["message"].is_string(), "{body}");
    body["error"]["code"].as_i64().unwrap()
}

#[test]
fn a_launcher_signs_in_by_query_or_by_body() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
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
    let (user, admin) = (User::driver(&stack), User::admin(&stack));
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

/// The cookie goes along with a link on anybody's page, and a GET changes things here.
#[test]
fn a_link_to_a_method_by_name_is_no_use_to_whoever_wrote_it() {
    let stack = Stack::shared();
    let (user, admin) = (User::driver(&stack), User::admin(&stack));
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
    // Whatever has become of the token that is sent along with everything.
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
