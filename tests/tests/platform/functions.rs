//! What functions answer each other through WIT. A function for tests (`tests/asker`) asks, so that a later function can
//! rely on the answers. The tests of bookings cover what bookings asks of the ledger.

use std::sync::OnceLock;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Options, Stack, User, unique};

/// The platform with the function `tests/asker`.
fn platform() -> &'static Stack {
    static STARTED: OnceLock<Stack> = OnceLock::new();
    STARTED.get_or_init(|| {
        let asker = include_str!("../../asker/spin.toml.part");
        Options::default().manifest(asker).start()
    })
}

/// The result: `{"Ok": …}` or `{"Err": …}`.
fn ask(function: &str, of: &Value) -> Value {
    let path = format!("/ask/{function}");
    platform().post(&path).json(of).send().expect(200).json()
}

fn me(user: &User) -> Value {
    user.get("/auth/me").send().expect(200).json()
}

#[test]
fn a_person_is_found_by_every_name_they_have() {
    let stack = platform();
    let user = User::driver(stack);
    let me = me(&user);
    let keys = [
        json!({ "Id": me["user_id"] }),
        json!({ "Login": user.login.to_uppercase() }),
        json!({ "Email": user.email.to_uppercase() }),
    ];
    for key in &keys {
        let found = &ask("accounts/find", key)["Ok"];
        assert_eq!(found["id"], me["user_id"], "{key}");
        assert_eq!(found["email"], json!(user.email));
        assert_eq!(found["roles"], json!(["Driver"]));
        let by_number = ask("accounts/find", &json!({ "Number": found["number"] }));
        assert_eq!(by_number["Ok"], *found);
    }
    let nobody = Uuid::new_v4();
    for key in [
        json!({ "Id": nobody }),
        json!({ "Login": unique("unknown") }),
    ] {
        assert_eq!(ask("accounts/find", &key), json!({ "Ok": null }));
    }
    let malformed = ask("accounts/find", &json!({ "Id": "seven" }));
    assert!(malformed["Err"]["Malformed"].is_string(), "{malformed}");
    let other = User::owner(stack);
    let ids = json!([me["user_id"], nobody, self::me(&other)["user_id"]]);
    let all = ask("accounts/find-all", &ids);
    assert_eq!(all["Ok"].as_array().map(Vec::len), Some(2), "{all}");

    user.delete("/auth/me")
        .json(&json!({ "password": user.password }))
        .send()
        .expect(204);
    for key in &keys {
        assert_eq!(ask("accounts/find", key), json!({ "Ok": null }), "erased");
    }
}

#[test]
fn a_passcode_says_whose_it_is_and_is_spent_once() {
    let stack = platform();
    let admin = User::admin(stack);
    let code = admin.get("/api/v1/otp").send().expect(200).json()["otp"].clone();
    let from = "203.0.113.7";
    for _ in 0..2 {
        let owner = ask("passcodes/owner", &json!([code, from]));
        assert_eq!(owner["Ok"]["login"], json!("admin"), "{owner}");
    }
    let redeemed = ask("passcodes/redeem", &json!([code, from]));
    assert_eq!(redeemed["Ok"]["login"], json!("admin"), "{redeemed}");
    for function in ["passcodes/redeem", "passcodes/owner"] {
        assert_eq!(
            ask(function, &json!([code, from])),
            json!({ "Err": "Unknown" })
        );
    }
    // Others at the same kiosk are not to guess on.
    let guesses = (0..8).map(|_| ask("passcodes/owner", &json!(["not-six", from])));
    let refused = guesses
        .filter(|it| it["Err"]["TooManyTries"].is_u64())
        .count();
    assert!(refused >= 3, "{refused} of 8 guesses were refused");
}

fn opened(id: Uuid, owner: &Value) -> Value {
    let request = json!({
        "id": id, "opener": "orders", "reference": unique("order"), "customer": "7", "owner": owner, "amount": 2550,
        "currency": "BRL", "description": "Two sandwiches", "email": null, "method": "Link", "seconds_to_pay": null,
    });
    ask("checkout/open", &request)
}

