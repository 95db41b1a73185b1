//! Manual acts: they are traced, make no money of users, and above an amount take two admins.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Answer, Options, Stack, User, eventually, unique};

use super::cash_outs::{bank, cash_out, rich, text};
use super::ledger::{funds, ledger, pay, user_with};
use super::stuck::{Stuck, erase};
use super::{account, assert_sound};

fn order(user: &User, amount: f64) -> String {
    let body = json!({ "order_id": unique("order"), "amount": amount, "customer_id": 7 });
    let payment = user
        .post("/payments/")
        .json(&body)
        .send()
        .expect(200)
        .json();
    payment["payment_id"].as_str().unwrap().to_owned()
}

fn approve(admin: &User, payment: &str) -> Answer {
    let path = format!("/payments/{payment}?new_status=approved&reason=paid+in+cash");
    admin.request("PATCH", &path).send()
}

fn acts(admin: &User, about: &str) -> Vec<Value> {
    let path = format!("/payments/acts?about={about}");
    let acts = admin.get(&path).send().expect(200).json();
    acts.as_array().unwrap().clone()
}

/// Whether a proposal about it waits for a second admin.
fn waits(admin: &User, about: &str) -> bool {
    let proposals = admin.get("/payments/proposals?limit=100").send();
    let proposals = proposals.expect(200).json();
    let mut proposals = proposals.as_array().unwrap().iter();
    proposals.any(|it| it["about"] == about)
}

#[test]
fn every_manual_act_records_its_admin_time_and_reason() {
    let stack = Stack::shared();
    let (user, admin) = (User::driver(&stack), User::admin(&stack));
    let payment = order(&user, 10.0);
    approve(&admin, &payment).expect(200);
    let acts = acts(&admin, &payment);
    let me = admin.get("/auth/me").send().expect(200).json()["id"].clone();
    assert_eq!(acts.len(), 1, "{acts:?}");
    for (field, value) in [
        ("actor", me),
        ("act", json!("approved")),
        ("stage", json!("done")),
        ("amount", json!(10)),
        ("reason", json!("paid in cash")),
    ] {
        assert_eq!(acts[0][field], value, "{field}");
    }
    assert!(acts[0]["acted_at"].is_string());
    user.get("/payments/acts").send().expect(403);
    for rewrite in [
        "DELETE FROM payments.manual_act WHERE about = $1",
        "UPDATE payments.manual_act SET reason = 'by phone' WHERE about = $1",
    ] {
        let refused = stack.sql().execute(rewrite, &[&payment]).unwrap_err();
        let why = refused.as_db_error().unwrap().message();
        assert!(why.contains("never changed"), "{rewrite}: {why}");
    }
}

#[test]
fn above_an_amount_it_takes_two_admins() {
    let stack = Stack::shared();
    let (user, first) = (User::driver(&stack), User::admin(&stack));
    let second = User::second_admin(&stack);
    let payment = order(&user, 1000.01);
    let proposed = approve(&first, &payment).expect(202).json();
    assert_eq!(proposed["status"], "pending");
    // Repetitions by the same admin change nothing.
    approve(&first, &payment).expect(202);
    assert_eq!(acts(&first, &payment).len(), 1);
    assert!(waits(&second, &payment));
    user.get("/payments/proposals").send().expect(403);
    let done = approve(&second, &payment).expect(200).json();
    assert_eq!(done["status"], "approved");
    let stages: Vec<_> = acts(&first, &payment)
        .iter()
        .map(|it| it["stage"].clone())
        .collect();
    assert_eq!(stages, [json!("done"), json!("proposed")]);
    assert!(!waits(&first, &payment));
    // A different act is a new proposal.
    let path = format!("/payments/{payment}?new_status=refunded&reason=cash+was+false");
    second.request("PATCH", &path).send().expect(202);
    second.request("PATCH", &path).send().expect(202);
    assert!(waits(&first, &payment));
    let back = first.request("PATCH", &path).send().expect(200).json();
    assert_eq!(back["status"], "refunded");
    assert_sound(&stack);
}

