//! Events: each is carried out once and in order, although hosts die meanwhile, and operators see those that
//! failed.

mod claiming;
mod crashes;
mod herd;
mod looking_after;
mod redis_away;
mod sweeping;

use std::time::Duration;

use postgres::Client;
use serde_json::{Value, json};
use uuid::Uuid;
use wharf_tests::{Stack, User, eventually};

/// Long enough for a tick, which comes once a second, on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// Writes an event as a function does; returns its id.
pub(crate) fn emit(sql: &mut Client, kind: &str, aggregate: &str, payload: &Value) -> Uuid {
    sql.query_one(
        "INSERT INTO events.outbox (kind, aggregate, payload) VALUES ($1, $2, $3) RETURNING id",
        &[&kind, &aggregate, payload],
    )
    .unwrap()
    .get(0)
}

/// Redis delivers a message only to those that listen already.
fn wait_for_listener(redis: &mut redis::Connection, channel: &str) {
    eventually("the host listens", SOON, || {
        let listeners: (String, i64) = redis::cmd("PUBSUB")
            .arg(&["NUMSUB", channel])
            .query(redis)
            .unwrap();
        listeners.1 > 0
    });
}

/// State, attempts and fence of an event, for notify if it is one of several that hear it.
fn read_event(sql: &mut Client, event: Uuid) -> (String, i32, i64) {
    let row = sql
        .query_one(
            "SELECT state, attempts, fence FROM events.entry WHERE id = $1
            ORDER BY (consumer = 'notify') DESC LIMIT 1",
            &[&event],
        )
        .unwrap();
    (row.get(0), row.get(1), row.get(2))
}

pub(crate) fn wait_until_settled(sql: &mut Client, event: Uuid, state: &str) {
    eventually("the event is settled", SOON, || {
        read_event(sql, event).0 == state
    });
}

/// Ends the lease of an event now instead of in a minute.
fn end_lease(sql: &mut Client, event: Uuid) {
    let update = "UPDATE events.delivery SET due_at = now() WHERE event = $1 AND state = 'running'";
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

/// Counts writes about users in payments from now on: a second effect of one event is a second write.
fn watch_holders(sql: &mut Client) {
    sql.batch_execute(
        "CREATE TABLE public.holder_write (id uuid NOT NULL);
        CREATE FUNCTION public.note_write() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            INSERT INTO holder_write (id) VALUES (NEW.id);
            RETURN NULL;
        END $$;
        CREATE TRIGGER writes_are_noted AFTER INSERT OR UPDATE ON payments.holder
            FOR EACH ROW EXECUTE FUNCTION public.note_write()",
    )
    .unwrap();
}

/// How often something was written about a user since `watch_holders`.
fn count_writes(sql: &mut Client, user: Uuid) -> i64 {
    let writes = "SELECT count(*) FROM public.holder_write WHERE id = $1";
    sql.query_one(writes, &[&user]).unwrap().get(0)
}

/// Waits until there is nothing left to do, so that what comes twice has come.
fn wait_until_drained(sql: &mut Client) {
    let left = "SELECT count(*) FROM events.entry WHERE state NOT IN ('done', 'dead')";
    eventually("everything is carried out", SOON, || {
        sql.query_one(left, &[]).unwrap().get::<_, i64>(0) == 0
    });
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
    let told = "SELECT count(*) FROM events.entry
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
    wait_for_listener(&mut redis, "user:created");
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
    for channel in ["user:created", "notifications", "outbox", "tick"] {
        wait_for_listener(&mut redis, channel);
    }
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
    let poisoned = emit(&mut sql, "user:updated", &aggregate, &json!({}));
    let unreadable = emit(&mut sql, "user:created", &aggregate, &json!("who?"));
    let (id, payload) = new_stranger();
    let good = emit(&mut sql, "user:created", &aggregate, &payload);
    wait_until_settled(&mut sql, poisoned, "dead");
    wait_until_settled(&mut sql, unreadable, "dead");
    wait_until_settled(&mut sql, good, "done");
    assert_eq!(count_holders(&mut sql, id), 1);
}

/// No function sees a delivery that is meant for another one.
#[test]
fn no_function_reads_what_is_not_meant_for_it() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let claimed =
        "SELECT coalesce(sum(delivery), 0)::bigint FROM events.claim_deliveries(0, 10000, 1000)
        WHERE id = $1";
    let settle =
        "SELECT count(*) FROM events.settle_deliveries(jsonb_build_array(jsonb_build_object(
        'delivery', $1::bigint, 'fence', 1, 'outcome', 'done')))";
    for role in [
        "wharf_bookings",
        "wharf_payments",
        "wharf_signin",
        "wharf_jobs",
    ] {
        let mut sql = sql.transaction().unwrap();
        let event: Uuid = sql
            .query_one(
                "INSERT INTO events.outbox (kind, aggregate, payload)
                VALUES ('notify', 'kept:' || gen_random_uuid(), '{}') RETURNING id",
                &[],
            )
            .unwrap()
            .get(0);
        let become_role = |sql: &mut postgres::Transaction<'_>, role: &str| {
            sql.batch_execute(&format!("SET LOCAL SESSION AUTHORIZATION {role}"))
                .unwrap();
        };
        become_role(&mut sql, role);
        let delivery: i64 = sql.query_one(claimed, &[&event]).unwrap().get(0);
        assert_eq!(delivery, 0, "{role} is not handed it");
        become_role(&mut sql, "wharf_notify");
        let delivery: i64 = sql.query_one(claimed, &[&event]).unwrap().get(0);
        assert!(delivery > 0, "it is notify's");
        become_role(&mut sql, role);
        let settled: i64 = sql.query_one(settle, &[&delivery]).unwrap().get(0);
        assert_eq!(settled, 0, "{role} does not settle it");
        become_role(&mut sql, "wharf_notify");
        let settled: i64 = sql.query_one(settle, &[&delivery]).unwrap().get(0);
        assert_eq!(settled, 1);
        sql.rollback().unwrap();
    }
}

