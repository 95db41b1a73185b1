//! Transactions and session state of guests.

use std::time::Instant;

use futures::future::join_all;

use super::*;
use crate::testing::{Proxy, wait_until};

#[tokio::test]
async fn a_transaction_is_invisible_to_others_until_it_commits() {
    let pools = make_pools();
    let (writer, reader) = (
        open(&pools, testing::shared_postgres()).await,
        open(&pools, testing::shared_postgres()).await,
    );
    run(&writer, "CREATE TABLE seen (id int4)").await;
    run(&writer, "BEGIN").await;
    run(&writer, "INSERT INTO seen VALUES (1)").await;
    assert_eq!(query_number(&writer, "SELECT count(*) FROM seen").await, 1);
    assert_eq!(query_number(&reader, "SELECT count(*) FROM seen").await, 0);
    run(&writer, "COMMIT").await;
    assert_eq!(query_number(&reader, "SELECT count(*) FROM seen").await, 1);
}

#[tokio::test]
async fn an_unfinished_transaction_is_rolled_back() {
    let pools = make_pools_with(limited_to(1));
    let writer = open(&pools, testing::shared_postgres()).await;
    run(&writer, "CREATE TABLE undone (id int4)").await;
    run(&writer, "BEGIN").await;
    run(&writer, "INSERT INTO undone VALUES (1)").await;
    drop(writer);
    let next = open(&pools, testing::shared_postgres()).await;
    assert_eq!(query_number(&next, "SELECT count(*) FROM undone").await, 0);
    assert_eq!(
        query_text(
            &next,
            "SELECT (pg_current_xact_id_if_assigned() IS NULL)::text"
        )
        .await,
        "true"
    );
}

#[tokio::test]
async fn session_state_of_a_guest_is_reset_when_it_drops_its_connection() {
    let pools = make_pools_with(limited_to(1));
    let guest = open(&pools, testing::shared_postgres()).await;
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
        query_text(&guest, "SELECT current_setting('my.tenant')").await,
        "a"
    );
    drop(guest);

    let next = open(&pools, testing::shared_postgres()).await;
    assert_eq!(
        query_text(&next, "SELECT current_setting('search_path')").await,
        "\"$user\", public"
    );
    assert_eq!(
        query_text(&next, "SELECT current_setting('statement_timeout')").await,
        "10s"
    );
    assert_eq!(
        query_text(&next, "SELECT current_setting('my.tenant', true)").await,
        ""
    );
    for nothing in [
        "SELECT count(*) FROM pg_class WHERE relname = 'gone'",
        "SELECT count(*) FROM pg_prepared_statements WHERE name = 'gone'",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711",
        "SELECT count(*) FROM pg_listening_channels()",
        "SELECT count(*) FROM pg_cursors WHERE name = 'gone'",
    ] {
        assert_eq!(query_number(&next, nothing).await, 0, "{nothing}");
    }
}

#[tokio::test]
async fn a_reset_keeps_prepared_statements_and_an_unusable_connection_is_replaced() {
    let pools = make_pools_with(limited_to(1));
    let custom = "SELECT 'small'::size::text, 'small'::size";
    let guest = open(&pools, testing::shared_postgres()).await;
    run(&guest, "CREATE TYPE size AS ENUM ('small', 'large')").await;
    drop(guest);
    for end in [
        "SET work_mem = '1MB'",
        "DEALLOCATE ALL",
        "DISCARD ALL",
        "COPY pg_class FROM STDIN",
    ] {
        let guest = open(&pools, testing::shared_postgres()).await;
        run(&guest, custom).await;
        // Some of them fail. Only their effect on the connection matters.
        let _ = guest.execute(end, &[]).await;
        drop(guest);
        let next = open(&pools, testing::shared_postgres()).await;
        run(&next, custom).await;
        run(&next, &format!("SELECT 'large'::size /* after {end} */")).await;
    }
}

