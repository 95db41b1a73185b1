//! The declarations of events: complete, and as docs/events.md and docs/events.json say them.

use std::env;
use std::fmt::Write;
use std::fs;

use postgres::Client;
use serde_json::Value;
use wharf_tests::repository;

use super::Database;

fn texts(sql: &mut Client, query: &str) -> Vec<String> {
    let rows = sql.query(query, &[]).unwrap();
    rows.iter().map(|it| it.get(0)).collect()
}

#[test]
fn what_is_heard_is_emitted_and_what_is_emitted_is_defined() {
    let mut sql = Database::migrated().owner();
    let undefined = "SELECT producer || ' emits ' || kind FROM events.producer
        WHERE kind NOT IN (SELECT kind FROM events.kind)
        UNION ALL
        SELECT consumer || ' hears ' || kind FROM events.subscription
        WHERE kind NOT IN (SELECT kind FROM events.producer)
        UNION ALL
        SELECT consumer || ' hears on the lane ' || lane FROM events.subscription
        WHERE (consumer, lane) NOT IN (SELECT consumer, name FROM events.lane_rule)
        UNION ALL
        SELECT owner || ' defines ' || kind || ', which no function emits' FROM events.kind
        WHERE kind NOT IN (SELECT kind FROM events.producer)";
    assert_eq!(texts(&mut sql, undefined), Vec::<String>::new());
}

#[test]
fn a_lane_that_is_declared_anew_changes_no_other() {
    let mut owner = Database::migrated().owner();
    let mut sql = owner.transaction().unwrap();
    sql.batch_execute(
        "SET LOCAL search_path = notify;
        INSERT INTO events.lane (consumer, name, max_running, rank)
            SELECT 'notify', name, 1, 1 FROM unnest(ARRAY['one', 'one:a', 'other']) AS name;
        SELECT events.has_lane('one', 7)",
    )
    .unwrap();
    let declared =
        "SELECT name FROM events.lane WHERE consumer = 'notify' AND max_running = 7 ORDER BY name";
    let declared = sql.query(declared, &[]).unwrap();
    let declared: Vec<&str> = declared.iter().map(|it| it.get(0)).collect();
    assert_eq!(declared, ["one", "one:a"]);
}

/// The page of all events.
fn page(sql: &mut Client) -> String {
    let mut page = String::from(
        "# Events

Written by `WRITE_EVENTS=1 infra/test sql` from the files `migrations/*/events.sql`, where each function declares what it emits and hears.
An event arrives at least once, and in the order of its aggregate on each lane.

| kind | | written by | heard by |
|---|---|---|---|
",
    );
    let kinds = "SELECT kind, summary,
            coalesce((
                SELECT string_agg(producer, ', ' ORDER BY producer) FROM events.producer WHERE producer.kind = kind.kind
            ), ''),
            coalesce((
                SELECT string_agg(consumer || CASE WHEN lane = 'main' THEN '' ELSE ' (' || lane || ')' END, ', '
                    ORDER BY consumer)
                FROM events.subscription WHERE subscription.kind = kind.kind
            ), '')
        FROM events.kind ORDER BY kind";
    for row in sql.query(kinds, &[]).unwrap() {
        let [kind, summary, producers, consumers] = [0, 1, 2, 3].map(|it| row.get::<_, String>(it));
        writeln!(page, "| `{kind}` | {summary} | {producers} | {consumers} |").unwrap();
    }
    page.push_str("\n## Payloads\n");
    let members = "SELECT kind, version, owner, member.key, member.value
        FROM events.kind CROSS JOIN LATERAL jsonb_each_text(payload) AS member ORDER BY kind, member.key";
    let mut last = String::new();
    for row in sql.query(members, &[]).unwrap() {
        let kind: String = row.get(0);
        if kind != last {
            let (version, owner) = (row.get::<_, i32>(1), row.get::<_, String>(2));
            writeln!(
                page,
                "\n### `{kind}`\n\nVersion {version}, defined by {owner}.\n"
            )
            .unwrap();
            last = kind;
        }
        let (member, says) = (row.get::<_, String>(3), row.get::<_, String>(4));
        writeln!(page, "- `{member}`: {says}").unwrap();
    }
    page.push_str("\n## Lanes\n\n| function | lane | in flight at once, over all hosts | rank |\n|---|---|--:|--:|\n");
    let lanes = "SELECT consumer, name, max_running, rank FROM events.lane_rule
        WHERE (consumer, name) IN (SELECT consumer, lane FROM events.subscription) ORDER BY consumer, rank, name";
    for row in sql.query(lanes, &[]).unwrap() {
        let (consumer, lane) = (row.get::<_, String>(0), row.get::<_, String>(1));
        let (running, rank) = (row.get::<_, i32>(2), row.get::<_, i16>(3));
        writeln!(page, "| {consumer} | {lane} | {running} | {rank} |").unwrap();
    }
    page
}

/// The same for programs, as `/events.json` serves it.
fn catalogue(sql: &mut Client) -> String {
    let catalogue = "SELECT jsonb_build_object(
        'events', (
            SELECT jsonb_agg(jsonb_build_object(
                'kind', kind, 'version', version, 'owner', owner, 'summary', summary, 'payload', payload,
                'emitted_by', (
                    SELECT jsonb_agg(producer ORDER BY producer) FROM events.producer WHERE producer.kind = kind.kind
                ),
                'heard_by', (
                    SELECT coalesce(jsonb_agg(jsonb_build_object('function', consumer, 'lane', lane)
                        ORDER BY consumer), '[]')
                    FROM events.subscription WHERE subscription.kind = kind.kind
                )
            ) ORDER BY kind)
            FROM events.kind
        ),
        'lanes', (
            SELECT jsonb_agg(jsonb_build_object(
                'function', consumer, 'lane', name, 'max_running', max_running, 'rank', rank
            ) ORDER BY consumer, rank, name)
            FROM events.lane_rule
            WHERE (consumer, name) IN (SELECT consumer, lane FROM events.subscription)
        )
    )";
    let catalogue: Value = sql.query_one(catalogue, &[]).unwrap().get(0);
    format!("{catalogue:#}\n")
}

#[test]
fn the_catalogue_of_events_is_current() {
    let mut sql = Database::migrated().owner();
    for (name, text) in [
        ("docs/events.md", page(&mut sql)),
        ("docs/events.json", catalogue(&mut sql)),
    ] {
        let path = repository().join(name);
        if env::var_os("WRITE_EVENTS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "{name} is not current: WRITE_EVENTS=1 infra/test sql writes it"
        );
    }
}
