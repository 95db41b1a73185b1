//! The cost of reading a history, of proving the books and of listing bookings does not grow with what there is. The tests count
//! pages of the database, not time, each in a database of its own: pages with rows that another test took back would count, too.
//! `GROWTH=1000000 RUST_TEST_NOCAPTURE=1 infra/test sql::growth` runs them with so many transfers and prints both.

use std::env;
use std::fs;
use std::time::Instant;

use postgres::{Client, Transaction};
use wharf_tests::{pages_read, repository};

use super::Database;

/// A year of transfers: one user has half of them, 3000 others have the rest. That user and one of the others have a half
/// of theirs in another account than the wallet. Of each hundredth the house could have had a fee.
const TRANSFERS: &str = "
    SET LOCAL search_path = payments;
    INSERT INTO holder (id) SELECT pg_temp.number_id(0, n) FROM generate_series(1, 3001) AS n;
    INSERT INTO account (id, kind, owner, currency, balance, held)
    SELECT pg_temp.number_id(1, n), 'main', pg_temp.number_id(0, n), 'USD', 0, 0 FROM generate_series(1, 3001) AS n;
    INSERT INTO account (id, kind, owner, currency, name, type, balance, held)
    SELECT pg_temp.number_id(2, n), 'further', pg_temp.number_id(0, n), 'USD', 'growth-' || n, 'DEBIT', 0, 0
    FROM unnest(ARRAY[1, 7]) AS n;
    INSERT INTO transfer (id, kind, debit, credit, amount, currency, credit_balance, created_at)
    SELECT gen_random_uuid(), CASE n % 100 WHEN 1 THEN 'payment' ELSE 'deposit' END, house_account('sandbox', 'USD'),
        pg_temp.number_id(CASE WHEN to_user IN (1, 7) THEN 1 + n / 6000 % 2 ELSE 1 END, to_user), 1, 'USD', n,
        now() - interval '365 days' + n * (interval '365 days' / {transfers})
    FROM generate_series(1, {transfers}) AS n,
        LATERAL (SELECT CASE WHEN n % 2 = 0 THEN 1 ELSE 2 + n / 2 % 3000 END AS to_user) AS payee;
    INSERT INTO fee (payment, currency, basis_points, kept)
    SELECT id, 'USD', 0, 0 FROM transfer WHERE kind = 'payment';
    ANALYZE transfer;
    ANALYZE fee;
    ANALYZE account;
    UPDATE account SET balance = moved.amount
    FROM (SELECT credit, sum(amount)::bigint AS amount FROM transfer GROUP BY credit) AS moved
    WHERE credit = id AND kind <> 'house';";

const NUMBER_ID: &str =
    "CREATE FUNCTION pg_temp.number_id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN ('00000000-0000-0000-' || lpad(kind::text, 4, '0') || '-' || lpad(n::text, 12, '0'))::uuid";

/// How many transfers, or keys, there are.
fn growth() -> String {
    env::var("GROWTH").unwrap_or_else(|_| "60000".to_owned())
}

/// In a transaction that is never committed.
fn fill(sql: &mut Client) -> Transaction<'_> {
    let mut filled = sql.transaction().unwrap();
    filled.batch_execute(NUMBER_ID).unwrap();
    filled
        .batch_execute(&TRANSFERS.replace("{transfers}", &growth()))
        .unwrap();
    filled
}

/// How many pages a statement of payments reads once its plans are made.
fn pages(sql: &mut Transaction<'_>, statement: &str, params: &str) -> i64 {
    pages_of(sql, "payments", statement, params)
}