#[tokio::test]
async fn a_committed_transaction_needs_no_reset_and_keeps_its_statements_prepared() {
    let proxy = Proxy::to(testing::shared_postgres()).await;
    let pools = make_pools_with(limited_to(1));
    let transfer = async || {
        let guest = open(&pools, proxy.port).await;
        for statement in ["BEGIN", "SELECT 1", "COMMIT"] {
            run(&guest, statement).await;
        }
    };
    transfer().await;
    let before = proxy.round_trips();
    transfer().await;
    // Three statements, and the ROLLBACK after each of the two transactions.
    assert!(
        proxy.round_trips() - before <= 5,
        "{}",
        proxy.round_trips() - before
    );
}

#[tokio::test]
async fn an_abandoned_statement_is_cancelled_and_its_transaction_rolled_back() {
    let pools = make_pools_with(limited_to(2));
    let watcher = open(&pools, testing::shared_postgres()).await;
    run(&watcher, "CREATE TABLE abandoned (id int4)").await;
    let guest = open(&pools, testing::shared_postgres()).await;
    run(&guest, "BEGIN").await;
    run(&guest, "INSERT INTO abandoned VALUES (1)").await;
    let statement = "SELECT pg_sleep(8) /* abandoned in a transaction */";
    let abandoned = tokio::time::timeout(Duration::from_millis(100), guest.execute(statement, &[]));
    assert!(abandoned.await.is_err());
    drop(guest);

    let statement = "SELECT pg_sleep(8) /* abandoned alone */";
    let guest = open(&pools, testing::shared_postgres()).await;
    let abandoned = tokio::time::timeout(Duration::from_millis(100), guest.execute(statement, &[]));
    assert!(abandoned.await.is_err());
    drop(guest);

    let asleep = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE '%/* abandoned %' \
                  AND pid <> pg_backend_pid()";
    let started = Instant::now();
    wait_until("the statements end", async || {
        query_number(&watcher, asleep).await == 0
    })
    .await;
    assert!(started.elapsed() < Duration::from_secs(6));
    assert_eq!(
        query_number(&watcher, "SELECT count(*) FROM abandoned").await,
        0
    );
}

#[tokio::test]
async fn a_guest_gets_an_error_if_the_connection_of_its_transaction_is_lost() {
    let pools = make_pools();
    let guest = open(&pools, testing::shared_postgres()).await;
    run(&guest, "BEGIN").await;
    let pid = query_number(&guest, "SELECT pg_backend_pid()").await;
    let other = open(&pools, testing::shared_postgres()).await;
    query_value(&other, &format!("SELECT pg_terminate_backend({pid})::text")).await;
    wait_until("the transaction is lost", async || {
        matches!(
            guest.execute("SELECT 1", &[]).await,
            Err(Error::ConnectionFailed(_))
        )
    })
    .await;
    drop(guest);
    assert_eq!(query_number(&other, "SELECT 1").await, 1);
}

#[tokio::test]
async fn sessions_carry_the_components_name_and_limits() {
    let pools = make_pools_with(Settings {
        statement_timeout: Duration::from_secs(1),
        idle_in_transaction_timeout: Duration::from_secs(7),
        ..limited_to(2)
    });
    let holder = open(&pools, testing::shared_postgres()).await;
    run(&holder, "CREATE TABLE locked (n int)").await;
    run(&holder, "BEGIN").await;
    run(&holder, "LOCK TABLE locked").await;
    let connection = open(&pools, testing::shared_postgres()).await;
    assert_eq!(
        query_text(&connection, "SELECT current_setting('application_name')").await,
        "parking"
    );
    let idle = "SELECT current_setting('idle_in_transaction_session_timeout')";
    assert_eq!(query_text(&connection, idle).await, "7s");
    let failed = connection
        .execute("SELECT pg_sleep(5)", &[])
        .await
        .unwrap_err();
    assert_eq!(expect_db_error(failed).code, "57014");
    // One that waits for a lock fails earlier than one that works.
    let insert = connection.execute("INSERT INTO locked VALUES (1)", &[]);
    assert_eq!(expect_db_error(insert.await.unwrap_err()).code, "55P03");
    drop(holder);

    let options = "&options=-c%20statement_timeout%3D0%20-c%20work_mem%3D1MB";
    let address = format!("{}{options}", url(testing::shared_postgres()));
    let connection = pools.open(&address, None).await.unwrap();
    assert_eq!(
        query_text(&connection, "SELECT current_setting('work_mem')").await,
        "1MB"
    );
    assert_eq!(
        query_text(&connection, "SELECT current_setting('statement_timeout')").await,
        "1s"
    );
}

