//! Events: each is carried out once and in order, although hosts die meanwhile, and operators see those that
//! failed.

mod claiming;
mod crashes;
mod looking_after;
mod redis_away;
mod sweeping;

use std::time::Duration;

use postgres::Client;
use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Stack, User, eventually};

/// The clock comes round once a second, and machines are busy.
const SOON: Duration = Duration::from_secs(60);

/// As a function does it; the id of the event.
fn emit(sql: &mut Client, kind: &str, aggregate: &str, payload: &Value) -> Uuid {
    sql.query_one(
        "INSERT INTO events.outbox (kind, aggregate, payload) VALUES ($1, $2, $3) RETURNING id",
        &[&kind, &aggregate, payload],
    )
    .unwrap()
    .get(0)
}

/// State, attempts and fence of an event.
fn read_event(sql: &mut Client, event: Uuid) -> (String, i32, i64) {
    let row = sql
        .query_one(
            "SELECT state, attempts, fence FROM events.outbox WHERE id = $1",
            &[&event],
        )
        .unwrap();
    (row.get(0), row.get(1), row.get(2))
}

fn wait_until_settled(sql: &mut Client, event: Uuid, state: &str) {
    eventually("the event is settled", SOON, || {
        read_event(sql, event).0 == state
    });
}

/// Ends the lease of an event now instead of in a minute.
fn end_lease(sql: &mut Client, event: Uuid) {
    let update = "UPDATE events.outbox SET due_at = now() WHERE id = $1 AND state = 'waiting'";
    sql.execute(update, &[&event]).unwrap();
}

/// A user whom payments does not know yet: id and event payload.
fn new_stranger() -> (Uuid, Value) {
    let id = Uuid::new_v4();
    (
        id,
        json!({ "id": id, "email": format!("{id}@example.org") }),
    )
}

/// How often payments took note of a user.
fn count_holders(sql: &mut Client, user: Uuid) -> i64 {
    sql.query_one(
        "SELECT count(*) FROM payments.holder WHERE id = $1",
        &[&user],
    )
    .unwrap()
    .get(0)
}

