//! What the clock asks for: run twice is run once, on however many hosts, and never for long.

use std::collections::BTreeSet;

use wharf_tests::{Options, Stack, at_once, eventually};

use super::{SOON, emit};

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
fn two_clocks_at_once_forget_what_was_settled_long_ago_and_nothing_else() {
    let first = Options::default()
        .variable("tick_token", "tick-tock")
        .start_cabled();
    let second = first.start_second();
    let mut sql = first.sql();
    sql.batch_execute(
        "INSERT INTO events.outbox (kind, aggregate, payload, state, settled_at)
        SELECT 'notify:old', 'x', '{}', 'done', now() - interval '8 days' FROM generate_series(1, 12000);
        INSERT INTO events.outbox (kind, aggregate, payload, state, settled_at)
        VALUES ('notify:new', 'x', '{}', 'done', now()), ('notify:dead', 'x', '{}', 'dead', now() - interval '8 days');
        DELETE FROM jobs.sweep",
    )
    .unwrap();
    at_once(4, |number| {
        let host = if number % 2 == 0 { &first } else { &second };
        let tick = host.post("/jobs/tick").bearer("tick-tock").send();
        tick.expect(204);
    });
    let left = "SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM events.outbox WHERE kind LIKE 'notify:%'";
    eventually("all that is old is forgotten", SOON, || {
        let left: String = sql.query_one(left, &[]).unwrap().get(0);
        left == "notify:dead notify:new"
    });
}

/// What cannot be passed on must not keep the sweeps from running.
#[test]
fn sweeps_run_while_nothing_can_be_passed_on() {
    let stack = Options::default().start_cabled();
    let mut sql = stack.sql();
    let event = emit(&mut sql, "weather:changed", "x", &serde_json::json!({}));
    super::wait_until_settled(&mut sql, event, "dead");
    sql.batch_execute(
        "REVOKE EXECUTE ON FUNCTION events.claim FROM PUBLIC; DELETE FROM jobs.sweep",
    )
    .unwrap();
    eventually("the sweeps are run", SOON, || {
        let run = sql.query_one("SELECT count(*) FROM jobs.sweep", &[]);
        run.unwrap().get::<_, i64>(0) >= 4
    });
}
