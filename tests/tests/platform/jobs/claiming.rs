//! What is handed out, and what it costs to find it. Each test looks at events of its own, in a transaction
//! that no other session sees and that is rolled back.

use std::sync::OnceLock;
use std::time::Instant;

use postgres::{Client, Transaction};
use uuid::Uuid;
use wharf_tests::Stack;

/// A platform on which nothing happens: every event in it is a test's own.
fn quiet() -> Client {
    static QUIET: OnceLock<Stack> = OnceLock::new();
    QUIET.get_or_init(Stack::start).sql()
}

fn emit_all(sql: &mut Transaction<'_>, values: &str) {
    sql.batch_execute(&format!(
        "RESET SESSION AUTHORIZATION;
        INSERT INTO events.outbox (kind, aggregate, payload, unsettled, due_at) {values};
        SET LOCAL SESSION AUTHORIZATION wharf_notify"
    ))
    .unwrap();
}

fn claim(sql: &mut Transaction<'_>, statement: &str) -> Vec<(Uuid, String)> {
    let statement = format!("SELECT id, aggregate FROM {statement} ORDER BY seq");
    let rows = sql.query(&statement, &[]).unwrap();
    rows.iter().map(|it| (it.get(0), it.get(1))).collect()
}

fn aggregates(claimed: Vec<(Uuid, String)>) -> Vec<String> {
    claimed
        .into_iter()
        .map(|(_, aggregate)| aggregate)
        .collect()
}

const CLAIM: &str = "events.claim(32, 60000)";
const RECLAIM: &str = "events.reclaim(60000)";

#[test]
fn an_event_that_was_never_settled_is_handed_out_alone() {
    let mut sql = quiet();
    let mut sql = sql.transaction().unwrap();
    emit_all(
        &mut sql,
        "SELECT 'notify:x', name, '{}', unsettled, now() - interval '1 second'
        FROM (VALUES ('dropped-1', 1), ('dropped-2', 1), ('new-1', 0), ('new-2', 0)) AS it (name, unsettled)",
    );
    assert_eq!(aggregates(claim(&mut sql, CLAIM)), ["new-1", "new-2"]);
    assert_eq!(aggregates(claim(&mut sql, RECLAIM)), ["dropped-1"]);
    assert_eq!(aggregates(claim(&mut sql, RECLAIM)), ["dropped-2"]);
    assert!(claim(&mut sql, RECLAIM).is_empty());
    // The lease of a redelivery is longer than that of a first delivery.
    let leases = "SELECT DISTINCT extract(epoch FROM due_at - now())::bigint FROM events.outbox
        WHERE kind = 'notify:x' AND unsettled = 2";
    sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
    assert_eq!(sql.query_one(leases, &[]).unwrap().get::<_, i64>(0), 120);
}

#[test]
fn a_long_line_and_a_paused_kind_are_walked_over_once() {
    const MANY: i64 = 10_000;
    let mut sql = quiet();
    let mut sql = sql.transaction().unwrap();
    sql.batch_execute(
        "INSERT INTO events.pause (kind, paused_by) VALUES ('notify:paused', gen_random_uuid())",
    )
    .unwrap();
    emit_all(
        &mut sql,
        &format!("SELECT 'notify:x', 'line', '{{}}', 0, now() FROM generate_series(1, {MANY})"),
    );
    emit_all(
        &mut sql,
        &format!(
            "SELECT 'notify:paused', 'paused-' || number, '{{}}', 0, now() FROM generate_series(1, {MANY}) AS number"
        ),
    );
    emit_all(&mut sql, "VALUES ('notify:x', 'last', '{}', 0, now())");
    let began = Instant::now();
    let first = claim(&mut sql, CLAIM);
    let all_of_it = began.elapsed();
    let line = first[0].0;
    assert_eq!(aggregates(first), ["line", "last"]);
    let began = Instant::now();
    assert!(claim(&mut sql, CLAIM).is_empty());
    assert!(
        began.elapsed() * 5 < all_of_it,
        "{:?} after {all_of_it:?}",
        began.elapsed()
    );

    // Settling the first makes the next one due, and no other.
    let settle = "SELECT events.settle($1, 1, 'done', 0, NULL, '[]')";
    assert!(sql.query_one(settle, &[&line]).unwrap().get::<_, bool>(0));
    assert_eq!(aggregates(claim(&mut sql, CLAIM)), ["line"]);
    assert!(claim(&mut sql, CLAIM).is_empty());
}

#[test]
fn a_failed_event_holds_back_the_later_ones_of_its_aggregate() {
    let mut sql = quiet();
    let mut sql = sql.transaction().unwrap();
    emit_all(
        &mut sql,
        "SELECT 'notify:x', 'line', '{}', 0, now() FROM generate_series(1, 3)",
    );
    let first = claim(&mut sql, CLAIM)[0].0;
    let settle = "SELECT events.settle($1, 1, 'again', 1000, 'no answer', '[]')";
    assert!(sql.query_one(settle, &[&first]).unwrap().get::<_, bool>(0));
    assert!(claim(&mut sql, CLAIM).is_empty());
    assert!(claim(&mut sql, RECLAIM).is_empty());
    sql.batch_execute("RESET SESSION AUTHORIZATION").unwrap();
    let kept = "SELECT attempts, unsettled, state FROM events.outbox WHERE id = $1";
    let row = sql.query_one(kept, &[&first]).unwrap();
    assert_eq!(
        (
            row.get::<_, i32>(0),
            row.get::<_, i32>(1),
            row.get::<_, &str>(2)
        ),
        (1, 0, "waiting")
    );
}
