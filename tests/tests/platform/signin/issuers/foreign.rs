//! Tokens of a realm elsewhere are exchanged for ours.

use std::time::Duration;

use serde_json::{Value, json};
use wharf_tests::{
    Answer, Options, Outside, Reply, Stack, User, at_once, eventually, now_s, unique,
};

use super::super::proofs::App;
use super::{Key, claims_of};

const REALM: &str = "https://id.example.org/realms/parking-users";

/// The claims of a realm about a user.
fn vouched(subject: &str, name: &str) -> Value {
    json!({
        "iss": REALM, "aud": ["account", "parking-auth"], "sub": subject,
        "iat": now_s(), "exp": now_s() + 300,
        "preferred_username": name, "email": format!("{name}@example.org"), "email_verified": true,
        "given_name": "Ana", "family_name": "Souza",
        "realm_access": { "roles": ["driver", "offline_access"] },
    })
}

fn issuers_of(realm: &Outside) -> Value {
    json!([{
        "issuer": REALM, "jwks_url": format!("{}/certs", realm.url()), "audience": "parking-auth",
        "roles": { "driver": "driver", "owner": "owner", "admin": "admin" }, "link_by_email": true,
    }])
}

fn with_realm(realm: &Outside) -> Stack {
    let issuers = issuers_of(realm);
    Options::default()
        .variable("foreign_issuers", &issuers.to_string())
        .variable("foreign_issuers_host", &realm.url())
        .start()
}

fn exchange(stack: &Stack, token: &str) -> Answer {
    stack
        .post("/auth/exchange")
        .json(&json!({ "token": token }))
        .send()
}

fn me(stack: &Stack, exchanged: Answer) -> Value {
    let token = exchanged.expect(200).json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    stack
        .get("/auth/me")
        .bearer(&token)
        .send()
        .expect(200)
        .json()
}

#[test]
fn a_token_of_a_configured_realm_stands_for_a_user_of_ours() {
    let key = Key::new(4);
    let jwks = json!({ "keys": [{ "kty": "RSA", "kid": "e", "use": "enc", "n": "AQAB", "e": "AQAB" }, key.jwk()] });
    let realm = Outside::start(move |_| Reply::json(200, &jwks));
    let stack = with_realm(&realm);
    let name = unique("ana");
    let claims = vouched("f:1:ana", &name);

    let first = me(&stack, exchange(&stack, &key.sign(&claims)));
    assert_eq!(
        (&first["login"], &first["roles"]),
        (&json!(name), &json!(["driver"]))
    );
    let again = me(&stack, exchange(&stack, &key.sign(&claims)));
    assert_eq!(first, again);
    assert_eq!(realm.received().len(), 1, "the keys are kept");

    // The realm has the last word on the roles it has a say in, and what was said before is over.
    let as_driver = exchange(&stack, &key.sign(&claims)).expect(200).json();
    let balance = || {
        let token = as_driver["access_token"].as_str().unwrap();
        let asked = stack.get("/payment/balance").bearer(token);
        asked.send().status()
    };
    assert_eq!(balance(), 200);
    let mut promoted = claims.clone();
    promoted["realm_access"] = json!({ "roles": ["owner"] });
    assert_eq!(
        me(&stack, exchange(&stack, &key.sign(&promoted)))["roles"],
        json!(["owner"])
    );
    eventually(
        "payments refuses a token of roles that were taken away",
        Duration::from_secs(10),
        || balance() == 401,
    );

    // Only by exchange: no function takes a realm's token for one of ours.
    stack
        .get("/auth/me")
        .bearer(&key.sign(&claims))
        .send()
        .problem(401);

    for (member, value) in [
        ("iss", json!("https://evil.example")),
        ("aud", json!("account")),
        ("exp", json!(now_s() - 60)),
        ("nbf", json!(now_s() + 600)),
        ("sub", json!("")),
    ] {
        let mut wrong = claims.clone();
        wrong[member] = value;
        exchange(&stack, &key.sign(&wrong)).problem(401);
    }
    let forger = Key {
        kid: key.kid.clone(),
        key: Key::new(5).key,
    };
    exchange(&stack, &forger.sign(&claims)).problem(401);
    // Tokens with an unknown key do not make us ask the realm each time.
    for _ in 0..5 {
        exchange(&stack, &Key::new(6).sign(&claims)).problem(401);
    }
    assert_eq!(realm.received().len(), 1);
    exchange(&stack, "a.b.c").problem(401);
    exchange(&stack, &User::registered(&stack).token).problem(401);
}