#[tokio::test]
async fn a_statement_that_asks_finds_the_request_that_it_belongs_to() {
    let pools = naming_pools(1, "written", "id text, trace text").await;
    let guest = open(&pools, testing::shared_postgres()).await;
    let write =
        "INSERT INTO written VALUES (written_by(), current_setting('wharf.traceparent', true))";
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let causes = [
        Some(Cause::new("r-1", Some(trace))),
        Some(Cause::new("r-2", None)),
        Some(Cause::new("it's", Some("'; DROP TABLE written; --"))),
        None,
    ];
    for cause in causes {
        let caused = guest.clone().caused_by(cause.map(Arc::new));
        // The first prepares it, the second finds it prepared.
        run(&caused, write).await;
        run(&caused, write).await;
    }
    let rows = "SELECT string_agg(id || ' ' || trace, ',' ORDER BY ctid) FROM written";
    let twice = |text: &str| format!("{text},{text}");
    let expected = [
        format!("r-1 {trace}"),
        "r-2 ".to_owned(),
        " ".to_owned(),
        " ".to_owned(),
    ];
    assert_eq!(
        query_text(&guest, rows).await,
        expected.map(|it| twice(&it)).join(",")
    );
    // A session is named when it begins, although others used its connection.
    let session = open(&pools, testing::shared_postgres()).await;
    let session = session.caused_by(Some(Arc::new(Cause::new("r-3", None))));
    run(&session, "BEGIN").await;
    run(&session, write).await;
    // From then on its settings are the guest's.
    run(&session, "SET wharf.request_id = 'own'").await;
    run(&session, write).await;
    run(&session, "COMMIT").await;
    let last =
        "SELECT string_agg(id, ',' ORDER BY ctid) FROM written WHERE id IN ('r-2', 'r-3', 'own')";
    assert_eq!(query_text(&session, last).await, "r-2,r-2,r-3,own");
    drop(session);
    // The next request does not find the name of a session either.
    run(&guest, write).await;
    let last = "SELECT id FROM written ORDER BY ctid DESC LIMIT 1";
    assert_eq!(query_text(&guest, last).await, "");
}

/// A statement that does not ask finds `?`, also where the connection named the request of another one before.
#[tokio::test]
async fn a_statement_that_asks_seldom_finds_its_request_when_it_does() {
    let pools = naming_pools(1, "seldom", "n int, found text").await;
    let guest = open(&pools, testing::shared_postgres()).await;
    let write = async |request: &str, statement: &str| {
        let cause = Some(Arc::new(Cause::new(request, None)));
        run(&guest.clone().caused_by(cause), statement).await
    };
    let unasked = "INSERT INTO seldom SELECT 0, current_setting('wharf.request_id', true)";
    let seldom = "INSERT INTO seldom
        SELECT n, CASE WHEN n > 2 THEN seldom_by() ELSE current_setting('wharf.request_id', true) END
        FROM (SELECT count(*) FROM seldom) AS before (n), generate_series(1, 2)";
    write("r-1", unasked).await;
    assert_eq!(write("r-2", seldom).await, 2);
    // The attempt that asked left nothing.
    assert_eq!(write("r-3", seldom).await, 2);
    assert_eq!(write("r-4", seldom).await, 2);
    write("r-5", unasked).await;
    let rows = "SELECT string_agg(n || found, ',' ORDER BY ctid) FROM seldom";
    assert_eq!(
        query_text(&guest, rows).await,
        "0?,1?,1?,3r-3,3r-3,5r-4,5r-4,0?"
    );
}

