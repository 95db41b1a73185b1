//! Tokens: what ours are, and that nothing else passes for one.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePublicKey};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use wharf_tests::{Stack, Token, User, now_s};

/// The platform's own key.
pub(super) fn own_key(stack: &Stack) -> SigningKey {
    SigningKey::from_pkcs8_pem(&stack.private_key()).unwrap()
}

fn published(stack: &Stack) -> Vec<(String, VerifyingKey)> {
    let jwks = stack
        .get("/.well-known/jwks.json")
        .send()
        .expect(200)
        .json();
    let keys = jwks["keys"].as_array().unwrap().iter();
    keys.map(|it| {
        assert_eq!(
            (&it["kty"], &it["crv"]),
            (&json!("OKP"), &json!("Ed25519")),
            "{it}"
        );
        assert!(it["d"].is_null(), "a private key is published");
        let bytes = URL_SAFE_NO_PAD.decode(it["x"].as_str().unwrap()).unwrap();
        let key = VerifyingKey::from_bytes(&bytes.try_into().unwrap()).unwrap();
        (it["kid"].as_str().unwrap().to_owned(), key)
    })
    .collect()
}

/// By every function, and with one body: it does not say what was wrong.
#[track_caller]
fn is_refused(stack: &Stack, token: &str) {
    for path in ["/auth/me", "/payment/balance", "/booking"] {
        is_refused_at(stack, path, token);
    }
}

#[track_caller]
fn is_refused_at(stack: &Stack, path: &str, token: &str) {
    let refused = |token: &str| {
        let mut problem = stack.get(path).api_key(token).send().problem(401);
        problem.as_object_mut().unwrap().remove("request_id");
        problem
    };
    assert_eq!(refused(token), refused("nonsense"), "{path}: {token}");
}

/// Algorithm confusion: a verifier that trusts the `alg` of the token.
fn signed_by_hmac(token: &Token, secret: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let message = token.message();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(message.as_bytes());
    let code = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{message}.{code}")
}

#[test]
fn a_token_says_who_for_how_long_and_from_whom() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let Token { header, claims } = Token::of(&user.token);
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("EdDSA"), &json!("JWT"))
    );
    let me = user.get("/auth/me").send().expect(200).json();
    assert_eq!(claims["sub"], me["id"]);
    assert_eq!(claims["username"], user.login);
    assert_eq!(claims["roles"], json!(["driver"]));
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!("wharf"), &json!("wharf"))
    );
    let (iat, exp) = (
        claims["iat"].as_u64().unwrap(),
        claims["exp"].as_u64().unwrap(),
    );
    assert!(
        iat <= now_s() && now_s() < exp && exp <= iat + 30 * 86_400,
        "{claims}"
    );
    assert_ne!(
        claims["jti"],
        Token::of(&User::registered(&stack).token).claims["jti"]
    );
    for secret in ["password", "email", "$argon2"] {
        assert!(!claims.to_string().contains(secret), "{claims}");
    }
}

#[test]
fn anybody_can_check_a_token_with_the_published_key() {
    let stack = Stack::shared();
    let token = User::registered(&stack).token;
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let kid = Token::of(&token).header["kid"].as_str().unwrap().to_owned();
    let keys = published(&stack);
    let (_, key) = keys
        .iter()
        .find(|it| it.0 == kid)
        .expect("the key that signed is published");
    key.verify_strict(message.as_bytes(), &signature).unwrap();

    let pubkey = stack.get("/api/v1/pubkey").send().expect(200).json();
    let pem = STANDARD.decode(pubkey["pubkey"].as_str().unwrap()).unwrap();
    let pem = String::from_utf8(pem).unwrap();
    assert_eq!(VerifyingKey::from_public_key_pem(&pem).unwrap(), *key);
}

#[test]
fn a_token_is_taken_from_every_transport_and_two_must_agree() {
    let stack = Stack::shared();
    let (user, other) = (User::registered(&stack), User::registered(&stack));
    let me = || stack.get("/auth/me");
    me().bearer(&user.token).send().expect(200);
    me().header("authorization", &format!("bearer {}", user.token))
        .send()
        .expect(200);
    me().api_key(&user.token).send().expect(200);
    me().cookie("access_token", &user.token).send().expect(200);
    me().bearer(&user.token)
        .api_key(&user.token)
        .send()
        .expect(200);
    me().bearer(&user.token)
        .api_key(&other.token)
        .send()
        .problem(401);
    me().bearer(&user.token)
        .cookie("access_token", &other.token)
        .send()
        .problem(401);
    me().header("authorization", "Basic YW5hOmFuYQ==")
        .send()
        .problem(401);
    me().header("authorization", "").send().problem(401);
    // A token in an address ends up in logs: only the oldest clients may.
    stack
        .get(&format!("/auth/me?token={}", user.token))
        .send()
        .problem(401);
}