#[test]
fn a_foreign_user_does_not_take_over_a_login_that_is_taken() {
    let key = Key::new(7);
    let jwks = json!({ "keys": [key.jwk()] });
    let realm = Outside::start(move |_| Reply::json(200, &jwks));
    let stack = with_realm(&realm);
    let user = User::registered(&stack);
    let mine = user.get("/auth/me").send().expect(200).json();

    // The mailbox was not verified here, so it may be another user's.
    let stranger = me(
        &stack,
        exchange(&stack, &key.sign(&vouched("f:2", &user.login))),
    );
    assert_ne!(stranger["id"], mine["id"]);
    assert_ne!(stranger["login"], mine["login"]);
    assert_eq!(stranger["email"], Value::Null);

    let seen = "UPDATE signin.account SET email_verified_at = now() WHERE login = $1";
    stack.sql().execute(seen, &[&user.login]).unwrap();
    let same = me(
        &stack,
        exchange(&stack, &key.sign(&vouched("f:3", &user.login))),
    );
    assert_eq!(same["id"], mine["id"]);

    // A realm cannot name the admin.
    let pretender = me(
        &stack,
        exchange(&stack, &key.sign(&vouched("f:4", "admin"))),
    );
    assert_ne!(pretender["login"], "admin");
}

/// The realm decides how long its session lasts.
#[test]
fn a_session_of_a_realms_making_is_not_prolonged_here() {
    let key = Key::new(9);
    let jwks = json!({ "keys": [key.jwk()] });
    let realm = Outside::start(move |_| Reply::json(200, &jwks));
    let stack = with_realm(&realm);
    let name = unique("ana");
    let entered = exchange(&stack, &key.sign(&vouched("f:9", &name))).expect(200);
    let nearly_over = "UPDATE signin.session SET expires_at = now() + interval '60 seconds' WHERE kind = 'foreign'";
    stack.sql().execute(nearly_over, &[]).unwrap();
    let mut token = entered.json()["access_token"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let renewed = stack.get("/api/v1/login").bearer(&token).send();
        let renewed = renewed.expect(200).json();
        assert!(renewed["expires_in"].as_i64().unwrap() <= 60, "{renewed}");
        token = renewed["access_token"].as_str().unwrap().to_owned();
    }
}

#[test]
fn a_disabled_foreign_user_stays_out_and_an_erased_one_gets_a_new_account() {
    let key = Key::new(10);
    let jwks = json!({ "keys": [key.jwk()] });
    let realm = Outside::start(move |_| Reply::json(200, &jwks));
    let stack = with_realm(&realm);
    let admin = User::admin(&stack);
    let come = |subject: &str, name: &str| exchange(&stack, &key.sign(&vouched(subject, name)));
    let disable = |id: &Value| {
        let path = format!("/auth/users/{}/disable", id.as_str().unwrap());
        admin.post(&path).send().expect(200);
    };

    // An account that the realm has not vouched for yet, of the same person.
    let user = User::registered(&stack);
    let seen = "UPDATE signin.account SET email_verified_at = now() WHERE login = $1";
    stack.sql().execute(seen, &[&user.login]).unwrap();
    disable(&user.get("/auth/me").send().expect(200).json()["id"]);
    for _ in 0..2 {
        come("f:10", &user.login).problem(401);
    }

    let name = unique("ana");
    let first = come("f:11", &name).expect(200).json();
    let as_ana = |token: &Value| {
        stack
            .request("DELETE", "/auth/me")
            .bearer(token.as_str().unwrap())
    };
    let before = claims_of(first["access_token"].as_str().unwrap());
    as_ana(&first["access_token"]).send().expect(204);
    let again = me(&stack, come("f:11", &name));
    assert_ne!(again["id"], before["sub"]);
    assert_eq!(again["login"], name);
    disable(&again["id"]);
    come("f:11", &name).problem(401);

    // Two first visits at once make one account.
    let name = unique("twice");
    let ids = at_once(8, |_| me(&stack, come("f:12", &name))["id"].clone());
    assert!(ids.iter().all(|it| *it == ids[0]), "{ids:?}");
    let made = "SELECT count(*) FROM events.entry WHERE kind = 'user:created' AND payload ->> 'email' = $1";
    let email = format!("{name}@example.org");
    let made: i64 = stack.sql().query_one(made, &[&email]).unwrap().get(0);
    assert_eq!(made, 1);
}

