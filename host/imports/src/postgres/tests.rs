//! The capability below its WIT traits, against a real PostgreSQL.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use rustls::RootCertStore;
use wharf_manifest::egress::{AllowedHosts, BlockedNetworks};

use super::*;
use crate::testing::{self, Proxy, eventually, free_port};
use v4::{DbDataType, RangeBoundKind};

fn pools_with(settings: Settings) -> Pools {
    let roots = Arc::new(RootCertStore::empty());
    Pools::new("parking".to_owned(), testing::anywhere(), settings, roots)
}

fn pools() -> Pools {
    pools_with(few(Settings::default().connections))
}

/// Patient: a machine that runs many tests at once makes everything wait.
fn few(connections: usize) -> Settings {
    Settings {
        connections,
        wait: Duration::from_secs(20),
        ..Settings::default()
    }
}

fn url(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable")
}

async fn open(pools: &Pools, port: u16) -> Connection {
    testing::at_last(async || pools.open(&url(port), None).await).await
}

async fn run(connection: &Connection, statement: &str) -> u64 {
    let done = connection.execute(statement, &[]).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error:?}"))
}

async fn one(connection: &Connection, statement: &str) -> DbValue {
    let set = connection.query(statement, &[]).await;
    let mut set = set.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    set.rows.remove(0).remove(0)
}

async fn text(connection: &Connection, statement: &str) -> String {
    match one(connection, statement).await {
        DbValue::Str(text) => text,
        other => panic!("{statement}: {other:?}"),
    }
}

async fn number(connection: &Connection, statement: &str) -> i64 {
    match one(connection, statement).await {
        DbValue::Int64(number) => number,
        DbValue::Int32(number) => number.into(),
        other => panic!("{statement}: {other:?}"),
    }
}