fn pages_of(sql: &mut Transaction<'_>, component: &str, statement: &str, params: &str) -> i64 {
    let file = format!("components/{component}/src/sql/{statement}.sql");
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
    let database = Database::own();
    let mut sql = database.owner();
    let mut sql = fill(&mut sql);
    let ago =
        |days: i32| format!("(extract(epoch FROM now() - interval '{days} days') * 1000)::bigint");
    let middle = "SELECT ((min(seq) + max(seq)) / 2)::text FROM transfer";
    let middle: String = sql.query_one(middle, &[]).unwrap().get(0);
    let old_day = format!(
        "{{user}}, 'USD', NULL, NULL, 20, {}, {}",
        ago(300),
        ago(299)
    );
    let cases = [
        ("list_transactions", "{user}, 'USD', 20, 0, NULL"),
        ("list_transactions", "{user}, 'USD', 20, 0, {middle}"),
        ("list_histories", "{user}, 20, 0, NULL"),
        ("list_histories", "{user}, 20, 0, {middle}"),
        ("list_entries", "{user}, 'USD', NULL, NULL, 20, NULL, NULL"),
        (
            "list_entries",
            "{user}, 'USD', NULL, {middle}, 20, NULL, NULL",
        ),
        ("list_entries", &old_day),
        (
            "find_balance",
            &format!("{{user}}, 'USD', NULL, {}", ago(300)),
        ),
        ("funds", "{user}, 'USD'"),
        ("list_accounts", "{user}"),
        ("find_receipt", "{newest}, {user}"),
    ];
    for (statement, params) in cases {
        let [long, short] = [1_i64, 7].map(|user| {
            let newest = "SELECT quote_literal(id) FROM transfer
                WHERE credit = pg_temp.number_id(1, $1) ORDER BY seq DESC LIMIT 1";
            let newest: String = sql.query_one(newest, &[&user]).unwrap().get(0);
            let user = format!("pg_temp.number_id(0, {user})");
            let params = params.replace("{user}", &user).replace("{newest}", &newest);
            let params = params.replace("{middle}", &middle);
            pages(&mut sql, statement, &format!("({params})"))
        });
        // Of a page of twenty entries each account of the other side is read.
        assert!(
            long <= 2 * short + 200,
            "{statement} ({params}): {long} pages of a long history, {short} of a short one"
        );
    }
}

#[test]
fn purging_keys_of_requests_costs_what_is_purged() {
    let database = Database::own();
    let mut sql = database.owner();
    let mut sql = sql.transaction().unwrap();
    let mut purge_of = |keys: &str| {
        let fill = "SET LOCAL search_path = payments;
            INSERT INTO idempotency_key (caller, key, fingerprint, status, claimed_at)
            SELECT gen_random_uuid(), n::text, '', 200, now() - interval '2 days' + n * (interval '2 days' / {keys})
            FROM generate_series(1, {keys}) AS n;
            ANALYZE idempotency_key;";
        sql.batch_execute(&fill.replace("{keys}", keys)).unwrap();
        pages_of(&mut sql, "kit", "idempotency_purge", "(200)")
    };
    let [few, many] = ["1000", &growth()].map(&mut purge_of);
    assert!(
        many <= 2 * few + 200,
        "{many} pages of many keys, {few} of few"
    );
}

#[test]
fn a_sweep_reads_nothing_of_erased_people_who_left_nothing() {
    let database = Database::own();
    let mut sql = database.owner();
    let mut sql = sql.transaction().unwrap();
    sql.batch_execute(NUMBER_ID).unwrap();
    let mut pages_with = |people: &str| {
        let erased = "SET LOCAL search_path = payments;
            INSERT INTO holder (id, erased_at) SELECT pg_temp.number_id(0, n), now() FROM generate_series(1, {people}) AS n
            ON CONFLICT DO NOTHING;
            INSERT INTO account (id, kind, owner, currency, balance, held)
            SELECT pg_temp.number_id(1, n), 'main', pg_temp.number_id(0, n), 'USD', 0, 0
            FROM generate_series(1, {people}) AS n
            ON CONFLICT DO NOTHING;
            ANALYZE holder;
            ANALYZE account;";
        sql.batch_execute(&erased.replace("{people}", people))
            .unwrap();
        pages(&mut sql, "set_aside_next", "")
    };
    let [few, many] = ["100", &growth()].map(&mut pages_with);
    assert!(
        many <= 2 * few + 200,
        "{many} pages of many people, {few} of few"
    );
}

