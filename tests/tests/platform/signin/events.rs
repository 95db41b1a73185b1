//! The events of new users, and of admins who lose the role.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{Stack, User, unique};

const SOON: Duration = Duration::from_secs(5);

/// The events written of this e-mail, with what they are of.
fn outbox(stack: &Stack, email: &str) -> Vec<(String, Value)> {
    let written = "SELECT aggregate, payload FROM events.entry
        WHERE kind = 'user:created' AND payload ->> 'email' = $1";
    let rows = stack.sql().query(written, &[&email]).unwrap();
    rows.iter().map(|it| (it.get(0), it.get(1))).collect()
}

#[test]
fn a_new_user_is_told_of_in_the_outbox_and_on_redis() {
    let stack = Stack::shared();
    let mut channel = stack.listen("user:created");
    let user = User::registered(&stack);
    let id = user.get("/auth/me").send().expect(200).json()["id"].clone();
    let payload = json!({ "id": id, "email": user.email });
    let aggregate = format!("user:{}", id.as_str().unwrap());
    assert_eq!(outbox(&stack, &user.email), [(aggregate, payload.clone())]);
    let heard = channel
        .find(SOON, |it| it.contains(&user.email))
        .expect("a message");
    assert_eq!(serde_json::from_str::<Value>(&heard).unwrap(), payload);
}

#[test]
fn a_sign_up_by_email_is_announced_too() {
    let stack = Stack::shared();
    let mut channel = stack.listen("user:created");
    let email = format!("{}@example.org", unique("heard"));
    let body = json!({ "email": email, "password": "Correct-Horse-1" });
    stack.post("/auth/signup").json(&body).send().expect(200);
    assert_eq!(outbox(&stack, &email).len(), 1);
    assert!(channel.find(SOON, |it| it.contains(&email)).is_some());
}

#[test]
fn a_refused_registration_is_not_announced() {
    let stack = Stack::shared();
    let mut channel = stack.listen("user:created");
    let user = User::registered(&stack);
    assert!(channel.find(SOON, |it| it.contains(&user.email)).is_some());
    let again = json!({
        "login": user.login, "email": user.email, "password": user.password, "role": "driver",
    });
    stack.post("/register").json(&again).send().problem(409);
    // An event of the refused registration would arrive before the event of this one.
    let next = User::registered(&stack);
    let first = channel
        .find(SOON, |it| {
            it.contains(&user.email) || it.contains(&next.email)
        })
        .unwrap();
    assert!(first.contains(&next.email), "{first}");
    assert_eq!(outbox(&stack, &user.email).len(), 1);
}

/// The role is taken, or the account is disabled or erased.
#[test]
fn an_admin_who_loses_the_role_is_announced_once() {
    let stack = Stack::shared();
    let (admin, mut user) = (User::admin(&stack), User::registered(&stack));
    let me = user.get("/auth/me").send().expect(200).json();
    let id = me["id"].as_str().unwrap();
    let events = "SELECT count(DISTINCT id) FROM events.entry
        WHERE kind = 'user:demoted' AND aggregate = 'user:' || $1::text AND payload ->> 'id' = $1";
    let mut sql = stack.sql();
    let mut announced = || -> i64 { sql.query_one(events, &[&id]).unwrap().get(0) };
    let set_roles = |roles: Value| {
        let path = format!("/auth/users/{id}/roles");
        let body = json!({ "roles": roles });
        admin.put(&path).json(&body).send().expect(200);
    };
    let set_disabled = |how: &str| {
        let path = format!("/auth/users/{id}/{how}");
        admin.post(&path).send().expect(200);
    };

    // A driver has no such role to lose, and an admin who becomes an owner too keeps it.
    set_disabled("disable");
    set_disabled("enable");
    for roles in [
        json!(["owner"]),
        json!(["admin"]),
        json!(["admin", "owner"]),
    ] {
        set_roles(roles);
    }
    assert_eq!(announced(), 0);
    set_roles(json!(["owner"]));
    assert_eq!(announced(), 1);
    set_roles(json!(["admin"]));
    set_disabled("disable");
    assert_eq!(announced(), 2);
    set_disabled("enable");
    assert_eq!(announced(), 2);
    let body = json!({ "login": user.login, "password": user.password });
    let signed_in = stack.post("/login").json(&body).send().expect(200).json();
    user.token = signed_in["token"].as_str().unwrap().to_owned();
    user.delete("/auth/me").send().expect(204);
    assert_eq!(announced(), 3);
}
