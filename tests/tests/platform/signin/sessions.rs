//! Staying signed in, and being signed out: refresh tokens, the list of sessions, and what ends them.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, User, at_once, eventually};

/// The time within which other functions hear of the end of a session.
const HEARD: Duration = Duration::from_secs(10);
/// The time within which the sweep runs.
const SWEPT: Duration = Duration::from_secs(40);

fn sign_in(stack: &Stack, user: &User) -> Value {
    let body = json!({ "username": user.login, "password": user.password });
    stack
        .post("/api/v1/login")
        .json(&body)
        .send()
        .expect(200)
        .json()
}

fn refresh(stack: &Stack, token: &Value) -> Answer {
    stack
        .post("/auth/refresh")
        .json(&json!({ "refresh_token": token }))
        .send()
}

fn is_in(stack: &Stack, token: &Value) -> bool {
    match stack
        .get("/auth/me")
        .bearer(token.as_str().unwrap())
        .send()
        .status()
    {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

/// Moves the user's last refresh an hour into the past.
fn long_ago(stack: &Stack, user: &User) {
    let moved = "UPDATE signin.session SET refreshed_at = refreshed_at - interval '1 hour'
        WHERE account = (SELECT id FROM signin.account WHERE login = $1)";
    stack.sql().execute(moved, &[&user.login]).unwrap();
}

#[test]
fn a_refresh_token_buys_the_next_pair() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let first = sign_in(&stack, &user);
    let answer = refresh(&stack, &first["refresh_token"]).expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let second = answer.json();
    assert_eq!(
        (&second["token_type"], &second["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert!(is_in(&stack, &first["access_token"]) && is_in(&stack, &second["access_token"]));
    refresh(&stack, &second["refresh_token"]).expect(200);

    let third = sign_in(&stack, &user);
    let spent = third["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={spent}");
    let bought = stack.post("/token").form(&form).send().expect(200).json();
    assert!(is_in(&stack, &bought["access_token"]));
}

#[test]
fn a_refresh_token_is_no_access_token_and_the_other_way_round() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let pair = sign_in(&stack, &user);
    assert!(!is_in(&stack, &pair["refresh_token"]));
    refresh(&stack, &pair["access_token"]).problem(401);
    for wrong in [json!(""), json!("a.b.c"), json!("x".repeat(9000))] {
        refresh(&stack, &wrong).problem(401);
    }
    refresh(&stack, &json!(7)).problem(422);
    let text = pair["refresh_token"].as_str().unwrap();
    refresh(&stack, &json!(text[..text.len() - 2])).problem(401);
    refresh(&stack, &pair["refresh_token"]).expect(200);
}

/// Several tabs of a browser may refresh at once.
#[test]
fn a_storm_of_refreshes_with_one_token_is_answered_with_one_next_token() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let first = sign_in(&stack, &user);
    let answers = at_once(50, |_| {
        refresh(&stack, &first["refresh_token"]).expect(200).json()
    });
    let next = &answers[0]["refresh_token"];
    for answer in &answers {
        assert_eq!(
            answer["refresh_token"].as_str().map(without_times),
            next.as_str().map(without_times)
        );
        assert!(is_in(&stack, &answer["access_token"]));
    }
    refresh(&stack, next).expect(200);
}

/// What identifies a refresh token: whose it is and which one, not when it was written.
fn without_times(token: &str) -> (Value, Value) {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    (claims["sid"].clone(), claims["jti"].clone())
}

#[test]
fn a_spent_token_that_comes_back_ends_the_session_and_its_person_is_told() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let (first, other) = (sign_in(&stack, &user), sign_in(&stack, &user));
    let second = refresh(&stack, &first["refresh_token"]).expect(200).json();
    long_ago(&stack, &user);
    let again = json!({ "refresh_token": first["refresh_token"] });
    let again = stack.post("/auth/refresh").json(&again).from("127.0.0.9");
    again.send().problem(401);
    // The client with the newer token may be the thief as well.
    refresh(&stack, &second["refresh_token"]).problem(401);
    assert!(!is_in(&stack, &second["access_token"]));
    assert!(
        is_in(&stack, &other["access_token"]),
        "another sign-in is another family"
    );

    let told = "SELECT count(*) FROM events.entry WHERE kind = 'notify:security'
        AND payload ->> 'template' = 'refresh-token-reused'
        AND payload ->> 'user_id' = (SELECT id::text FROM signin.account WHERE login = $1)";
    assert_eq!(
        stack
            .sql()
            .query_one(told, &[&user.login])
            .unwrap()
            .get::<_, i64>(0),
        1
    );
    let events = user.get("/auth/audit").send().expect(200).json();
    assert!(
        events
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["what"] == "refresh-token-reused"),
        "{events}"
    );
}

