//! As the clients of the accounts know it: e-mail and password, the token in a cookie.

use serde_json::{Value, json};
use wharf_tests::{Answer, Stack, unique};

const PASSWORD: &str = "Correct-Horse-1";

fn body(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD })
}

/// Signs up a user; answers their e-mail.
fn signed_up(stack: &Stack) -> String {
    let email = format!("{}@example.org", unique("bia"));
    stack
        .post("/auth/signup")
        .json(&body(&email))
        .send()
        .expect(200);
    email
}

fn sign_in(stack: &Stack, email: &str) -> Answer {
    stack
        .post("/auth/signin")
        .json(&body(email))
        .send()
        .expect(200)
}

fn cookie(answer: &Answer) -> String {
    answer.cookie("access_token").expect("a cookie").value
}

#[test]
fn a_new_user_can_sign_in_and_is_recognized_by_the_cookie() {
    let stack = Stack::shared();
    let email = format!("{}@example.org", unique("bia"));
    let answer = stack
        .post("/auth/signup")
        .json(&body(&email))
        .send()
        .expect(200);
    assert!(answer.json()["message"].is_string(), "{answer}");
    let answer = sign_in(&stack, &email);
    assert!(answer.json()["message"].is_string(), "{answer}");
    let me = stack
        .get("/auth/me")
        .cookie("access_token", &cookie(&answer))
        .send()
        .expect(200)
        .json();
    assert_eq!(me["email"], email);
    assert!(me["id"].is_string(), "{me}");
}

#[test]
fn no_script_reads_the_cookie_and_no_other_site_sends_it_with_a_post() {
    let stack = Stack::shared();
    let email = signed_up(&stack);
    let cookie = sign_in(&stack, &email).cookie("access_token").unwrap();
    for attribute in ["httponly", "samesite=lax", "path=/"] {
        assert!(cookie.has(attribute), "{cookie:?}");
    }
    assert!(
        !cookie.attributes.iter().any(|it| it.starts_with("domain")),
        "{cookie:?}"
    );
    // A browser drops a secure cookie that comes over plain HTTP from this machine.
    assert!(!cookie.has("secure"), "{cookie:?}");
    let elsewhere = stack
        .post("/auth/signin")
        .header("host", "wharf.example")
        .json(&body(&email))
        .send();
    assert!(
        elsewhere
            .expect(200)
            .cookie("access_token")
            .unwrap()
            .has("secure")
    );
}

#[test]
fn a_cookie_changes_something_only_from_a_page_of_ours() {
    let stack = Stack::shared();
    let cookie = cookie(&sign_in(&stack, &signed_up(&stack)));
    let sign_out = || {
        stack
            .post("/auth/signout")
            .header("cookie", &format!("access_token={cookie}"))
    };
    sign_out().send().problem(403);
    sign_out()
        .header("origin", "https://evil.example")
        .send()
        .problem(403);
    sign_out().header("origin", "null").send().problem(403);
    stack
        .get("/auth/me")
        .cookie("access_token", &cookie)
        .send()
        .expect(200);
    sign_out()
        .header("origin", &format!("http://{}", stack.address()))
        .send()
        .expect(200);
}

#[test]
fn signing_out_takes_the_cookie_and_ends_the_token() {
    let stack = Stack::shared();
    let token = cookie(&sign_in(&stack, &signed_up(&stack)));
    let answer = stack
        .post("/auth/signout")
        .cookie("access_token", &token)
        .send()
        .expect(200);
    assert!(answer.json()["message"].is_string(), "{answer}");
    let cleared = answer.cookie("access_token").unwrap();
    assert_eq!(cleared.value, "");
    assert!(cleared.has("max-age=0"), "{cleared:?}");
    stack
        .get("/auth/me")
        .cookie("access_token", &token)
        .send()
        .problem(401);
    stack.post("/auth/signout").send().problem(401);
}

#[test]
fn signing_out_leaves_other_sessions_alone() {
    let stack = Stack::shared();
    let email = signed_up(&stack);
    let [phone, desk] = [(); 2].map(|()| cookie(&sign_in(&stack, &email)));
    stack
        .post("/auth/signout")
        .cookie("access_token", &phone)
        .send()
        .expect(200);
    stack
        .get("/auth/me")
        .cookie("access_token", &desk)
        .send()
        .expect(200);
}

#[test]
fn an_email_signs_up_once() {
    let stack = Stack::shared();
    let email = signed_up(&stack);
    for email in [email.clone(), email.to_uppercase()] {
        let problem = stack
            .post("/auth/signup")
            .json(&body(&email))
            .send()
            .problem(409);
        assert_eq!(problem["code"], "email-taken");
        assert!(problem["error"].is_string(), "{problem}");
    }
}

#[test]
fn an_unfit_email_or_password_is_a_bad_request() {
    let stack = Stack::shared();
    let fresh = || format!("{}@example.org", unique("unfit"));
    for body in [
        json!({ "email": "nobody", "password": PASSWORD }),
        json!({ "email": fresh(), "password": "short" }),
        json!({ "email": fresh() }),
        json!({ "password": PASSWORD }),
        json!({ "email": 7, "password": PASSWORD }),
    ] {
        let problem = stack.post("/auth/signup").json(&body).send().problem(400);
        assert!(problem["error"].is_string(), "{problem}");
    }
    let email = fresh();
    let named = json!({ "email": email, "password": email });
    stack.post("/auth/signup").json(&named).send().problem(400);
}

#[test]
fn wrong_credentials_are_unauthorized() {
    let stack = Stack::shared();
    let wrong = json!({ "email": signed_up(&stack), "password": "Wrong-Horse-1" });
    let problem = stack.post("/auth/signin").json(&wrong).send().problem(401);
    assert!(problem["error"].is_string(), "{problem}");
    stack
        .post("/auth/signin")
        .json(&body("nobody@example.org"))
        .send()
        .problem(401);
}

#[test]
fn the_old_proxys_prefix_is_served_too() {
    let stack = Stack::shared();
    let email = format!("{}@example.org", unique("prefix"));
    stack
        .post("/api/auth/signup")
        .json(&body(&email))
        .send()
        .expect(200);
    let answer = stack
        .post("/api/auth/signin")
        .json(&body(&email))
        .send()
        .expect(200);
    let token = cookie(&answer);
    stack
        .get("/api/auth/me")
        .cookie("access_token", &token)
        .send()
        .expect(200);
    stack
        .post("/api/auth/signout")
        .cookie("access_token", &token)
        .send()
        .expect(200);
}
