//! The parking wallet: balance, transactions, promo codes, statements.

use std::thread;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Stack, User, at_once, unique};

use super::ledger::{ledger, pay, user_with};
use super::{activate, assert_sound, key, promocode, wallet};

#[test]
fn a_wallet_is_there_before_its_first_use() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let balance = user.get("/payment/balance").send().expect(200).json();
    assert_eq!(
        (&balance["balance"], &balance["currency"]),
        (&json!(0), &json!("USD"))
    );
    assert!(balance["user_id"].is_string());
    assert_eq!(
        user.get("/payment/transactions").send().expect(200).json(),
        json!([])
    );
}

#[test]
fn a_promo_code_adds_its_amount_and_shows_its_remaining_uses() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::driver(&stack));
    let code = unique("SUMMER");
    let body = json!({ "code": code, "amount": 5000, "max_uses": 2, "expires_at": "2999-01-01T00:00:00Z" });
    let made = admin
        .post("/payment/promocode/create")
        .json(&body)
        .send()
        .expect(200)
        .json();
    assert_eq!(
        made,
        json!({ "code": code, "amount": 5000, "max_uses": 2, "remaining_uses": 2, "expires_at": "2999-01-01T00:00:00Z" })
    );
    let balance = activate(&user, &code).expect(200).json();
    assert_eq!(
        (&balance["balance"], &balance["currency"]),
        (&json!(5000), &json!("USD"))
    );
    // Without a limit per user, the same user may claim it again.
    activate(&user, &code).expect(200);
    let told = user
        .get(&format!("/payment/promocode/{code}"))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&told["used_count"], &told["remaining_uses"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(told["is_active"], false);
    let used_up = activate(&user, &code).expect(400).json();
    assert_eq!(
        (&used_up["error_status_code"], &used_up["code"]),
        (&json!(400), &json!("promocode-used-up"))
    );

    let transactions = user
        .get("/payment/transactions?limit=1")
        .send()
        .expect(200)
        .json();
    assert_eq!(transactions.as_array().unwrap().len(), 1);
    let newest = &transactions[0];
    assert!(newest["id"].is_i64(), "{newest}");
    let said = format!("Activated promocode {code}");
    assert_eq!(newest["description"], said);
    // Absent members are left out, as clients expect.
    assert_eq!(newest.get("booking_id"), None, "{newest}");
    assert_eq!(
        (&newest["amount"], &newest["transaction_type"]),
        (&json!(5000), &json!("promocode_activate"))
    );
    assert_eq!(
        (&newest["status"], &newest["booking_id"]),
        (&json!("completed"), &Value::Null)
    );
    assert_eq!(newest["user_id"], balance["user_id"]);
}

#[test]
fn a_promo_code_may_last_to_the_end_of_the_year_9999() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let create = |expires_at: &str| {
        let body = json!({ "amount": 1, "expires_at": expires_at });
        admin.post("/payment/promocode").json(&body).send()
    };
    // A common way to write "never", and the last moment that a timestamp reaches.
    for never in ["9999-12-31T23:59:59Z", "9999-12-30T22:00:00.999Z"] {
        let made = create(never).expect(200).json();
        assert_eq!(made["expires_at"], "9999-12-30T22:00:00.999Z");
        let code = made["code"].as_str().unwrap();
        let told = admin.get(&format!("/payment/promocode/{code}")).send();
        assert_eq!(told.expect(200).json()["is_active"], true);
        admin.get("/payment/promocode").send().expect(200);
    }
    create("9999-12-31T25:00:00Z").expect(422);
}

