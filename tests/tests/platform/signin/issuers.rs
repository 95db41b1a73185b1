//! Keys that are replaced, and tokens of other issuers.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use wharf_tests::{Answer, Options, Outside, Reply, Stack, User, unique};

/// A key and the name under which it is published.
struct Key {
    kid: String,
    key: SigningKey,
}

impl Key {
    fn new(seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, x_of(&key));
        let kid = URL_SAFE_NO_PAD.encode(<sha2::Sha256 as sha2::Digest>::digest(canonical));
        Self { kid, key }
    }

    fn jwk(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.kid, "x": x_of(&self.key) })
    }

    fn pem(&self) -> String {
        self.key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.kid });
        let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = self.key.sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

fn x_of(key: &SigningKey) -> String {
    URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes())
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(
        &URL_SAFE_NO_PAD
            .decode(token.split('.').nth(1).unwrap())
            .unwrap(),
    )
    .unwrap()
}

#[test]
fn a_token_of_the_last_key_is_good_while_that_key_is_published() {
    let (new, last, unpublished) = (Key::new(1), Key::new(2), Key::new(3));
    let jwks = json!({ "keys": [new.jwk(), last.jwk()] });
    let stack = Options::default()
        .variable("jwt_private_key", &new.pem())
        .variable("jwt_public_keys", &jwks.to_string())
        .start();
    let user = User::driver(&stack);
    let claims = claims_of(&user.token);
    let is_in = |token: &str| stack.get("/auth/me").api_key(token).send().status();
    assert_eq!(is_in(&user.token), 200);
    assert_eq!(is_in(&last.sign(&claims)), 200);
    assert_eq!(is_in(&unpublished.sign(&claims)), 401);
    assert_eq!(
        stack
            .get("/.well-known/jwks.json")
            .send()
            .expect(200)
            .json(),
        jwks
    );
    // Refresh tokens of the last key are good as well.
    let body = json!({ "username": user.login, "password": user.password });
    let pair = stack
        .post("/api/v1/login")
        .json(&body)
        .send()
        .expect(200)
        .json();
    let old = last.sign(&claims_of(pair["refresh_token"].as_str().unwrap()));
    stack
        .post("/auth/refresh")
        .json(&json!({ "refresh_token": old }))
        .send()
        .expect(200);
}

#[test]
fn whoever_looks_for_us_finds_us() {
    let stack = Stack::shared();
    let told = stack
        .get("/.well-known/openid-configuration")
        .send()
        .expect(200)
        .json();
    assert_eq!(told["issuer"], "wharf");
    let here = format!("http://{}", stack.address());
    for (member, path) in [
        ("jwks_uri", "/.well-known/jwks.json"),
        ("token_endpoint", "/token"),
    ] {
        assert_eq!(told[member], format!("{here}{path}"));
    }
    assert_eq!(
        stack
            .get("/.well-known/oauth-authorization-server")
            .send()
            .expect(200)
            .json(),
        told
    );
}

const REALM: &str = "https://id.example.org/realms/parking-users";

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// What a realm says of somebody.
fn vouched(subject: &str, name: &str) -> Value {
    json!({
        "iss": REALM, "aud": ["account", "parking-auth"], "sub": subject,
        "iat": now(), "exp": now() + 300,
        "preferred_username": name, "email": format!("{name}@example.org"), "email_verified": true,
        "given_name": "Ana", "family_name": "Souza",
        "realm_access": { "roles": ["driver", "offline_access"] },
    })
}

fn with_realm(realm: &Outside) -> Stack {
    let issuers = json!([{
        "issuer": REALM, "jwks_url": format!("{}/certs", realm.url()), "audience": "parking-auth",
        "roles": { "driver": "driver", "owner": "owner", "admin": "admin" }, "link_by_email": true,
    }]);
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

    // The realm has the last word on the roles it has a say in.
    let mut promoted = claims.clone();
    promoted["realm_access"] = json!({ "roles": ["owner"] });
    assert_eq!(
        me(&stack, exchange(&stack, &key.sign(&promoted)))["roles"],
        json!(["owner"])
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
        ("exp", json!(now() - 60)),
        ("nbf", json!(now() + 600)),
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
    // However often somebody comes with a key nobody knows, the realm is not asked for it each time.
    for _ in 0..5 {
        exchange(&stack, &Key::new(6).sign(&claims)).problem(401);
    }
    assert_eq!(realm.received().len(), 1);
    exchange(&stack, "a.b.c").problem(401);
    exchange(&stack, &User::driver(&stack).token).problem(401);
}

#[test]
fn a_name_that_is_taken_here_stays_with_whoever_has_it() {
    let key = Key::new(7);
    let jwks = json!({ "keys": [key.jwk()] });
    let realm = Outside::start(move |_| Reply::json(200, &jwks));
    let stack = with_realm(&realm);
    let user = User::driver(&stack);
    let mine = user.get("/auth/me").send().expect(200).json();

    // Nobody has seen the mailbox here, so it may be somebody else's.
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

    // Not the admin's, whatever a realm says.
    let pretender = me(
        &stack,
        exchange(&stack, &key.sign(&vouched("f:4", "admin"))),
    );
    assert_ne!(pretender["login"], "admin");
}

#[test]
fn a_realm_that_does_not_answer_is_nobodys_fault_but_its_own() {
    let key = Key::new(8);
    let realm = Outside::start(|_| Reply::status(302));
    let stack = with_realm(&realm);
    let answer = exchange(&stack, &key.sign(&vouched("f:5", &unique("ana"))));
    answer.problem(503);
    // And asked once, not by everybody who comes.
    exchange(&stack, &key.sign(&vouched("f:5", &unique("ana")))).problem(401);
    assert_eq!(realm.received().len(), 1);
    User::driver(&stack);
}
