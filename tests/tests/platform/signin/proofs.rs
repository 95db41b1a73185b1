//! What proves something besides a password: codes, letters, personal tokens, a kiosk's passcode.

mod passcodes;
mod second_factor;

pub(super) use second_factor::App;

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Answer, Options, Outside, Reply, Stack, User, at_once, unique};

fn login(stack: &Stack, user: &User, code: Option<&str>) -> Answer {
    let body = json!({ "login": user.login, "password": user.password, "code": code });
    stack.post("/login").json(&body).send()
}

/// A platform whose letters all go to one mailbox, for the tests of this file.
fn with_mail() -> &'static (Stack, Outside) {
    static STARTED: OnceLock<(Stack, Outside)> = OnceLock::new();
    STARTED.get_or_init(|| {
        let mail = Outside::start(|_| Reply::json(200, &json!({ "id": "1" })));
        let stack = Options::default()
            .variable("mail_url", &mail.url())
            .variable("mail_key", "a-key")
            .start();
        (stack, mail)
    })
}

/// The secret of that kind in a letter to this user.
fn letter(mail: &Outside, user: &User, kind: &str) -> String {
    let to = json!([user.email]);
    let sent = mail.find("a letter", Duration::from_secs(20), |it| {
        it.json()["to"] == to && it.json()["text"].as_str().unwrap().contains(kind)
    });
    let text = sent.json()["text"].as_str().unwrap().to_owned();
    let of_secret = |it: &char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
    text[text.find(kind).unwrap()..]
        .chars()
        .take_while(of_secret)
        .collect()
}

#[test]
fn a_password_reset_letter_works_once() {
    let (stack, mail) = with_mail();
    let user = User::registered(stack);
    let forgot = |email: &str| {
        stack
            .post("/auth/password/forgot")
            .json(&json!({ "email": email }))
            .send()
    };
    let known = forgot(&user.email.to_uppercase()).expect(202);
    let unknown = forgot(&format!("{}@example.org", unique("unknown"))).expect(202);
    assert_eq!(known.text(), unknown.text());

    let token = letter(mail, &user, "wharf_reset");
    let kept =
        "SELECT count(*) FROM signin.letter WHERE encode(digest, 'escape') LIKE '%' || $1 || '%'";
    assert_eq!(
        stack
            .sql()
            .query_one(kept, &[&token])
            .unwrap()
            .get::<_, i64>(0),
        0
    );
    let reset = |token: &str, password: &str| {
        stack
            .post("/auth/password/reset")
            .json(&json!({ "token": token, "password": password }))
            .send()
    };
    reset("wharf_reset_nonsense", "Another-Horse-2").problem(400);
    reset(&token, "short").problem(422);
    reset(&token, &user.login).problem(422);
    reset(&token, "Another-Horse-2").expect(204);
    reset(&token, "Another-Horse-3").problem(400);
    user.get("/auth/me").send().problem(401);
    login(stack, &user, None).problem(401);
    let body = json!({ "login": user.login, "password": "Another-Horse-2" });
    stack.post("/login").json(&body).send().expect(200);
}

#[test]
fn a_letter_dies_with_the_password_it_was_to_replace() {
    let (stack, mail) = with_mail();
    let reset = |token: &str| {
        let body = json!({ "token": token, "password": "Another-Horse-2" });
        stack.post("/auth/password/reset").json(&body).send()
    };
    let asked = || {
        let user = User::registered(stack);
        stack
            .post("/auth/password/forgot")
            .json(&json!({ "email": user.email }))
            .send()
            .expect(202);
        let token = letter(mail, &user, "wharf_reset");
        (user, token)
    };
    let (user, token) = asked();
    let change = json!({ "login": user.login, "oldPassword": user.password, "newPassword": "Newpassword456" });
    stack
        .post("/change-password")
        .json(&change)
        .send()
        .expect(200);
    reset(&token).problem(400);
    let (user, token) = asked();
    user.request("PATCH", "/api/v1/users/me")
        .json(&json!({ "password": "Newpassword456" }))
        .send()
        .expect(200);
    reset(&token).problem(400);
}

