//! As the clients of the parking places know it: a token for everything, in header `api_key`.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User, at_once, unique};

const PASSWORD: &str = "Correct-Horse-1";

fn registration(login: &str) -> Value {
    json!({
        "login": login,
        "email": format!("{login}@example.org"),
        "password": PASSWORD,
        "role": "driver",
    })
}

/// The registration with one member changed.
fn with(member: &str, value: impl Into<Value>) -> Value {
    let mut body = registration(&unique("changed"));
    body[member] = value.into();
    body
}

fn register(stack: &Stack, body: &Value) -> Answer {
    stack.post("/register").json(body).send()
}

fn login(stack: &Stack, login: &str, password: &str) -> Answer {
    stack
        .post("/login")
        .json(&json!({ "login": login, "password": password }))
        .send()
}

fn change_password(stack: &Stack, login: &str, old: &str, new: &str) -> Answer {
    let body = json!({ "login": login, "oldPassword": old, "newPassword": new });
    stack.post("/change-password").json(&body).send()
}

#[test]
fn a_registration_signs_the_user_in() {
    let stack = Stack::shared();
    let name = unique("ana");
    let mut body = registration(&name);
    body["telegram_id"] = json!(77);
    let token = register(&stack, &body).expect(200).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let me = stack
        .get("/auth/me")
        .api_key(&token)
        .send()
        .expect(200)
        .json();
    assert_eq!(me["login"], name);
    assert_eq!(me["email"], format!("{name}@example.org"));
    assert_eq!(me["role"], "driver");
    assert_eq!(me["roles"], json!(["driver"]));
    assert_eq!(me["telegram_id"], 77);
    assert_eq!(me["id"], me["user_id"]);
    assert!(
        uuid::Uuid::parse_str(me["id"].as_str().unwrap()).is_ok(),
        "{me}"
    );
}

#[test]
fn an_owner_is_an_owner_and_no_telegram_is_zero() {
    let stack = Stack::shared();
    let owner = User::owner(&stack);
    let me = owner.get("/auth/me").send().expect(200).json();
    assert_eq!(
        (&me["role"], &me["telegram_id"]),
        (&json!("owner"), &json!(0))
    );
}

#[test]
fn every_spelling_of_an_address_is_served() {
    let stack = Stack::shared();
    for path in ["/register", "/register/", "/auth/register"] {
        let name = unique("spelled");
        stack
            .post(path)
            .json(&registration(&name))
            .send()
            .expect(200);
        for path in ["/login", "/login/", "/auth/login", "/auth/login/"] {
            let body = json!({ "login": name, "password": PASSWORD });
            stack.post(path).json(&body).send().expect(200);
        }
    }
}

#[test]
fn logins_and_emails_are_unique_in_any_case() {
    let stack = Stack::shared();
    let name = unique("taken");
    register(&stack, &registration(&name)).expect(200);

    let mut same_login = registration(&name.to_uppercase());
    same_login["email"] = json!(format!("{}@example.org", unique("other")));
    let problem = register(&stack, &same_login).problem(409);
    assert_eq!(problem["error_status_code"], 409);
    assert_eq!(problem["error_message"], problem["title"]);

    let mut same_email = registration(&unique("other"));
    same_email["email"] = json!(format!("{}@EXAMPLE.org", name.to_uppercase()));
    register(&stack, &same_email).problem(409);
}

#[test]
fn of_many_who_want_a_login_at_once_one_gets_it() {
    let stack = Stack::shared();
    let name = unique("wanted");
    let statuses = at_once(12, |number| {
        let mut body = registration(&name);
        body["email"] = json!(format!("{name}.{number}@example.org"));
        register(&stack, &body).status()
    });
    assert_eq!(
        statuses.iter().filter(|it| **it == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|it| **it == 409).count(),
        11,
        "{statuses:?}"
    );
}

/// These clients know only one status for a refused registration.
#[test]
fn an_invalid_registration_is_a_conflict() {
    let stack = Stack::shared();
    let long = "x".repeat(300);
    for (member, value) in [
        ("login", "ab"),
        ("login", "a b c"),
        ("login", "ana@example.org"),
        ("login", "naïve"),
        ("login", &long),
        ("email", "nobody"),
        ("email", "a@b@c"),
        ("email", &long),
        ("password", "Short-1"),
        ("password", &long),
    ] {
        let problem = register(&stack, &with(member, value)).problem(409);
        assert_eq!(problem["error_status_code"], 409, "{member}: {value}");
    }
    register(&stack, &with("telegram_id", -5)).problem(409);

    let name = unique("myself");
    let mut named = registration(&name);
    named["password"] = json!(name);
    register(&stack, &named).problem(409);
    named["password"] = json!(format!("{name}@example.org"));
    register(&stack, &named).problem(409);
    login(&stack, &name, PASSWORD).problem(401);
}

#[test]
fn a_registration_cannot_ask_for_the_admin_role() {
    let stack = Stack::shared();
    for role in ["admin", "moderator", "zone_admin", "Driver", ""] {
        let answer = register(&stack, &with("role", role));
        assert!(matches!(answer.status(), 409 | 422), "{role}: {answer}");
        answer.problem(answer.status());
    }
}

#[test]
fn a_password_may_be_any_eight_to_128_characters() {
    let stack = Stack::shared();
    for password in [
        "ãçéíõú☃𝄞",
        "        ",
        "'; DROP TABLE account; --",
        &"☃".repeat(128),
    ] {
        let name = unique("any");
        let mut body = registration(&name);
        body["password"] = json!(password);
        register(&stack, &body).expect(200);
        login(&stack, &name, password).expect(200);
        login(&stack, &name, &format!("{password} ")).problem(401);
    }
}