fn reported(error: Error) -> v4::DbError {
    match error {
        Error::QueryFailed(QueryError::DbError(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_warm_statement_is_one_round_trip() {
    let proxy = Proxy::to(testing::postgres()).await;
    let pools = pools();
    let statement = "SELECT $1::int4 + 1";
    let warm = open(&pools, proxy.port).await;
    warm.query(statement, &[ParameterValue::Int32(1)])
        .await
        .unwrap();

    let before = proxy.round_trips();
    let connection = open(&pools, proxy.port).await;
    for _ in 0..10 {
        connection
            .query(statement, &[ParameterValue::Int32(1)])
            .await
            .unwrap();
        drop(
            connection
                .stream(statement, &[ParameterValue::Int32(1)])
                .await
                .unwrap(),
        );
    }
    drop(connection);
    assert_eq!(proxy.round_trips() - before, 20);
    assert_eq!(proxy.connections(), 1);
}

fn values() -> Vec<(&'static str, ParameterValue, DbValue, DbDataType)> {
    use RangeBoundKind::{Exclusive, Inclusive};
    macro_rules! same {
        ($type:literal, $kind:ident, $value:expr) => {
            (
                $type,
                ParameterValue::$kind($value),
                DbValue::$kind($value),
                DbDataType::$kind,
            )
        };
    }
    let interval = v4::Interval {
        micros: -1,
        days: 40,
        months: 14,
    };
    let some = |value: &str| Some(value.to_owned());
    vec![
        same!("bool", Boolean, true),
        same!("\"char\"", Int8, 65),
        same!("int2", Int16, i16::MIN),
        same!("int4", Int32, i32::MIN),
        same!("int8", Int64, i64::MAX),
        same!("float4", Floating32, 1.5),
        same!("float8", Floating64, -0.1),
        same!("text", Str, "São Paulo 🚗".to_owned()),
        same!("varchar", Str, String::new()),
        same!("bytea", Binary, vec![0, 255, 10]),
        same!("date", Date, (2026, 11, 21)),
        same!("date", Date, (-43, 3, 15)),
        same!("time", Time, (23, 59, 59, 123_456_000)),
        same!("timestamp", Datetime, (1969, 7, 20, 20, 17, 40, 1_000)),
        same!("timestamptz", Datetime, (2026, 2, 28, 23, 0, 0, 0)),
        (
            "timestamptz",
            ParameterValue::Timestamp(1_000_000_000),
            DbValue::Datetime((2001, 9, 9, 1, 46, 40, 0)),
            DbDataType::Datetime,
        ),
        same!(
            "uuid",
            Uuid,
            "0190163d-8694-739b-aea5-966c26f8ad91".to_owned()
        ),
        same!("jsonb", Jsonb, br#"{"a": [1, null, "b"]}"#.to_vec()),
        same!(
            "numeric",
            Decimal,
            "-12345678901234567890.0000000001".to_owned()
        ),
        same!("numeric", Decimal, "0.00".to_owned()),
        same!("numeric", Decimal, "NaN".to_owned()),
        same!(
            "int4range",
            RangeInt32,
            (Some((1, Inclusive)), Some((7, Exclusive)))
        ),
        same!("int4range", RangeInt32, (None, None)),
        // The server's way of writing them is [a, b).
        (
            "int8range",
            ParameterValue::RangeInt64((Some((1, Exclusive)), Some((7, Inclusive)))),
            DbValue::RangeInt64((Some((2, Inclusive)), Some((8, Exclusive)))),
            DbDataType::RangeInt64,
        ),
        same!(
            "int8range",
            RangeInt64,
            (Some((0, Exclusive)), Some((0, Exclusive)))
        ),
        same!(
            "numrange",
            RangeDecimal,
            (Some(("0.5".to_owned(), Exclusive)), None)
        ),
        same!("int4[]", ArrayInt32, vec![Some(1), None, Some(-3)]),
        same!("int4[]", ArrayInt32, vec![]),
        same!("int8[]", ArrayInt64, vec![Some(i64::MIN)]),
        same!("numeric[]", ArrayDecimal, vec![some("1.50"), None]),
        same!("text[]", ArrayStr, vec![some("a,b"), None, some("")]),
        same!("varchar[]", ArrayStr, vec![some("c")]),
        same!("interval", Interval, interval),
    ]
}

#[tokio::test]
async fn every_type_survives_the_trip_and_may_be_null() {
    let connection = open(&pools(), testing::postgres()).await;
    for (ty, parameter, expected, data_type) in values() {
        let statement = format!("SELECT $1::{ty} AS v, NULL::{ty}");
        let set = connection
            .query(&statement, std::slice::from_ref(&parameter))
            .await;
        let set = set.unwrap_or_else(|error| panic!("{ty} {parameter:?}: {error:?}"));
        let row = format!("{:?}", set.rows[0]);
        assert_eq!(row, format!("{:?}", [expected, DbValue::DbNull]), "{ty}");
        assert_eq!(
            format!("{:?}", set.columns[0].data_type),
            format!("{data_type:?}")
        );
        assert_eq!(set.columns[0].name, "v");

        let set = connection
            .query(&statement, &[ParameterValue::DbNull])
            .await
            .unwrap();
        assert!(matches!(set.rows[0][0], DbValue::DbNull), "{ty}");
    }
}

#[tokio::test]
async fn types_wit_has_no_word_for_keep_their_name_and_bytes() {
    let connection = open(&pools(), testing::postgres()).await;
    let set = connection
        .query("SELECT '1'::json, 'a'::name", &[])
        .await
        .unwrap();
    assert!(matches!(&set.columns[0].data_type, DbDataType::Other(name) if name == "json"));
    assert!(matches!(&set.rows[0][0], DbValue::Unsupported(raw) if raw == b"1"));
    assert!(matches!(&set.rows[0][1], DbValue::Unsupported(raw) if raw == b"a"));

    run(
        &connection,
        "CREATE DOMAIN plate AS text CHECK (length(VALUE) = 7)",
    )
    .await;
    let plate = [ParameterValue::Str("ABC1D23".to_owned())];
    let set = connection.query("SELECT $1::plate", &plate).await.unwrap();
    assert!(matches!(&set.rows[0][0], DbValue::Str(plate) if plate == "ABC1D23"));
}

#[tokio::test]
async fn a_parameter_that_does_not_fit_is_told_apart_from_a_failed_query() {
    let connection = open(&pools(), testing::postgres()).await;
    for (statement, parameters, hint) in [
        ("SELECT $1::int8", vec![ParameterValue::Int32(1)], "int32"),
        (
            "SELECT $1::uuid",
            vec![ParameterValue::Uuid("x".to_owned())],
            "invalid UUID",
        ),
        (
            "SELECT $1::date",
            vec![ParameterValue::Date((2026, 2, 30))],
            "invalid date",
        ),
        (
            "SELECT $1::numeric",
            vec![ParameterValue::Decimal("1e3".to_owned())],
            "invalid decimal",
        ),
        ("SELECT $1::int4", vec![], "takes 1 parameters, not 0"),
    ] {
        match connection.query(statement, &parameters).await {
            Err(Error::BadParameter(cause)) => assert!(cause.contains(hint), "{cause}"),
            other => panic!("{statement}: {other:?}"),
        }
    }
    for value in [
        "'infinity'::timestamp",
        "ARRAY[[1],[2]]",
        "'-infinity'::date",
    ] {
        let failed = connection
            .query(&format!("SELECT {value}"), &[])
            .await
            .unwrap_err();
        assert!(
            matches!(failed, Error::ValueConversionFailed(_)),
            "{failed:?}"
        );
    }
    assert_eq!(number(&connection, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_database_error_carries_its_code_and_the_constraint() {
    let connection = open(&pools(), testing::postgres()).await;
    run(
        &connection,
        "CREATE TABLE spot (id int4 CONSTRAINT spot_is_unique PRIMARY KEY)",
    )
    .await;
    run(&connection, "INSERT INTO spot VALUES (1)").await;
    let failed = connection.execute("INSERT INTO spot VALUES (1)", &[]).await;
    let error = reported(failed.unwrap_err());
    assert_eq!(
        (error.code.as_str(), error.severity.as_str()),
        ("23505", "ERROR")
    );
    assert!(error.message.contains("spot_is_unique"));
    assert_eq!(
        error.detail.as_deref(),
        Some("Key (id)=(1) already exists.")
    );
    let extra = |name| {
        error
            .extras
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(extra("constraint"), Some("spot_is_unique"));
    assert_eq!(extra("table"), Some("spot"));
    assert_eq!(extra("schema"), Some("public"));
    assert!(error.as_text.contains("23505"), "{}", error.as_text);
}

#[tokio::test]
async fn execute_counts_the_rows_it_touched() {
    let connection = open(&pools(), testing::postgres()).await;
    run(&connection, "CREATE TABLE counted (id int4)").await;
    assert_eq!(
        run(&connection, "INSERT INTO counted VALUES (1), (2), (3)").await,
        3
    );
    assert_eq!(
        run(&connection, "UPDATE counted SET id = 0 WHERE id > 1").await,
        2
    );
    assert_eq!(run(&connection, "SELECT * FROM counted").await, 3);
    assert_eq!(
        run(&connection, "DELETE FROM counted WHERE id = 7").await,
        0
    );
}

#[tokio::test]
async fn plain_statements_of_many_guests_share_a_few_connections() {
    let proxy = Proxy::to(testing::postgres()).await;
    let pools = pools_with(few(3));
    let guests = (0..200).map(async |_| {
        let connection = open(&pools, proxy.port).await;
        number(&connection, "SELECT 1").await
    });
    assert_eq!(join_all(guests).await.into_iter().sum::<i64>(), 200);
    assert!(proxy.connections() <= 3, "{}", proxy.connections());
}

#[tokio::test]
async fn a_transaction_is_seen_by_nobody_else_until_it_commits() {
    let pools = pools();
    let (writer, reader) = (
        open(&pools, testing::postgres()).await,
        open(&pools, testing::postgres()).await,
    );
    run(&writer, "CREATE TABLE seen (id int4)").await;
    run(&writer, "BEGIN").await;
    run(&writer, "INSERT INTO seen VALUES (1)").await;
    assert_eq!(number(&writer, "SELECT count(*) FROM seen").await, 1);
    assert_eq!(number(&reader, "SELECT count(*) FROM seen").await, 0);
    run(&writer, "COMMIT").await;
    assert_eq!(number(&reader, "SELECT count(*) FROM seen").await, 1);
}

#[tokio::test]
async fn a_transaction_nobody_ended_is_rolled_back() {
    let pools = pools_with(few(1));
    let writer = open(&pools, testing::postgres()).await;
    run(&writer, "CREATE TABLE undone (id int4)").await;
    run(&writer, "BEGIN").await;
    run(&writer, "INSERT INTO undone VALUES (1)").await;
    drop(writer);
    let next = open(&pools, testing::postgres()).await;
    assert_eq!(number(&next, "SELECT count(*) FROM undone").await, 0);
    assert_eq!(
        text(
            &next,
            "SELECT (pg_current_xact_id_if_assigned() IS NULL)::text"
        )
        .await,
        "true"
    );
}

#[tokio::test]
async fn what_a_guest_sets_is_gone_with_its_connection() {
    let pools = pools_with(few(1));
    let guest = open(&pools, testing::postgres()).await;
    for statement in [
        "SET search_path = pg_catalog",
        "SET statement_timeout = 0",
        "CREATE TEMP TABLE gone (id int4)",
        "PREPARE gone AS SELECT 1",
        "SELECT pg_advisory_lock(4711)",
        "LISTEN gone",
        "SELECT set_config('my.tenant', 'a', false)",
        "DECLARE gone CURSOR WITH HOLD FOR SELECT 1",
    ] {
        run(&guest, statement).await;
    }
    assert_eq!(
        text(&guest, "SELECT current_setting('my.tenant')").await,
        "a"
    );
    drop(guest);

    let next = open(&pools, testing::postgres()).await;
    assert_eq!(
        text(&next, "SELECT current_setting('search_path')").await,
        "\"$user\", public"
    );
    assert_eq!(
        text(&next, "SELECT current_setting('statement_timeout')").await,
        "10s"
    );
    assert_eq!(
        text(&next, "SELECT current_setting('my.tenant', true)").await,
        ""
    );
    for nothing in [
        "SELECT count(*) FROM pg_class WHERE relname = 'gone'",
        "SELECT count(*) FROM pg_prepared_statements WHERE name = 'gone'",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711",
        "SELECT count(*) FROM pg_listening_channels()",
        "SELECT count(*) FROM pg_cursors WHERE name = 'gone'",
    ] {
        assert_eq!(number(&next, nothing).await, 0, "{nothing}");
    }
}

#[tokio::test]
async fn a_reset_keeps_what_we_prepared_and_what_a_guest_ruined_is_replaced() {
    let pools = pools_with(few(1));
    let custom = "SELECT 'small'::size::text, 'small'::size";
    let guest = open(&pools, testing::postgres()).await;
    run(&guest, "CREATE TYPE size AS ENUM ('small', 'large')").await;
    drop(guest);
    for end in [
        "SET work_mem = '1MB'",
        "DEALLOCATE ALL",
        "DISCARD ALL",
        "COPY pg_class FROM STDIN",
    ] {
        let guest = open(&pools, testing::postgres()).await;
        run(&guest, custom).await;
        // Not all of them succeed; what counts is what they leave.
        let _ = guest.execute(end, &[]).await;
        drop(guest);
        let next = open(&pools, testing::postgres()).await;
        run(&next, custom).await;
        run(&next, &format!("SELECT 'large'::size /* after {end} */")).await;
    }
}

#[tokio::test]
async fn a_transaction_that_ended_well_costs_no_reset_and_keeps_its_statements_prepared() {
    let proxy = Proxy::to(testing::postgres()).await;
    let pools = pools_with(few(1));
    let transfer = async || {
        let guest = open(&pools, proxy.port).await;
        for statement in ["BEGIN", "SELECT 1", "COMMIT"] {
            run(&guest, statement).await;
        }
    };
    transfer().await;
    let before = proxy.round_trips();
    transfer().await;
    // Three statements, and the ROLLBACK before each of the two transactions' connections was free again.
    assert!(
        proxy.round_trips() - before <= 5,
        "{}",
        proxy.round_trips() - before
    );
}

#[tokio::test]
async fn an_abandoned_statement_is_cancelled_and_its_transaction_rolled_back() {
    let pools = pools_with(few(2));
    let watcher = open(&pools, testing::postgres()).await;
    run(&watcher, "CREATE TABLE abandoned (id int4)").await;
    let guest = open(&pools, testing::postgres()).await;
    run(&guest, "BEGIN").await;
    run(&guest, "INSERT INTO abandoned VALUES (1)").await;
    let statement = "SELECT pg_sleep(8) /* abandoned in a transaction */";
    let abandoned = tokio::time::timeout(Duration::from_millis(100), guest.execute(statement, &[]));
    assert!(abandoned.await.is_err());
    drop(guest);

    let statement = "SELECT pg_sleep(8) /* abandoned alone */";
    let guest = open(&pools, testing::postgres()).await;
    let abandoned = tokio::time::timeout(Duration::from_millis(100), guest.execute(statement, &[]));
    assert!(abandoned.await.is_err());
    drop(guest);

    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE '%/* abandoned %' \
                  AND pid <> pg_backend_pid()";
    let started = Instant::now();
    eventually("the statements end", async || {
        number(&watcher, asleep).await == 0
    })
    .await;
    assert!(started.elapsed() < Duration::from_secs(6));
    assert_eq!(number(&watcher, "SELECT count(*) FROM abandoned").await, 0);
}

#[tokio::test]
async fn who_waits_too_long_for_a_connection_is_told_so() {
    let pools = pools_with(Settings {
        wait: Duration::from_millis(200),
        ..few(1)
    });
    let busy = open(&pools, testing::postgres()).await;
    run(&busy, "BEGIN").await;
    let started = Instant::now();
    let waiting = open(&pools, testing::postgres()).await;
    for statement in ["SELECT 1", "BEGIN"] {
        match waiting.execute(statement, &[]).await {
            Err(Error::ConnectionFailed(cause)) => {
                assert!(cause.contains("all 1 connections"), "{cause}");
                assert!(cause.contains("were busy for 200 ms"), "{cause}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(started.elapsed() < Duration::from_secs(10));
    drop(busy);
    assert_eq!(number(&waiting, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_transaction_gets_its_turn_however_many_statements_there_are() {
    let pools = pools_with(few(2));
    let port = testing::postgres();
    let crowd = join_all((0..32).map(async |_| {
        let connection = open(&pools, port).await;
        loop {
            number(&connection, "SELECT 1").await;
        }
    }));
    let turns = async {
        for _ in 0..20 {
            let guest = open(&pools, port).await;
            for statement in ["BEGIN", "SELECT 1", "COMMIT"] {
                run(&guest, statement).await;
            }
        }
    };
    tokio::select! {
        _ = crowd => panic!("the crowd is gone"),
        () = turns => {}
    }
}

#[tokio::test]
async fn nothing_queues_behind_a_slow_statement() {
    let pools = pools_with(few(2));
    let connection = open(&pools, testing::postgres()).await;
    let slow = run(&connection, "SELECT pg_sleep(6)");
    let quick = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let started = Instant::now();
        join_all((0..50).map(|_| run(&connection, "SELECT 1"))).await;
        started.elapsed()
    };
    let (_, quick) = tokio::join!(slow, quick);
    assert!(quick < Duration::from_secs(4), "{quick:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_fails_an_open_within_about_two_seconds() {
    // It accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let pools = pools();
    let started = Instant::now();
    let failed = pools.open(&url(port), None).await.err().unwrap();
    assert!(
        matches!(&failed, Error::ConnectionFailed(cause) if cause.contains("cannot connect to postgres://127.0.0.1")),
        "{failed:?}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );

    eventually("the next one fails at once", async || {
        let started = Instant::now();
        assert!(pools.open(&url(port), None).await.is_err());
        started.elapsed() < Duration::from_millis(500)
    })
    .await;
}

#[tokio::test]
async fn a_server_that_falls_silent_fails_what_waits_within_two_seconds_and_the_rest_at_once() {
    let proxy = Proxy::to(testing::postgres()).await;
    let pools = pools_with(few(2));
    let connection = open(&pools, proxy.port).await;
    run(&connection, "SELECT 1").await;
    let transaction = open(&pools, proxy.port).await;
    run(&transaction, "BEGIN").await;

    proxy.mute(true);
    let started = Instant::now();
    let asked = [&connection, &connection, &transaction];
    for failed in join_all(asked.map(|asked| asked.execute("SELECT 1", &[]))).await {
        assert!(
            matches!(failed, Err(Error::ConnectionFailed(_))),
            "{failed:?}"
        );
    }
    // The machine may be busy with other tests.
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
    let started = Instant::now();
    for _ in 0..100 {
        let failed = pools.open(&url(proxy.port), None).await.err().unwrap();
        assert!(
            matches!(&failed, Error::ConnectionFailed(cause) if cause.contains("127.0.0.1")),
            "{failed:?}"
        );
        assert!(connection.execute("SELECT 1", &[]).await.is_err());
    }
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );

    proxy.mute(false);
    eventually("the same connection works again", async || {
        connection.execute("SELECT 1", &[]).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_only_slow_is_asked_and_believed() {
    let proxy = Proxy::to(testing::postgres()).await;
    let pools = pools_with(few(1));
    let connection = open(&pools, proxy.port).await;
    run(&connection, "SELECT pg_sleep(3)").await;
    let connections = proxy.connections();
    assert!((2..=4).contains(&connections), "{connections}");
    // What answers quickly asks nothing.
    for _ in 0..100 {
        run(&connection, "SELECT pg_sleep(0.01)").await;
    }
    assert_eq!(proxy.connections(), connections);
}

#[tokio::test]
async fn a_server_that_is_away_costs_nothing_and_is_back_as_soon_as_it_is() {
    let port = free_port();
    let pools = pools();
    let started = Instant::now();
    for _ in 0..200 {
        let failed = pools.open(&url(port), None).await.err().unwrap();
        assert!(matches!(failed, Error::ConnectionFailed(_)));
    }
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );

    let server = tokio::task::spawn_blocking(move || testing::start_postgres(port, &[]));
    let server = server.await.unwrap();
    eventually("it is back", async || {
        pools.open(&url(port), None).await.is_ok()
    })
    .await;
    let connection = open(&pools, port).await;
    assert_eq!(number(&connection, "SELECT 1").await, 1);

    tokio::task::spawn_blocking(move || server.stop())
        .await
        .unwrap();
    assert!(connection.execute("SELECT 1", &[]).await.is_err());
    let started = Instant::now();
    let failed = pools.open(&url(port), None).await.err().unwrap();
    assert!(matches!(failed, Error::ConnectionFailed(_)), "{failed:?}");
    assert!(started.elapsed() < Duration::from_secs(4));

    let server = tokio::task::spawn_blocking(move || testing::start_postgres(port, &[]));
    let _server = server.await.unwrap();
    eventually("the same connection works again", async || {
        connection.execute("SELECT 1", &[]).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_guest_learns_that_the_connection_under_its_transaction_is_gone() {
    let pools = pools();
    let guest = open(&pools, testing::postgres()).await;
    run(&guest, "BEGIN").await;
    let pid = number(&guest, "SELECT pg_backend_pid()").await;
    let other = open(&pools, testing::postgres()).await;
    one(&other, &format!("SELECT pg_terminate_backend({pid})::text")).await;
    eventually("the transaction is lost", async || {
        matches!(
            guest.execute("SELECT 1", &[]).await,
            Err(Error::ConnectionFailed(_))
        )
    })
    .await;
    drop(guest);
    assert_eq!(number(&other, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_statement_survives_a_change_of_its_table() {
    let pools = pools_with(few(1));
    let connection = open(&pools, testing::postgres()).await;
    run(&connection, "CREATE TABLE altered (id int4, note text)").await;
    run(&connection, "INSERT INTO altered VALUES (1, 'a')").await;
    let statement = "SELECT * FROM altered";
    let before = connection.query(statement, &[]).await.unwrap();
    let other = open(&pools_with(few(1)), testing::postgres()).await;
    run(
        &other,
        "ALTER TABLE altered ALTER id TYPE int8, ADD extra bool DEFAULT true",
    )
    .await;
    drop(connection);
    let connection = open(&pools, testing::postgres()).await;
    let after = connection.query(statement, &[]).await.unwrap();
    assert_eq!((before.columns.len(), after.columns.len()), (2, 3));
    assert!(
        matches!(after.rows[0][0], DbValue::Int64(1)),
        "{:?}",
        after.rows
    );
}

#[tokio::test]
async fn sessions_carry_the_components_name_and_limits() {
    let pools = pools_with(Settings {
        statement_timeout: Duration::from_secs(1),
        idle_in_transaction_timeout: Duration::from_secs(7),
        ..few(1)
    });
    let connection = open(&pools, testing::postgres()).await;
    assert_eq!(
        text(&connection, "SELECT current_setting('application_name')").await,
        "parking"
    );
    let idle = "SELECT current_setting('idle_in_transaction_session_timeout')";
    assert_eq!(text(&connection, idle).await, "7s");
    let failed = connection
        .execute("SELECT pg_sleep(5)", &[])
        .await
        .unwrap_err();
    assert_eq!(reported(failed).code, "57014");

    let options = "&options=-c%20statement_timeout%3D0%20-c%20work_mem%3D1MB";
    let address = format!("{}{options}", url(testing::postgres()));
    let connection = pools.open(&address, None).await.unwrap();
    assert_eq!(
        text(&connection, "SELECT current_setting('work_mem')").await,
        "1MB"
    );
    assert_eq!(
        text(&connection, "SELECT current_setting('statement_timeout')").await,
        "1s"
    );
}

/// Ten thousand rows of about a kilobyte.
const LARGE: &str = "SELECT i, repeat('x', 1000) FROM generate_series(1, 10000) AS i";

#[tokio::test]
async fn a_small_result_is_whole_and_a_large_one_comes_as_it_is_read() {
    let connection = open(&pools(), testing::postgres()).await;
    let (columns, answer) = connection.stream("SELECT 1 AS a", &[]).await.unwrap();
    assert_eq!(columns[0].name, "a");
    assert!(matches!(answer, Answer::Whole(rows) if rows.len() == 1));

    let (_, answer) = connection.stream(LARGE, &[]).await.unwrap();
    let Answer::Begun(read, mut rows) = answer else {
        panic!("read at once");
    };
    assert!(read.len() < 1000, "{}", read.len());
    let mut count = read.len();
    while let Some(row) = poll_fn(|cx| rows.poll_next(cx)).await {
        row.unwrap();
        count += 1;
    }
    assert_eq!(count, 10_000);
}

#[tokio::test]
async fn a_reader_that_takes_its_time_holds_up_nobody() {
    let pools = pools_with(few(2));
    let connection = open(&pools, testing::postgres()).await;
    run(&connection, "SELECT 1").await;
    let (_, answer) = connection.stream(LARGE, &[]).await.unwrap();
    assert!(matches!(answer, Answer::Begun(..)));
    let started = Instant::now();
    join_all((0..50).map(|_| run(&connection, "SELECT 1"))).await;
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    drop(answer);
}

#[tokio::test]
async fn a_large_result_with_others_behind_it_is_read_to_its_end() {
    let pools = pools_with(few(1));
    let connection = open(&pools, testing::postgres()).await;
    for warm in [LARGE, "SELECT 1"] {
        run(&connection, warm).await;
    }
    let large = connection.stream(LARGE, &[]);
    let others = join_all((0..5).map(|_| run(&connection, "SELECT 1")));
    let (large, _) = tokio::join!(large, others);
    let (_, answer) = large.unwrap();
    assert!(matches!(answer, Answer::Whole(rows) if rows.len() == 10_000));
}

#[tokio::test]
async fn a_large_result_nobody_reads_to_its_end_frees_its_connection() {
    let pools = pools_with(few(1));
    let connection = open(&pools, testing::postgres()).await;
    let endless = "SELECT generate_series(1, 100000000), repeat('x', 1000)";
    let (_, answer) = connection.stream(endless, &[]).await.unwrap();
    assert!(matches!(answer, Answer::Begun(..)));
    drop(answer);
    assert_eq!(number(&connection, "SELECT 1").await, 1);
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_large_result_ends_it() {
    let connection = open(&pools(), testing::postgres()).await;
    let statement = "SELECT repeat('x', 1000), 1 / (5000 - i) FROM generate_series(1, 10000) AS i";
    let (_, answer) = connection.stream(statement, &[]).await.unwrap();
    let Answer::Begun(_, mut rows) = answer else {
        panic!("read at once");
    };
    let failed = loop {
        match poll_fn(|cx| rows.poll_next(cx)).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("no error"),
        }
    };
    assert_eq!(reported(failed).code, "22012");
    drop(rows);
    assert_eq!(number(&connection, "SELECT 1").await, 1);
}

#[tokio::test]
async fn what_was_not_granted_is_denied_however_it_is_opened() {
    let allowed = AllowedHosts::parse(&["postgres://127.0.0.1:1".to_owned()]).unwrap();
    let egress = Egress::new(allowed, BlockedNetworks::default(), Arc::new(|_| ()));
    let roots = Arc::new(RootCertStore::empty());
    let pools = Pools::new("a".to_owned(), Arc::new(egress), Settings::default(), roots);
    let port = testing::postgres();
    for (address, authority) in [
        (url(port), None),
        (url(port), Some("no certificate")),
        (format!("host=127.0.0.1 port={port} user=postgres"), None),
        (
            format!("host=127.0.0.1,127.0.0.1 port=1,{port} user=postgres"),
            None,
        ),
    ] {
        match pools.open(&address, authority).await.err().unwrap() {
            Error::ConnectionFailed(cause) => assert_eq!(
                cause,
                format!("address postgres://127.0.0.1:{port} is not permitted")
            ),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_address_without_end_is_none() {
    let pools = pools();
    let address = format!("{}&application_name={}", url(1), "x".repeat(4096));
    let failed = pools.open(&address, None).await.err().unwrap();
    assert!(
        matches!(&failed, Error::ConnectionFailed(cause) if cause.contains("more than 4096 bytes")),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_server_in_a_blocked_network_is_not_reached() {
    let allowed = AllowedHosts::parse(&["postgres://localhost:*".to_owned()]).unwrap();
    let mut blocked = BlockedNetworks::default();
    blocked.block("private").unwrap();
    let egress = Arc::new(Egress::new(allowed, blocked, Arc::new(|_| ())));
    let roots = Arc::new(RootCertStore::empty());
    let pools = Pools::new("a".to_owned(), egress, Settings::default(), roots);
    let address = format!(
        "postgres://postgres@localhost:{}/postgres",
        testing::postgres()
    );
    let failed = pools.open(&address, None).await.err().unwrap();
    assert!(
        matches!(&failed, Error::ConnectionFailed(cause) if cause.contains("prohibited")),
        "{failed:?}"
    );
}

#[tokio::test]
async fn sslmode_means_what_it_means_to_libpq() {
    let authority = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec![]).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = parameters.self_signed(&authority).unwrap().pem();
    let issuer = rcgen::Issuer::new(parameters, authority);
    let key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = server.signed_by(&key, &issuer).unwrap();
    let (certificate, key) = (certificate.pem(), key.serialize_pem());
    let started =
        tokio::task::spawn_blocking(move || testing::start_postgres_with_tls(&certificate, &key));
    let server = started.await.unwrap();
    let secure = server.port;
    let plain = testing::postgres();

    let pools = pools();
    let encrypted = async |port, host: &str, mode: &str, root: Option<&str>| {
        let address = format!("postgres://postgres@{host}:{port}/postgres?sslmode={mode}");
        let connection = pools.open(&address, root).await.ok()?;
        let ssl = "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        Some(text(&connection, ssl).await == "true")
    };
    let root = Some(root.as_str());
    assert_eq!(
        encrypted(secure, "localhost", "disable", None).await,
        Some(false)
    );
    assert_eq!(
        encrypted(secure, "localhost", "prefer", None).await,
        Some(true)
    );
    assert_eq!(
        encrypted(plain, "localhost", "prefer", None).await,
        Some(false)
    );
    assert_eq!(
        encrypted(secure, "127.0.0.1", "require", None).await,
        Some(true)
    );
    assert_eq!(encrypted(plain, "127.0.0.1", "require", None).await, None);
    assert_eq!(
        encrypted(secure, "localhost", "verify-ca", None).await,
        None
    );
    assert_eq!(
        encrypted(secure, "127.0.0.1", "verify-ca", root).await,
        Some(true)
    );
    assert_eq!(
        encrypted(secure, "localhost", "verify-full", root).await,
        Some(true)
    );
    assert_eq!(
        encrypted(secure, "127.0.0.1", "verify-full", root).await,
        None
    );
    assert_eq!(
        encrypted(secure, "localhost", "require", root).await,
        Some(true)
    );
    assert_eq!(encrypted(secure, "127.0.0.1", "require", root).await, None);
}