#[test]
fn a_proposal_is_good_for_a_week() {
    let stack = Stack::shared();
    let (user, first) = (User::driver(&stack), User::admin(&stack));
    let second = User::second_admin(&stack);
    let payment = order(&user, 5000.0);
    let old = "INSERT INTO payments.manual_act (subject, about, act, stage, amount, currency, actor, acted_at)
        VALUES ('payment', $1, 'approved', 'proposed', 500000, 'BRL', gen_random_uuid(), now() - interval '8 days')";
    stack.sql().execute(old, &[&payment]).unwrap();
    assert!(!waits(&first, &payment));
    approve(&first, &payment).expect(202);
    approve(&second, &payment).expect(200);
}

/// The proposals of an erased admin end.
#[test]
fn a_proposal_of_an_admin_who_was_erased_is_no_consent() {
    let stack = Stack::shared();
    let (user, first) = (User::driver(&stack), User::admin(&stack));
    let (payment, gone) = (order(&user, 5000.0), Uuid::new_v4());
    let proposed =
        "INSERT INTO payments.manual_act (subject, about, act, stage, amount, currency, actor)
        VALUES ('payment', $1, 'approved', 'proposed', 500000, 'BRL', $2)";
    let mut sql = stack.sql();
    sql.execute(proposed, &[&payment, &gone]).unwrap();
    assert!(waits(&first, &payment));
    let forget = "SELECT payments.forget_holder($1, 9223372036854775807)";
    sql.execute(forget, &[&gone]).unwrap();
    assert!(!waits(&first, &payment));
    approve(&first, &payment).expect(202);
    approve(&User::second_admin(&stack), &payment).expect(200);
}

/// The role is taken, or the account disabled. An admin who is promoted again proposes again.
#[test]
fn a_proposal_of_an_admin_who_lost_the_role_since_is_no_consent() {
    let stack = Stack::shared();
    let (user, first) = (User::driver(&stack), User::admin(&stack));
    let mut second = User::second_admin(&stack);
    let id = text(&second.get("/auth/me").send().expect(200).json()["id"]);
    let set_role = |role: &str| {
        let roles = json!({ "roles": [role] });
        let path = format!("/auth/users/{id}/roles");
        first.put(&path).json(&roles).send().expect(200);
    };
    let set_disabled = |how: &str| {
        let path = format!("/auth/users/{id}/{how}");
        first.post(&path).send().expect(200);
    };
    let heard = "SELECT EXISTS (
        SELECT FROM payments.holder JOIN payments.manual_act ON actor = holder.id
        WHERE about = $1 AND demoted_at > acted_at)";
    let mut sql = stack.sql();
    for is_disabled in [false, true] {
        let payment = order(&user, 5000.0);
        approve(&second, &payment).expect(202);
        if is_disabled {
            set_disabled("disable");
            set_disabled("enable");
        } else {
            set_role("driver");
            set_role("admin");
        }
        eventually("payments knows of it", Duration::from_secs(60), || {
            sql.query_one(heard, &[&payment]).unwrap().get(0)
        });
        let proposed = approve(&first, &payment).expect(202).json();
        assert_eq!(proposed["status"], "pending");
        let body = json!({ "login": second.login, "password": second.password });
        let signed_in = stack.post("/login").json(&body).send().expect(200).json();
        second.token = text(&signed_in["token"]);
        approve(&second, &payment).expect(200);
    }
}

