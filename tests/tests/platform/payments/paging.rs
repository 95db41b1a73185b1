//! Paging of transfers (`/payments/histories`, `/payment/transactions`) and of the lists of admins that grow without bound.
//! Accounts have no pages.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Answer, Stack, User};

use super::cash_outs::{bank, cash_out, rich, text};
use super::{account, activate, assert_sound, deposit, promocode, send, withdraw};

fn rows(answer: &Answer) -> Vec<Value> {
    answer.json().as_array().unwrap().clone()
}

fn amounts_of(rows: &[Value]) -> Vec<f64> {
    let rows = rows.iter();
    rows.map(|it| it["amount"].as_f64().unwrap()).collect()
}

fn amounts(answer: &Answer) -> Vec<f64> {
    amounts_of(&rows(answer))
}

/// All rows, read in pages of two that follow the `Link` of the page before.
fn walk(user: &User, path: &str) -> Vec<Value> {
    let mut told = Vec::new();
    let mut next = Some(format!("{path}?limit=2"));
    while let Some(page) = next {
        let answer = user.get(&page).send().expect(200);
        told.extend(rows(&answer));
        let link = answer.header("link").map(str::to_owned);
        next = link.map(|it| it[1..it.find('>').unwrap()].to_owned());
        let is_by_key = |it: &String| it.contains("after=") && !it.contains("offset");
        assert!(next.as_ref().is_none_or(is_by_key), "{next:?}");
    }
    told
}

#[test]
fn pages_of_transfers_continue_after_a_row_and_bound_the_offset() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let [one, other] = [0; 2].map(|_| account(&user, 0.0));
    for name in [&one, &other, &one] {
        deposit(&user, name, &json!(5)).expect(200);
    }
    send(&user, &one, &other, &json!(3)).expect(200);
    withdraw(&user, &other, &json!(1)).expect(200);
    let code = promocode(&User::admin(&stack), 900, 1);
    activate(&user, &code).expect(200);
    for amount in [100, 200] {
        let body = json!({ "amount": amount });
        let generated = user.post("/payment/promocode/generate").json(&body).send();
        generated.expect(200);
    }
    let lists: [(&str, &[f64]); 2] = [
        ("/payments/histories", &[-1.0, 3.0, 5.0, 5.0, 5.0]),
        ("/payment/transactions", &[-200.0, -100.0, 900.0]),
    ];
    for (path, all) in lists {
        let ask = |query: &str| user.get(&format!("{path}{query}")).send();
        let told = |query: &str| amounts(&ask(query).expect(200));
        assert_eq!(amounts_of(&walk(&user, path)), all, "{path}");
        assert_eq!(told(""), all, "{path}");
        assert_eq!(told("?skip=1"), all[1..], "{path}");
        assert_eq!(told("?limit=1&offset=1"), all[1..2], "{path}");
        assert!(told("?offset=5000").is_empty(), "{path}");
        let refused = ask("?offset=5001").expect(400).json();
        assert_eq!(refused["code"], "too-far", "{path}");
    }
}

/// Rows of other tests come and go meanwhile.
#[test]
fn pages_of_admin_lists_continue_after_a_row() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let user = rich(&stack, 30);
    let destination = bank(&user);
    let payouts =
        [(); 3].map(|()| text(&cash_out(&user, &destination, 10).expect(201).json()["id"]));
    let owners = [(); 3].map(|()| Uuid::new_v4().to_string());
    for owner in &owners {
        let body = json!({ "basis_points": 1, "reason": "the contract of this year" });
        let path = format!("/payments/commissions/{owner}");
        admin.put(&path).json(&body).send().expect(204);
    }
    let files = [1, 2, 3].map(|number| {
        let csv = format!(
            "SOURCE_ID,TRANSACTION_TYPE,TRANSACTION_AMOUNT,TRANSACTION_CURRENCY,TRANSACTION_DATE,FEE_AMOUNT\n\
             {},SETTLEMENT,1.00,BRL,2026-01-0{number}T10:00:00.000+00:00,0.00\n",
            Uuid::new_v4()
        );
        let body = json!({ "name": "paging.csv", "csv": csv });
        let imported = admin.post("/payments/provider-files").json(&body).send();
        text(&imported.expect(201).json()["id"])
    });
    for (path, key, mine) in [
        ("/payments/payouts", "id", &payouts),
        ("/payments/commissions", "user_id", &owners),
        ("/payments/provider-files", "id", &files),
    ] {
        let told: Vec<_> = walk(&admin, path)
            .iter()
            .map(|it| it[key].clone())
            .collect();
        for id in mine {
            let times = told.iter().filter(|it| *it == id).count();
            assert_eq!(times, 1, "{path}: {id}");
        }
        let skipped = rows(
            &admin
                .get(&format!("{path}?limit=1&skip=1"))
                .send()
                .expect(200),
        );
        assert_eq!(skipped.len(), 1, "{path}");
        let refused = admin
            .get(&format!("{path}?offset=5001"))
            .send()
            .problem(400);
        assert_eq!(refused["code"], "too-far", "{path}");
    }
}

#[test]
fn a_request_without_paging_gets_all_transfers_of_the_accounts() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let name = account(&user, 0.0);
    let more = "WITH more AS (
            INSERT INTO transfer (id, kind, debit, credit, amount, currency, credit_balance, created_at)
            SELECT gen_random_uuid(), 'deposit', house_account('sandbox', 'USD'), id, 1, 'USD', n, now()
            FROM account, generate_series(1, 101) AS n WHERE name = $1
        )
        UPDATE account SET balance = balance + 101 WHERE name = $1";
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = payments").unwrap();
    sql.execute(more, &[&name]).unwrap();
    let all = user.get("/payments/histories").send().expect(200);
    assert_eq!((amounts(&all).len(), all.header("link")), (101, None));
    let page = user.get("/payments/histories?limit=500").send();
    assert_eq!(amounts(&page.expect(200)).len(), 100);
    assert_sound(&stack);
}

#[test]
fn the_list_of_accounts_is_bounded() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let name = account(&user, 0.0);
    let more = "INSERT INTO payments.account (kind, currency, owner, name, type, balance, held, created_at)
        SELECT kind, currency, owner, name || '-' || n, type, 0, 0, created_at + n * interval '1 millisecond'
        FROM payments.account, generate_series(1, 5000) AS n WHERE name = $1";
    stack.sql().execute(more, &[&name]).unwrap();
    let listed = user.get("/payments/accounts").send().expect(200).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(
        (listed.len(), &listed[0]["paymentAccountId"]),
        (5000, &json!(name))
    );
}
