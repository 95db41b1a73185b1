//! Many hosts hear every wake-up; few of them look.

use postgres::Client;
use serde_json::json;
use wharf_tests::{Options, Stack, eventually};

use super::{SOON, emit, new_stranger, wait_until_drained};

/// How often functions have looked for events.
fn looks(sql: &mut Client) -> i64 {
    let calls = "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_user_functions WHERE funcname = 'claim_deliveries'";
    sql.batch_execute("SELECT pg_stat_clear_snapshot()")
        .unwrap();
    sql.query_one(calls, &[]).unwrap().get(0)
}

fn wake(stack: &Stack) {
    redis::cmd("PUBLISH")
        .arg(&["outbox", ""])
        .exec(&mut stack.redis())
        .unwrap();
}

/// How many looks a number of events cost that come one after another.
fn cost_of(stack: &Stack, sql: &mut Client, events: i64) -> i64 {
    let before = looks(sql);
    for _ in 0..events {
        let (id, payload) = new_stranger();
        emit(sql, "user:created", &format!("user:{id}"), &payload);
        wake(stack);
        wait_until_drained(sql);
    }
    looks(sql) - before
}

/// One host, whose looks are counted from now on.
fn start_counted() -> (Stack, Client) {
    let stack = Options::default().start_cabled();
    let mut sql = stack.sql();
    // Not in one transaction.
    for statement in [
        "ALTER SYSTEM SET track_functions = 'all'",
        "SELECT pg_reload_conf()",
    ] {
        sql.batch_execute(statement).unwrap();
    }
    emit(&mut sql, "user:updated", "user:first", &json!({}));
    wait_until_drained(&mut sql);
    (stack, sql)
}

#[test]
fn four_hosts_look_less_than_twice_as_often_as_one() {
    const EVENTS: i64 = 60;
    let (first, mut sql) = start_counted();
    let alone = cost_of(&first, &mut sql, EVENTS);
    let others: Vec<Stack> = (0..3).map(|_| first.start_second()).collect();
    let together = cost_of(&first, &mut sql, EVENTS);
    assert!(
        alone > EVENTS && together < 2 * alone,
        "{alone} looks by one host, {together} by {}",
        others.len() + 1
    );
}

/// Looks for events that all functions make within so many turns of the tick, when there are none.
fn idle_looks(stack: &Stack, sql: &mut Client, turns: usize) -> i64 {
    let mut redis = stack.redis();
    // The lifetime of the mark that a turn leaves: it grows when the next one begins.
    let mut lifetime = || -> i64 {
        let left = redis::cmd("PTTL").arg("sweep:bookings").query(&mut redis);
        left.unwrap()
    };
    let (mut before, mut seen, mut last) = (0, 0, i64::MAX);
    eventually("turns are taken", SOON, || {
        let left = lifetime();
        if left > last {
            seen += 1;
            if seen == 1 {
                before = looks(sql);
            }
        }
        last = left;
        seen > turns
    });
    looks(sql) - before
}

#[test]
fn four_hosts_sweep_as_often_as_one() {
    const TURNS: usize = 8;
    let (first, mut sql) = start_counted();
    let alone = idle_looks(&first, &mut sql, TURNS);
    let _others: Vec<Stack> = (0..3).map(|_| first.start_second()).collect();
    let together = idle_looks(&first, &mut sql, TURNS);
    assert!(
        alone > 0 && together < 2 * alone,
        "{alone} looks by one host, {together} by four"
    );
}

#[test]
fn a_copy_that_is_killed_before_it_looks_keeps_others_from_it_for_a_moment_only() {
    let stack = Options::default().start();
    let mut redis = stack.redis();
    let key = "events:wake:payments";
    redis::cmd("SET").arg(&[key, "1"]).exec(&mut redis).unwrap();
    eventually("the next copy to look is free to", SOON, || {
        wake(&stack);
        let exists: bool = redis::cmd("EXISTS").arg(key).query(&mut redis).unwrap();
        !exists
    });
}
