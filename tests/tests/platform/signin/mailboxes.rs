//! Mailboxes: a new one counts once it is proven, and a stranger's is not written to.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Options, Outside, Reply, Stack, User, unique};

/// A platform whose letters all go to one mail API, for the tests of this file.
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

/// The secret of that kind in a letter to an address.
fn letter(mail: &Outside, to: &str, kind: &str) -> String {
    let sent = mail.find("a letter", Duration::from_secs(20), |it| {
        it.json()["to"] == json!([to]) && it.json()["text"].as_str().unwrap().contains(kind)
    });
    let text = sent.json()["text"].as_str().unwrap().to_owned();
    let of_secret = |it: &char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
    text[text.find(kind).unwrap()..]
        .chars()
        .take_while(of_secret)
        .collect()
}

fn prove(stack: &Stack, secret: &str) -> u16 {
    let body = json!({ "token": secret });
    stack.post("/auth/email/verify").json(&body).send().status()
}

fn email(user: &User) -> Value {
    user.get("/auth/me").send().expect(200).json()["email"].clone()
}

/// A user whose mailbox is proven.
fn proven(stack: &Stack, mail: &Outside) -> User {
    let user = User::registered(stack);
    user.post("/auth/email/verification").send().expect(202);
    assert_eq!(
        prove(stack, &letter(mail, &user.email, "wharf_verify")),
        204
    );
    user
}

#[test]
fn a_proven_address_is_replaced_when_the_new_one_is_proven() {
    let (stack, mail) = with_mail();
    let user = proven(stack, mail);
    for (number, path) in ["/auth/email", "/api/v1/users/me"].into_iter().enumerate() {
        let former = email(&user);
        let wanted = format!("{}.{number}@example.net", unique("wanted"));
        let body = json!({ "email": wanted });
        let status = match path {
            "/auth/email" => user.put(path).json(&body).send().status(),
            _ => user.request("PATCH", path).json(&body).send().status(),
        };
        assert_eq!(status, if number == 0 { 202 } else { 200 });
        assert_eq!(email(&user), former, "it is not proven yet");
        assert_eq!(prove(stack, &letter(mail, &wanted, "wharf_verify")), 204);
        assert_eq!(email(&user), json!(wanted));
        let former = json!([former]);
        mail.find("a notice to the former", Duration::from_secs(20), |it| {
            it.json()["to"] == former && it.json()["subject"] == "Your e-mail address was changed"
        });
    }
}

#[test]
fn an_address_of_another_account_is_not_wanted() {
    let (stack, mail) = with_mail();
    let (user, other) = (proven(stack, mail), User::registered(stack));
    let body = json!({ "email": other.email.to_uppercase() });
    user.put("/auth/email").json(&body).send().problem(409);
    let patched = user.request("PATCH", "/api/v1/users/me").json(&body).send();
    patched.problem(409);
}

#[test]
fn a_strangers_mailbox_gets_no_news() {
    let (stack, mail) = with_mail();
    let user = User::registered(stack);
    let victim = format!("{}@example.com", unique("victim"));
    let change = |body: Value| {
        let request = user.request("PATCH", "/api/v1/users/me");
        request.json(&body).send().expect(200);
    };
    change(json!({ "email": victim }));
    change(json!({ "password": "Another-Horse-2" }));
    change(json!({ "email": user.email }));
    // A later notice of the same person is sent after all of these would be.
    user.post("/auth/email/verification").send().expect(202);
    letter(mail, &user.email, "wharf_verify");
    let sent = mail.received();
    let to_victim = sent.iter().filter(|it| it.json()["to"] == json!([victim]));
    assert_eq!(to_victim.count(), 0);
}

#[test]
fn letters_to_a_mailbox_are_limited_whoever_asks_for_them() {
    let (stack, _) = with_mail();
    let victim = format!("{}@example.com", unique("victim"));
    let mut statuses = Vec::new();
    for _ in 0..7 {
        let user = User::registered(stack);
        let body = json!({ "email": victim });
        let changed = user.request("PATCH", "/api/v1/users/me").json(&body).send();
        changed.expect(200);
        statuses.push(user.post("/auth/email/verification").send().status());
        user.delete("/auth/me").send().expect(204);
    }
    assert_eq!(statuses, [202, 202, 202, 202, 202, 429, 429]);
}

#[test]
fn a_proof_of_the_mailbox_takes_the_account_from_who_registered_the_address() {
    let (stack, mail) = with_mail();
    let squatter = User::registered(stack);
    squatter
        .request("PATCH", "/api/v1/users/me")
        .json(&json!({ "telegram_id": 4711 }))
        .send()
        .expect(200);
    let enrolled = "UPDATE signin.account SET totp = gen_random_uuid() WHERE login = $1";
    stack.sql().execute(enrolled, &[&squatter.login]).unwrap();
    let forgot = json!({ "email": squatter.email });
    let asked = stack.post("/auth/password/forgot").json(&forgot).send();
    asked.expect(202);
    let token = letter(mail, &squatter.email, "wharf_reset");
    let reset = json!({ "token": token, "password": "Another-Horse-2" });
    stack
        .post("/auth/password/reset")
        .json(&reset)
        .send()
        .expect(204);
    let body = json!({ "login": squatter.email, "password": "Another-Horse-2" });
    let token = stack.post("/login").json(&body).send().expect(200).json();
    let me = stack
        .get("/auth/me")
        .api_key(token["token"].as_str().unwrap());
    assert_eq!(me.send().expect(200).json()["telegram_id"], 0);

    // The second factor of a person who had proven the mailbox before stays.
    stack.sql().execute(enrolled, &[&squatter.login]).unwrap();
    stack
        .post("/auth/password/forgot")
        .json(&forgot)
        .send()
        .expect(202);
    let again = mail.find("another letter", Duration::from_secs(20), |it| {
        let it = it.json();
        let text = it["text"].as_str().unwrap();
        it["to"] == json!([squatter.email])
            && text.contains("wharf_reset")
            && !text.contains(reset["token"].as_str().unwrap())
    });
    let text = again.json()["text"].as_str().unwrap().to_owned();
    let start = text.find("wharf_reset").unwrap();
    let token: String = text[start..]
        .chars()
        .take_while(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '-'))
        .collect();
    let reset = json!({ "token": token, "password": "Another-Horse-3" });
    stack
        .post("/auth/password/reset")
        .json(&reset)
        .send()
        .expect(204);
    let body = json!({ "login": squatter.email, "password": "Another-Horse-3" });
    let problem = stack.post("/login").json(&body).send().problem(401);
    assert_eq!(problem["code"], "code-required");
}

/// Every answer takes at least the same time, so that a known address cannot be told from an unknown one.
#[test]
fn a_reset_request_takes_its_time_for_an_unknown_address_too() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let ask = |email: &str| {
        let body = json!({ "email": email });
        stack.post("/auth/password/forgot").json(&body).send()
    };
    for email in [
        user.email.clone(),
        format!("{}@example.org", unique("none")),
    ] {
        let answer = ask(&email).expect(202);
        assert!(
            answer.took() >= Duration::from_millis(100),
            "{email}: {:?}",
            answer.took()
        );
    }
}
