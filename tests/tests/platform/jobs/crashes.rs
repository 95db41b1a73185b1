//! The host is killed, doubled and suspended at each step of the relay. A step is reached by locking rows that the next
//! one needs and seeing its statement wait in the database.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;
use wharf_tests::{Options, Outside, Reply, Stack, User, eventually};

use super::{
    SOON, count_holders, count_writes, emit, end_lease, id_of, new_stranger, read_event,
    wait_until_drained, wait_until_settled, watch_holders,
};

/// What the consumer of `user:created` writes to.
const CONSUMER: &str = "LOCK TABLE payments.holder IN ACCESS EXCLUSIVE MODE";
const CONSUMING: &str = "note_holder(";
const SETTLING: &str = "events.settle_deliveries(";

#[test]
fn an_event_whose_relay_was_killed_before_it_did_anything_is_carried_out_by_the_next() {
    let mut stack = Options::default().start_cabled();
    let mut sql = stack.sql();
    watch_holders(&mut sql);
    let lock = stack.lock(CONSUMER);
    let (id, payload) = new_stranger();
    let event = emit(&mut sql, "user:created", "user:killed", &payload);
    stack.wait_for_lock(CONSUMING);
    stack.kill();
    drop(lock);
    assert_eq!(read_event(&mut sql, event), ("running".to_owned(), 0, 1));

    stack.start_again();
    end_lease(&mut sql, event);
    wait_until_settled(&mut sql, event, "done");
    wait_until_drained(&mut sql);
    assert_eq!(read_event(&mut sql, event), ("done".to_owned(), 1, 2));
    assert_eq!(count_writes(&mut sql, id), 1);
}

#[test]
fn an_event_whose_relay_was_killed_before_it_said_so_has_its_effect_once() {
    let mut stack = Options::default().start_cabled();
    let mut sql = stack.sql();
    watch_holders(&mut sql);
    let consumer = stack.lock(CONSUMER);
    let (id, payload) = new_stranger();
    let event = emit(&mut sql, "user:created", "user:killed", &payload);
    stack.wait_for_lock(CONSUMING);
    let row = stack.lock(&format!(
        "SELECT FROM events.delivery WHERE event = '{event}' FOR UPDATE"
    ));
    drop(consumer);
    stack.wait_for_lock(SETTLING);
    stack.kill();
    end_statement(&stack, SETTLING);
    drop(row);
    assert_eq!(count_holders(&mut sql, id), 1, "it had its effect");

    stack.start_again();
    end_lease(&mut sql, event);
    wait_until_settled(&mut sql, event, "done");
    wait_until_drained(&mut sql);
    assert_eq!(read_event(&mut sql, event).2, 2, "it was carried out twice");
    assert_eq!(count_writes(&mut sql, id), 1, "and had its effect once");
}

/// A messenger that answers at once, or after `delay` for the chats that are slow.
fn messenger(delay: Duration) -> Outside {
    Outside::start(move |request| {
        let sent = Reply::json(200, &json!({ "ok": true }));
        match request.json()["text"].as_str() {
            Some("slow\n\nslow") => sent.after(delay),
            _ => sent,
        }
    })
}

fn with_messenger(messenger: &Outside) -> Options {
    Options::default()
        .variable("telegram_url", &messenger.url())
        .variable("telegram_token", "token")
}

#[test]
fn a_worker_that_was_suspended_past_its_lease_cannot_write_late() {
    let messenger = messenger(Duration::ZERO);
    let first = with_messenger(&messenger).start_cabled();
    let mut sql = first.sql();
    let preference = first.lock("LOCK TABLE notify.silent_chat IN ACCESS EXCLUSIVE MODE");
    let event = emit(
        &mut sql,
        "telegram:started",
        "telegram:5",
        &json!({ "chat": 5 }),
    );
    eventually("the first host takes the event", SOON, || {
        read_event(&mut sql, event).2 == 1
    });
    first.wait_for_lock("silent_chat");
    first.suspend();
    drop(preference);

    let second = first.start_second();
    end_lease(&mut sql, event);
    wait_until_settled(&mut sql, event, "done");
    assert_eq!(read_event(&mut sql, event), ("done".to_owned(), 1, 2));

    first.resume();
    eventually("the first host learns that it is late", SOON, || {
        first.log().contains("was taken over by another copy")
    });
    assert_eq!(read_event(&mut sql, event), ("done".to_owned(), 1, 2));
    drop(second);
}

