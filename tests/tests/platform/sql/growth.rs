//! What reading a history and proving the books cost does not grow with the history: pages of the database are counted,
//! not time. `GROWTH=1000000 RUST_TEST_NOCAPTURE=1 infra/test sql::growth` fills in as many transfers and prints both.

use std::env;
use std::fs;
use std::time::Instant;

use postgres::{Client, Transaction};
use wharf_tests::{pages_read, repository};

use super::Database;

/// A year of transfers: one user has half of them, 3000 others have the rest.
const TRANSFERS: &str = "
    SET LOCAL search_path = payments;
    INSERT INTO holder (id) SELECT pg_temp.number_id(0, n) FROM generate_series(1, 3001) AS n;
    INSERT INTO account (id, kind, owner, currency, balance, held)
    SELECT pg_temp.number_id(1, n), 'main', pg_temp.number_id(0, n), 'USD', 0, 0 FROM generate_series(1, 3001) AS n;
    INSERT INTO transfer (id, kind, debit, credit, amount, currency, credit_balance, created_at)
    SELECT gen_random_uuid(), 'deposit', house_account('sandbox', 'USD'),
        pg_temp.number_id(1, CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + n / 2 % 3000 END), 1, 'USD', n,
        now() - interval '365 days' + n * (interval '365 days' / {transfers})
    FROM generate_series(1, {transfers}) AS n;
    ANALYZE transfer;
    ANALYZE account;
    UPDATE account SET balance = moved.amount
    FROM (SELECT credit, sum(amount)::bigint AS amount FROM transfer GROUP BY credit) AS moved
    WHERE credit = id AND kind = 'main';";

const NUMBER_ID: &str =
    "CREATE FUNCTION pg_temp.number_id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN ('00000000-0000-0000-' || lpad(kind::text, 4, '0') || '-' || lpad(n::text, 12, '0'))::uuid";

/// In a transaction that is never committed: the database is that of all tests here.
fn fill(sql: &mut Client) -> Transaction<'_> {
    let transfers = env::var("GROWTH").unwrap_or_else(|_| "60000".to_owned());
    let mut filled = sql.transaction().unwrap();
    filled.batch_execute(NUMBER_ID).unwrap();
    filled
        .batch_execute(&TRANSFERS.replace("{transfers}", &transfers))
        .unwrap();
    filled
}

/// How many pages a statement of payments reads once its plans are made.
fn pages(sql: &mut Transaction<'_>, statement: &str, params: &str) -> i64 {
    let file = format!("components/payments/src/sql/{statement}.sql");
    let text = fs::read_to_string(repository().join(file)).unwrap();
    let execute = format!("EXECUTE it{params}");
    sql.batch_execute(&format!("PREPARE it AS {text}")).unwrap();
    pages_read(sql, &execute);
    let began = Instant::now();
    let pages = pages_read(sql, &execute);
    let took = began.elapsed();
    sql.batch_execute("DEALLOCATE it").unwrap();
    println!("{statement}{params}: {pages} pages, {took:?}");
    pages
}

#[test]
fn a_page_of_a_long_history_costs_what_one_of_a_short_history_costs() {
    let mut sql = Database::migrated().owner();
    let mut sql = fill(&mut sql);
    let ago =
        |days: i32| format!("(extract(epoch FROM now() - interval '{days} days') * 1000)::bigint");
    let old_day = format!("NULL, NULL, 20, {}, {}", ago(300), ago(299));
    let cases = [
        ("list_transactions", "20, 0, NULL"),
        ("list_entries", "NULL, NULL, 20, NULL, NULL"),
        ("list_entries", "NULL, 30000, 20, NULL, NULL"),
        ("list_entries", &old_day),
        ("find_balance", &format!("NULL, {}", ago(300))),
    ];
    for (statement, rest) in cases {
        let [long, short] = [1, 7].map(|user| {
            let params = format!("(pg_temp.number_id(0, {user}), 'USD', {rest})");
            pages(&mut sql, statement, &params)
        });
        // Of a page of twenty entries each account of the other side is read.
        assert!(
            long <= 2 * short + 200,
            "{statement} ({rest}): {long} pages of a long history, {short} of a short one"
        );
    }
}

#[test]
fn the_trial_balance_reads_what_came_since_the_last_day_that_is_closed() {
    let mut sql = Database::migrated().owner();
    let mut sql = fill(&mut sql);
    let open = pages(&mut sql, "trial_balance", "");
    let mut closed = 0;
    while sql.query_one("SELECT close_next()", &[]).unwrap().get(0) {
        closed += 1;
    }
    assert!(closed >= 364, "{closed} days are closed");
    sql.batch_execute("ANALYZE closed_balance").unwrap();
    let rest = pages(&mut sql, "trial_balance", "");
    assert!(rest * 4 < open, "{rest} pages, and {open} without closings");
    let drifted = sql
        .query_one("SELECT count_drifted_closings()", &[])
        .unwrap();
    assert_eq!(drifted.get::<_, i64>(0), 0);

    // A transfer that comes to a closed day is seen by both proofs.
    let trial =
        fs::read_to_string(repository().join("components/payments/src/sql/trial_balance.sql"));
    let trial = trial.unwrap();
    let faults = |sql: &mut Transaction<'_>| -> (i64, i64) {
        let row = sql.query_one(&trial, &[]).unwrap();
        (row.get("difference"), row.get("drifted_balances"))
    };
    assert_eq!(faults(&mut sql), (0, 0));
    sql.batch_execute(
        "INSERT INTO transfer (id, kind, debit, credit, amount, currency, credit_balance, created_at)
        SELECT gen_random_uuid(), kind, debit, credit, amount, currency, credit_balance, created_at
        FROM transfer ORDER BY created_at LIMIT 1;
        UPDATE account SET balance = balance + 1 WHERE id = (SELECT credit FROM transfer ORDER BY created_at LIMIT 1)",
    )
    .unwrap();
    assert_ne!(faults(&mut sql), (0, 0));
    let drifted = sql
        .query_one("SELECT count_drifted_closings()", &[])
        .unwrap();
    assert_eq!(drifted.get::<_, i64>(0), 2);
}
