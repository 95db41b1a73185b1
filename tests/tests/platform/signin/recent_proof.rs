//! What is hard to undo asks for a proof from the last ten minutes, and its person is told.

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, Token, User, now_s};

use super::proofs::App;
use super::tokens::own_key;
use crate::payments::account;

/// The user with a token of the same session whose proof is that old.
pub(crate) fn aged(stack: &Stack, user: &User, seconds: u64) -> User {
    let token = Token::of(&user.token).with_claim("auth_time", now_s() - seconds);
    with_token(user, token.signed_by(&own_key(stack)))
}

fn with_token(user: &User, token: String) -> User {
    let mut user = user.clone();
    user.token = token;
    user
}

#[track_caller]
fn is_asked_for_a_proof(answer: &Answer) {
    assert_eq!(
        answer.problem(401)["code"],
        "insufficient-user-authentication"
    );
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.contains("error=\"insufficient_user_authentication\"")
            && challenge.contains("max_age=600"),
        "{challenge}"
    );
}

fn templates(stack: &Stack, user: &User) -> Vec<String> {
    let told = "SELECT payload ->> 'template' FROM events.entry WHERE kind = 'notify:security'
        AND payload ->> 'user_id' = (SELECT id::text FROM signin.account WHERE login = $1) ORDER BY 1";
    let rows = stack.sql().query(told, &[&user.login]).unwrap();
    rows.iter().map(|it| it.get(0)).collect()
}

#[test]
fn what_is_hard_to_undo_asks_for_a_recent_proof() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let late = aged(&stack, &user, 601);
    let token = json!({ "name": "backup", "scope": "read" });
    let email = json!({ "email": format!("z{}", user.email) });
    let password = json!({ "password": "Another-Horse-2" });
    for (method, path, body) in [
        ("POST", "/auth/totp", &Value::Null),
        ("POST", "/auth/tokens", &token),
        ("PUT", "/auth/email", &email),
        ("PUT", "/auth/password", &password),
        ("DELETE", "/auth/me", &Value::Null),
    ] {
        is_asked_for_a_proof(&late.request(method, path).json(body).send());
    }
    // Reading needs no recent proof, nor does a change that can be undone.
    late.get("/auth/me").send().expect(200);
    late.get("/auth/tokens").send().expect(200);

    let prove = |body: Value| late.post("/auth/reauthenticate").json(&body).send();
    assert_eq!(prove(json!({})).problem(401)["code"], "password-required");
    prove(json!({ "password": "Wrong-Horse-1" })).problem(401);
    let proven = prove(json!({ "password": user.password }))
        .expect(200)
        .json();
    let fresh = with_token(&user, proven["access_token"].as_str().unwrap().to_owned());
    fresh.post("/auth/tokens").json(&token).send().expect(201);
    fresh
        .put("/auth/password")
        .json(&password)
        .send()
        .expect(204);
    let told = templates(&stack, &user);
    assert_eq!(told, ["password-changed", "personal-token-made"]);
    fresh.delete("/auth/me").send().expect(204);
}

/// The clients of replaced systems have no field for a proof.
#[test]
fn the_paths_of_replaced_systems_ask_for_a_sign_in_within_a_day() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let change = |user: &User, body: Value| {
        let request = user.request("PATCH", "/api/v1/users/me");
        request.json(&body).send()
    };
    let (same_day, next_day) = (aged(&stack, &user, 3_600), aged(&stack, &user, 86_401));
    is_asked_for_a_proof(&change(&next_day, json!({ "password": "Another-Horse-2" })));
    is_asked_for_a_proof(&change(
        &next_day,
        json!({ "email": format!("z{}", user.email) }),
    ));
    is_asked_for_a_proof(&next_day.delete("/api/v1/users/me").send());
    change(&next_day, json!({ "name": "Ana" })).expect(200);
    change(&same_day, json!({ "password": "Another-Horse-2" })).expect(200);
    assert_eq!(templates(&stack, &user), ["password-changed"]);
    same_day.delete("/api/v1/users/me").send().expect(204);
}

