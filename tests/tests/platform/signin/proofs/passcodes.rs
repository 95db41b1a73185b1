//! Passcodes at a kiosk: one an account, and guesses are counted over all networks.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, at_once};

#[test]
fn an_account_has_one_passcode_the_latest() {
    let stack = Stack::start();
    let admin = User::admin(&stack);
    let issue = || admin.get("/api/v1/otp").send().expect(200).json()["otp"].clone();
    let codes = at_once(8, |_| issue());
    let live = "SELECT count(*) FROM signin.passcode WHERE expires_at > now()";
    let live: i64 = stack.sql().query_one(live, &[]).unwrap().get(0);
    assert_eq!(live, 1, "{codes:?}");
    let validate = |otp: &Value| {
        let body = json!({ "otp": otp });
        stack
            .post("/api/v1/otp/validate")
            .json(&body)
            .send()
            .status()
    };
    let (older, newer) = (issue(), issue());
    assert_eq!((validate(&older), validate(&newer)), (401, 200));
}

/// A million codes, and an attacker with many networks.
#[test]
fn wrong_passcodes_are_counted_over_all_networks() {
    let stack = Stack::start();
    let validate = |from: &str| {
        let body = json!({ "otp": "000000" });
        let request = stack.post("/api/v1/otp/validate").json(&body);
        request.from(from).send().status()
    };
    assert_eq!(validate("127.0.2.1"), 401);
    let key: Vec<String> = redis::cmd("KEYS")
        .arg("{tries}:passcode-anywhere:*")
        .query(&mut stack.redis())
        .unwrap();
    let _: () = redis::cmd("SET")
        .arg(&key[0])
        .arg(199)
        .arg("KEEPTTL")
        .query(&mut stack.redis())
        .unwrap();
    assert_eq!(validate("127.0.2.2"), 401);
    assert_eq!(validate("127.0.2.3"), 429);
}