/// Payments of a year until last week, in a file of the provider, and a file of today with one other line.
const REPORTED: &str = "
    SET LOCAL search_path = payments;
    INSERT INTO holder (id) VALUES (pg_temp.number_id(0, 1)) ON CONFLICT DO NOTHING;
    INSERT INTO account (id, kind, owner, currency, balance, held)
    VALUES (pg_temp.number_id(1, 1), 'main', pg_temp.number_id(0, 1), 'USD', 0, 0) ON CONFLICT DO NOTHING;
    INSERT INTO checkout (
        id, opener, reference, customer, owner, amount, currency, description, method, credit, expires_at
    )
    SELECT pg_temp.number_id(2, n), 'growth', 'growth', 'growth', pg_temp.number_id(0, 1), 1, 'USD', 'growth', 'link',
        pg_temp.number_id(1, 1), now()
    FROM generate_series(1, {payments}) AS n
    ON CONFLICT DO NOTHING;
    INSERT INTO transfer (id, kind, debit, credit, amount, currency, credit_balance, created_at)
    SELECT pg_temp.number_id(2, n), 'deposit', house_account('psp', 'USD'), pg_temp.number_id(1, 1), 1, 'USD', n,
        now() - interval '7 days' - n * (interval '365 days' / {payments})
    FROM generate_series(1, {payments}) AS n
    ON CONFLICT DO NOTHING;
    INSERT INTO psp_payment (id, checkout, verdict, state, amount, currency)
    SELECT 'growth-' || n, pg_temp.number_id(2, n), 'accepted', 'approved', 1, 'USD'
    FROM generate_series(1, {payments}) AS n
    ON CONFLICT DO NOTHING;
    INSERT INTO provider_file (id, name, lines, repeated, skipped, first_at, last_at, imported_by)
    SELECT pg_temp.number_id(6, ago), 'growth', 0, 0, 0, now() - ago * interval '1 day', now() - 7 * sign(ago - 1) * interval '1 day',
        pg_temp.number_id(0, 1)
    FROM unnest(ARRAY[1, 372]) AS ago
    ON CONFLICT DO NOTHING;
    INSERT INTO provider_line (file, payment, kind, amount, fee, currency, happened_at)
    SELECT pg_temp.number_id(6, 372), 'growth-' || n, 'payment', 1, 0, 'USD', now() - interval '7 days'
    FROM generate_series(1, {payments}) AS n
    ON CONFLICT DO NOTHING;
    INSERT INTO provider_line (file, payment, kind, amount, fee, currency, happened_at)
    VALUES (pg_temp.number_id(6, 1), 'growth-unknown', 'payment', 1, 0, 'USD', now()) ON CONFLICT DO NOTHING;
    ANALYZE transfer;
    ANALYZE psp_payment;
    ANALYZE provider_line;";

#[test]
fn the_differences_of_a_file_cost_what_it_names_however_much_was_reported_before() {
    let database = Database::own();
    let mut sql = database.owner();
    let mut sql = sql.transaction().unwrap();
    sql.batch_execute(NUMBER_ID).unwrap();
    let [few, many] = ["1000", &growth()].map(|payments| {
        sql.batch_execute(&REPORTED.replace("{payments}", payments))
            .unwrap();
        pages(
            &mut sql,
            "list_differences",
            "(pg_temp.number_id(6, 1), 50, 0)",
        )
    });
    assert!(
        many <= 2 * few + 200,
        "{many} pages after many payments, {few} after few"
    );
}

