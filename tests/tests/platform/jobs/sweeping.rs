//! What the clock asks for: run twice is run once, on however many hosts, and never for long.

use std::collections::BTreeSet;

use wharf_tests::{Options, Stack, at_once, eventually};

use super::{SOON, count_holders, emit, new_stranger};

#[test]
fn a_sweep_that_is_due_is_taken_by_one_copy() {
    const TAKE_DUE: &str = include_str!("../../../../components/jobs/src/sql/take_due.sql");
    let stack = Stack::shared();
    let names: Vec<String> = (0..20).map(|it| format!("test-{it}")).collect();
    let taken = at_once(4, |_| {
        let mut sql = stack.sql();
        sql.batch_execute("SET search_path = jobs").unwrap();
        let rows = sql.query(TAKE_DUE, &[&names, &vec![600_i64; names.len()]]);
        let rows = rows.unwrap();
        rows.iter().map(|it| it.get(0)).collect::<Vec<String>>()
    });
    let all: Vec<String> = taken.concat();
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (20, 20));
}

#[test]
fn two_clocks_at_once_drop_the_days_of_long_ago_and_nothing_else() {
    let first = Options::default()
        .variable("tick_token", "tick-tock")
        .start_cabled();
    let second = first.start_second();
    let mut sql = first.sql();
    sql.batch_execute(
        "SELECT events.keep_day('archive', (now() AT TIME ZONE 'UTC')::date - 9);
        INSERT INTO events.archive (event, seq, kind, aggregate, payload, created_at, attempts, fence, settled_at)
        SELECT gen_random_uuid(), 0, 'test:old', 'x', '{}', now(), 1, 1, now() - interval '9 days'
        FROM generate_series(1, 12000);
        INSERT INTO events.archive (event, seq, kind, aggregate, payload, created_at, attempts, fence, settled_at)
        VALUES (gen_random_uuid(), 0, 'test:new', 'x', '{}', now(), 1, 1, now() - interval '6 days');
        INSERT INTO events.delivery (event, seq, kind, aggregate, payload, created_at, consumer, lane, state, due_at,
            settled_at, is_passed)
        SELECT gen_random_uuid(), 0, 'test:' || name, 'x', '{}', now(), 'payments', 'main', 'dead', now(), at, true
        FROM (VALUES ('dead', now() - interval '80 days'), ('gone', now() - interval '91 days')) AS it (name, at);
        DELETE FROM jobs.sweep",
    )
    .unwrap();
    at_once(4, |number| {
        let host = if number % 2 == 0 { &first } else { &second };
        let tick = host.post("/jobs/tick").bearer("tick-tock").send();
        tick.expect(204);
    });
    let left = "SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM events.entry WHERE kind LIKE 'test:%'";
    eventually("all that is old is gone", SOON, || {
        let left: String = sql.query_one(left, &[]).unwrap().get(0);
        left == "test:dead test:new"
    });
    let ahead = "SELECT count(*) FROM pg_class WHERE oid IN (
        to_regclass('events.archive_' || to_char((now() + interval '2 days') AT TIME ZONE 'UTC', 'YYYYMMDD')),
        to_regclass('events.failure_' || to_char((now() + interval '2 days') AT TIME ZONE 'UTC', 'YYYYMMDD')))";
    assert_eq!(sql.query_one(ahead, &[]).unwrap().get::<_, i64>(0), 2);
}

/// The trouble of one function is its own.
#[test]
fn a_function_that_hangs_does_not_keep_the_others_from_their_sweeps() {
    let stack = Options::default().start_cabled();
    let mut sql = stack.sql();
    let hanging = stack.lock("LOCK TABLE payments.holder IN ACCESS EXCLUSIVE MODE");
    let (id, payload) = new_stranger();
    emit(&mut sql, "user:created", "user:hanging", &payload);
    stack.wait_for_lock("note_holder(");
    sql.batch_execute(
        "DELETE FROM jobs.sweep;
        INSERT INTO bookings.idempotency_key (caller, key, fingerprint, claimed_at)
        VALUES (gen_random_uuid(), 'old', '', now() - interval '2 days')",
    )
    .unwrap();
    eventually("jobs and bookings do what is due", SOON, || {
        let swept = "SELECT (SELECT count(*) FROM jobs.sweep) >= 3
            AND NOT EXISTS (SELECT FROM bookings.idempotency_key WHERE key = 'old')";
        sql.query_one(swept, &[]).unwrap().get(0)
    });
    drop(hanging);
    eventually("payments goes on", SOON, || {
        count_holders(&mut sql, id) == 1
    });
}
