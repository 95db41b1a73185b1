//! Which deliveries are handed out, and the cost of finding them. Each test uses events of its own, in a transaction
//! that no other session sees and that is rolled back.

use std::sync::OnceLock;

use postgres::{Client, Transaction};
use wharf_tests::Stack;

/// A platform on which nothing happens: every event in it is a test's own.
fn quiet() -> Client {
    static QUIET: OnceLock<Stack> = OnceLock::new();
    QUIET.get_or_init(Stack::start).sql()
}

fn as_owner(sql: &mut Transaction<'_>, statements: &str) {
    sql.batch_execute(&format!(
        "RESET SESSION AUTHORIZATION;
        {statements};
        SET LOCAL SESSION AUTHORIZATION wharf_notify"
    ))
    .unwrap();
}

/// Writes events of notify: kind, aggregate, payload.
fn emit_all(sql: &mut Transaction<'_>, values: &str) {
    let insert = "INSERT INTO events.outbox (kind, aggregate, payload)";
    as_owner(sql, &format!("{insert} {values}"));
}

/// Delivery and aggregate of what is handed out.
fn ask(sql: &mut Transaction<'_>, statement: &str) -> Vec<(i64, String)> {
    let statement = format!("SELECT delivery, aggregate FROM {statement} ORDER BY seq");
    let rows = sql.query(&statement, &[]).unwrap();
    rows.iter().map(|it| (it.get(0), it.get(1))).collect()
}

fn claim(sql: &mut Transaction<'_>) -> Vec<String> {
    let claimed = ask(sql, "events.claim_deliveries(8, 32, 60000)");
    claimed
        .into_iter()
        .map(|(_, aggregate)| aggregate)
        .collect()
}

fn settle(sql: &mut Transaction<'_>, aggregate: &str, outcome: &str) {
    assert_eq!(settle_all(sql, aggregate, outcome), 1, "{aggregate}");
}

/// Settles the running deliveries whose aggregate is LIKE this; returns how many.
fn settle_all(sql: &mut Transaction<'_>, aggregates: &str, outcome: &str) -> i64 {
    as_owner(sql, "SELECT 1");
    let settled = format!(
        "SELECT count(*) FROM events.settle_deliveries((
            SELECT jsonb_agg(jsonb_build_object('delivery', id, 'fence', fence, 'outcome', '{outcome}',
                'pause_ms', 3600000))
            FROM in_hand WHERE aggregate LIKE '{aggregates}'
        ))"
    );
    as_owner(
        sql,
        "DROP VIEW IF EXISTS pg_temp.in_hand;
        CREATE TEMPORARY VIEW in_hand AS SELECT id, fence, aggregate FROM events.delivery WHERE state = 'running';
        GRANT SELECT ON in_hand TO wharf_notify",
    );
    sql.query_one(&settled, &[]).unwrap().get(0)
}

#[test]
fn an_event_that_was_never_settled_is_handed_out_alone() {
    let mut sql = quiet();
    let mut sql = sql.transaction().unwrap();
    emit_all(
        &mut sql,
        "SELECT 'notify', name, '{}' FROM unnest(ARRAY['dropped-1', 'dropped-2']) AS name",
    );
    assert_eq!(claim(&mut sql), ["dropped-1", "dropped-2"]);
    as_owner(
        &mut sql,
        "UPDATE events.delivery SET due_at = now() - interval '1 second' WHERE state = 'running'",
    );
    emit_all(
        &mut sql,
        "SELECT 'notify', name, '{}' FROM unnest(ARRAY['new-1', 'new-2']) AS name",
    );
    assert_eq!(claim(&mut sql), ["new-1", "new-2"]);
    let mut reclaim = || ask(&mut sql, "events.reclaim_delivery(60000)").pop();
    assert_eq!(reclaim().unwrap().1, "dropped-1");
    assert_eq!(reclaim().unwrap().1, "dropped-2");
    assert!(reclaim().is_none());
    // The lease of a redelivery is longer than that of a first delivery.
    sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
    let leases = "SELECT DISTINCT round(extract(epoch FROM due_at - clock_timestamp()))::bigint
        FROM events.delivery WHERE unsettled = 2";
    let lease: i64 = sql.query_one(leases, &[]).unwrap().get(0);
    assert!((115..=120).contains(&lease), "{lease}");
}

