//! Emptying a wallet: cash-outs that an admin approves and pays, receipts.

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Answer, Stack, User, at_once};

use super::ledger::ledger;
use super::{activate, assert_sound, by_hand, key, promocode, wallet};

/// A user with that many cents of USD.
pub(crate) fn rich(stack: &Stack, cents: i64) -> User {
    let user = User::driver(stack);
    activate(&user, &promocode(&User::admin(stack), cents, 1)).expect(200);
    user
}

pub(super) fn add(user: &User, kind: &str, account: &str, routing: Option<&str>) -> Answer {
    let body = json!({
        "kind": kind, "account": account, "routing_number": routing, "holder_name": "Ana Souza",
    });
    user.post("/payment/destinations").json(&body).send()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A bank account in the United States; answers its id.
pub(crate) fn bank(user: &User) -> String {
    let added = add(user, "us_bank", "123456789", Some("021000021"));
    text(&added.expect(201).json()["id"])
}

pub(crate) fn cash_out(user: &User, destination: &str, amount: i64) -> Answer {
    let body = json!({ "destination_id": destination, "amount": amount });
    user.post("/payment/cash-outs").json(&body).send()
}

/// Opens a cash-out; answers its id.
fn open(user: &User, amount: i64) -> String {
    let opened = cash_out(user, &bank(user), amount).expect(201).json();
    assert_eq!(opened["state"], "open");
    text(&opened["id"])
}

pub(super) fn end(admin: &User, id: &str, what: &str) -> Answer {
    by_hand(admin, &format!("/payments/payouts/{id}/{what}"))
}

pub(super) fn cancel(user: &User, id: &str) -> Answer {
    user.post(&format!("/payment/cash-outs/{id}/cancel")).send()
}

pub(super) fn shown(user: &User, id: &str) -> Value {
    let path = format!("/payment/cash-outs/{id}");
    user.get(&path).send().expect(200).json()
}

fn listed(user: &User, query: &str) -> Vec<String> {
    let path = format!("/payment/cash-outs{query}");
    let rows = user.get(&path).send().expect(200).json();
    rows.as_array()
        .unwrap()
        .iter()
        .map(|it| text(&it["id"]))
        .collect()
}

#[test]
fn a_cash_out_is_approved_and_then_paid() {
    let stack = Stack::shared();
    let (user, admin) = (rich(&stack, 1000), User::admin(&stack));
    let id = open(&user, 600);
    assert_eq!(wallet(&user), 400);
    assert_eq!(listed(&user, "?open=true"), std::slice::from_ref(&id));

    let seq = shown(&user, &id)["seq"].as_i64().unwrap();
    let path = format!("/payments/payouts/ended?limit=1&after={}", seq + 1);
    let last_ended = || admin.get(&path).send().expect(200).json()[0]["id"].clone();
    user.get(&path).send().expect(403);
    assert_ne!(last_ended(), id);

    let early = end(&admin, &id, "paid").problem(409);
    assert_eq!(early["code"], "payout-not-approved");
    let approved = end(&admin, &id, "approved").expect(200).json();
    assert_eq!(
        (&approved["state"], &approved["paymentAccountId"]),
        (&json!("approved"), &Value::Null)
    );
    // The admin sees the whole account number, the user a masked one.
    assert_eq!(approved["destinationAccount"], "021000021/123456789");
    assert_eq!(shown(&user, &id)["destination"], "****6789");
    end(&admin, &id, "approved").expect(200);
    assert_eq!(end(&admin, &id, "paid").expect(200).json()["state"], "paid");
    end(&admin, &id, "paid").expect(200);
    assert_eq!(last_ended(), id);
    assert_eq!(shown(&user, &id)["state"], "paid");
    let one = format!("/payments/payouts/{id}");
    assert_eq!(admin.get(&one).send().expect(200).json()["state"], "paid");
    user.get(&one).send().expect(403);
    let nothing = format!("/payments/payouts/{}", uuid::Uuid::new_v4());
    admin.get(&nothing).send().problem(404);
    assert_eq!(listed(&user, "?open=true"), Vec::<String>::new());
    assert_eq!(wallet(&user), 400);
    let acts = admin.get(&format!("/payments/acts?about={id}"));
    let acts = acts.send().expect(200).json();
    let acts: Vec<_> = acts
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["act"].clone())
        .collect();
    assert_eq!(acts, [json!("paid"), json!("approved")]);
    assert_sound(&stack);
}