#[test]
fn a_token_cannot_choose_how_it_is_checked() {
    let stack = Stack::shared();
    let token = User::registered(&stack).token;
    let own = own_key(&stack);
    let public = own.verifying_key();
    for alg in ["none", "None", "NONE", "HS256", "RS256", "ES256", ""] {
        let forged = Token::of(&token).with_header("alg", alg);
        is_refused(&stack, &format!("{}.", forged.message()));
        is_refused(&stack, &forged.signed_by(&own));
    }
    // As if the public key, in any form that it is known in, were a shared secret.
    let jwks = stack.get("/.well-known/jwks.json").send().expect(200);
    let jwk = jwks.json()["keys"][0].clone();
    let pem = public.to_public_key_pem(LineEnding::LF).unwrap();
    for secret in [
        public.as_bytes().as_slice(),
        pem.as_bytes(),
        pem.trim_end().as_bytes(),
        jwk.to_string().as_bytes(),
        jwk["x"].as_str().unwrap().as_bytes(),
        jwks.text().as_bytes(),
    ] {
        let forged = Token::of(&token).with_header("alg", "HS256");
        is_refused(&stack, &signed_by_hmac(&forged, secret));
        let nameless = forged.with_header("kid", Value::Null);
        is_refused(&stack, &signed_by_hmac(&nameless, secret));
    }
    is_refused(
        &stack,
        &Token::of(&token)
            .with_header("crit", json!(["exp"]))
            .signed_by(&own),
    );
}

/// Functions remember tokens that they have verified.
#[test]
fn a_signature_that_is_known_vouches_for_no_other_claims() {
    let stack = Stack::shared();
    let (user, other) = (User::registered(&stack), User::registered(&stack));
    for path in ["/auth/me", "/payment/balance", "/booking"] {
        user.get(path).send().expect(200);
    }
    let (_, signature) = user.token.rsplit_once('.').unwrap();
    let claims = Token::of(&other.token).message();
    is_refused(&stack, &format!("{claims}.{signature}"));
}

#[test]
fn a_token_cannot_bring_its_own_key() {
    let stack = Stack::shared();
    let token = User::registered(&stack).token;
    let forger = SigningKey::from_bytes(&[7; 32]);
    let x = URL_SAFE_NO_PAD.encode(forger.verifying_key().as_bytes());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "forger" });
    for forged in [
        Token::of(&token),
        Token::of(&token).with_header("jwk", jwk),
        Token::of(&token).with_header("jku", "http://127.0.0.1:1/jwks.json"),
        Token::of(&token).with_header("kid", "forger"),
        Token::of(&token).with_header("kid", "../../dev/null"),
        Token::of(&token).with_header("kid", "' OR 1=1 --"),
        Token::of(&token).with_header("kid", Value::Null),
    ] {
        is_refused(&stack, &forged.signed_by(&forger));
    }
}

#[test]
fn a_token_that_says_the_wrong_thing_is_refused_though_we_signed_it() {
    let stack = Stack::shared();
    let token = User::registered(&stack).token;
    let own = own_key(&stack);
    let resigned = Token::of(&token).with_claim("jti", uuid::Uuid::new_v4().to_string());
    stack
        .get("/auth/me")
        .api_key(&resigned.signed_by(&own))
        .send()
        .expect(200);
    for (claim, value) in [
        ("exp", json!(now_s() - 1)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", Value::Null),
        ("exp", json!("tomorrow")),
        ("exp", json!(1e300)),
        ("iat", json!(now_s() + 3600)),
        ("nbf", json!(now_s() + 3600)),
        ("iss", json!("somebody-else")),
        ("aud", json!("somebody-else")),
        ("aud", json!(["wharf", "somebody-else"])),
        ("sub", json!("admin")),
        ("sub", Value::Null),
        ("roles", json!("admin")),
    ] {
        is_refused(
            &stack,
            &Token::of(&token).with_claim(claim, value).signed_by(&own),
        );
    }
}

#[test]
fn a_changed_or_broken_token_is_refused() {
    let stack = Stack::shared();
    let token = User::registered(&stack).token;
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let admin = Token::of(&token)
        .with_claim("roles", json!(["admin"]))
        .message();
    let huge = "x".repeat(20_000);
    for broken in [
        format!("{admin}.{signature}"),
        message.to_owned(),
        format!("{message}."),
        format!("{message}.AAAA"),
        format!("{header}.{signature}.{claims}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        token[..token.len() - 1].to_owned(),
        format!("{token}="),
        "null".to_owned(),
        "..".to_owned(),
        format!("{header}.{huge}.{signature}"),
    ] {
        is_refused(&stack, &broken);
    }
}

/// The signature of a token outlives its account.
#[test]
fn a_token_of_an_unknown_user_is_refused() {
    let stack = Stack::shared();
    let token = User::registered(&stack).token;
    let own = own_key(&stack);
    let nobody = "00000000-0000-4000-8000-000000000000";
    // Only sign-in knows all accounts; other functions only hear of sessions that ended.
    let of_nobody = Token::of(&token).with_claim("sid", nobody);
    is_refused_at(&stack, "/auth/me", &of_nobody.signed_by(&own));
}

#[test]
fn only_launchers_are_told_that_a_token_has_expired() {
    let stack = Stack::shared();
    let token = User::registered(&stack).token;
    let expired = Token::of(&token).with_claim("exp", now_s() - 1);
    let expired = expired.signed_by(&own_key(&stack));
    is_refused(&stack, &expired);
    let number = |token: &str| {
        let path = format!("/api/method/users.get?v=1.0&token={token}");
        stack.get(&path).send().expect(401).json()["error"]["code"].clone()
    };
    assert_eq!(
        (number(&expired), number("nonsense")),
        (json!(11), json!(10))
    );
}
