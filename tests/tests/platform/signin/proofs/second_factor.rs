//! The second factor: asked for, required of admins, and replaced.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use totp_rs::Totp;
use wharf_tests::{Options, Stack, User, now_s};

use super::login;

const STEP_S: u64 = 30;
/// So long a request may take on a busy machine.
const EDGE_S: u64 = 10;

/// The authenticator app of a user who enrols: its codes, step by step, and the backup codes.
pub(in crate::signin) struct App {
    totp: Totp,
    steps: u64,
    pub backup_codes: Vec<String>,
}

impl App {
    pub fn enrolled(user: &User) -> Self {
        let offered = user.post("/auth/totp").send().expect(200).json();
        let totp = Totp::from_url(offered["uri"].as_str().unwrap()).unwrap();
        let mut app = Self {
            totp,
            steps: 0,
            backup_codes: Vec::new(),
        };
        user.post("/auth/totp/confirm")
            .json(&json!({ "code": "000000" }))
            .send()
            .problem(401);
        let code = json!({ "code": app.next_code() });
        let confirmed = user
            .post("/auth/totp/confirm")
            .json(&code)
            .send()
            .expect(200)
            .json();
        let codes = confirmed["backup_codes"].as_array().unwrap();
        app.backup_codes = codes
            .iter()
            .map(|it| it.as_str().unwrap().to_owned())
            .collect();
        app
    }

    /// No code counts twice, so each is of a later step; a clock may go a step wrong.
    /// A code is never of a step that is about to leave that window: the request would be too late.
    pub fn next_code(&mut self) -> String {
        let step_in = |seconds: u64| (now_s() + seconds) / STEP_S;
        let step = (step_in(EDGE_S) - 1).max(self.steps + 1);
        assert!(
            step <= step_in(EDGE_S) + 1,
            "three codes are all there are within a moment"
        );
        while step > step_in(0) + 1 {
            sleep(Duration::from_millis(100));
        }
        self.steps = step;
        self.totp.generate(step * STEP_S).to_string()
    }
}

#[test]
fn a_second_factor_is_asked_for_once_it_is_there() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    user.post("/auth/totp").send().expect(200);
    login(&stack, &user, None).expect(200);
    let mut app = App::enrolled(&user);
    user.post("/auth/totp").send().problem(409);

    let problem = login(&stack, &user, None).problem(401);
    assert_eq!(problem["code"], "code-required");
    assert_eq!(
        login(&stack, &user, Some("000000")).problem(401)["code"],
        "wrong-code"
    );
    let code = app.next_code();
    login(&stack, &user, Some(&code)).expect(200);
    login(&stack, &user, Some(&code)).problem(401);

    assert_eq!(app.backup_codes.len(), 10);
    let backup = app.backup_codes[3].clone();
    login(&stack, &user, Some(&backup)).expect(200);
    login(&stack, &user, Some(&backup)).problem(401);
    // Everywhere, not only where these clients sign in.
    let form = format!("username={}&password={}", user.login, user.password);
    stack.post("/token").form(&form).send().expect(400);
    stack
        .post("/token")
        .form(&format!("{form}&code={}", app.backup_codes[4]))
        .send()
        .expect(200);

    user.delete("/auth/totp")
        .json(&json!({ "code": "nonsense" }))
        .send()
        .problem(401);
    user.delete("/auth/totp")
        .json(&json!({ "code": app.backup_codes[5] }))
        .send()
        .expect(204);
    login(&stack, &user, None).expect(200);
}

#[test]
fn where_admins_need_a_second_factor_one_without_it_is_none() {
    let stack = Options::default()
        .variable("admin_totp", "required")
        .start();
    let admin = User::admin(&stack);
    admin.get("/user").send().problem(403);
    let mut app = App::enrolled(&admin);
    let code = app.next_code();
    let token = login(&stack, &admin, Some(&code)).expect(200).json();
    stack
        .get("/user")
        .api_key(token["token"].as_str().unwrap())
        .send()
        .expect(200);
}

/// A stored role alone opens nothing.
#[test]
fn an_admin_without_the_second_factor_that_is_required_sees_what_others_see() {
    let stack = Options::default()
        .variable("admin_totp", "required")
        .start();
    let (admin, kiosk) = (User::admin(&stack), User::registered(&stack));
    let made = kiosk.post("/customer/anonymous").send().expect(200).json();
    let one = format!("/customers?customer_id={}", made["id"]);
    kiosk.get(&one).send().expect(200);
    admin.get(&one).send().problem(404);
    let and_zone_admin =
        "UPDATE signin.account SET roles = roles || '{zone_admin}' WHERE login = 'admin'";
    stack.sql().execute(and_zone_admin, &[]).unwrap();
    let token = login(&stack, &admin, None).expect(200).json();
    let with = |method: &str, path: &str| {
        let request = stack.request(method, path);
        request.api_key(token["token"].as_str().unwrap())
    };
    let path = format!("/api/v1/users/{}", kiosk.login);
    with("GET", &path).send().problem(404);
    with("DELETE", &path).send().problem(404);
    with("PATCH", &path)
        .json(&json!({ "password": "Another-Horse-2" }))
        .send()
        .problem(404);
}

#[test]
fn an_admin_removes_a_lost_second_factor() {
    let stack = Stack::shared();
    let (user, admin) = (User::registered(&stack), User::admin(&stack));
    let mut app = App::enrolled(&user);
    let renew = |code: &str| {
        let body = json!({ "code": code });
        user.post("/auth/totp/backup-codes").json(&body).send()
    };
    renew("nonsense").problem(401);
    let old = app.backup_codes[0].clone();
    let renewed = renew(&app.next_code()).expect(200).json();
    let new = renewed["backup_codes"].as_array().unwrap();
    assert_eq!(new.len(), 10);
    login(&stack, &user, Some(&old)).problem(401);
    login(&stack, &user, new[0].as_str()).expect(200);
    login(&stack, &user, new[0].as_str()).problem(401);

    let me = user.get("/auth/me").send().expect(200).json();
    let path = format!("/auth/users/{}/totp", me["id"].as_str().unwrap());
    user.delete(&path).send().problem(403);
    admin.delete(&path).send().expect(204);
    admin.delete(&path).send().problem(404);
    login(&stack, &user, None).expect(200);
    let events = user.get("/auth/audit").send().expect(200).json();
    let removed = events.as_array().unwrap().iter();
    let removed = removed
        .clone()
        .find(|it| it["what"] == "second-factor-removed")
        .unwrap();
    let boss = admin.get("/auth/me").send().expect(200).json();
    assert_eq!(removed["actor"], boss["id"]);
    let told =
        "SELECT count(*) FROM events.entry WHERE payload ->> 'template' = 'second-factor-removed'
        AND payload ->> 'user_id' = $1";
    let told: i64 = stack
        .sql()
        .query_one(told, &[&me["id"].as_str().unwrap()])
        .unwrap()
        .get(0);
    assert_eq!(told, 1);
    let own = format!("/auth/users/{}/totp", boss["id"].as_str().unwrap());
    admin.delete(&own).send().problem(403);
}