/// Users who owe a cent each and have no money.
const DEBTS: &str = "
    SET LOCAL search_path = payments;
    INSERT INTO holder (id) SELECT pg_temp.number_id(0, n) FROM generate_series(1, {debts}) AS n
    ON CONFLICT DO NOTHING;
    INSERT INTO account (id, kind, owner, currency, balance, held)
    SELECT pg_temp.number_id(1, n), 'main', pg_temp.number_id(0, n), 'USD', 0, 0 FROM generate_series(1, {debts}) AS n
    ON CONFLICT DO NOTHING;
    INSERT INTO checkout (
        id, opener, reference, customer, owner, amount, currency, description, method, credit, expires_at
    )
    SELECT pg_temp.number_id(2, 1), 'growth', 'growth', 'growth', pg_temp.number_id(0, 1), 1, 'USD', 'growth', 'link',
        pg_temp.number_id(1, 1), now()
    ON CONFLICT DO NOTHING;
    INSERT INTO transfer (id, kind, debit, credit, amount, currency, created_at)
    SELECT pg_temp.number_id(3, n), 'receivable', house_account('receivables', 'USD'), house_account('psp', 'USD'), 1,
        'USD', now()
    FROM generate_series(1, {debts}) AS n
    ON CONFLICT DO NOTHING;
    INSERT INTO receivable (id, owner, currency, amount, checkout)
    SELECT pg_temp.number_id(3, n), pg_temp.number_id(0, n), 'USD', 1, pg_temp.number_id(2, 1)
    FROM generate_series(1, {debts}) AS n
    ON CONFLICT DO NOTHING;
    ANALYZE receivable;
    ANALYZE account;";

#[test]
fn a_sweep_looks_at_a_hundred_debts_however_many_there_are() {
    let database = Database::own();
    let mut sql = database.owner();
    let mut sql = sql.transaction().unwrap();
    sql.batch_execute(NUMBER_ID).unwrap();
    let [few, many] = ["1000", &growth()].map(|debts| {
        sql.batch_execute(&DEBTS.replace("{debts}", debts)).unwrap();
        pages(&mut sql, "settle_next", "")
    });
    assert!(
        many <= 2 * few + 200,
        "{many} pages with many debts, {few} with few"
    );
}

#[test]
fn each_debt_has_its_turn() {
    let mut sql = Database::migrated().owner();
    let mut sql = sql.transaction().unwrap();
    sql.batch_execute(NUMBER_ID).unwrap();
    sql.batch_execute(&DEBTS.replace("{debts}", "1000"))
        .unwrap();
    sql.batch_execute("UPDATE account SET balance = 1 WHERE id = pg_temp.number_id(1, 777)")
        .unwrap();
    let mut settle = || -> bool {
        let settled = sql.query_one("SELECT settle_next()", &[]);
        settled.unwrap().get(0)
    };
    // One has money. Of the others nine full hundreds are looked at, then the rest.
    assert_eq!((0..20).take_while(|_| settle()).count(), 10);
    let settled = "SELECT sum(settled)::bigint FROM receivable";
    let settled: i64 = sql.query_one(settled, &[]).unwrap().get(0);
    assert_eq!(settled, 1);
}

/// One place and one driver have a half of all bookings. The oldest ones are waiting.
const BOOKINGS: &str = "
    SET LOCAL search_path = bookings;
    INSERT INTO place (owner, name, city, address, parking_type, hourly_rate, capacity)
    SELECT gen_random_uuid(), 'Garage', 'Porto', 'Rua 1', 'covered', 60, 100000 FROM generate_series(1, 100);
    INSERT INTO booking (place_id, driver, date_from, date_to, held_to, kept_to, hourly_rate, full_cost, status)
    SELECT (SELECT max(id) FROM place) - CASE WHEN n % 2 = 0 THEN 0 ELSE n / 2 % 100 END,
        CASE WHEN n / 2 % 2 = 0 THEN '00000000-0000-0000-0000-000000000000' ELSE gen_random_uuid() END,
        starts, ends, ends, ends, 60, 60,
        CASE WHEN n <= 100 THEN 'Waiting' WHEN n % 5 = 0 THEN 'Canceled' ELSE 'Confirmed' END
    FROM generate_series(1, {bookings}) AS n,
        LATERAL (SELECT now() + n * interval '5 minutes') AS one (starts),
        LATERAL (SELECT starts + interval '1 hour') AS other (ends);
    ANALYZE place;
    ANALYZE booking;";