/// The event of an earlier demotion may come after that of a later one, and twice.
#[test]
fn a_proposal_counts_when_its_admin_was_last_demoted_before_it() {
    let stack = Stack::shared();
    let (user, admin) = (User::driver(&stack), User::admin(&stack));
    let cases: [(&[i32], u16); 4] = [
        (&[3, 3], 200),
        (&[1], 202),
        (&[1, 3], 202),
        (&[3, 1, 3], 202),
    ];
    for (hours_ago, status) in cases {
        let (payment, other) = (order(&user, 5000.0), Uuid::new_v4());
        let proposed =
            "INSERT INTO payments.manual_act (subject, about, act, stage, amount, currency, actor, acted_at)
            VALUES ('payment', $1, 'approved', 'proposed', 500000, 'BRL', $2, now() - interval '2 hours')";
        let proposed = stack.sql().execute(proposed, &[&payment, &other]);
        assert_eq!(proposed.unwrap(), 1);
        for hours in hours_ago {
            let demoted = "SELECT note_demotion($1, now() - $2::int * interval '1 hour')";
            ledger(&stack).execute(demoted, &[&other, hours]).unwrap();
        }
        let answered = approve(&admin, &payment).status();
        assert_eq!(answered, status, "demoted {hours_ago:?} hours ago");
    }
}

/// The first admin agreed to other money.
#[test]
fn a_proposal_of_another_amount_is_no_consent() {
    let stack = Stack::shared();
    let (user, admin) = (User::driver(&stack), User::admin(&stack));
    for (amount, currency) in [(499_999_i64, "BRL"), (500_000, "EUR")] {
        let payment = order(&user, 5000.0);
        let other =
            "INSERT INTO payments.manual_act (subject, about, act, stage, amount, currency, actor)
            VALUES ('payment', $1, 'approved', 'proposed', $2, $3, gen_random_uuid())";
        let other = stack.sql().execute(other, &[&payment, &amount, &currency]);
        assert_eq!(other.unwrap(), 1);
        approve(&admin, &payment).expect(202);
        approve(&User::second_admin(&stack), &payment).expect(200);
    }
}

#[test]
fn an_admin_alone_does_nothing_for_their_own_benefit() {
    let stack = Stack::shared();
    let (first, second) = (User::admin(&stack), User::second_admin(&stack));
    let payment = order(&second, 1.0);
    approve(&second, &payment).expect(202);
    approve(&first, &payment).expect(200);

    // Admins cannot return their own withdrawal alone, even one that was not approved.
    let sql = &mut ledger(&stack);
    let (second, first) = (user_with(sql, 100_001), Uuid::new_v4());
    let (bank, withdrawal) = (Uuid::new_v4(), Uuid::new_v4());
    let add = "SELECT add_destination($1, $2, 'us_bank', 'USD', 'Ana Souza', '021000021/123456789', '****6789', 0)";
    sql.execute(add, &[&bank, &second]).unwrap();
    let start = "SELECT outcome FROM start_cash_out($1, $2, $3, 100001)";
    let started = sql.query_one(start, &[&withdrawal, &second, &bank]);
    assert_eq!(started.unwrap().get::<_, String>(0), "moved");
    let mut act = |act: &str, admin: Uuid| -> String {
        let act = format!("SELECT {act}($1, $2, 'the bank says so', 100000)");
        sql.query_one(&act, &[&withdrawal, &admin]).unwrap().get(0)
    };
    assert_eq!(act("return_payout_by_hand", second), "proposed");
    // A proposal to return it is no consent to pay it out.
    assert_eq!(act("approve_payout", first), "proposed");
    assert_eq!(act("return_payout_by_hand", first), "moved");
    assert_eq!(funds(sql, second), (100_001, 0));
}