#[test]
fn people_see_where_they_are_signed_in_and_end_it() {
    let stack = Stack::shared();
    let (user, stranger) = (User::registered(&stack), User::registered(&stack));
    let other = sign_in(&stack, &user);
    let list = || user.get("/auth/sessions").send().expect(200).json();
    let sessions = list();
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(
        sessions.iter().filter(|it| it["is_this"] == true).count(),
        1
    );
    let end = |who: &User, id: &Value| {
        who.delete(&format!("/auth/sessions/{}", id.as_str().unwrap()))
            .send()
    };
    let that = sessions.iter().find(|it| it["is_this"] == false).unwrap();
    assert_eq!(
        (&that["kind"], &that["address"]),
        (&json!("password"), &json!("127.0.0.1"))
    );
    end(&stranger, &that["id"]).problem(404);
    end(&user, &that["id"]).expect(204);
    end(&user, &that["id"]).problem(404);
    assert!(!is_in(&stack, &other["access_token"]));
    refresh(&stack, &other["refresh_token"]).problem(401);
    assert_eq!(list().as_array().unwrap().len(), 1);

    let third = sign_in(&stack, &user);
    user.delete("/auth/sessions").send().expect(204);
    assert!(!is_in(&stack, &third["access_token"]));
    user.get("/auth/me").send().problem(401);
}

#[test]
fn a_session_that_is_over_is_over_in_every_function() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let balance = || user.get("/payment/balance").send();
    balance().expect(200);
    user.post("/auth/signout").send().expect(200);
    user.get("/auth/me").send().problem(401);
    eventually("payments refuses the token", HEARD, || {
        balance().status() == 401
    });
}

#[test]
fn a_disabled_user_is_signed_out_until_they_are_enabled() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::registered(&stack));
    let id = user.get("/auth/me").send().expect(200).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let pair = sign_in(&stack, &user);
    user.get("/payment/balance").send().expect(200);
    let disabled = admin
        .post(&format!("/auth/users/{id}/disable"))
        .send()
        .expect(200)
        .json();
    assert_eq!(disabled["is_disabled"], true);
    user.get("/auth/me").send().problem(401);
    refresh(&stack, &pair["refresh_token"]).problem(401);
    let credentials = json!({ "login": user.login, "password": user.password });
    stack.post("/login").json(&credentials).send().problem(401);
    eventually("payments refuses the token", HEARD, || {
        user.get("/payment/balance").send().status() == 401
    });

    admin
        .post(&format!("/auth/users/{id}/enable"))
        .send()
        .expect(200);
    stack.post("/login").json(&credentials).send().expect(200);
    user.get("/auth/me").send().problem(401);
}

#[test]
fn an_admin_ends_every_session_of_another_user() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::registered(&stack));
    let id_of = |it: &User| {
        let me = it.get("/auth/me").send().expect(200).json();
        me["id"].as_str().unwrap().to_owned()
    };
    let path = format!("/auth/users/{}", id_of(&user));
    let pair = sign_in(&stack, &user);
    user.get("/payment/balance").send().expect(200);

    admin.delete(&format!("{path}/sessions")).send().expect(204);
    user.get("/auth/me").send().problem(401);
    refresh(&stack, &pair["refresh_token"]).problem(401);
    eventually("payments refuses the token", HEARD, || {
        user.get("/payment/balance").send().status() == 401
    });
    let trail = admin.get(&format!("{path}/audit")).send().expect(200);
    let line = &trail.json()[0];
    assert_eq!(line["what"], "signed-out-everywhere");
    assert_eq!(line["actor"], id_of(&admin));
    let again = sign_in(&stack, &user);
    refresh(&stack, &again["refresh_token"]).expect(200);

    // Only admins end sessions of others, and they sign themselves out elsewhere.
    let other = User::registered(&stack);
    other
        .delete(&format!("{path}/sessions"))
        .send()
        .problem(403);
    let own = format!("/auth/users/{}/sessions", id_of(&admin));
    admin.delete(&own).send().problem(403);
    let unknown = format!("/auth/users/{}/sessions", uuid::Uuid::new_v4());
    admin.delete(&unknown).send().problem(404);
}