#[test]
fn a_cash_out_is_cancelled_until_it_is_approved() {
    let stack = Stack::shared();
    let (user, admin) = (rich(&stack, 1000), User::admin(&stack));
    let first = open(&user, 300);
    // Another user cannot cancel it.
    let other = cancel(&User::driver(&stack), &first);
    assert_eq!(other.problem(404)["code"], "unknown-cash-out");
    assert_eq!(
        (&shown(&user, &first)["state"], wallet(&user)),
        (&json!("open"), 700)
    );
    assert_eq!(
        cancel(&user, &first).expect(200).json()["state"],
        "cancelled"
    );
    assert_eq!(
        cancel(&user, &first).expect(200).json()["state"],
        "cancelled"
    );
    assert_eq!(wallet(&user), 1000);
    end(&admin, &first, "approved").expect(409);
    end(&admin, &first, "paid").expect(409);

    let destination = text(&shown(&user, &first)["destination_id"]);
    let second = cash_out(&user, &destination, 300).expect(201).json();
    let second = text(&second["id"]);
    end(&admin, &second, "approved").expect(200);
    assert_eq!(
        cancel(&user, &second).problem(409)["code"],
        "cash-out-under-way"
    );
    assert_eq!(wallet(&user), 700);
    assert_eq!(listed(&user, ""), [second.clone(), first]);
    assert_eq!(listed(&user, "?limit=1"), [second]);
    let seq = user
        .get("/payment/cash-outs?limit=1")
        .send()
        .expect(200)
        .json();
    assert_eq!(
        listed(&user, &format!("?before={}", seq[0]["seq"])).len(),
        1
    );
}

/// The money is either back in the wallet or goes to the bank.
#[test]
fn a_concurrent_cancellation_and_approval_do_not_both_succeed() {
    let stack = Stack::shared();
    let (user, admin) = (rich(&stack, 1000), User::admin(&stack));
    let destination = bank(&user);
    for _ in 0..5 {
        let id = text(&cash_out(&user, &destination, 100).expect(201).json()["id"]);
        let before = wallet(&user);
        let statuses = at_once(8, |number| match number % 2 {
            0 => cancel(&user, &id).status(),
            _ => end(&admin, &id, "approved").status(),
        });
        let cancelled = statuses.iter().step_by(2).all(|it| *it == 200);
        let approved = statuses.iter().skip(1).step_by(2).all(|it| *it == 200);
        assert!(cancelled != approved, "{statuses:?}");
        assert_eq!(wallet(&user), if cancelled { before + 100 } else { before });
    }
    assert_sound(&stack);
}

#[test]
fn above_an_amount_two_admins_approve_a_cash_out() {
    let stack = Stack::shared();
    let (user, first) = (rich(&stack, 200_000), User::admin(&stack));
    let second = User::second_admin(&stack);
    let id = open(&user, 100_001);
    let proposed = at_once(8, |_| end(&first, &id, "approved").status());
    assert!(proposed.iter().all(|it| *it == 202), "{proposed:?}");
    end(&first, &id, "paid").expect(409);
    end(&second, &id, "approved").expect(200);
    // The approval took two admins; one alone may record that it was paid.
    let statuses = at_once(8, |_| end(&first, &id, "paid").status());
    assert!(statuses.iter().all(|it| *it == 200), "{statuses:?}");
    let paid = "SELECT count(*) FROM payments.transfer WHERE kind = 'payout' AND reference = $1";
    let paid: i64 = stack.sql().query_one(paid, &[&id]).unwrap().get(0);
    assert_eq!((paid, wallet(&user)), (1, 99_999));
}