#[test]
fn what_waits_for_one_consumer_keeps_no_other_from_the_next_event() {
    let mut sql = quiet();
    let mut sql = sql.transaction().unwrap();
    // payments alone hears the first two, of which the second is behind the first.
    for kind in ["user:created", "user:updated", "user:erased"] {
        emit_all(&mut sql, &format!("VALUES ('{kind}', 'user:1', '{{}}')"));
        claim(&mut sql);
    }
    sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
    let waiting =
        "SELECT consumer FROM events.delivery WHERE kind = 'user:erased' AND state = 'blocked'";
    let waiting = sql.query(waiting, &[]).unwrap();
    let waiting: Vec<&str> = waiting.iter().map(|it| it.get(0)).collect();
    assert_eq!(waiting, ["payments"]);
}

#[test]
fn a_later_event_of_an_aggregate_waits_for_the_earlier_one() {
    let mut sql = quiet();
    let mut sql = sql.transaction().unwrap();
    emit_all(
        &mut sql,
        "SELECT 'notify', 'line', '{}' FROM generate_series(1, 3)",
    );
    assert_eq!(claim(&mut sql), ["line"]);
    assert!(claim(&mut sql).is_empty());
    settle(&mut sql, "line", "again");
    assert!(claim(&mut sql).is_empty(), "the first one failed");
    as_owner(
        &mut sql,
        "UPDATE events.delivery SET due_at = now() WHERE state = 'retrying'",
    );
    assert_eq!(claim(&mut sql), ["line"]);
    settle(&mut sql, "line", "dead");
    assert_eq!(
        claim(&mut sql),
        ["line"],
        "the line goes on without the dead"
    );
    settle(&mut sql, "line", "done");
    assert_eq!(claim(&mut sql), ["line"]);
    settle(&mut sql, "line", "done");
    assert!(claim(&mut sql).is_empty());
    // The dead letter goes to its old place: the front.
    sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
    let event: uuid::Uuid = sql
        .query_one(
            "SELECT event FROM events.delivery WHERE state = 'dead'",
            &[],
        )
        .unwrap()
        .get(0);
    let requeued: String = sql
        .query_one("SELECT events.requeue($1, NULL)", &[&event])
        .unwrap()
        .get(0);
    assert_eq!(requeued, "requeued");
    as_owner(&mut sql, "SELECT 1");
    assert_eq!(claim(&mut sql), ["line"]);
}

#[test]
fn a_lane_has_no_more_in_flight_than_it_may_and_urgent_lanes_go_first() {
    let mut sql = quiet();
    let mut sql = sql.transaction().unwrap();
    let webhook = uuid::Uuid::new_v4();
    emit_all(
        &mut sql,
        &format!(
            "SELECT 'deliver:webhook', 'call-' || number, '{{\"webhook\": \"{webhook}\"}}'
            FROM generate_series(1, 9) AS number"
        ),
    );
    emit_all(&mut sql, "VALUES ('notify:security', 'letter', '{}')");
    let first = ask(&mut sql, "events.claim_deliveries(8, 0, 60000)");
    assert_eq!(first.len(), 1, "a worker without room takes urgent ones");
    assert_eq!(first[0].1, "letter");
    assert_eq!(claim(&mut sql), ["call-1", "call-2", "call-3", "call-4"]);
    assert!(
        claim(&mut sql).is_empty(),
        "four calls of a webhook at once"
    );
    settle(&mut sql, "call-2", "done");
    assert_eq!(claim(&mut sql), ["call-5"]);
}

