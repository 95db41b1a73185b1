//! Accounts that users open and name: `/payments/accounts`, `deposit`, `withdraw`, `send`, `histories`.

use std::time::Duration;

use serde_json::json;
use wharf_tests::{Stack, User, at_once, eventually, unique};

use super::{account, assert_sound, balance, deposit, send, withdraw};

#[test]
fn an_account_is_opened_once_and_listed_under_both_spellings() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let name = unique("savings");
    let body = json!({ "paymentAccountId": name, "paymentAccountType": "LOAN", "balance": 12.5 });
    let opened = user
        .post("/payments/accounts")
        .json(&body)
        .send()
        .expect(200)
        .json();
    for (field, value) in [
        ("balance", json!(12.5)),
        ("paymentAccountId", json!(name)),
        ("paymentAccountType", json!("LOAN")),
    ] {
        assert_eq!(opened[field], value, "{field}");
    }
    assert!(
        opened["id"].is_string() && opened["createdAt"].is_string() && opened["userId"].is_string()
    );
    for path in [
        "/payments/account",
        "/payments/accounts/",
        "/api/payments/accounts",
    ] {
        assert_eq!(
            user.get(path).send().expect(200).json(),
            json!([opened]),
            "{path}"
        );
    }
    let taken = user
        .post("/payments/accounts")
        .json(&body)
        .send()
        .expect(409)
        .json();
    assert_eq!(taken["error"], "the account id is taken");
    // The name is taken for other users, too; the answer does not name its owner.
    let stranger = User::owner(&stack);
    stranger
        .post("/payments/accounts")
        .json(&body)
        .send()
        .expect(409);
    assert_eq!(
        stranger.get("/payments/accounts").send().expect(200).json(),
        json!([])
    );
}

#[test]
fn movements_are_rows_whose_sign_tells_the_direction() {
    let stack = Stack::shared();
    let (ana, ben) = (User::driver(&stack), User::driver(&stack));
    let (from, to) = (account(&ana, 0.0), account(&ben, 0.0));

    let row = deposit(&ana, &from, &json!(100.1)).expect(200).json();
    assert_eq!(
        (&row["amount"], &row["status"]),
        (&json!(100.1), &json!("COMPLETED"))
    );
    assert_eq!(
        (&row["fromPaymentAccountId"], &row["toPaymentAccountId"]),
        (&json!(from), &json!(from))
    );

    let row = withdraw(&ana, &from, &json!(0.1)).expect(200).json();
    assert_eq!(
        (&row["amount"], &row["fromPaymentAccountId"]),
        (&json!(-0.1), &json!(from))
    );

    let row = send(&ana, &from, &to, &json!(40)).expect(200).json();
    assert_eq!(
        (&row["amount"], &row["fromPaymentAccountId"]),
        (&json!(40), &json!(from))
    );
    assert_eq!(row["toPaymentAccountId"], json!(to));
    assert_eq!(
        (balance(&ana, &from), balance(&ben, &to)),
        (json!(60), json!(40))
    );

    // Payments learns a user's e-mail through the outbox.
    eventually("the e-mails are known", Duration::from_secs(20), || {
        let histories = ben.get("/payments/histories").send().expect(200).json();
        histories[0]["fromAccount"]["user"]["email"] == json!(ana.email)
            && histories[0]["toAccount"]["user"]["email"] == json!(ben.email)
    });
    let histories = ana.get("/payments/histories").send().expect(200).json();
    let told: Vec<_> = histories
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["amount"].clone())
        .collect();
    assert_eq!(told, [json!(40), json!(-0.1), json!(100.1)]);
    assert_eq!(histories[0]["toAccount"]["paymentAccountId"], json!(to));
    assert_eq!(histories[2]["fromAccount"]["paymentAccountId"], json!(from));
}

#[test]
fn only_its_owner_moves_money_out_of_an_account() {
    let stack = Stack::shared();
    let (ana, ben) = (User::driver(&stack), User::driver(&stack));
    let (hers, his) = (account(&ana, 50.0), account(&ben, 0.0));
    for refused in [
        deposit(&ben, &hers, &json!(1)),
        withdraw(&ben, &hers, &json!(1)),
        send(&ben, &hers, &his, &json!(1)),
        send(&ana, &hers, "nobody's", &json!(1)),
        deposit(&ana, "nobody's", &json!(1)),
    ] {
        assert_eq!(refused.expect(404).json()["code"], "unknown-account");
    }
    let more = send(&ana, &hers, &his, &json!(50.01)).expect(400).json();
    assert_eq!(more["error"], "insufficient funds");
    withdraw(&ana, &hers, &json!(50.01)).expect(400);
    send(&ana, &hers, &hers, &json!(1)).expect(400);
    assert_eq!(
        (balance(&ana, &hers), balance(&ben, &his)),
        (json!(50), json!(0))
    );
}

