//! Keys that are replaced, and tokens of other issuers.

mod foreign;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use wharf_tests::{Options, Stack, User, repository};

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

pub(super) fn claims_of(token: &str) -> Value {
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
    let user = User::registered(&stack);
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

/// As an operator does it: the host is stopped, told to take a new key, and started again. Twice,
/// while tokens of the first key are still around.
#[test]
fn sessions_survive_a_rotation_of_the_signing_key() {
    let mut stack = Options::default().start_embedded();
    let user = User::registered(&stack);
    let body = json!({ "username": user.login, "password": user.password });
    let sign_in = |stack: &Stack| {
        let entered = stack.post("/api/v1/login").json(&body).send();
        entered.expect(200).json()
    };
    let first = sign_in(&stack);
    let signed_by = |session: &Value| {
        let token = session["access_token"].as_str().unwrap();
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap());
        let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
        header["kid"].clone()
    };
    for _ in 0..2 {
        stack.kill();
        let rotated = std::process::Command::new(repository().join("target/release/wharf"))
            .args(["keys", "--rotate", "--data-dir"])
            .arg(stack.data_dir())
            .output()
            .unwrap();
        assert!(rotated.status.success(), "{rotated:?}");
        stack.start_again();
    }
    user.get("/auth/me").send().expect(200);
    user.get("/payment/balance").send().expect(200);
    let spent = json!({ "refresh_token": first["refresh_token"] });
    let next = stack.post("/auth/refresh").json(&spent).send().expect(200);
    assert_ne!(signed_by(&next.json()), signed_by(&first));
    assert_eq!(signed_by(&sign_in(&stack)), signed_by(&next.json()));
    let published = stack.get("/.well-known/jwks.json").send().expect(200);
    assert_eq!(published.json()["keys"].as_array().unwrap().len(), 3);
}

#[test]
fn the_discovery_documents_name_the_issuer_and_its_endpoints() {
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
    // `/auth/me` answers the same `sub` as the token.
    let user = User::registered(&stack);
    let me = user.get("/auth/me").send().expect(200).json();
    assert_eq!(me["sub"], claims_of(&user.token)["sub"]);
    assert_eq!(told["userinfo_endpoint"], format!("{here}/auth/me"));
}

/// OpenID demands that the issuer is the public address, so the operator can configure it.
#[test]
fn a_configured_issuer_stands_in_tokens_and_in_the_discovery_document() {
    let address = "https://id.wharf.test";
    let stack = Options::default()
        .variable("public_url", address)
        .variable("jwt_issuer", address)
        .start();
    let path = "/.well-known/openid-configuration";
    let told = stack.get(path).send().expect(200).json();
    assert_eq!(told["issuer"], address);
    let user = User::registered(&stack);
    assert_eq!(claims_of(&user.token)["iss"], address);
    user.get("/payment/balance").send().expect(200);
}