#[test]
fn an_admin_sees_the_state_of_an_account() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::registered(&stack));
    let me = user.get("/auth/me").send().expect(200).json();
    let path = format!("/auth/users/{}", me["id"].as_str().unwrap());
    let shown = || admin.get(&path).send().expect(200).json();
    let before = shown();
    assert_eq!(before["login"], user.login);
    assert_eq!(before["is_disabled"], false);
    assert_eq!(before["has_second_factor"], false);
    assert!(before["last_session_at"].as_str() >= before["created_at"].as_str());
    admin.post(&format!("{path}/disable")).send().expect(200);
    assert_eq!(shown()["is_disabled"], true);

    let other = User::registered(&stack);
    other.get(&path).send().problem(403);
    let unknown = format!("/auth/users/{}", uuid::Uuid::new_v4());
    admin.get(&unknown).send().problem(404);
}

/// Redis has lost all that it knew, also about sessions that ended long ago.
#[test]
fn a_session_that_is_over_stays_over_when_redis_begins_anew() {
    let stack = Stack::start();
    let user = User::registered(&stack);
    let balance = || user.get("/payment/balance").send().status();
    assert_eq!(balance(), 200);
    user.post("/auth/signout").send().expect(200);
    eventually("payments refuses the token", HEARD, || balance() == 401);
    let told = "SELECT told_at IS NOT NULL FROM signin.session
        WHERE account = (SELECT id FROM signin.account WHERE login = $1)";
    let is_told = || -> bool { stack.sql().query_one(told, &[&user.login]).unwrap().get(0) };
    eventually("the sweep has set every mark again", SWEPT, is_told);
    let _: () = redis::cmd("FLUSHALL").query(&mut stack.redis()).unwrap();
    let marked = || -> bool {
        let marks: Vec<String> = redis::cmd("KEYS")
            .arg("session:ended:*")
            .query(&mut stack.redis())
            .unwrap();
        !marks.is_empty()
    };
    eventually("the sweep marks it again", SWEPT, marked);
    eventually("payments refuses the token", HEARD, || balance() == 401);
}

#[test]
fn a_refresh_whose_answer_was_lost_may_be_asked_for_again_until_the_next_token_is_used() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let first = sign_in(&stack, &user);
    let second = refresh(&stack, &first["refresh_token"]).expect(200).json();
    long_ago(&stack, &user);
    let again = refresh(&stack, &first["refresh_token"]).expect(200).json();
    let third = refresh(&stack, &again["refresh_token"]).expect(200).json();
    long_ago(&stack, &user);
    refresh(&stack, &first["refresh_token"]).problem(401);
    refresh(&stack, &second["refresh_token"]).problem(401);
    refresh(&stack, &third["refresh_token"]).problem(401);
}

#[test]
fn a_token_that_renews_itself_ends_with_the_time_of_a_session() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let renew = |token: &str| stack.get("/api/v1/login").bearer(token).send();
    let started = |days: i32| {
        let moved = "UPDATE signin.session SET started_at = now() - $2 * interval '1 day'
            WHERE account = (SELECT id FROM signin.account WHERE login = $1)";
        stack
            .sql()
            .execute(moved, &[&user.login, &f64::from(days)])
            .unwrap();
    };
    let nearly_over = "UPDATE signin.session SET expires_at = now() + interval '60 seconds'
        WHERE account = (SELECT id FROM signin.account WHERE login = $1)";
    stack.sql().execute(nearly_over, &[&user.login]).unwrap();
    started(29);
    let renewed = renew(&user.token).expect(200).json();
    assert!(renewed["expires_in"].as_i64().unwrap() > 3_000, "{renewed}");
    stack.sql().execute(nearly_over, &[&user.login]).unwrap();
    started(30);
    let renewed = renew(&user.token).expect(200).json();
    assert!(renewed["expires_in"].as_i64().unwrap() <= 60, "{renewed}");
}