/// What a realm said counts for a while longer, when it is silent; not for ever.
#[test]
fn keys_of_a_realm_that_is_away_count_for_a_day() {
    let key = Key::new(11);
    let jwks = json!({ "keys": [key.jwk()] });
    let realm = Outside::start(move |_| Reply::json(200, &jwks));
    let stack = with_realm(&realm);
    let come = || exchange(&stack, &key.sign(&vouched("f:13", "ana_of_the_realm")));
    come().expect(200);
    let ago = |hours: i32| {
        let moved = "UPDATE issuers.issuer_keys SET tried_at = now() - $1 * interval '1 hour',
            fetched_at = now() - $1 * interval '1 hour'";
        stack.sql().execute(moved, &[&f64::from(hours)]).unwrap();
    };
    ago(2);
    realm.once(Reply::status(503));
    come().expect(200);
    ago(25);
    realm.once(Reply::status(503));
    come().problem(503);
    come().problem(401);
    assert_eq!(realm.received().len(), 3);
    ago(25);
    come().expect(200);
}

#[test]
fn a_realm_that_redirects_is_not_followed_and_asked_once() {
    let key = Key::new(8);
    let jwks = json!({ "keys": [key.jwk()] });
    let elsewhere = Outside::start(move |_| Reply::json(200, &jwks));
    let certs = format!("{}/certs", elsewhere.url());
    let realm = Outside::start(move |_| Reply::redirect(&certs));
    let stack = with_realm(&realm);
    let answer = exchange(&stack, &key.sign(&vouched("f:5", &unique("ana"))));
    answer.problem(503);
    // The realm is asked once, not for each token.
    exchange(&stack, &key.sign(&vouched("f:5", &unique("ana")))).problem(401);
    assert_eq!(realm.received().len(), 1);
    assert_eq!(elsewhere.received().len(), 0, "the redirect was followed");
    User::registered(&stack);
}

#[test]
fn an_account_with_a_second_factor_shows_its_code_to_a_realms_token_too() {
    let key = Key::new(12);
    let jwks = json!({ "keys": [key.jwk()] });
    let realm = Outside::start(move |_| Reply::json(200, &jwks));
    let stack = with_realm(&realm);
    let token = key.sign(&vouched("f:14", &unique("ana")));
    let with = |code: Value| {
        let body = json!({ "token": token, "code": code });
        stack.post("/auth/exchange").json(&body).send()
    };
    let first = with(Value::Null).expect(200).json();
    let token_of = |answer: &Value| answer["access_token"].as_str().unwrap().to_owned();
    assert_eq!(claims_of(&token_of(&first))["amr"], Value::Null);
    let mut user = User::registered(&stack);
    user.token = token_of(&first);
    let mut app = App::enrolled(&user);
    assert_eq!(with(Value::Null).problem(401)["code"], "code-required");
    assert_eq!(with(json!("000000")).problem(401)["code"], "wrong-code");
    let second = with(json!(app.next_code())).expect(200).json();
    assert_eq!(claims_of(&token_of(&second))["amr"], json!(["otp"]));
}