/// The first admin proposed another claimant.
#[test]
fn a_proposal_for_another_claimant_is_no_consent() {
    let stack = Stack::shared();
    let sql = &mut ledger(&stack);
    let erased = user_with(sql, 100_001);
    erase(&stack, erased, 100_001);
    let [heir, other, first, second] = [(); 4].map(|()| Uuid::new_v4());
    for claimant in [heir, other] {
        let known = "SELECT note_holder($1, NULL, 1, 'USD')";
        sql.execute(known, &[&claimant]).unwrap();
    }
    let mut hand_over = |claimant: Uuid, admin: Uuid| -> String {
        let hand_over = "SELECT hand_over($1, 'USD', $2, $3, 'passport seen', 100000)";
        let handed = sql.query_one(hand_over, &[&erased, &claimant, &admin]);
        handed.unwrap().get(0)
    };
    assert_eq!(hand_over(heir, first), "proposed");
    assert_eq!(hand_over(other, second), "proposed");
    assert_eq!(hand_over(other, first), "moved");
    assert_eq!(
        (funds(sql, heir), funds(sql, other)),
        ((0, 0), (100_001, 0))
    );
    assert_sound(&stack);
}

/// Older acts do not count, nor do proposals that another admin, who kept the role, made just before.
#[test]
fn acts_of_one_admin_alone_within_a_day_are_added_up() {
    let stack = Stack::shared();
    let user = rich(&stack, 660_000);
    let bank = bank(&user);
    let mut owner = stack.sql();
    owner.batch_execute("SET search_path = payments").unwrap();
    for (done, agreed, demoted, outcome) in [
        ("23 hours", None, None, "proposed"),
        ("25 hours", None, None, "moved"),
        ("23 hours", Some("6 days"), None, "moved"),
        ("23 hours", Some("8 days"), None, "proposed"),
        ("23 hours", Some("6 days"), Some("24 hours"), "proposed"),
        ("23 hours", Some("6 days"), Some("22 hours"), "moved"),
    ] {
        let admin = Uuid::new_v4();
        let [earlier, next] = [60_000, 50_000].map(|amount| {
            let asked = cash_out(&user, &bank, amount).expect(201).json();
            text(&asked["id"])
        });
        let approved =
            "UPDATE payout SET approved_at = now() - $1::text::interval, approved_by = $2
            WHERE withdrawal = $3::text::uuid";
        let approved = owner.execute(approved, &[&done, &admin, &earlier]);
        assert_eq!(approved.unwrap(), 1);
        let refunded = Uuid::new_v4().to_string();
        for (subject, about, act) in [
            ("payout", &earlier, "approved"),
            ("refund", &refunded, "settled"),
        ] {
            let proposal =
                agreed.map(|before| ("proposed", Uuid::new_v4(), format!("{done} {before}")));
            if let (Some((_, other, _)), Some(ago)) = (&proposal, &demoted) {
                let note = "SELECT note_demotion($1, now() - $2::text::interval)";
                owner.execute(note, &[other, ago]).unwrap();
            }
            let done = ("done", admin, done.to_owned());
            for (stage, actor, ago) in proposal.into_iter().chain([done]) {
                let note = "INSERT INTO manual_act (subject, about, act, stage, amount, currency, actor, acted_at)
                    VALUES ($1, $2, $3, $4, 60000, 'USD', $5, now() - $6::text::interval)";
                let noted = owner.execute(note, &[&subject, about, &act, &stage, &actor, &ago]);
                assert_eq!(noted.unwrap(), 1);
            }
        }
        let refund = Stuck::of(&stack, 50_000, 0).refund.to_string();
        for (act, about) in [
            ("approve_payout($1::text::uuid", next),
            ("settle_stuck($1", refund),
        ] {
            let act = format!("SELECT {act}, $2, 'seen on the statement', 100000)");
            let acted = ledger(&stack).query_one(&act, &[&about, &admin]);
            let acted: String = acted.unwrap().get(0);
            assert_eq!(
                acted, outcome,
                "{act} after {done}, agreed on {agreed:?} before, demoted {demoted:?} ago"
            );
        }
    }
    assert_sound(&stack);
}