/// Splitting a large sum does not avoid the second admin.
#[test]
fn small_cash_outs_within_a_day_count_as_one_large() {
    let stack = Stack::shared();
    let (user, first) = (rich(&stack, 310_000), User::admin(&stack));
    let destination = bank(&user);
    let ask = |amount: i64| text(&cash_out(&user, &destination, amount).expect(201).json()["id"]);
    let amounts = [60_000, 40_000, 50_000, 50_000];
    let ids = amounts.map(ask);
    // The admin's own proposal of yesterday does not help either.
    let me = text(&first.get("/auth/me").send().expect(200).json()["id"]);
    let proposed = "INSERT INTO payments.manual_act (subject, about, act, stage, amount, currency, actor, acted_at)
        VALUES ('payout', $1, 'approved', 'proposed', $2, 'USD', $3::text::uuid, now() - interval '1 day')";
    for (id, amount) in ids.iter().zip(&amounts) {
        stack.sql().execute(proposed, &[id, amount, &me]).unwrap();
    }
    let statuses = at_once(ids.len(), |number| {
        end(&first, &ids[number], "approved").status()
    });
    // At most 1 000.00 are approved, in any order.
    let gone =
        "SELECT sum(amount)::bigint FROM payments.payout JOIN payments.transfer ON id = withdrawal
        WHERE approved_by IS NOT NULL AND destination::text = $1";
    let gone: i64 = stack.sql().query_one(gone, &[&destination]).unwrap().get(0);
    assert!((50_000..=100_000).contains(&gone), "{gone}, {statuses:?}");
    assert!(statuses.contains(&202), "{statuses:?}");
    for id in &ids {
        end(&User::second_admin(&stack), id, "approved").expect(200);
    }
    // The second one waits until the first has counted.
    let admin = Uuid::new_v4();
    let [one, two] = [60_000, 50_000].map(|amount| {
        let id = ask(amount);
        format!("SELECT approve_payout('{id}', '{admin}', 'the bank says so', 100000)")
    });
    let outcomes = stack.overlap("payments", &one, &two);
    assert_eq!(outcomes, ("moved".to_owned(), "proposed".to_owned()));
    assert_sound(&stack);
}

/// Money that an admin records as returned may exist twice: at the bank and in the wallet.
#[test]
fn one_admin_cannot_approve_a_returned_cash_out_again_and_again() {
    let stack = Stack::shared();
    let (user, admin) = (rich(&stack, 60_000), User::admin(&stack));
    let destination = bank(&user);
    let ask = || text(&cash_out(&user, &destination, 60_000).expect(201).json()["id"]);
    let first = ask();
    for what in ["approved", "paid", "returned"] {
        end(&admin, &first, what).expect(200);
    }
    let second = ask();
    end(&admin, &second, "approved").expect(202);
    end(&User::second_admin(&stack), &second, "approved").expect(200);
    assert_sound(&stack);
}

/// The same limit holds for payouts that an admin records as returned.
#[test]
fn small_returned_payouts_of_one_admin_within_a_day_count_as_one_large() {
    let stack = Stack::shared();
    let user = rich(&stack, 150_000);
    let destination = bank(&user);
    let ask = |amount: i64| text(&cash_out(&user, &destination, amount).expect(201).json()["id"]);
    let ids = [50_000; 3].map(ask);
    let act = |act: &str, id: &str, admin: Uuid| -> String {
        let act = format!("SELECT {act}($1::text::uuid, $2, 'the bank says so', 100000)");
        let done = ledger(&stack).query_one(&act, &[&id, &admin]);
        done.unwrap().get(0)
    };
    for id in &ids {
        assert_eq!(act("approve_payout", id, Uuid::new_v4()), "moved");
    }
    let first = Uuid::new_v4();
    let mut outcomes = at_once(3, |number| {
        act("return_payout_by_hand", &ids[number], first)
    });
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["moved", "moved", "proposed"]);
    assert_eq!(wallet(&user), 100_000);
    assert_sound(&stack);
}

#[test]
fn a_rejected_cash_out_is_paid_back_once() {
    let stack = Stack::shared();
    let (user, admin) = (rich(&stack, 500), User::admin(&stack));
    let id = open(&user, 500);
    let statuses = at_once(8, |_| end(&admin, &id, "returned").status());
    assert!(statuses.iter().all(|it| *it == 200), "{statuses:?}");
    assert_eq!(
        (wallet(&user), &shown(&user, &id)["state"]),
        (500, &json!("returned"))
    );
    // The bank could not carry out this cash-out.
    let again = text(
        &cash_out(&user, &text(&shown(&user, &id)["destination_id"]), 500)
            .expect(201)
            .json()["id"],
    );
    end(&admin, &again, "approved").expect(200);
    end(&admin, &again, "returned").expect(200);
    end(&admin, &again, "paid").expect(409);
    assert_eq!(wallet(&user), 500);
    assert_sound(&stack);
}