#[test]
fn an_invalid_amount_moves_nothing() {
    let stack = Stack::shared();
    let (ana, ben) = (User::driver(&stack), User::driver(&stack));
    let (from, to) = (account(&ana, 10.0), account(&ben, 10.0));
    let wrong = [
        "-1",
        "0",
        "-0.01",
        "0.001",
        "1.005",
        "10000000000.01",
        "1e300",
        "\"5\"",
        "null",
        "true",
        "[1]",
        "NaN",
        "Infinity",
        "1e",
        "{}",
    ];
    for amount in wrong {
        let bodies = [
            (
                "/payments/deposit",
                format!(r#"{{"paymentAccountId":"{from}","amount":{amount}}}"#),
            ),
            (
                "/payments/withdraw",
                format!(r#"{{"paymentAccountId":"{from}","amount":{amount}}}"#),
            ),
            (
                "/payments/send",
                format!(
                    r#"{{"fromPaymentAccountId":"{from}","toPaymentAccountId":"{to}","amount":{amount}}}"#
                ),
            ),
        ];
        for (path, body) in bodies {
            let answer = ana.post(path).body("application/json", body).send();
            assert!(
                [400, 422].contains(&answer.status()),
                "{path} {amount}: {answer}"
            );
        }
    }
    ana.post("/payments/send")
        .json(&json!({ "amount": 1 }))
        .send()
        .expect(400);
    assert_eq!(
        (balance(&ana, &from), balance(&ben, &to)),
        (json!(10), json!(10))
    );
}

#[test]
fn an_account_opens_with_an_amount_or_nothing() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    for wrong in ["-1", "0.001", "\"1\"", "1e13", "NaN", "[1]"] {
        let body = format!(
            r#"{{"paymentAccountId":"{}","paymentAccountType":"DEBIT","balance":{wrong}}}"#,
            unique("account")
        );
        let answer = user
            .post("/payments/accounts")
            .body("application/json", body)
            .send();
        assert!([400, 422].contains(&answer.status()), "{wrong}: {answer}");
    }
    assert_eq!(
        user.get("/payments/accounts").send().expect(200).json(),
        json!([])
    );
}

#[test]
fn an_account_statement_shows_decimals_to_its_owner() {
    let stack = Stack::shared();
    let (user, stranger) = (User::driver(&stack), User::driver(&stack));
    let name = account(&user, 10.5);
    for amount in [1.25, 2.0] {
        deposit(&user, &name, &json!(amount)).expect(200);
    }
    withdraw(&user, &name, &json!(3)).expect(200);
    let path = |what: &str| format!("/payments/accounts/{name}/{what}");
    let get = |what: &str| user.get(&path(what)).send().expect(200);
    let statement = get("statement?limit=3").json();
    let told = |field: &str| -> Vec<_> {
        let entries = statement["entries"].as_array().unwrap().iter();
        entries.map(|it| it[field].clone()).collect()
    };
    assert_eq!(told("amount"), [json!(-3), json!(2), json!(1.25)]);
    assert_eq!(told("balance"), [json!(10.75), json!(13.75), json!(11.75)]);
    let rest = get(&format!("statement?before={}", statement["next"])).json();
    assert_eq!(rest["entries"][0]["kind"], "opening");

    // Since and until moments that the statement names.
    let (last, first) = (&statement["entries"][0], &rest["entries"][0]);
    let [from, to] = [first, last].map(|it| it["created_at"].as_str().unwrap());
    let between = get(&format!("statement?from={from}&to={to}")).json();
    let between = between["entries"].as_array().unwrap();
    assert_eq!(between.len(), 3, "{between:?}");
    assert_eq!(between[0]["amount"], 2);

    // A file that is longer than one answer links to the next one.
    let csv = get(&format!("statement.csv?limit=3&from={from}"));
    let link = csv.header("link").unwrap().to_owned();
    let query = link
        .strip_prefix("<?")
        .and_then(|it| it.strip_suffix(">; rel=\"next\""))
        .unwrap();
    let rest = get(&format!("statement.csv?{query}"));
    assert_eq!(
        (csv.text().lines().count(), rest.text().lines().count()),
        (4, 2)
    );
    assert_eq!(rest.header("link"), None);
    assert!(
        csv.text().contains(",deposit,1.25,11.75,USD,sandbox,"),
        "{csv}"
    );

    let then = get(&format!("balance?at={from}")).json();
    assert_eq!(
        (&then["balance"], &then["paymentAccountId"]),
        (&json!(10.5), &json!(name))
    );
    for what in ["balance", "statement", "statement.csv"] {
        stranger.get(&path(what)).send().expect(404);
        user.get(&format!("/payments/accounts/nobody-s/{what}"))
            .send()
            .expect(404);
    }
    let empty = account(&user, 0.0);
    let none = user
        .get(&format!("/payments/accounts/{empty}/statement"))
        .send()
        .expect(200);
    assert_eq!(none.json(), json!({ "entries": [], "next": null }));
}

#[test]
fn ten_of_64_concurrent_withdrawals_of_10_from_100_succeed() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let name = account(&user, 100.0);
    let answers = at_once(64, |_| withdraw(&user, &name, &json!(10)).status());
    let with = |status| answers.iter().filter(|it| **it == status).count();
    assert_eq!((with(200), with(400)), (10, 54), "{answers:?}");
    assert_eq!(balance(&user, &name), json!(0));
    assert_sound(&stack);
}

#[test]
fn transfers_in_opposite_directions_do_not_deadlock() {
    let stack = Stack::shared();
    let (ana, ben) = (User::driver(&stack), User::driver(&stack));
    let (a, b) = (account(&ana, 1000.0), account(&ben, 1000.0));
    at_once(32, |number| {
        for _ in 0..20 {
            let sent = if number % 2 == 0 {
                send(&ana, &a, &b, &json!(1))
            } else {
                send(&ben, &b, &a, &json!(1))
            };
            sent.expect(200);
        }
    });
    assert_eq!(
        (balance(&ana, &a), balance(&ben, &b)),
        (json!(1000), json!(1000))
    );
}