#[test]
fn a_page_of_bookings_costs_what_it_shows_whatever_filters_it() {
    let database = Database::own();
    let mut sql = database.owner();
    let mut sql = sql.transaction().unwrap();
    sql.batch_execute(&BOOKINGS.replace("{bookings}", &growth()))
        .unwrap();
    let place = "SELECT id::text, quote_literal(owner) FROM place ORDER BY place.id DESC LIMIT 1";
    let place = sql.query_one(place, &[]).unwrap();
    let [place, owner] = [0, 1].map(|column| place.get::<_, String>(column));
    let (place, owner) = (place.as_str(), owner.as_str());
    let driver = "'00000000-0000-0000-0000-000000000000'";
    // A plan for any parameters is not to be worse than one for these.
    for plans in ["force_generic_plan", "force_custom_plan"] {
        sql.batch_execute(&format!("SET LOCAL plan_cache_mode = {plans}"))
            .unwrap();
        for (driver, place, viewer) in [
            ("NULL", "NULL", "NULL"),
            (driver, "NULL", "NULL"),
            (driver, "NULL", driver),
            ("NULL", place, "NULL"),
            ("NULL", place, owner),
            (driver, place, owner),
        ] {
            for status in ["NULL", "'Waiting'"] {
                for (after, offset) in [("NULL", 0), ("NULL", 100), ("1", 0)] {
                    let params = format!(
                        "({driver}, {place}, {viewer}, true, {status}, NULL, NULL, {after}, 20, {offset})"
                    );
                    let pages = pages_of(&mut sql, "bookings", "list_bookings", &params);
                    assert!(pages <= 600, "{plans} {params}: {pages} pages");
                }
            }
        }
    }
}

/// Waits until no other test closes days of this database.
const LOCK_CLOSING: &str = "SELECT pg_advisory_xact_lock(hashtextextended('payments:closing', 0))";

/// How many days there were to close.
fn close_days(sql: &mut Transaction<'_>) -> i32 {
    sql.batch_execute(LOCK_CLOSING).unwrap();
    let mut closed = 0;
    while sql.query_one("SELECT close_next()", &[]).unwrap().get(0) {
        closed += 1;
    }
    closed
}

/// Copies of the function sweep at the same time.
#[test]
fn days_are_closed_by_one_copy_at_a_time() {
    let [mut one, mut other] = [(); 2].map(|()| Database::migrated().owner());
    for (sql, past, currency) in [(&mut one, "1 year", "EUR"), (&mut other, "2 years", "BRL")] {
        let begin = format!(
            "SET search_path = payments; BEGIN;
            INSERT INTO transfer (id, kind, debit, credit, amount, currency, created_at)
            VALUES (gen_random_uuid(), 'sale', house_account('external', '{currency}'),
                house_account('sales', '{currency}'), 1, '{currency}', now() - interval '{past}')"
        );
        sql.batch_execute(&begin).unwrap();
    }
    let close = |sql: &mut Client| -> bool {
        let closed = sql.query_one("SELECT close_next()", &[]);
        closed.unwrap().get(0)
    };
    one.batch_execute(LOCK_CLOSING).unwrap();
    assert!(close(&mut one));
    assert!(!close(&mut other));
    drop(one);
    other.batch_execute(LOCK_CLOSING).unwrap();
    assert!(close(&mut other));
}

/// The difference of all accounts, drifted balances and drifted fees.
fn faults(sql: &mut Transaction<'_>) -> (i64, i64, i64) {
    let trial = repository().join("components/payments/src/sql/trial_balance.sql");
    let row = sql.query_one(&fs::read_to_string(trial).unwrap(), &[]);
    let row = row.unwrap();
    let [difference, balances, fees] = ["difference", "drifted_balances", "drifted_fees"];
    (row.get(difference), row.get(balances), row.get(fees))
}

fn drifted_closings(sql: &mut Transaction<'_>) -> i64 {
    let drifted = sql.query_one("SELECT count_drifted_closings()", &[]);
    drifted.unwrap().get(0)
}