#[test]
fn a_cash_out_moves_once_per_key_and_never_more_than_the_balance() {
    let stack = Stack::shared();
    let user = rich(&stack, 1000);
    let (destination, key) = (bank(&user), key());
    let ask = |amount: i64| {
        let body = json!({ "destination_id": destination, "amount": amount });
        let request = user
            .post("/payment/cash-outs")
            .header("idempotency-key", &key);
        request.json(&body).send()
    };
    let first = ask(400).expect(201).json();
    assert_eq!(ask(400).expect(201).json()["id"], first["id"]);
    ask(500).expect(422);
    assert_eq!(wallet(&user), 600);
    let statuses = at_once(8, |_| cash_out(&user, &destination, 200).status());
    assert_eq!(
        statuses.iter().filter(|it| **it == 201).count(),
        3,
        "{statuses:?}"
    );
    assert_eq!(wallet(&user), 0);
    for wrong in [0, -1, 1_000_000_000_001] {
        cash_out(&user, &destination, wrong).expect(400);
    }
}

#[test]
fn an_erased_persons_destination_is_erased_once_no_payout_needs_it() {
    let stack = Stack::shared();
    let (user, admin) = (rich(&stack, 100), User::admin(&stack));
    let id = open(&user, 60);
    let owner: Uuid = text(&user.get("/auth/me").send().expect(200).json()["id"])
        .parse()
        .unwrap();
    let forget = "SELECT payments.forget_holder($1, 9223372036854775807)";
    stack.sql().execute(forget, &[&owner]).unwrap();
    let kept = || -> i64 {
        let kept = "SELECT count(*) FROM payments.destination WHERE owner = $1 AND account <> ''";
        stack.sql().query_one(kept, &[&owner]).unwrap().get(0)
    };
    assert_eq!(kept(), 1);
    end(&admin, &id, "approved").expect(200);
    end(&admin, &id, "paid").expect(200);
    assert_eq!(kept(), 0);
}

#[test]
fn a_receipt_is_for_the_person_who_moved_the_money() {
    let stack = Stack::shared();
    let (user, stranger, admin) = (
        rich(&stack, 1000),
        User::driver(&stack),
        User::admin(&stack),
    );
    let id = open(&user, 600);
    let path = format!("/payment/receipts/{id}");
    let receipt = user.get(&path).send().expect(200).json();
    for (field, value) in [
        ("transfer_id", json!(id)),
        ("kind", json!("withdrawal")),
        ("direction", json!("out")),
        ("amount", json!(600)),
        ("currency", json!("USD")),
        ("status", json!("open")),
        ("from", json!("your wallet")),
        ("to", json!("payout")),
        ("description", json!("Cash-out to ****6789")),
    ] {
        assert_eq!(receipt[field], value, "{field}");
    }
    end(&admin, &id, "approved").expect(200);
    end(&admin, &id, "paid").expect(200);
    let page = user.get(&format!("{path}/receipt.html")).send().expect(200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let html = page.text();
    for shown in [
        format!("Receipt {}", receipt["number"]),
        "6.00 USD".to_owned(),
        "<td>paid".to_owned(),
    ] {
        assert!(html.contains(&shown), "{shown}: {html}");
    }
    for path in [path.clone(), format!("{path}/receipt.html")] {
        stranger.get(&path).send().expect(404);
        stack.get(&path).send().expect(401);
    }

    // The payer of a sale through the provider has a receipt, too; a receipt between users names no person.
    let body = json!({ "order_id": "7", "amount": 10, "customer_id": 7 });
    let paid = user
        .post("/payments/")
        .json(&body)
        .send()
        .expect(200)
        .json();
    let paid = text(&paid["payment_id"]);
    user.get(&format!("/payment/receipts/{paid}"))
        .send()
        .expect(404);
    let approve = format!("/payments/{paid}?new_status=approved&reason=paid+in+cash");
    admin.request("PATCH", &approve).send().expect(200);
    let sale = user
        .get(&format!("/payment/receipts/{paid}"))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&sale["kind"], &sale["direction"], &sale["to"]),
        (&json!("sale"), &json!("out"), &json!("sales"))
    );
}