#[test]
fn login_takes_the_login_or_the_email_in_any_case() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    for name in [
        &user.login,
        &user.email,
        &user.login.to_uppercase(),
        &user.email.to_uppercase(),
    ] {
        login(&stack, name, PASSWORD).expect(200);
    }
}

#[test]
fn an_unknown_login_is_refused_like_a_wrong_password() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let wrong = login(&stack, &user.login, "Wrong-Horse-1").problem(401);
    let unknown = login(&stack, &unique("unknown"), "Wrong-Horse-1").problem(401);
    let without_id = |problem: &Value| {
        let mut problem = problem.clone();
        problem.as_object_mut().unwrap().remove("request_id");
        problem
    };
    assert_eq!(without_id(&wrong), without_id(&unknown));
    insta::assert_json_snapshot!(without_id(&wrong), @r#"
    {
      "code": "wrong-credentials",
      "error_message": "Invalid login or password",
      "error_status_code": 401,
      "status": 401,
      "title": "Invalid login or password",
      "type": "/problems/wrong-credentials"
    }
    "#);
}

/// Otherwise the time of an answer would tell which logins exist.
#[test]
fn an_unknown_login_takes_as_long_as_a_wrong_password() {
    let stack = Stack::start();
    // Other work on this machine may slow one of them down, so there are several rounds.
    let mut rounds = Vec::new();
    let are_alike = (0..6).any(|_| {
        let (wrong, unknown) = wrong_and_unknown(&stack);
        rounds.push((wrong, unknown));
        // Most of the time goes into the hash: if one of them skipped it, the other would take several times as long.
        unknown * 4 < wrong * 5 && wrong * 4 < unknown * 5
    });
    assert!(are_alike, "wrong, unknown: {rounds:?}");
}

/// How long each waits, asked in turns so that load on the machine slows both: the medians. A
/// few wrong tries for each name, before it has to wait.
fn wrong_and_unknown(stack: &Stack) -> (Duration, Duration) {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..3 {
        let names = [User::registered(stack).login, unique("unknown")];
        for turn in 0..8 {
            for which in [turn % 2, (turn + 1) % 2] {
                let refused = login(stack, &names[which], "Wrong-Horse-1").expect(401);
                times[which].push(refused.took());
            }
        }
    }
    let [wrong, unknown] = times.map(|mut it| {
        it.sort();
        it[it.len() / 2]
    });
    (wrong, unknown)
}

#[test]
fn a_changed_password_replaces_the_old_one_and_ends_every_session() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let new = "Newpassword456";
    let answer = change_password(&stack, &user.login, PASSWORD, new).expect(200);
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    stack.get("/auth/me").api_key(&token).send().expect(200);
    user.get("/auth/me").send().problem(401);
    login(&stack, &user.login, PASSWORD).problem(401);
    login(&stack, &user.login, new).expect(200);
}

#[test]
fn a_password_is_changed_only_by_who_knows_it_and_to_a_fit_one() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    change_password(&stack, &user.login, "Wrong-Horse-1", "Newpassword456").problem(401);
    change_password(&stack, &unique("unknown"), PASSWORD, "Newpassword456").problem(401);
    for unfit in ["short", &"x".repeat(129), &user.login, &user.email] {
        let problem = change_password(&stack, &user.login, PASSWORD, unfit).problem(400);
        assert_eq!(problem["error_status_code"], 400);
    }
    login(&stack, &user.login, PASSWORD).expect(200);
    user.get("/auth/me").send().expect(200);
}

#[test]
fn of_many_changes_of_a_password_at_once_one_holds() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let new = |number: usize| format!("Newpassword-{number}");
    let statuses = at_once(6, |number| {
        change_password(&stack, &user.login, PASSWORD, &new(number)).status()
    });
    let winners: Vec<_> = (0..6).filter(|it| statuses[*it] == 200).collect();
    assert_eq!(winners.len(), 1, "{statuses:?}");
    login(&stack, &user.login, &new(winners[0])).expect(200);
}

#[test]
fn me_is_for_the_signed_in() {
    let stack = Stack::shared();
    let problem = stack.get("/auth/me").send().problem(401);
    assert_eq!(problem["error_status_code"], 401);
    // Clients of the accounts ask there too.
    assert_eq!(
        (&problem["error"], &problem["error_message"]),
        (&problem["title"], &problem["title"])
    );
}

#[test]
fn only_an_admin_sees_other_users() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::registered(&stack));
    stack.get("/user").send().problem(401);
    user.get(&format!("/user?login={}", user.login))
        .send()
        .problem(403);

    let seen = admin
        .get(&format!("/user?login={}", user.login))
        .send()
        .expect(200)
        .json();
    assert_eq!(seen, user.get("/auth/me").send().expect(200).json());
    let by_id = admin
        .get(&format!("/user?user_id={}", seen["id"].as_str().unwrap()))
        .send();
    assert_eq!(by_id.expect(200).json(), seen);
    admin.get("/user?login=nobody_at_all").send().problem(404);
    admin
        .get("/user?user_id=00000000-0000-4000-8000-000000000000")
        .send()
        .problem(404);
    let problem = admin.get("/user?user_id=7").send();
    assert!(matches!(problem.status(), 404 | 422), "{problem}");
}

#[test]
fn the_first_admin_is_the_operators() {
    let stack = Stack::shared();
    let me = User::admin(&stack)
        .get("/auth/me")
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&me["login"], &me["role"]),
        (&json!("admin"), &json!("admin"))
    );
    let mut body = registration("admin");
    body["email"] = json!("somebody@example.org");
    register(&stack, &body).problem(409);
    let mut body = registration(&unique("pretender"));
    body["email"] = json!("Admin@wharf.test");
    register(&stack, &body).problem(409);
}