#[test]
fn a_mailbox_is_proven_by_the_letter_in_it() {
    let (stack, mail) = with_mail();
    let user = User::registered(stack);
    user.post("/auth/email/verification").send().expect(202);
    let token = letter(mail, &user, "wharf_verify");
    let verify = |token: &str| {
        stack
            .post("/auth/email/verify")
            .json(&json!({ "token": token }))
            .send()
    };
    verify("wharf_verify_nonsense").problem(400);
    // A letter of another kind proves nothing here.
    stack
        .post("/auth/password/forgot")
        .json(&json!({ "email": user.email }))
        .send()
        .expect(202);
    verify(&letter(mail, &user, "wharf_reset")).problem(400);
    verify(&token).expect(204);
    verify(&token).problem(400);
    user.post("/auth/email/verification").send().expect(204);

    // Another address is not proven by it.
    user.request("PATCH", "/api/v1/users/me")
        .json(&json!({ "email": format!("y{}", user.email) }))
        .send()
        .expect(200);
    user.post("/auth/email/verification").send().expect(202);
}

fn personal(user: &User, scope: &str) -> Value {
    let body = json!({ "name": "backup script", "scope": scope, "days": 7 });
    user.post("/auth/tokens")
        .json(&body)
        .send()
        .expect(201)
        .json()
}

fn exchange(stack: &Stack, token: &Value) -> Answer {
    stack
        .post("/auth/exchange")
        .json(&json!({ "token": token }))
        .send()
}

#[test]
fn a_personal_token_does_what_its_scope_says_and_no_more() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let made = personal(&user, "payment:read auth:write");
    assert!(made["token"].as_str().unwrap().starts_with("wharf_pat_"));
    // A personal token is not accepted before it is exchanged.
    stack
        .get("/auth/me")
        .bearer(made["token"].as_str().unwrap())
        .send()
        .problem(401);
    let short = exchange(&stack, &made["token"]).expect(200).json();
    let short = short["access_token"].as_str().unwrap();
    let with = |method: &str, path: &str| stack.request(method, path).bearer(short);
    with("GET", "/payment/balance").send().expect(200);
    with("GET", "/auth/me").send().expect(200);
    with("POST", "/payment/promocode/generate")
        .json(&json!({ "amount": 1 }))
        .send()
        .problem(403);
    with("GET", "/booking").send().problem(403);
    // Even with every scope, it makes no further tokens and changes no password.
    for (method, path) in [
        ("POST", "/auth/tokens"),
        ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions"),
        ("POST", "/auth/totp"),
        ("DELETE", "/auth/me"),
        ("GET", "/auth/export"),
        ("PATCH", "/api/v1/users/me"),
        ("GET", "/api/v1/login"),
    ] {
        with(method, path).json(&json!({})).send().problem(403);
    }
    for unfit in ["", "everything", "payment:delete"] {
        let body = json!({ "name": "x", "scope": unfit });
        user.post("/auth/tokens").json(&body).send().problem(422);
    }
    user.post("/auth/tokens")
        .json(&json!({ "name": "x", "scope": "read", "days": 999 }))
        .send()
        .problem(422);
}

#[test]
fn a_scoped_token_makes_no_admin_and_ends_no_session() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::registered(&stack));
    let short = exchange(&stack, &personal(&admin, "write")["token"])
        .expect(200)
        .json();
    let short = short["access_token"].as_str().unwrap();
    let id = user.get("/auth/me").send().expect(200).json()["id"].clone();
    let of_user = |what: &str| format!("/auth/users/{}/{what}", id.as_str().unwrap());
    let name = unique("minted");
    let staff = json!({ "name": "A", "surname": "B", "username": name, "email": format!("{name}@example.org"),
                        "password": "Correct-Horse-1", "role": "admin", "roles": ["admin"] });
    for (method, path) in [
        ("PUT", of_user("roles").as_str()),
        ("POST", &of_user("disable")),
        ("POST", &of_user("enable")),
        ("DELETE", &of_user("totp")),
        ("GET", &of_user("audit")),
        ("POST", "/customers/admin"),
        ("POST", "/api/v1/register"),
        ("DELETE", "/api/v1/users"),
        ("PATCH", &format!("/api/v1/users/{}", user.login)),
        ("DELETE", &format!("/api/v1/users/{}", user.login)),
        ("GET", "/api/v1/otp"),
    ] {
        let request = stack.request(method, path).bearer(short).json(&staff);
        request.send().problem(403);
    }
    for method in ["GET", "POST"] {
        let path = "/api/method/users.setRole?v=1.0&user_id=1&role=99";
        let refused = stack.request(method, path).bearer(short).send().expect(403);
        assert_eq!(refused.json()["error"]["code"], 20);
    }
    // What it may do: look.
    let path = format!("/user?login={}", user.login);
    stack.get(&path).bearer(short).send().expect(200);
}