/// Up to 96 deliveries are under way when a messenger fails. If each of them counted, the lane would rest for the longest
/// time at once, because of a fault that lasts a moment.
#[test]
fn a_lane_rests_longer_with_each_trial_that_fails_and_no_longer_for_those_under_way() {
    let mut sql = quiet();
    let mut sql = sql.transaction().unwrap();
    emit_all(
        &mut sql,
        "SELECT 'deliver:telegram', 'chat:' || number, '{}' FROM generate_series(1, 30) AS number",
    );
    let lane = |sql: &mut Transaction<'_>| -> (i32, f64) {
        let lane = "SELECT failures, extract(epoch FROM not_before - clock_timestamp())::float8
            FROM events.lane WHERE name = 'messenger'";
        sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
        let row = sql.query_one(lane, &[]).unwrap();
        as_owner(sql, "SELECT 1");
        (row.get(0), row.get(1))
    };
    let end_pauses = |sql: &mut Transaction<'_>| {
        as_owner(
            sql,
            "UPDATE events.lane SET not_before = clock_timestamp(), wake_at = clock_timestamp();
            UPDATE events.delivery SET due_at = now() WHERE state = 'retrying'",
        );
    };
    assert_eq!(claim(&mut sql).len(), 30);
    assert_eq!(settle_all(&mut sql, "chat:1%", "again"), 11);
    assert_eq!(settle_all(&mut sql, "chat:%", "again"), 19);
    let (failures, rests) = lane(&mut sql);
    assert_eq!(failures, 10);
    assert!((0.5..=1.0).contains(&rests), "{rests} s");
    for (failures, rests_for) in (11..=18).zip([2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]) {
        end_pauses(&mut sql);
        assert_eq!(claim(&mut sql).len(), 1, "one at a time asks");
        assert_eq!(settle_all(&mut sql, "chat:%", "again"), 1);
        let (counted, rests) = lane(&mut sql);
        assert_eq!(counted, failures.min(16));
        assert!((rests_for - 0.5..=rests_for).contains(&rests), "{rests} s");
    }
    end_pauses(&mut sql);
    assert_eq!(claim(&mut sql).len(), 1);
    assert_eq!(settle_all(&mut sql, "chat:%", "done"), 1);
    assert_eq!(lane(&mut sql).0, 0);
    end_pauses(&mut sql);
    assert_eq!(claim(&mut sql).len(), 29);
}

#[test]
fn an_event_waits_for_its_time_and_is_not_delivered_after_it() {
    let mut sql = quiet();
    let mut sql = sql.transaction().unwrap();
    as_owner(
        &mut sql,
        "INSERT INTO events.outbox (kind, aggregate, payload, not_before, expires_at) VALUES
            ('notify', 'later', '{}', now() + interval '1 hour', NULL),
            ('notify', 'late', '{}', NULL, now() - interval '1 second'),
            ('notify', 'in-time', '{}', now() - interval '1 hour', now() + interval '1 hour')",
    );
    assert_eq!(claim(&mut sql), ["in-time"]);
    sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
    let kept =
        "SELECT state || ' ' || coalesce(last_error, '') FROM events.delivery WHERE aggregate = $1";
    let mut state =
        |aggregate: &str| -> String { sql.query_one(kept, &[&aggregate]).unwrap().get(0) };
    assert_eq!(state("later"), "retrying ");
    assert_eq!(
        state("late"),
        "dead it expired before it could be delivered"
    );
}

/// The backlog before a letter, on its own lane and on others: heads that back off with long lines behind them, a paused
/// kind, webhooks that rest, dead letters.
fn fill(sql: &mut Transaction<'_>, backlog: i32) {
    as_owner(
        sql,
        &format!(
            "INSERT INTO events.delivery (event, seq, kind, aggregate, payload, created_at, consumer, lane, state,
                due_at, attempts, parked_for, settled_at, is_passed)
            SELECT gen_random_uuid(), number, 'notify:security', 'line-' || number / 4, '{{}}'::jsonb, now(), 'notify',
                'letters', CASE WHEN number % 4 > 0 THEN 'blocked' ELSE 'retrying' END, now() + interval '1 hour', 1,
                NULL::text, NULL::timestamptz, false
            FROM generate_series(0, {backlog} / 2) AS number
            UNION ALL
            SELECT gen_random_uuid(), number, 'test:paused', 'paused-' || number, '{{}}', now(), 'notify', 'letters',
                'parked', now(), 0, 'test:paused', NULL, false
            FROM generate_series(1, {backlog} / 4) AS number
            UNION ALL
            SELECT gen_random_uuid(), number, 'deliver:webhook', 'call-' || number, '{{}}', now(), 'notify',
                'webhook:' || number % ({backlog} / 10), 'ready', now() - interval '1 day', 0, NULL, NULL, false
            FROM generate_series(1, {backlog} / 8) AS number
            UNION ALL
            SELECT gen_random_uuid(), number, 'notify:security', 'dead-' || number, '{{}}', now(), 'notify', 'letters',
                'dead', now(), 24, NULL, now(), true
            FROM generate_series(1, {backlog} / 8) AS number;
            INSERT INTO events.lane (consumer, name, max_running, rank, not_before, wake_at)
            SELECT 'notify', 'webhook:' || number, 4, 2, now() + interval '1 hour', now() + interval '1 hour'
            FROM generate_series(0, {backlog} / 10 - 1) AS number"
        ),
    );
}