#[test]
fn two_hosts_carry_out_every_event_once_and_in_order() {
    const CHATS: i64 = 20;
    const EACH: i64 = 15;
    let messenger = messenger(Duration::ZERO);
    let first = with_messenger(&messenger).start_cabled();
    let second = first.start_second();
    let mut sql = first.sql();
    sql.execute(
        "INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'deliver:telegram', 'telegram:' || chat, jsonb_build_object('chat', chat, 'text', number::text)
        FROM generate_series(1, $2::bigint) AS number, generate_series(1, $1::bigint) AS chat
        ORDER BY number, chat",
        &[&CHATS, &EACH],
    )
    .unwrap();
    let left = "SELECT count(*) FROM events.entry WHERE state <> 'done'";
    // Where the answer of a statement was lost, the lease has to end first.
    eventually("all are delivered", Duration::from_secs(150), || {
        sql.query_one(left, &[]).unwrap().get::<_, i64>(0) == 0
    });

    let mut heard: HashMap<i64, Vec<i64>> = HashMap::new();
    for request in messenger.received() {
        let message = request.json();
        let number = message["text"].as_str().unwrap().parse().unwrap();
        let chat = message["chat_id"].as_i64().unwrap();
        heard.entry(chat).or_default().push(number);
    }
    assert_eq!(heard.len(), usize::try_from(CHATS).unwrap());
    let in_order: Vec<i64> = (1..=EACH).collect();
    for (chat, numbers) in heard {
        assert_eq!(numbers, in_order, "chat {chat}");
    }
    drop(second);
}

#[test]
fn an_event_that_keeps_killing_its_worker_ends_as_a_dead_letter() {
    let stack = Stack::shared();
    let mut sql = stack.sql();
    let event: Uuid = sql
        .query_one(
            "INSERT INTO events.delivery (event, seq, kind, aggregate, payload, created_at, consumer, lane, state,
                due_at, unsettled)
            VALUES (gen_random_uuid(), 0, 'user:created', 'user:deadly', '{}', now(), 'payments', 'main', 'running',
                now(), 24)
            RETURNING event",
            &[],
        )
        .unwrap()
        .get(0);
    wait_until_settled(&mut sql, event, "dead");
    let why: String = sql
        .query_one(
            "SELECT error FROM events.failure WHERE event = $1",
            &[&event],
        )
        .unwrap()
        .get(0);
    assert_eq!(why, "every worker that took it crashed");
}

/// Any event of a batch that was never settled may be the one that killed the worker.
#[test]
fn events_of_a_killed_relay_are_redelivered_one_by_one() {
    let mut stack = Options::default().start_cabled();
    let mut sql = stack.sql();
    watch_holders(&mut sql);
    let lock = stack.lock(CONSUMER);
    let strangers = [new_stranger(), new_stranger(), new_stranger()];
    let events: Vec<Uuid> = strangers
        .iter()
        .map(|(id, payload)| emit(&mut sql, "user:created", &format!("user:{id}"), payload))
        .collect();
    let in_hand = "SELECT count(*) FROM events.entry WHERE state = 'running' AND id = ANY ($1)";
    eventually("all are claimed", SOON, || {
        sql.query_one(in_hand, &[&events]).unwrap().get::<_, i64>(0) == 3
    });
    stack.kill();
    for event in &events {
        end_lease(&mut sql, *event);
    }
    // The next worker takes one of them, and new events as before.
    stack.start_again();
    stack.wait_for_lock(CONSUMING);
    let new = emit(&mut sql, "user:updated", "user:new", &json!("who?"));
    redis::cmd("PUBLISH")
        .arg(&["outbox", ""])
        .exec(&mut stack.redis())
        .unwrap();
    wait_until_settled(&mut sql, new, "dead");
    let again = "SELECT count(*) FROM events.entry WHERE fence = 2 AND id = ANY ($1)";
    // What the killed one asked for waits as well, so that it is not yet seen by the waiting.
    eventually("one of them is taken again", SOON, || {
        sql.query_one(again, &[&events]).unwrap().get::<_, i64>(0) > 0
    });
    drop(lock);
    for event in events {
        wait_until_settled(&mut sql, event, "done");
    }
    wait_until_drained(&mut sql);
    for (id, _) in strangers {
        assert_eq!(count_writes(&mut sql, id), 1);
    }
}