#[test]
fn each_refusal_of_a_promo_code_has_its_own_status() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::driver(&stack));
    activate(&user, &unique("unknown")).expect(404);
    for malformed in ["", "abc", "with space", "'; DROP TABLE transfer; --"] {
        activate(&user, malformed).expect(400);
    }
    user.post("/payment/promocode/activate")
        .json(&json!({}))
        .send()
        .expect(422);
    user.get(&format!("/payment/promocode/{}", unique("unknown")))
        .send()
        .expect(404);

    let over = json!({ "code": unique("OVER"), "amount": 1, "expires_at": "2020-01-01T00:00:00Z" });
    let over = admin
        .post("/payment/promocode")
        .json(&over)
        .send()
        .expect(200)
        .json();
    let refused = activate(&user, over["code"].as_str().unwrap())
        .expect(400)
        .json();
    assert_eq!(refused["code"], "promocode-expired");

    user.post("/payment/promocode")
        .json(&json!({ "amount": 1 }))
        .send()
        .expect(403);
    for wrong in [
        json!({ "amount": 0 }),
        json!({ "amount": -5 }),
        json!({ "amount": 1_000_000_000_001_i64 }),
        json!({ "amount": 1, "max_uses": 0 }),
        json!({ "amount": 1, "max_uses_per_user": 0 }),
        json!({ "amount": 1, "code": "a b" }),
        json!({ "amount": 1, "code": "activate" }),
        json!({ "amount": 1, "code": "create" }),
        json!({ "amount": 1, "code": over["code"] }),
    ] {
        admin
            .post("/payment/promocode")
            .json(&wrong)
            .send()
            .expect(400);
    }
    for wrong in [
        json!({ "amount": 1.5 }),
        json!({ "amount": "1" }),
        json!({}),
    ] {
        admin
            .post("/payment/promocode")
            .json(&wrong)
            .send()
            .expect(422);
    }
    assert_eq!(wallet(&user), 0);
}

#[test]
fn a_code_generated_from_the_balance_is_worth_what_it_cost() {
    let stack = Stack::shared();
    let (admin, giver, taker) = (
        User::admin(&stack),
        User::driver(&stack),
        User::driver(&stack),
    );
    activate(&giver, &promocode(&admin, 1000, 1)).expect(200);
    let generate = |amount: i64| {
        giver
            .post("/payment/promocode/generate")
            .json(&json!({ "amount": amount }))
            .send()
    };
    let made = generate(400).expect(200).json();
    let code = made["code"].as_str().unwrap();
    assert_eq!(
        made,
        json!({ "code": code, "amount": 400, "max_uses": 1, "remaining_uses": 1 })
    );
    assert!(
        code.len() == 16 && code.bytes().all(|it| it.is_ascii_hexdigit()),
        "{code}"
    );
    assert_eq!(wallet(&giver), 600);
    let poor = generate(601).expect(400).json();
    assert_eq!(poor["error_message"], "insufficient funds");
    for wrong in [0, -1, 1_000_000_000_001] {
        generate(wrong).expect(400);
    }
    for wrong in [json!(1.5), json!("1"), json!(null), json!(1e300)] {
        giver
            .post("/payment/promocode/generate")
            .json(&json!({ "amount": wrong }))
            .send()
            .expect(422);
    }
    activate(&taker, code).expect(200);
    activate(&taker, code).expect(400);
    assert_eq!((wallet(&giver), wallet(&taker)), (600, 400));
}

#[test]
fn ten_of_100_activations_of_a_10_use_code_succeed() {
    let stack = Stack::shared();
    let admin = User::admin(&stack);
    let users: Vec<_> = (0..10).map(|_| User::driver(&stack)).collect();
    let code = promocode(&admin, 7, 10);
    let statuses = at_once(100, |number| activate(&users[number % 10], &code).status());
    let with = |status| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((with(200), with(400)), (10, 90), "{statuses:?}");
    assert_eq!(users.iter().map(wallet).sum::<i64>(), 70);
    assert_sound(&stack);
}

/// The bound keeps a popular code from taking all connections.
#[test]
fn four_claims_queue_for_a_code_and_a_fifth_is_retried() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::driver(&stack));
    let (code, other) = (promocode(&admin, 7, 10), promocode(&admin, 5, 10));
    let sit = "SELECT take_seat(id, 1, 4) FROM promocode WHERE code = $1";
    let waiting = [(); 4].map(|()| {
        let mut sql = stack.sql();
        sql.batch_execute("SET search_path = payments; BEGIN")
            .unwrap();
        let is_admitted: bool = sql.query_one(sit, &[&code]).unwrap().get(0);
        assert!(is_admitted);
        sql
    });
    let claim =
        "SELECT outcome FROM claim_promocode(gen_random_uuid(), gen_random_uuid(), $1, NULL)";
    let claim =
        |code: &str| -> String { ledger(&stack).query_one(claim, &[&code]).unwrap().get(0) };
    assert_eq!(
        (claim(&code), claim(&other)),
        ("crowded".into(), "moved".into())
    );
    let claimed = thread::scope(|scope| {
        let claimed = scope.spawn(|| activate(&user, &code));
        drop(waiting);
        claimed.join().unwrap()
    });
    claimed.expect(200);
    assert_eq!(wallet(&user), 7);
}