#[test]
fn a_payment_is_opened_once_approved_on_the_page_and_sent_back_once() {
    let stack = platform();
    let owner = me(&User::driver(stack))["user_id"].clone();
    let id = Uuid::now_v7();
    let payment = opened(id, &owner)["Ok"].clone();
    assert_eq!(
        (&payment["status"], &payment["amount"]),
        (&json!("Pending"), &json!(2550))
    );
    assert!(payment["qr_code"].is_string());
    // Another request by the same name.
    assert_eq!(opened(id, &json!(Uuid::new_v4()))["Err"], json!("IdTaken"));

    let link = payment["link"].as_str().unwrap();
    let page = link
        .strip_prefix(&format!("http://{}", stack.address()))
        .unwrap();
    stack.post(page).form("decision=approve").send().expect(303);
    assert_eq!(
        ask("checkout/find", &json!(id))["Ok"]["status"],
        json!("Approved")
    );
    let too_late = ask("checkout/cancel", &json!(id));
    assert_eq!(too_late, json!({ "Err": { "WrongStatus": "Approved" } }));
    for _ in 0..2 {
        let refunded = ask("checkout/refund", &json!(id));
        assert_eq!(refunded["Ok"]["status"], json!("Refunded"), "{refunded}");
    }
    let moved = "SELECT coalesce(sum(CASE WHEN kind = 'refund' THEN -amount ELSE amount END), 0)::bigint, count(*)
        FROM payments.transfer WHERE id = $1 OR refund_of = $1";
    let row = stack.sql().query_one(moved, &[&id]).unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (0, 2));
    // The opener is told of each change in its own words.
    let told = "SELECT payload ->> 'status' FROM events.entry
        WHERE aggregate = 'payment:' || $1 AND kind LIKE 'payment:%' AND payload ->> 'opener' = 'orders'
        GROUP BY seq, payload ORDER BY seq";
    let told = stack.sql().query(told, &[&id.to_string()]).unwrap();
    let told: Vec<String> = told.iter().map(|row| row.get(0)).collect();
    assert_eq!(told, ["pending", "approved", "refunded"]);
}

#[test]
fn a_payment_that_was_called_off_stays_so() {
    let stack = platform();
    let owner = me(&User::driver(stack))["user_id"].clone();
    let id = Uuid::now_v7();
    opened(id, &owner);
    for _ in 0..2 {
        assert_eq!(
            ask("checkout/cancel", &json!(id))["Ok"]["status"],
            json!("Cancelled")
        );
    }
    assert_eq!(
        ask("checkout/refund", &json!(id)),
        json!({ "Err": { "WrongStatus": "Cancelled" } })
    );
    for function in ["checkout/find", "checkout/cancel", "checkout/refund"] {
        assert_eq!(
            ask(function, &json!(Uuid::new_v4())),
            json!({ "Err": "UnknownPayment" })
        );
        assert!(ask(function, &json!("seven"))["Err"]["Malformed"].is_string());
    }
}

#[test]
fn a_place_is_shown_to_other_functions_until_it_is_removed() {
    let stack = platform();
    let owner = User::owner(stack);
    let place = json!({
        "name": "Central", "city": "Moscow", "address": "Red Square 1", "parking_type": "underground",
        "hourly_rate": 150, "capacity": 3,
    });
    let id = owner.post("/parking").json(&place).send().json()["id"].clone();
    let found = ask("places/get-place", &id)["Ok"].clone();
    assert_eq!(
        found,
        json!({
            "id": id, "owner": me(&owner)["user_id"], "name": "Central", "city": "Moscow", "address": "Red Square 1",
            "parking_type": "underground", "hourly_rate": 150, "capacity": 3,
        })
    );
    owner.delete(&format!("/parking/{id}")).send().expect(200);
    assert_eq!(ask("places/get-place", &id), json!({ "Ok": null }));
}

#[test]
fn a_balance_is_answered_in_cents() {
    let stack = platform();
    let id = me(&User::driver(stack))["user_id"].clone();
    let funds = ask("ledger/balance", &json!([id, "USD"]));
    assert_eq!(funds, json!({ "Ok": { "balance": 0, "held": 0 } }));
    let malformed = ask("ledger/balance", &json!([id, "dollars"]));
    assert!(malformed["Err"]["Malformed"].is_string(), "{malformed}");
}
