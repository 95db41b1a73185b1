//! The fast-food clients', the zones' and the launchers' dialects, and that a person is the same in all.

mod launcher;
mod zones;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User, unique};

const PASSWORD: &str = "Correct-Horse-1";

fn claims(token: &Value) -> Value {
    let claims = token.as_str().expect("a token").split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
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
    let user = User::registered(&stack);
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
    let user = User::registered(&stack);
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

    let wrong = token(&stack, &user.email, "Wrong-Horse-1")
        .expect(400)
        .json();
    assert_eq!(
        (&wrong["status code"], &wrong["msg"]),
        (&json!(400), &json!("Incorrect username or password"))
    );
    let unknown = token(&stack, "nobody%40example.org", "Wrong-Horse-1")
        .expect(400)
        .json();
    assert_eq!(wrong["code"], unknown["code"]);
    stack.post("/token").form("username=ana").send().expect(400);
    stack
        .post("/token")
        .json(&json!({ "username": "a", "password": "b" }))
        .send()
        .expect(415);
    stack
        .post("/token")
        .form("grant_type=magic&username=a&password=b")
        .send()
        .expect(400);
    stack.get("/auth").send().problem(401);
    assert_eq!(
        stack.get("/health").send().expect(200).json(),
        json!({ "status": "Operational" })
    );
}

#[test]
fn a_kiosk_registers_and_identifies_its_customers() {
    let stack = Stack::shared();
    let kiosk = User::registered(&stack);
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
    // Another account learns enough to ask the person, and no more.
    let stranger = User::registered(&stack);
    let identify = |user: &User| {
        let request = user.post("/customer/identify");
        request
            .json(&json!({ "cpf": cpf }))
            .send()
            .expect(200)
            .json()
    };
    let masked = json!({ "id": made["id"], "name": "J***", "email": null, "cpf": null });
    assert_eq!(identify(&stranger), masked);
    assert_eq!(identify(&User::admin(&stack)), made);
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
        User::registered(&stack),
        User::registered(&stack),
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
    User::registered(&stack)
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

// Launchers.

#[test]
fn looking_customers_up_is_limited_whether_they_are_found_or_not() {
    let stack = Stack::start();
    let (kiosk, stranger) = (User::registered(&stack), User::registered(&stack));
    let cpf = "52998224725";
    let email = format!("{}@example.org", unique("joe"));
    let body = json!({ "name": "Joe", "email": email, "cpf": cpf, "password": PASSWORD });
    let registered = kiosk.post("/customers/register").json(&body).send();
    registered.expect(200);
    let identify = |user: &User| {
        let request = user.post("/customers/identify");
        request.json(&json!({ "cpf": cpf })).send().status()
    };
    for _ in 0..60 {
        assert_eq!(identify(&stranger), 200);
    }
    assert_eq!(identify(&stranger), 429);
    for _ in 0..61 {
        assert_eq!(identify(&kiosk), 200);
    }
}

#[test]
fn the_token_endpoint_refuses_as_oauth_libraries_read_it() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let ask = |form: &str| {
        let answer = stack.post("/token").form(form).send();
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.status(), 400, "{answer}");
        let body: Value = answer.json();
        assert!(body["error_description"].is_string(), "{body}");
        assert_eq!(body["status code"], 400);
        body["error"].clone()
    };
    let wrong = format!("grant_type=password&username={}&password=x", user.login);
    assert_eq!(ask(&wrong), "invalid_grant");
    assert_eq!(
        ask("grant_type=refresh_token&refresh_token=x"),
        "invalid_grant"
    );
    assert_eq!(ask("grant_type=password&username=ana"), "invalid_request");
    assert_eq!(ask("grant_type=magic"), "unsupported_grant_type");
}
