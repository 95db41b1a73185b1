//! Destinations of cash-outs, and who hears of them.

use serde_json::json;
use wharf_tests::{Stack, User};

/// A thief with a session adds a destination; the owner of the wallet has to hear of it before it is usable.
#[test]
fn the_owner_of_a_wallet_is_told_of_a_new_destination() {
    let stack = Stack::shared();
    let user = User::registered(&stack);
    let add = |key: &str, account: &str| {
        let body = json!({
            "kind": "us_bank", "account": account, "routing_number": "021000021", "holder_name": "Ana Souza",
        });
        let request = user.post("/payment/destinations").json(&body);
        request.header("idempotency-key", key).send()
    };
    let told = || -> Vec<String> {
        let told = "SELECT payload -> 'params' ->> 'account' FROM events.entry
            WHERE kind = 'notify:security' AND payload ->> 'template' = 'destination-added'
                AND payload ->> 'user_id' = (SELECT id::text FROM signin.account WHERE login = $1)";
        let rows = stack.sql().query(told, &[&user.login]).unwrap();
        rows.iter().filter_map(|it| it.get(0)).collect()
    };
    add("first", "123456789").expect(201);
    assert_eq!(told().len(), 1);
    // A repeated request and a refused one tell nothing.
    add("first", "123456789").expect(201);
    add("second", "123456789").problem(409);
    assert_eq!(told().len(), 1);
    add("third", "987654321").expect(201);
    assert_eq!(told().len(), 2);
}