/// The guest has rows of its result by then, so the statement cannot be run again. The next run finds its request at once.
#[tokio::test]
async fn a_statement_that_asks_after_many_rows_fails_once() {
    let pools = naming_pools(1, "late", "n int").await;
    let guest = open(&pools, testing::shared_postgres()).await;
    let guest = guest.caused_by(Some(Arc::new(Cause::new("r-1", None))));
    let late = "SELECT CASE WHEN n = 50000 THEN late_by() ELSE repeat('x', 20) END
        FROM generate_series(1, 50000) AS n";
    let read_all = async || {
        let (_, answer) = guest.stream(late, &[]).await.unwrap();
        let Answer::Streamed { mut read, mut rows } = answer else {
            panic!("the result is not streamed");
        };
        rows.read(&mut read, usize::MAX).await.map(|_| read)
    };
    let asked = read_all().await.unwrap_err();
    assert_eq!(expect_db_error(asked).code, "WR001");
    let rows = read_all().await.unwrap();
    assert_eq!(rows.len(), 50_000);
    assert!(matches!(&rows[49_999][0], DbValue::Str(it) if it == "r-1"));
}

/// Pools that name requests, a table, and a function `<table>_by` that asks for the request.
async fn naming_pools(connections: usize, table: &str, columns: &str) -> Pools {
    let pools = make_pools_with(Settings {
        names_requests: true,
        ..limited_to(connections)
    });
    let owner = open(&pools, testing::shared_postgres()).await;
    run(&owner, &format!("CREATE TABLE {table} ({columns})")).await;
    let asking = format!(
        "CREATE FUNCTION {table}_by() RETURNS text LANGUAGE plpgsql AS $$
            BEGIN
                IF current_setting('wharf.request_id', true) = '?' THEN
                    RAISE 'who?' USING ERRCODE = 'WR001';
                END IF;
                RETURN current_setting('wharf.request_id', true);
            END
        $$"
    );
    run(&owner, &asking).await;
    pools
}

/// Several statements of one request at the same time use several connections, each of which other requests have used.
#[tokio::test]
async fn statements_of_requests_at_the_same_time_each_find_their_own_request() {
    let pools = naming_pools(4, "noted", "wanted text, found text").await;
    let write = async |request: usize| {
        let guest = open(&pools, testing::shared_postgres()).await;
        let guest = guest.caused_by(Some(Arc::new(Cause::new(&format!("r-{request}"), None))));
        let note =
            format!("INSERT INTO noted SELECT 'r-{request}', noted_by() FROM pg_sleep(0.01)");
        if request.is_multiple_of(3) {
            run(&guest, "BEGIN").await;
            run(&guest, &note).await;
            run(&guest, "COMMIT").await;
        } else {
            join_all((0..4).map(|_| run(&guest, &note))).await;
        }
    };
    join_all((0..24).map(write)).await;
    let guest = open(&pools, testing::shared_postgres()).await;
    let all = "SELECT count(*) FROM noted";
    assert_eq!(query_number(&guest, all).await, 16 * 4 + 8);
    let mistaken = "SELECT count(*) FROM noted WHERE wanted IS DISTINCT FROM found";
    assert_eq!(query_number(&guest, mistaken).await, 0);
}

#[tokio::test]
async fn a_guest_names_the_request_of_what_follows_on_a_connection() {
    let pools = naming_pools(1, "followed", "id text, trace text").await;
    let write =
        "INSERT INTO followed VALUES (followed_by(), current_setting('wharf.traceparent', true))";
    let served = Some(Arc::new(Cause::new("served", Some("00-1"))));
    let guest = async || {
        let opened = open(&pools, testing::shared_postgres()).await;
        opened.caused_by(served.clone())
    };
    // Both use the only connection to the server: neither needs a session.
    let (first, second) = (guest().await, guest().await);
    run(&first, write).await;
    assert_eq!(run(&first, "SET wharf.request_id = 'heard-1'").await, 0);
    run(&first, write).await;
    run(&first, "SET wharf.traceparent = '00-2'").await;
    run(&first, write).await;
    // Another connection of the same guest.
    run(&second, write).await;
    run(&second, "SET wharf.request_id = 'it''s'; SELECT '").await;
    run(&second, write).await;
    let rows = "SELECT string_agg(id || ' ' || trace, ',' ORDER BY ctid) FROM followed";
    assert_eq!(
        query_text(&second, rows).await,
        "served 00-1,heard-1 ,heard-1 00-2,served 00-1, "
    );
}
