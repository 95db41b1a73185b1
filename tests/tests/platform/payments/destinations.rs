//! Destinations of cash-outs: ownership, their number, and the notice about a new one.

use serde_json::json;
use uuid::Uuid;
use wharf_tests::{Stack, User, at_once};

use super::cash_outs::{add, bank, cancel, cash_out, end, rich, shown, text};
use super::wallet;

#[test]
fn only_its_owner_sees_and_uses_a_destination() {
    let stack = Stack::shared();
    let (ana, ben) = (rich(&stack, 100), rich(&stack, 100));
    let hers = bank(&ana);
    assert_eq!(
        cash_out(&ben, &hers, 1).problem(404)["code"],
        "unknown-destination"
    );
    ben.delete(&format!("/payment/destinations/{hers}"))
        .send()
        .expect(404);
    assert_eq!(
        ben.get("/payment/destinations").send().expect(200).json(),
        json!([])
    );
    let id = text(&cash_out(&ana, &hers, 1).expect(201).json()["id"]);
    ben.get(&format!("/payment/cash-outs/{id}"))
        .send()
        .expect(404);
    cancel(&ben, &id).expect(404);
    ben.get(&format!("/payment/receipts/{id}"))
        .send()
        .expect(404);
    for what in ["approved", "paid", "returned"] {
        end(&ana, &id, what).expect(403);
    }

    assert_eq!(
        add(&ana, "us_bank", "123 456-789", Some("021000021")).problem(409)["code"],
        "destination-known"
    );
    ana.delete(&format!("/payment/destinations/{hers}"))
        .send()
        .expect(204);
    cash_out(&ana, &hers, 1).expect(404);
    // Cash-outs that are under way go on.
    assert_eq!(shown(&ana, &id)["destination"], "****6789");
    bank(&ana);
    for (kind, account, routing) in [
        ("pix", "11111111111", None),
        ("iban", "DE89370400440532013001", None),
        ("us_bank", "123456789", Some("021000022")),
        ("us_bank", "123456789", None),
        ("paypal", "ana@example.com", None),
    ] {
        add(&ana, kind, account, routing).expect(422);
    }
}

#[test]
fn a_new_destination_of_real_money_waits_a_day() {
    let stack = Stack::shared();
    let user = rich(&stack, 100);
    let destination = bank(&user);
    let wait =
        "UPDATE payments.destination SET usable_at = now() + interval '1 hour' WHERE id = $1";
    let id: Uuid = destination.parse().unwrap();
    stack.sql().execute(wait, &[&id]).unwrap();
    let listed = user.get("/payment/destinations").send().expect(200).json();
    assert_eq!(
        (&listed[0]["is_usable"], &listed[0]["account"]),
        (&json!(false), &json!("****6789"))
    );
    assert_eq!(
        cash_out(&user, &destination, 1).problem(409)["code"],
        "destination-waits"
    );
    assert_eq!(wallet(&user), 100);
}

#[test]
fn twenty_of_30_concurrently_added_destinations_are_kept() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let one_more = |number: usize| {
        let account = (200_000_000 + number).to_string();
        add(&user, "us_bank", &account, Some("021000021"))
    };
    let statuses = at_once(30, |number| one_more(number).status());
    let with = |status| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((with(201), with(409)), (20, 10), "{statuses:?}");
    assert_eq!(one_more(30).problem(409)["code"], "too-many-destinations");
    let listed = user.get("/payment/destinations").send().expect(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 20);
    // A removed destination makes room for another.
    let path = format!("/payment/destinations/{}", text(&listed[0]["id"]));
    user.delete(&path).send().expect(204);
    one_more(31).expect(201);
    one_more(32).expect(409);
}

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
    let told = || {
        let told = "SELECT count(*) FROM events.entry
            WHERE kind = 'notify:security' AND payload ->> 'template' = 'destination-added'
                AND payload ->> 'user_id' = (SELECT id::text FROM signin.account WHERE login = $1)";
        let row = stack.sql().query_one(told, &[&user.login]).unwrap();
        row.get::<_, i64>(0)
    };
    add("first", "123456789").expect(201);
    assert_eq!(told(), 1);
    // Repeated and refused requests send no notice.
    add("first", "123456789").expect(201);
    add("second", "123456789").problem(409);
    assert_eq!(told(), 1);
    add("third", "987654321").expect(201);
    assert_eq!(told(), 2);
}