#[test]
fn a_common_password_is_refused_on_our_own_forms_and_taken_on_old_paths() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let body = json!({ "password": "Password123" });
    let refused = user.put("/auth/password").json(&body).send().problem(422);
    assert_eq!(refused["code"], "common-password");
    let old = user.request("PATCH", "/api/v1/users/me").json(&body).send();
    old.expect(200);
}

#[test]
fn a_token_says_when_and_how_its_person_proved_who_they_are() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let session = user.get("/auth/session").send().expect(200).json();
    assert_eq!(session["amr"], json!(["pwd"]));
    assert_eq!(session["is_this"], true);
    let form = format!("username={}&password={}", user.login, user.password);
    let pair = stack.post("/token").form(&form).send().expect(200).json();
    let spent = json!({ "refresh_token": pair["refresh_token"] });
    let next = stack.post("/auth/refresh").json(&spent).send().expect(200);
    let claims = |token: &Value| super::issuers::claims_of(token.as_str().unwrap());
    let (first, second) = (
        claims(&pair["access_token"]),
        claims(&next.json()["access_token"]),
    );
    assert_eq!(first["amr"], json!(["pwd"]));
    // A refresh proves nothing anew.
    assert_eq!(first["auth_time"], second["auth_time"]);
    assert!(first["auth_time"].is_i64(), "{first}");
}

#[test]
fn a_sign_in_from_a_new_network_is_told_and_the_first_is_not() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let body = json!({ "login": user.login, "password": user.password });
    let sign_in = || stack.post("/login").json(&body);
    sign_in().send().expect(200);
    assert_eq!(templates(&stack, &user), Vec::<String>::new());
    for _ in 0..2 {
        sign_in().from("127.0.0.7").send().expect(200);
    }
    assert_eq!(templates(&stack, &user), ["new-sign-in"]);
}

#[test]
fn every_change_of_a_second_factor_is_told() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let app = App::enrolled(&user);
    assert_eq!(templates(&stack, &user), ["second-factor-added"]);
    let code = json!({ "code": app.backup_codes[0] });
    let renewed = user.post("/auth/totp/backup-codes").json(&code).send();
    let renewed = renewed.expect(200).json();
    assert_eq!(
        templates(&stack, &user),
        ["backup-codes-renewed", "second-factor-added"]
    );
    let code = json!({ "code": renewed["backup_codes"][0] });
    user.delete("/auth/totp").json(&code).send().expect(204);
    assert_eq!(
        templates(&stack, &user),
        [
            "backup-codes-renewed",
            "own-factor-removed",
            "second-factor-added"
        ]
    );
}

#[test]
fn money_that_leaves_asks_for_a_proof() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let cash_out = |user: &User| {
        let body = json!({ "destination_id": uuid::Uuid::new_v4(), "amount": 100 });
        user.post("/payment/cash-outs").json(&body).send()
    };
    is_asked_for_a_proof(&cash_out(&aged(&stack, &user, 700)));
    assert_ne!(cash_out(&user).status(), 401);
    let destination = json!({ "kind": "pix", "number": "someone@example.org", "name": "Ana" });
    let stale = aged(&stack, &user, 700);
    is_asked_for_a_proof(
        &stale
            .post("/payment/destinations")
            .json(&destination)
            .send(),
    );
    // The clients of a replaced system cannot carry a proof: they sign in within a day.
    let withdraw = |user: &User| {
        let body = json!({ "paymentAccountId": "none", "amount": 1 });
        user.post("/payments/withdraw").json(&body).send()
    };
    is_asked_for_a_proof(&withdraw(&aged(&stack, &user, 90_000)));
    assert_ne!(withdraw(&aged(&stack, &user, 80_000)).status(), 401);
}

#[test]
fn money_that_leaves_on_a_path_without_a_proof_is_told_to_its_owner() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let account = account(&user, 5.0);
    let withdraw = |amount: i32, key: &str| {
        let body = json!({ "paymentAccountId": account, "amount": amount });
        let request = user.post("/payments/withdraw").json(&body);
        request.header("idempotency-key", key).send()
    };
    withdraw(50, "too-much").expect(400);
    assert!(templates(&stack, &user).is_empty());
    withdraw(3, "once").expect(200);
    withdraw(3, "once").expect(200);
    assert_eq!(templates(&stack, &user), ["money-withdrawn"]);
}