#[test]
fn a_code_can_be_limited_per_user() {
    let stack = Stack::shared();
    let (admin, ana, ben) = (
        User::admin(&stack),
        User::driver(&stack),
        User::driver(&stack),
    );
    let body =
        json!({ "code": unique("ONCE"), "amount": 5, "max_uses": 50, "max_uses_per_user": 2 });
    let code = admin
        .post("/payment/promocode")
        .json(&body)
        .send()
        .expect(200)
        .json();
    let code = code["code"].as_str().unwrap();
    // Other codes do not count.
    for _ in 0..2 {
        activate(&ana, &promocode(&admin, 3, 1)).expect(200);
    }
    let statuses = at_once(16, |_| activate(&ana, code).status());
    assert_eq!(
        statuses.iter().filter(|it| **it == 200).count(),
        2,
        "{statuses:?}"
    );
    activate(&ben, code).expect(200);
    assert_eq!((wallet(&ana), wallet(&ben)), (16, 5));
}

#[test]
fn an_admin_lists_codes_and_withdraws_those_that_were_not_paid_for() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::driver(&stack));
    let code = promocode(&admin, 100, 5);
    activate(&user, &code).expect(200);
    let made = user
        .post("/payment/promocode/generate")
        .json(&json!({ "amount": 40 }))
        .send()
        .expect(200)
        .json();
    let paid_for = made["code"].as_str().unwrap();
    let path = |code: &str| format!("/payment/promocode/{code}?reason=it+was+guessed");
    let listed = admin
        .get("/payment/promocode?limit=100")
        .send()
        .expect(200)
        .json();
    let listed: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["code"].as_str().unwrap())
        .collect();
    // The list masks it: its maker paid for it, and every reader of the list could claim it.
    let masked = format!("{}************", &paid_for[..4]);
    assert!(
        listed.contains(&code.as_str()) && listed.contains(&masked.as_str()),
        "{listed:?}"
    );
    assert!(!listed.contains(&paid_for), "{listed:?}");
    let own = |user: &User| user.get("/payment/promocodes").send().expect(200).json();
    assert_eq!(own(&user)[0]["code"], paid_for);
    assert_eq!(
        own(&admin)
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["code"] == paid_for),
        None
    );
    user.get("/payment/promocode").send().expect(403);
    user.delete(&path(&code)).send().expect(403);
    admin.delete(&path(&code)).send().expect(204);
    admin.delete(&path(&code)).send().expect(204);
    let over = activate(&user, &code).expect(400).json();
    assert_eq!(over["code"], "promocode-expired");
    let lasting = json!({ "amount": 100, "max_uses": 5, "expires_at": "2999-01-01T00:00:00Z" });
    let made = admin.post("/payment/promocode").json(&lasting).send();
    let lasting = made.expect(200).json()["code"].as_str().unwrap().to_owned();
    admin.delete(&path(&lasting)).send().expect(204);
    activate(&user, &lasting).expect(400);
    admin.delete(&path(&unique("nobody_s"))).send().expect(404);
    let unexplained = format!("/payment/promocode/{lasting}");
    admin.delete(&unexplained).send().expect(422);
    let acts = admin.get(&format!("/payments/acts?about={lasting}"));
    let acts = acts.send().expect(200).json();
    assert_eq!(
        (&acts[0]["act"], &acts[0]["reason"]),
        (&json!("withdrawn"), &json!("it was guessed"))
    );
    let refused = admin.delete(&path(paid_for)).send().expect(409).json();
    assert_eq!(refused["code"], "promocode-paid-for");
    activate(&user, paid_for).expect(200);
    assert_eq!(wallet(&user), 100);
}