/// The realm says who is an admin; whether they showed a second factor here, it cannot say.
#[test]
fn an_admin_whom_a_realm_names_is_none_without_the_second_factor_that_is_required() {
    let key = Key::new(13);
    let jwks = json!({ "keys": [key.jwk()] });
    let realm = Outside::start(move |_| Reply::json(200, &jwks));
    let issuers = issuers_of(&realm);
    let stack = Options::default()
        .variable("foreign_issuers", &issuers.to_string())
        .variable("foreign_issuers_host", &realm.url())
        .variable("admin_totp", "required")
        .start();
    let mut claims = vouched("f:15", &unique("boss"));
    claims["realm_access"] = json!({ "roles": ["admin"] });
    let token = key.sign(&claims);
    let first = exchange(&stack, &token).expect(200).json();
    let first = first["access_token"].as_str().unwrap().to_owned();
    assert_eq!(claims_of(&first)["roles"], json!([]));
    let mut user = User::registered(&stack);
    user.token = first;
    let mut app = App::enrolled(&user);
    let body = json!({ "token": token, "code": app.next_code() });
    let second = stack.post("/auth/exchange").json(&body).send();
    let second = second.expect(200).json();
    let claims = claims_of(second["access_token"].as_str().unwrap());
    assert_eq!(claims["roles"], json!(["admin"]));
}

#[test]
fn staff_and_admins_are_not_linked_by_their_address() {
    let key = Key::new(14);
    let jwks = json!({ "keys": [key.jwk()] });
    let realm = Outside::start(move |_| Reply::json(200, &jwks));
    let stack = with_realm(&realm);
    for (number, role) in ["admin", "moderator", "zone_admin", "controller"]
        .into_iter()
        .enumerate()
    {
        let user = User::registered(&stack);
        let mine = user.get("/auth/me").send().expect(200).json();
        let staff = "UPDATE signin.account SET email_verified_at = now(), roles = roles || $2::text WHERE login = $1";
        stack.sql().execute(staff, &[&user.login, &role]).unwrap();
        let subject = format!("f:{}", 20 + number);
        let come = exchange(&stack, &key.sign(&vouched(&subject, &user.login)));
        assert_ne!(me(&stack, come)["id"], mine["id"], "{role}");
    }
}

/// The token was checked while another request disabled the account.
#[test]
fn an_account_that_is_disabled_while_a_realms_token_is_checked_stays_out() {
    let key = Key::new(15);
    let jwks = json!({ "keys": [key.jwk()] });
    let realm = Outside::start(move |_| Reply::json(200, &jwks));
    let stack = with_realm(&realm);
    let name = unique("ana");
    let mut claims = vouched("f:30", &name);
    let id = me(&stack, exchange(&stack, &key.sign(&claims)))["id"].clone();
    let id = id.as_str().unwrap().to_owned();
    claims["realm_access"] = json!({ "roles": ["owner"] });
    let token = key.sign(&claims);

    let mut sql = stack.sql();
    let mut disabling = sql.transaction().unwrap();
    let disable = "UPDATE signin.account SET disabled_at = now(), seal = gen_random_uuid() WHERE id::text = $1";
    assert_eq!(disabling.execute(disable, &[&id]).unwrap(), 1);
    std::thread::scope(|scope| {
        let coming = scope.spawn(|| exchange(&stack, &token));
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND query LIKE '%open_foreign_session%'";
        eventually("the exchange waits", Duration::from_secs(20), || {
            stack
                .sql()
                .query_one(waiting, &[])
                .unwrap()
                .get::<_, i64>(0)
                == 1
        });
        disabling.commit().unwrap();
        coming.join().unwrap().problem(401);
    });
    let left = "SELECT disabled_at IS NOT NULL, roles FROM signin.account WHERE id::text = $1";
    let left = stack.sql().query_one(left, &[&id]).unwrap();
    let left: (bool, Vec<String>) = (left.get(0), left.get(1));
    assert_eq!(left, (true, vec!["driver".to_owned()]));
}
