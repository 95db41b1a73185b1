//! How statements share connections, and servers that are slow, silent or unreachable.

use std::time::Instant;

use futures::future::join_all;

use super::*;
use crate::testing::{Proxy, free_port, wait_until};

#[tokio::test]
async fn plain_statements_of_many_guests_share_few_connections() {
    let proxy = Proxy::to(testing::shared_postgres()).await;
    let pools = make_pools_with(limited_to(3));
    let guests = (0..200).map(async |_| {
        let connection = open(&pools, proxy.port).await;
        query_number(&connection, "SELECT 1").await
    });
    assert_eq!(join_all(guests).await.into_iter().sum::<i64>(), 200);
    assert!(proxy.connections() <= 3, "{}", proxy.connections());
}

#[tokio::test]
async fn waiting_too_long_for_a_connection_fails_and_names_the_cause() {
    let pools = make_pools_with(Settings {
        wait: Duration::from_millis(200),
        ..limited_to(1)
    });
    let busy = open(&pools, testing::shared_postgres()).await;
    run(&busy, "BEGIN").await;
    let started = Instant::now();
    let waiting = open(&pools, testing::shared_postgres()).await;
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
    assert_eq!(query_number(&waiting, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_pool_without_a_connection_gets_one_that_another_does_not_use() {
    let server = testing::start_postgres(
        free_port(),
        &["max_connections=8", "superuser_reserved_connections=0"],
    );
    let rich = make_pools_with(limited_to(16));
    let connection = open(&rich, server.port).await;
    join_all((0..32).map(|_| run(&connection, "SELECT pg_sleep(0.1)"))).await;
    let started = Instant::now();
    let poor = make_pools_with(limited_to(16));
    let connection = open(&poor, server.port).await;
    assert_eq!(query_number(&connection, "SELECT 1").await, 1);
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn an_address_gets_a_connection_that_the_component_does_not_use_at_others() {
    let pools = make_pools_with(limited_to(4));
    let port = testing::shared_postgres();
    for user in 0..=MAX_FULL_POOLS {
        let url = format!("{}&options=-c%20wharf.address%3D{user}", url(port));
        let started = Instant::now();
        let connection = testing::retry(async || pools.open(&url, None).await).await;
        assert!(started.elapsed() < Duration::from_secs(15));
        join_all((0..8).map(|_| run(&connection, "SELECT pg_sleep(0.1)"))).await;
    }
}

#[tokio::test]
async fn a_transaction_gets_a_connection_under_a_constant_load_of_statements() {
    let pools = make_pools_with(limited_to(2));
    let port = testing::shared_postgres();
    let load = join_all((0..32).map(async |_| {
        let connection = open(&pools, port).await;
        loop {
            query_number(&connection, "SELECT 1").await;
        }
    }));
    let transactions = async {
        for _ in 0..20 {
            let guest = open(&pools, port).await;
            for statement in ["BEGIN", "SELECT 1", "COMMIT"] {
                run(&guest, statement).await;
            }
        }
    };
    tokio::select! {
        _ = load => panic!("the load ended"),
        () = transactions => {}
    }
}

#[tokio::test]
async fn nothing_queues_behind_a_slow_statement() {
    let pools = make_pools_with(limited_to(2));
    let connection = open(&pools, testing::shared_postgres()).await;
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
async fn a_statement_that_waits_for_a_lock_holds_up_no_other() {
    let pools = make_pools_with(limited_to(4));
    let port = testing::shared_postgres();
    let owner = open(&pools, port).await;
    for statement in [
        "CREATE TABLE locked_row (id int PRIMARY KEY)",
        "INSERT INTO locked_row VALUES (1)",
        "CREATE FUNCTION lock_a_row() RETURNS int LANGUAGE sql AS 'SELECT id FROM locked_row FOR UPDATE'",
        "CREATE FUNCTION read_a_row() RETURNS int LANGUAGE sql STABLE AS 'SELECT id FROM locked_row'",
    ] {
        run(&owner, statement).await;
    }
    let guest = open(&pools, port).await;
    for waiting in [
        "UPDATE locked_row SET id = 1",
        "SELECT lock_a_row()",
        "SELECT id FROM locked_row FOR SHARE",
    ] {
        // The pool is warm, so that all statements find a connection at once.
        join_all((0..8).map(|_| run(&guest, "SELECT read_a_row()"))).await;
        let holder = open(&pools, port).await;
        run(&holder, "BEGIN").await;
        run(&holder, "UPDATE locked_row SET id = 1").await;
        let others = async {
            // The transaction ends only after these, so that one queued behind the waiting statement would never end.
            join_all((0..8).map(|_| run(&guest, "SELECT read_a_row()"))).await;
            run(&holder, "COMMIT").await;
        };
        let done = tokio::time::timeout(Duration::from_secs(8), async {
            tokio::join!(run(&guest, waiting), others)
        });
        assert!(done.await.is_ok(), "{waiting}");
    }
}

#[tokio::test]
async fn statements_that_only_read_share_a_connection_also_if_they_call_functions() {
    let proxy = Proxy::to(testing::shared_postgres()).await;
    let pools = make_pools_with(limited_to(8));
    let connection = open(&pools, proxy.port).await;
    let statement = "SELECT length(lower($1::text))";
    let text = || ParameterValue::Str("a".to_owned());
    connection.query(statement, &[text()]).await.unwrap();
    let before = proxy.round_trips();
    for _ in 0..10 {
        connection.query(statement, &[text()]).await.unwrap();
    }
    assert_eq!(proxy.round_trips() - before, 10, "the server is asked once");
    let pool = pools.find_or_add(&url(proxy.port), None).unwrap();
    assert_eq!(pool.know(statement).need, Need::Nothing);
    run(&connection, "SELECT pg_notify('a', 'b')").await;
    assert_eq!(pool.know("SELECT pg_notify('a', 'b')").need, Need::Alone);
}

#[tokio::test]
async fn connections_draw_from_the_budget_of_the_component() {
    let port = testing::shared_postgres();
    let egress = Egress::new(
        wharf_manifest::egress::AllowedHosts::parse(&["*://*:*".to_owned()]).unwrap(),
        wharf_manifest::egress::BlockedNetworks::default(),
        Arc::new(|_| ()),
    );
    let egress = Arc::new(egress.with_budget(crate::budget::Budget::new(1, 256 << 20, None)));
    let roots = Arc::new(RootCertStore::empty());
    let pools = Pools::new(
        "parking".to_owned(),
        Arc::clone(&egress),
        limited_to(4),
        roots,
    );
    let connection = open(&pools, port).await;
    let budget = egress.budget();
    assert_eq!(budget.open_connections(), 1);
    let others = join_all((0..20).map(|_| run(&connection, "SELECT pg_sleep(0.01)"))).await;
    assert_eq!(others.len(), 20, "one connection serves all");
    assert_eq!(budget.open_connections(), 1);
    drop((connection, pools));
    wait_until("the connection is closed", async || {
        budget.open_connections() == 0
    })
    .await;
}

#[tokio::test]
async fn a_server_that_never_answers_fails_an_open_within_about_two_seconds() {
    // Accepts connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let pools = make_pools();
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

    wait_until("the next open fails at once", async || {
        let started = Instant::now();
        assert!(pools.open(&url(port), None).await.is_err());
        started.elapsed() < Duration::from_millis(500)
    })
    .await;
}

#[tokio::test]
async fn a_server_that_stops_answering_fails_waiting_statements_within_two_seconds_and_later_ones_at_once()
 {
    let proxy = Proxy::to(testing::shared_postgres()).await;
    let pools = make_pools_with(limited_to(2));
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
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );

    proxy.mute(false);
    wait_until("the same connection works again", async || {
        connection.execute("SELECT 1", &[]).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_only_slow_is_probed_and_its_connections_stay_open() {
    let proxy = Proxy::to(testing::shared_postgres()).await;
    let pools = make_pools_with(limited_to(1));
    let connection = open(&pools, proxy.port).await;
    run(&connection, "SELECT pg_sleep(3)").await;
    let connections = proxy.connections();
    assert!((2..=4).contains(&connections), "{connections}");
    // Quick statements cause no probe.
    for _ in 0..100 {
        run(&connection, "SELECT pg_sleep(0.01)").await;
    }
    assert_eq!(proxy.connections(), connections);
}

#[tokio::test]
async fn an_unreachable_server_fails_statements_fast_and_is_used_again_once_it_is_back() {
    let port = free_port();
    let pools = make_pools();
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
    wait_until("the server is reachable again", async || {
        pools.open(&url(port), None).await.is_ok()
    })
    .await;
    let connection = open(&pools, port).await;
    assert_eq!(query_number(&connection, "SELECT 1").await, 1);

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
    wait_until("the same connection works again", async || {
        connection.execute("SELECT 1", &[]).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn other_spellings_of_an_address_share_the_connections() {
    let proxy = Proxy::to(testing::shared_postgres()).await;
    let pools = make_pools_with(limited_to(3));
    drop(open(&pools, proxy.port).await);
    let mut guests = Vec::new();
    for number in 0..10 {
        let address = format!("{}&application_name=n{number}", url(proxy.port));
        let guest = pools.open(&address, None).await.unwrap();
        assert_eq!(query_number(&guest, "SELECT 1").await, 1);
        guests.push(guest);
    }
    assert!(proxy.connections() <= 3, "{}", proxy.connections());
}

#[tokio::test]
async fn ever_other_session_options_bring_no_further_connections() {
    let proxy = Proxy::to(testing::shared_postgres()).await;
    let pools = make_pools_with(limited_to(2));
    let mut guests = Vec::new();
    let mut refused = 0;
    for number in 1..=12 {
        let address = format!(
            "{}&options=-c%20work_mem%3D{}kB",
            url(proxy.port),
            1000 + number
        );
        match pools.open(&address, None).await {
            Ok(guest) => guests.push(guest),
            Err(Error::ConnectionFailed(cause)) => {
                assert!(cause.contains("too many database connections"), "{cause}");
                refused += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(refused > 0 && !guests.is_empty());
    let most = 2 * MAX_FULL_POOLS;
    assert!(proxy.connections() <= most, "{}", proxy.connections());
}