#[test]
fn a_personal_token_is_listed_however_often_its_person_signs_in() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let made = personal(&user, "read");
    let sign_ins = "INSERT INTO signin.session (id, account, seal, kind, address, expires_at)
        SELECT gen_random_uuid(), id, seal, 'password', '192.0.2.1', now() + interval '1 hour'
        FROM signin.account, generate_series(1, 120) WHERE login = $1";
    stack.sql().execute(sign_ins, &[&user.login]).unwrap();
    let listed = user.get("/auth/tokens").send().expect(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["id"], made["id"]);
}

#[test]
fn a_personal_token_is_listed_and_ends_when_its_person_says_so() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let made = personal(&user, "read");
    let listed = user.get("/auth/tokens").send().expect(200).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["name"]),
        (&made["id"], &json!("backup script"))
    );
    assert!(listed[0].get("token").is_none());
    let form = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={}",
        made["token"].as_str().unwrap()
    );
    let short = stack.post("/token").form(&form).send().expect(200).json();
    let short = short["access_token"].as_str().unwrap();
    stack.get("/auth/me").bearer(short).send().expect(200);
    user.delete(&format!("/auth/sessions/{}", made["id"].as_str().unwrap()))
        .send()
        .expect(204);
    exchange(&stack, &made["token"]).problem(401);
    stack.get("/auth/me").bearer(short).send().problem(401);
    exchange(&stack, &json!("wharf_pat_nonsense")).problem(401);
}

#[test]
fn a_kiosk_is_set_up_with_six_digits_that_are_hard_to_guess() {
    let stack = Stack::start();
    let admin = User::admin(&stack);
    let issued = admin.get("/api/v1/otp").send().expect(200).json();
    let otp = issued["otp"].as_str().unwrap();
    assert!(
        otp.len() == 6 && otp.bytes().all(|it| it.is_ascii_digit()),
        "{issued}"
    );
    assert!(issued["valid_until"].is_string(), "{issued}");
    let validate = |otp: &str| {
        stack
            .post("/api/v1/otp/validate")
            .json(&json!({ "otp": otp }))
            .send()
    };
    validate(otp).expect(200);
    validate(otp).expect(200);
    let owner = stack
        .get(&format!("/api/v1/otp/users/{otp}"))
        .send()
        .expect(200)
        .json();
    assert_eq!(owner, json!({ "username": "admin" }));
    validate("").problem(400);
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    for _ in 0..3 {
        validate(wrong).problem(401);
    }
    for _ in 0..2 {
        stack
            .get(&format!("/api/v1/otp/users/{wrong}"))
            .send()
            .problem(404);
    }
    let refused = validate(wrong);
    refused.problem(429);
    assert!(refused.header("retry-after").is_some());
    stack
        .get(&format!("/api/v1/otp/users/{otp}"))
        .send()
        .problem(429);
    User::registered(&stack)
        .get("/api/v1/otp")
        .send()
        .problem(403);
}

/// Attempts are counted before they are checked.
#[test]
fn of_many_who_guess_at_once_a_few_are_heard() {
    let stack = Stack::start();
    let admin = User::admin(&stack);
    let otp = admin.get("/api/v1/otp").send().expect(200).json()["otp"].clone();
    let otp = otp.as_str().unwrap();
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    let statuses = at_once(64, |_| {
        let body = json!({ "otp": wrong });
        let validated = stack.post("/api/v1/otp/validate").json(&body);
        validated.send().status()
    });
    let heard = statuses.iter().filter(|it| **it == 401).count();
    let refused = statuses.iter().filter(|it| **it == 429).count();
    assert_eq!((heard, refused), (5, 59), "{statuses:?}");

    let user = User::registered(&stack);
    let statuses = at_once(64, |_| {
        let body = json!({ "login": user.login, "password": "Wrong-Horse-1" });
        stack.post("/login").json(&body).send().status()
    });
    let heard = statuses.iter().filter(|it| **it == 401).count();
    assert!((1..=10).contains(&heard), "{statuses:?}");
    assert!(
        statuses.iter().all(|it| matches!(it, 401 | 429)),
        "{statuses:?}"
    );
    // The limit holds for the account's e-mail as well as for its login.
    let body = json!({ "login": user.email, "password": user.password });
    stack.post("/login").json(&body).send().problem(429);
}