#[test]
fn an_activation_sent_again_with_its_key_counts_once() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::driver(&stack));
    let code = promocode(&admin, 30, 5);
    let key = key();
    let copy = || {
        let body = json!({ "code": code });
        user.post("/payment/promocode/activate")
            .header("idempotency-key", &key)
            .json(&body)
            .send()
    };
    let first = copy().expect(200).json();
    activate(&user, &code).expect(200);
    assert_eq!(copy().expect(200).json(), first);
    assert_eq!(wallet(&user), 60);
}

#[test]
fn a_statement_has_running_balances_pages_and_past_moments() {
    let stack = Stack::shared();
    let (admin, user) = (User::admin(&stack), User::driver(&stack));
    for amount in [100, 200, 300] {
        activate(&user, &promocode(&admin, amount, 1)).expect(200);
    }
    let page = |query: &str| {
        user.get(&format!("/payment/statement{query}"))
            .send()
            .expect(200)
            .json()
    };
    let first = page("?limit=2");
    let balances = |page: &Value| {
        let entries = page["entries"].as_array().unwrap().iter();
        entries
            .map(|it| {
                (
                    it["amount"].as_i64().unwrap(),
                    it["balance"].as_i64().unwrap(),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(balances(&first), [(300, 600), (200, 300)]);
    let second = page(&format!("?limit=2&before={}", first["next"]));
    assert_eq!(
        (balances(&second), &second["next"]),
        (vec![(100, 100)], &Value::Null)
    );

    let csv = user.get("/payment/statement.csv").send().expect(200);
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<_> = csv.text().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines[1].contains(",promo_activation,300,600,USD,promo,"),
        "{}",
        lines[1]
    );

    let then = first["entries"][1]["created_at"].as_str().unwrap();
    let past = user
        .get(&format!("/payment/balance?at={then}"))
        .send()
        .expect(200)
        .json();
    assert_eq!(past["balance"], 300);
    let before = user
        .get("/payment/balance?at=2020-01-01T00:00:00Z")
        .send()
        .expect(200)
        .json();
    assert_eq!(before["balance"], 0);
}

#[test]
fn only_booking_transactions_have_a_booking_id() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    activate(&user, &promocode(&User::admin(&stack), 500, 1)).expect(200);
    let me = user.get("/auth/me").send().expect(200).json();
    let pay = "SELECT outcome FROM payments.pay(gen_random_uuid(), $1::text::uuid, gen_random_uuid(), 100, 'USD', $2,
            'Parking ticket 7', NULL)";
    let mut sql = stack.sql();
    for reference in ["ticket:7", "8"] {
        sql.execute(pay, &[&me["user_id"].as_str(), &reference])
            .unwrap();
    }
    let rows = user.get("/payment/transactions").send().expect(200).json();
    assert_eq!(
        (&rows[0]["booking_id"], &rows[0]["description"]),
        (&json!(8), &json!("Charge for booking 8"))
    );
    assert_eq!(
        (&rows[1]["booking_id"], &rows[1]["description"]),
        (&json!(null), &json!("Parking ticket 7"))
    );
}

#[test]
fn a_claim_answers_the_spendable_balance() {
    let stack = Stack::shared();
    let user = User::driver(&stack);
    let me = user.get("/auth/me").send().expect(200).json();
    let sql = &mut ledger(&stack);
    let (payer, me) = (user_with(sql, 60), me["user_id"].as_str().unwrap());
    let paid = pay(
        sql,
        Uuid::new_v4(),
        payer,
        me.parse().unwrap(),
        60,
        "1 hour",
    );
    assert_eq!(paid, "moved");
    let code = promocode(&User::admin(&stack), 40, 1);
    let answered = activate(&user, &code).expect(200).json();
    assert_eq!(
        (&answered["balance"], &answered["held"]),
        (&json!(40), &json!(60))
    );
    let shown = user.get("/payment/balance").send().expect(200).json();
    assert_eq!(answered, shown);
}