#[test]
fn a_function_emits_what_it_declared_and_nothing_else() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let insert = "INSERT INTO events.outbox (kind, aggregate, payload) VALUES ($1, 'x', '{}')";
    for (role, own, others) in [
        ("wharf_bookings", "notify", "user:erased"),
        ("wharf_payments", "payment:approved", "deliver:email"),
        ("wharf_signin", "user:created", "payment:approved"),
        ("wharf_jobs", "user:announced", "user:created"),
        ("wharf_sandbox_psp", "", "notify"),
    ] {
        let mut sql = sql.transaction().unwrap();
        sql.batch_execute(&format!("SET LOCAL SESSION AUTHORIZATION {role}"))
            .unwrap();
        if !own.is_empty() {
            assert_eq!(sql.execute(insert, &[&own]).unwrap(), 1, "{role} {own}");
        }
        let refused = sql.execute(insert, &[&others]).unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{role} {others}");
    }
    for role in ["wharf_bookings", "wharf_payments", "wharf_signin"] {
        let mut sql = sql.transaction().unwrap();
        sql.batch_execute(&format!("SET LOCAL SESSION AUTHORIZATION {role}"))
            .unwrap();
        let read = sql.query("SELECT * FROM events.entry", &[]);
        assert_eq!(read.unwrap_err().code().unwrap().code(), "42501", "{role}");
    }
}

/// A message on Redis proves nothing of its sender.
#[test]
fn an_outsider_cannot_overwrite_what_signin_said_of_a_user() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let user = User::driver(&stack);
    let id = id_of(&user);
    let forged = json!({ "id": id, "email": "thief@example.org" });
    let heard = "SELECT count(*) FROM events.entry
        WHERE kind = 'user:announced' AND payload = $1 AND state = 'done'";
    let mut redis = stack.redis();
    wait_for_listener(&mut redis, "user:created");
    redis::cmd("PUBLISH")
        .arg(&["user:created", &forged.to_string()])
        .exec(&mut redis)
        .unwrap();
    eventually("the message is heard", SOON, || {
        sql.query_one(heard, &[&forged]).unwrap().get::<_, i64>(0) == 1
    });
    let kept = "SELECT email FROM payments.holder WHERE id = $1";
    let kept: String = sql.query_one(kept, &[&id]).unwrap().get(0);
    assert_eq!(kept, user.email);
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
    let told = "SELECT count(*) FROM events.entry WHERE payload ->> 'email' = $1";
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
    // The owner has an e-mail that is not verified and no Telegram: the notice becomes no delivery.
    let told = "SELECT consumer FROM events.entry WHERE id = $1 AND kind = 'payment:approved'";
    let told: Vec<String> = sql
        .query(told, &[&event])
        .unwrap()
        .iter()
        .map(|it| it.get(0))
        .collect();
    assert!(told.contains(&"notify".to_owned()), "{told:?}");
}