/// No single one would take a second admin.
#[test]
fn small_hand_overs_of_one_admin_within_a_day_count_as_one_large() {
    let stack = Stack::shared();
    let mut sql = ledger(&stack);
    let [first, heir] = [(); 2].map(|()| Uuid::new_v4());
    // Payments has heard of the claimant.
    let known = "SELECT note_holder($1, NULL, 1, 'USD')";
    sql.execute(known, &[&heir]).unwrap();
    let erased = [60_000, 40_000, 1].map(|cents| {
        let erased = user_with(&mut sql, cents);
        let forget = "SELECT forget_holder($1, 9223372036854775807)";
        sql.execute(forget, &[&erased]).unwrap();
        erased
    });
    let waits = "SELECT count(*) FROM unclaimed WHERE owner = ANY ($1) AND amount > 0";
    eventually("it is set aside", Duration::from_secs(60), || {
        let waiting: i64 = sql.query_one(waits, &[&erased.as_slice()]).unwrap().get(0);
        waiting == 3
    });
    let hand_over = |it: Uuid, admin: Uuid| {
        format!("SELECT hand_over('{it}', 'USD', '{heir}', '{admin}', 'passport seen', 100000)")
    };
    let [one, two, three] = erased.map(|it| hand_over(it, first));
    let mut moved = |statement: &str| -> String { sql.query_one(statement, &[]).unwrap().get(0) };
    assert_eq!(moved(&one), "moved");
    // The last two come at once.
    let outcomes = stack.overlap("payments", &two, &three);
    assert_eq!(outcomes, ("moved".to_owned(), "proposed".to_owned()));
    assert_eq!(moved(&hand_over(erased[2], Uuid::new_v4())), "moved");
    assert_sound(&stack);
}

/// A sandbox's deposit of yesterday would be real money today.
#[test]
fn a_database_never_mixes_sandbox_and_real_money() {
    let mut stack = Options::default()
        .variable("tick_token", "tick-tock")
        .start();
    let user = User::driver(&stack);
    let name = account(&user, 5.0);
    let (payment, payee) = (Uuid::new_v4(), Uuid::new_v4());
    let payer = user_with(&mut ledger(&stack), 10);
    let paid = pay(&mut ledger(&stack), payment, payer, payee, 10, "1 hour");
    assert_eq!(paid, "moved");
    let wrong = "ALTER TABLE payments.money_mode DISABLE TRIGGER money_mode_is_final;
        DELETE FROM payments.money_mode;
        INSERT INTO payments.money_mode (is_sandbox) VALUES (false);
        ALTER TABLE payments.money_mode ENABLE TRIGGER money_mode_is_final";
    stack.sql().batch_execute(wrong).unwrap();
    stack.kill();
    stack.start_again();
    let body =
        json!({ "paymentAccountId": unique("a"), "paymentAccountType": "DEBIT", "balance": 5 });
    user.post("/payments/accounts")
        .json(&body)
        .send()
        .problem(503);
    let code = json!({ "code": "ABCDEF" });
    user.post("/payment/promocode/activate")
        .json(&code)
        .send()
        .problem(503);
    // The sweep does not release held money either.
    let over = "UPDATE payments.hold SET until = now() - interval '1 second' WHERE payment = $1";
    let tick = || stack.post("/payments/tick").bearer("tick-tock").send();
    for _ in 0..2 {
        assert_eq!(stack.sql().execute(over, &[&payment]).unwrap(), 1);
        tick().problem(503);
    }
    // It can still be read.
    user.get("/payment/balance").send().expect(200);
    // The schema mints no real money, whatever the function requests.
    for forced in [
        "SELECT deposit(gen_random_uuid(), owner, name, 1) FROM account WHERE name = $1",
        "SELECT open_account(gen_random_uuid(), owner, name || '-2', 'DEBIT', 1, 'USD') FROM account WHERE name = $1",
    ] {
        let refused = ledger(&stack).execute(forced, &[&name]).unwrap_err();
        let code = refused.code().map(|it| it.code());
        assert_eq!(code, Some("23001"), "{forced}: {refused}");
    }
    let written = "UPDATE payments.money_mode SET is_sandbox = true";
    assert!(stack.sql().execute(written, &[]).is_err());
}