#[test]
fn the_trial_balance_reads_what_came_since_the_last_day_that_is_closed() {
    let database = Database::own();
    let mut sql = database.owner();
    let mut sql = fill(&mut sql);
    let open = pages(&mut sql, "trial_balance", "");
    let closed = close_days(&mut sql);
    assert!(closed >= 364, "{closed} days are closed");
    // Transfers of today are still to come.
    let has_ended = "SELECT closed_until() <= now() - interval '1 hour'";
    let has_ended: bool = sql.query_one(has_ended, &[]).unwrap().get(0);
    assert!(has_ended, "a day is closed that has not ended");
    sql.batch_execute("ANALYZE closed_balance").unwrap();
    let rest = pages(&mut sql, "trial_balance", "");
    assert!(rest * 4 < open, "{rest} pages, and {open} without closings");
    assert_eq!(drifted_closings(&mut sql), 0);

    // A transfer that comes to a closed day is seen by both proofs.
    assert_eq!(faults(&mut sql), (0, 0, 0));
    sql.batch_execute(
        "INSERT INTO transfer (id, kind, debit, credit, amount, currency, credit_balance, created_at)
        SELECT gen_random_uuid(), kind, debit, credit, amount, currency, credit_balance, created_at
        FROM transfer ORDER BY created_at LIMIT 1;
        UPDATE account SET balance = balance + 1 WHERE id = (SELECT credit FROM transfer ORDER BY created_at LIMIT 1)",
    )
    .unwrap();
    assert_ne!(faults(&mut sql), (0, 0, 0));
    assert_eq!(drifted_closings(&mut sql), 2);
}

#[test]
fn a_fee_of_a_closed_day_is_proven_with_what_was_refunded_since() {
    let mut sql = Database::migrated().owner();
    let mut sql = sql.transaction().unwrap();
    sql.batch_execute(NUMBER_ID).unwrap();
    sql.batch_execute(
        "SET LOCAL search_path = payments;
        INSERT INTO holder (id) SELECT pg_temp.number_id(0, n) FROM generate_series(1, 2) AS n;
        INSERT INTO account (id, kind, owner, currency, balance, held)
        SELECT pg_temp.number_id(1, n), 'main', pg_temp.number_id(0, n), 'USD', (n - 1) * 900, 0
        FROM generate_series(1, 2) AS n;
        INSERT INTO transfer (id, kind, debit, credit, amount, currency, created_at)
        SELECT pg_temp.number_id(2, n), kind, debit, credit, amount, 'USD', now() - interval '3 days'
        FROM (VALUES
            (1, 'deposit', house_account('sandbox', 'USD'), pg_temp.number_id(1, 1), 1000),
            (2, 'payment', pg_temp.number_id(1, 1), pg_temp.number_id(1, 2), 1000),
            (3, 'fee', pg_temp.number_id(1, 2), house_account('fees', 'USD'), 100)
        ) AS made (n, kind, debit, credit, amount);
        INSERT INTO fee (payment, currency, basis_points, kept) VALUES (pg_temp.number_id(2, 2), 'USD', 1000, 100)",
    )
    .unwrap();
    assert_eq!(close_days(&mut sql), 1);
    assert_eq!(faults(&mut sql), (0, 0, 0));
    sql.batch_execute(
        "INSERT INTO transfer (id, kind, debit, credit, amount, currency, refund_of, created_at)
        VALUES (pg_temp.number_id(2, 4), 'refund', pg_temp.number_id(1, 2), pg_temp.number_id(1, 1), 500, 'USD',
                pg_temp.number_id(2, 2), now()),
            (pg_temp.number_id(2, 5), 'fee_return', house_account('fees', 'USD'), pg_temp.number_id(1, 2), 50, 'USD',
                NULL, now());
        UPDATE account SET balance = CASE id WHEN pg_temp.number_id(1, 1) THEN 500 ELSE 450 END
        WHERE id IN (pg_temp.number_id(1, 1), pg_temp.number_id(1, 2));
        UPDATE fee SET kept = 50",
    )
    .unwrap();
    assert_eq!(faults(&mut sql), (0, 0, 0));
    assert_eq!(drifted_closings(&mut sql), 0);
    // The house keeps more than its part of what was not refunded, and more than it has.
    sql.batch_execute("UPDATE fee SET kept = 51").unwrap();
    assert_eq!(faults(&mut sql), (0, 0, 2));
    sql.batch_execute("UPDATE closed_fee SET kept = 99")
        .unwrap();
    assert_eq!(drifted_closings(&mut sql), 1);
}
