//! Money: wallets, accounts, promo codes, payments through a provider, and the books behind them.

mod accounts;
mod books;
pub(crate) mod cash_outs;
mod checkout;
mod commissions;
mod crash;
mod debts;
mod destinations;
mod guesses;
mod keys;
mod ledger;
mod manual;
mod paging;
mod provider;
pub(crate) mod stuck;
mod wallet;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Answer, Stack, User, unique};

/// A fresh idempotency key.
fn key() -> String {
    Uuid::new_v4().to_string()
}

/// Opens an account with `balance` in it; answers its name.
pub(crate) fn account(user: &User, balance: f64) -> String {
    let name = unique("account");
    let body = json!({
        "paymentAccountId": name,
        "paymentAccountType": "DEBIT",
        "balance": balance,
    });
    user.post("/payments/accounts")
        .json(&body)
        .send()
        .expect(200);
    name
}

/// What is in an account now.
pub(crate) fn balance(user: &User, name: &str) -> Value {
    let accounts = user.get("/payments/accounts").send().expect(200).json();
    let accounts = accounts.as_array().unwrap();
    let found = accounts
        .iter()
        .find(|it| it["paymentAccountId"] == *name)
        .expect("the account");
    found["balance"].clone()
}

fn deposit(user: &User, name: &str, amount: &Value) -> Answer {
    let body = json!({ "paymentAccountId": name, "amount": amount });
    user.post("/payments/deposit").json(&body).send()
}

fn withdraw(user: &User, name: &str, amount: &Value) -> Answer {
    let body = json!({ "paymentAccountId": name, "amount": amount });
    user.post("/payments/withdraw").json(&body).send()
}

fn send(user: &User, from: &str, to: &str, amount: &Value) -> Answer {
    let body = json!({ "fromPaymentAccountId": from, "toPaymentAccountId": to, "amount": amount });
    user.post("/payments/send").json(&body).send()
}

/// Posts a manual act of an admin, with a reason.
fn by_hand(admin: &User, path: &str) -> Answer {
    let because = json!({ "reason": "seen on the statement of the bank" });
    admin.post(path).json(&because).send()
}

/// Cents in a wallet, including held ones.
fn wallet(user: &User) -> i64 {
    let balance = user.get("/payment/balance").send().expect(200).json();
    balance["total"].as_i64().unwrap()
}

/// Makes a code that is worth `amount` cents, `uses` times; answers its text.
fn promocode(admin: &User, amount: i64, uses: i64) -> String {
    let code = unique("PROMO");
    let body = json!({ "code": code, "amount": amount, "max_uses": uses });
    admin
        .post("/payment/promocode")
        .json(&body)
        .send()
        .expect(200);
    code
}

fn activate(user: &User, code: &str) -> Answer {
    user.post("/payment/promocode/activate")
        .json(&json!({ "code": code }))
        .send()
}

/// The books add up: nothing was made, lost or drifted, ever.
#[track_caller]
fn assert_sound(stack: &Stack) {
    let books = User::admin(stack)
        .get("/payments/trial-balance")
        .send()
        .expect(200)
        .json();
    assert_eq!(books["is_sound"], true, "{books:#}");
}