/// Rows and index entries that this transaction has read of the tables of events.
fn reads(sql: &mut Transaction<'_>) -> i64 {
    sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
    let read = "SELECT sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid))::bigint
        FROM pg_class WHERE relnamespace = 'events'::regnamespace AND relkind IN ('r', 'i')";
    sql.query_one(read, &[]).unwrap().get(0)
}

/// The cost of claiming a letter: the least of ten, because making a plan reads the ends of indexes, where rolled back
/// rows of other tests may be.
fn least_reads(sql: &mut Transaction<'_>) -> i64 {
    let costs = (0..10).map(|number| {
        let letter = format!("letter-{number}");
        emit_all(
            sql,
            &format!("VALUES ('notify:security', '{letter}', '{{}}')"),
        );
        let before = reads(sql);
        as_owner(sql, "SELECT 1");
        assert_eq!(claim(sql), [letter.as_str()]);
        let claimed = reads(sql) - before;
        settle(sql, &letter, "done");
        claimed
    });
    costs.min().unwrap()
}

/// A claim reads neither events that cannot be delivered now nor lanes that rest.
#[test]
fn a_claim_reads_the_same_rows_whatever_waits() {
    let mut costs = Vec::new();
    for backlog in [1_000, 300_000] {
        let mut sql = quiet();
        let mut sql = sql.transaction().unwrap();
        // As each claim does, before it writes lanes that another test fills too.
        as_owner(&mut sql, "SELECT events.lock_lines()");
        fill(&mut sql, backlog);
        as_owner(&mut sql, "ANALYZE events.delivery; ANALYZE events.lane");
        costs.push(least_reads(&mut sql));
    }
    let (few, many) = (costs[0], costs[1]);
    assert!(
        many < few + 5_000,
        "{few} rows are read with few, {many} with many"
    );
}

/// A connection keeps its plans: a plan that was made while the tables were empty is used when many events wait.
#[test]
fn a_claim_that_was_planned_while_nothing_waited_does_not_read_all_that_waits() {
    let mut sql = quiet();
    sql.batch_execute("VACUUM (ANALYZE) events.delivery, events.lane, events.outbox")
        .unwrap();
    let mut sql = sql.transaction().unwrap();
    let few = least_reads(&mut sql);
    fill(&mut sql, 30_000);
    let many = least_reads(&mut sql);
    assert!(
        many < few + 20_000,
        "{few} rows are read with few, {many} with many"
    );
}

/// Counting costs more the more deliveries there are, so a count is kept for twenty times as long as it took.
#[test]
fn monitors_that_ask_often_make_few_counts() {
    let mut sql = quiet();
    let mut sql = sql.transaction().unwrap();
    emit_all(&mut sql, "VALUES ('notify', 'first', '{}')");
    assert_eq!(claim(&mut sql), ["first"]);
    let mut running_after = |change: &str| -> i64 {
        as_owner(&mut sql, change);
        let counted = "SELECT coalesce(sum(running), 0)::bigint FROM events.measure_backlog()";
        sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
        sql.query_one(counted, &[]).unwrap().get(0)
    };
    assert_eq!(running_after("DELETE FROM events.measured"), 1);
    let settled = "UPDATE events.delivery SET state = 'ready'; UPDATE events.measured SET took";
    assert_eq!(running_after(&format!("{settled} = '1 minute'")), 1);
    assert_eq!(running_after(&format!("{settled} = '0'")), 0);
}
