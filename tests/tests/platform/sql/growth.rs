//! What a page of a history costs does not grow with the history: pages of the database are counted, not time.

use std::fs;

use postgres::{Client, Transaction};
use wharf_tests::repository;

use super::Database;

/// One user of a year ago until now with half of all transfers, and others with a few each.
const TRANSFERS: &str = "
    SET LOCAL search_path = payments;
    INSERT INTO holder (id) SELECT number_id(0, n) FROM generate_series(1, 3001) AS n;
    INSERT INTO account (id, kind, owner, currency, balance, held)
    SELECT number_id(1, n), 'main', number_id(0, n), 'USD', 0, 0 FROM generate_series(1, 3001) AS n;
    INSERT INTO transfer (id, kind, debit, credit, amount, currency, credit_balance, created_at)
    SELECT gen_random_uuid(), 'deposit', house_account('sandbox', 'USD'),
        number_id(1, CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + n / 2 % 3000 END), 1, 'USD', n,
        now() - interval '365 days' + n * interval '365 days' / 60000
    FROM generate_series(1, 60000) AS n;
    ANALYZE transfer;
    ANALYZE account;";

/// In a transaction that is never committed: the database is that of all tests here.
fn fill(sql: &mut Client) -> Transaction<'_> {
    let mut filled = sql.transaction().unwrap();
    filled
        .batch_execute(
            "CREATE FUNCTION pg_temp.number_id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
                RETURN ('00000000-0000-0000-' || lpad(kind::text, 4, '0') || '-' || lpad(n::text, 12, '0'))::uuid;",
        )
        .unwrap();
    filled
        .batch_execute(&TRANSFERS.replace("number_id", "pg_temp.number_id"))
        .unwrap();
    filled
}

/// How many pages a statement of payments reads for a user, once its plans are made.
fn pages(sql: &mut Transaction<'_>, statement: &str, user: i64, rest: &str) -> i64 {
    let file = format!("components/payments/src/sql/{statement}.sql");
    let text = fs::read_to_string(repository().join(file)).unwrap();
    let explain = format!(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE it(pg_temp.number_id(0, {user}), 'USD', {rest})"
    );
    sql.batch_execute(&format!("PREPARE it AS {text}")).unwrap();
    sql.query(&explain, &[]).unwrap();
    let plan: serde_json::Value = sql.query_one(&explain, &[]).unwrap().get(0);
    sql.batch_execute("DEALLOCATE it").unwrap();
    let plan = &plan[0]["Plan"];
    let count = |name: &str| plan[name].as_i64().unwrap();
    count("Shared Hit Blocks") + count("Shared Read Blocks")
}

#[test]
fn a_page_of_a_long_history_costs_what_one_of_a_short_history_costs() {
    let mut sql = Database::migrated().owner();
    let mut sql = fill(&mut sql);
    let ago =
        |days: i32| format!("(extract(epoch FROM now() - interval '{days} days') * 1000)::bigint");
    let old_day = format!("NULL, NULL, 20, {}, {}", ago(300), ago(299));
    let cases = [
        ("list_transactions", "20, 0"),
        ("list_entries", "NULL, NULL, 20, NULL, NULL"),
        ("list_entries", "NULL, 30000, 20, NULL, NULL"),
        ("list_entries", &old_day),
        ("find_balance", &format!("NULL, {}", ago(300))),
    ];
    for (statement, rest) in cases {
        let (long, short) = (
            pages(&mut sql, statement, 1, rest),
            pages(&mut sql, statement, 7, rest),
        );
        // Of a page of twenty entries each account of the other side is read.
        assert!(
            long <= 2 * short + 200,
            "{statement} ({rest}): {long} pages of a long history, {short} of a short one"
        );
    }
}