fn id_of(user: &User) -> Uuid {
    let me = user.get("/auth/me").send().expect(200).json();
    me["user_id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_new_user_is_known_to_payments_and_told_of_once() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let user = id_of(&User::driver(&stack));
    eventually("payments knows the user", SOON, || {
        count_holders(&mut sql, user) == 1
    });
    let told = "SELECT count(*) FROM events.outbox
        WHERE kind = 'user:created' AND aggregate = 'user:' || $1::uuid";
    let told: i64 = sql.query_one(told, &[&user]).unwrap().get(0);
    assert_eq!(
        told, 1,
        "what we announce on Redis ourselves is no second event"
    );
}

#[test]
fn users_are_announced_by_outsiders_too() {
    let stack = Stack::shared();
    let (id, payload) = new_stranger();
    let mut redis = stack.redis();
    for _ in 0..3 {
        redis::cmd("PUBLISH")
            .arg(&["user:created", &payload.to_string()])
            .exec(&mut redis)
            .unwrap();
    }
    let mut sql = stack.sql();
    eventually("payments knows the user", SOON, || {
        count_holders(&mut sql, id) == 1
    });
}

#[test]
fn an_unreadable_message_does_not_stop_later_ones() {
    let stack = Stack::shared();
    let mut redis = stack.redis();
    for (channel, message) in [
        ("user:created", "{"),
        ("user:created", r#"{"id":"7"}"#),
        ("notifications", "\u{0}\u{1}"),
        ("outbox", "what"),
        ("tick", "[[[[[["),
    ] {
        redis::cmd("PUBLISH")
            .arg(&[channel, message])
            .exec(&mut redis)
            .unwrap();
    }
    let (id, payload) = new_stranger();
    redis::cmd("PUBLISH")
        .arg(&["user:created", &payload.to_string()])
        .exec(&mut redis)
        .unwrap();
    let mut sql = stack.sql();
    eventually("payments knows the user", SOON, || {
        count_holders(&mut sql, id) == 1
    });
}

#[test]
fn a_poisoned_event_ends_with_the_dead_while_others_flow() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let aggregate = format!("poison:{}", Uuid::new_v4());
    let poisoned = emit(&mut sql, "poison:taken", &aggregate, &json!({}));
    let unreadable = emit(&mut sql, "user:created", &aggregate, &json!("who?"));
    let (id, payload) = new_stranger();
    let good = emit(&mut sql, "user:created", &aggregate, &payload);
    wait_until_settled(&mut sql, poisoned, "dead");
    wait_until_settled(&mut sql, unreadable, "dead");
    wait_until_settled(&mut sql, good, "done");
    assert_eq!(count_holders(&mut sql, id), 1);
}

/// What one function of the platform sees of an event for another; nothing of it stays.
#[test]
fn no_function_reads_what_is_not_meant_for_it() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let claimed = "SELECT count(*) FROM events.claim(10000, 1000) WHERE id = $1";
    let settle = "SELECT events.settle($1, $2, 'done', 0, NULL, '[]')";
    for role in [
        "wharf_bookings",
        "wharf_payments",
        "wharf_signin",
        "wharf_jobs",
    ] {
        let mut sql = sql.transaction().unwrap();
        let event: Uuid = sql
            .query_one(
                "INSERT INTO events.outbox (kind, aggregate, payload) VALUES ('notify:kept', 'x', '{}') RETURNING id",
                &[],
            )
            .unwrap()
            .get(0);
        let mut as_role = |role: &str| {
            sql.batch_execute(&format!("SET LOCAL SESSION AUTHORIZATION {role}"))
                .unwrap();
            // A claim is the first: its fence is 1.
            let fence: i64 = sql.query_one(claimed, &[&event]).unwrap().get(0);
            let settled: bool = sql.query_one(settle, &[&event, &fence]).unwrap().get(0);
            (fence, settled)
        };
        assert_eq!(as_role(role), (0, false), "{role}");
        assert_eq!(as_role("wharf_notify"), (1, true), "it is notify's");
        sql.rollback().unwrap();
    }
    for role in ["wharf_bookings", "wharf_payments", "wharf_signin"] {
        sql.batch_execute(&format!("SET SESSION AUTHORIZATION {role}"))
            .unwrap();
        let read = sql.query("SELECT * FROM events.outbox", &[]);
        assert_eq!(read.unwrap_err().code().unwrap().code(), "42501", "{role}");
        sql.execute(
            "INSERT INTO events.outbox (kind, aggregate, payload) VALUES ('poison:told', 'x', '{}')",
            &[],
        )
        .unwrap();
        sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
    }
}

#[test]
fn a_changed_user_is_told_of_once() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let user = User::driver(&stack);
    let id = id_of(&user);
    let email = format!("{id}@example.org");
    let change = json!({ "email": email });
    let changed = user
        .request("PATCH", "/api/v1/users/me")
        .json(&change)
        .send();
    changed.expect(200);
    let mut redis = stack.redis();
    // As signin announces it, whenever that is heard.
    redis::cmd("PUBLISH")
        .arg(&[
            "user:created",
            &json!({ "id": id, "email": email }).to_string(),
        ])
        .exec(&mut redis)
        .unwrap();
    let (last, payload) = new_stranger();
    redis::cmd("PUBLISH")
        .arg(&["user:created", &payload.to_string()])
        .exec(&mut redis)
        .unwrap();
    eventually("what was said after it is heard", SOON, || {
        count_holders(&mut sql, last) == 1
    });
    let told = "SELECT count(*) FROM events.outbox WHERE payload ->> 'email' = $1";
    assert_eq!(sql.query_one(told, &[&email]).unwrap().get::<_, i64>(0), 1);
}

#[test]
fn the_owner_of_a_payment_is_notified_when_it_is_approved() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let owner = id_of(&User::driver(&stack));
    let payment = Uuid::new_v4();
    let approved = json!({
        "payment_id": payment, "opener": "payments", "order_id": "main", "customer_id": owner,
        "amount": 5000, "currency": "BRL", "status": "approved",
    });
    let aggregate = format!("payment:{payment}");
    let event = emit(&mut sql, "payment:approved", &aggregate, &approved);
    wait_until_settled(&mut sql, event, "done");
    let notice = "SELECT state FROM events.outbox WHERE aggregate = $1 AND kind = 'notify'";
    eventually("the notice is planned", SOON, || {
        let notice = sql.query_opt(notice, &[&aggregate]).unwrap();
        notice.is_some_and(|it| it.get::<_, String>(0) == "done")
    });
}