/// Ends a statement that a killed host had sent, which the database would still carry out.
fn end_statement(stack: &Stack, statement: &str) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE strpos(query, $1) > 0 AND pid <> pg_backend_pid()";
    assert!(!stack.sql().query(end, &[&statement]).unwrap().is_empty());
}

/// The mail API has received the letter, and recognizes the same letter by its key.
#[test]
fn a_letter_whose_sender_was_killed_before_it_said_so_is_sent_again_as_the_same() {
    let mail =
        Outside::start(|_| Reply::json(200, &json!({ "id": "1" })).after(Duration::from_secs(2)));
    let mut stack = Options::default()
        .variable("mail_url", &mail.url())
        .start_cabled();
    let mut sql = stack.sql();
    let letter = json!({ "to": "ana@example.org", "subject": "s", "text": "t" });
    let event = emit(&mut sql, "deliver:email", "email:killed", &letter);
    eventually("it is taken", SOON, || mail.received().len() == 1);
    let row = stack.lock(&format!(
        "SELECT FROM events.delivery WHERE event = '{event}' FOR UPDATE"
    ));
    stack.wait_for_lock(SETTLING);
    stack.kill();
    end_statement(&stack, SETTLING);
    drop(row);
    stack.start_again();
    end_lease(&mut sql, event);
    wait_until_settled(&mut sql, event, "done");
    wait_until_drained(&mut sql);
    let sent = mail.received();
    assert_eq!(sent.len(), 2);
    assert_eq!(
        sent[0].headers["idempotency-key"],
        sent[1].headers["idempotency-key"]
    );
}

#[test]
fn a_notice_whose_planner_was_killed_becomes_its_deliveries_once() {
    let messenger = messenger(Duration::ZERO);
    let mut stack = with_messenger(&messenger).start_cabled();
    let mut sql = stack.sql();
    let user = User::driver(&stack);
    sql.execute(
        "UPDATE signin.account SET telegram_id = 77 WHERE login = $1",
        &[&user.login],
    )
    .unwrap();
    // Otherwise the statement that waits below may be that of a notice about the sign-in.
    wait_until_drained(&mut sql);
    let planning = stack.lock("LOCK TABLE notify.preference IN ACCESS EXCLUSIVE MODE");
    let notice = json!({
        "user_id": id_of(&user), "template": "booking_ending",
        "params": { "booking_id": 1, "place": "p", "date_to": "2026-11-21 11:30" },
    });
    let event = emit(&mut sql, "notify", "booking:killed", &notice);
    stack.wait_for_lock("preference");
    // What waits may be another statement. A delivery that is locked before it is claimed never would be.
    wait_until_settled(&mut sql, event, "running");
    let row = stack.lock(&format!(
        "SELECT FROM events.delivery WHERE event = '{event}' FOR UPDATE"
    ));
    drop(planning);
    stack.wait_for_lock(SETTLING);
    stack.kill();
    end_statement(&stack, SETTLING);
    drop(row);
    let deliveries = "SELECT count(*) FROM events.entry WHERE aggregate = 'telegram:77'";
    stack.start_again();
    end_lease(&mut sql, event);
    wait_until_settled(&mut sql, event, "done");
    wait_until_drained(&mut sql);
    assert_eq!(sql.query_one(deliveries, &[]).unwrap().get::<_, i64>(0), 1);
    assert_eq!(messenger.received().len(), 1);
}
