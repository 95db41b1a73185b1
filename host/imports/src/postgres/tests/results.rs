//! Results that are returned whole or streamed.

use std::future::poll_fn;
use std::time::Instant;

use futures::future::join_all;

use super::*;

/// Ten thousand rows of about a kilobyte.
const LARGE: &str = "SELECT i, repeat('x', 1000) FROM generate_series(1, 10000) AS i";

#[tokio::test]
async fn a_small_result_is_returned_whole_and_a_large_one_is_streamed() {
    let connection = open(&make_pools(), testing::shared_postgres()).await;
    let (columns, answer) = connection.stream("SELECT 1 AS a", &[]).await.unwrap();
    assert_eq!(columns[0].name, "a");
    assert!(matches!(answer, Answer::Whole(rows) if rows.len() == 1));

    let (_, answer) = connection.stream(LARGE, &[]).await.unwrap();
    let Answer::Streamed { read, mut rows } = answer else {
        panic!("the result was not streamed");
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
async fn results_held_at_once_are_bounded_together() {
    // Two million rows of one byte each: small on the wire, large in memory.
    let many = "SELECT true FROM generate_series(1, 2000000)";
    let egress = testing::allow_all();
    let roots = Arc::new(RootCertStore::empty());
    let pools = Pools::new(
        "parking".to_owned(),
        Arc::clone(&egress),
        limited_to(4),
        roots,
    );
    let connection = open(&pools, testing::shared_postgres()).await;
    let results = join_all((0..4).map(|_| connection.query(many, &[]))).await;
    let refused = results.iter().filter(|result| {
        matches!(result, Err(Error::QueryFailed(QueryError::Text(cause))) if cause.contains("together"))
    });
    assert!(refused.count() > 0);
    drop(results);
    assert_eq!(egress.budget().held_bytes(), 0);
    assert_eq!(query_number(&connection, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_slow_reader_of_a_large_result_does_not_delay_other_statements() {
    let pools = make_pools_with(limited_to(2));
    let connection = open(&pools, testing::shared_postgres()).await;
    run(&connection, "SELECT 1").await;
    let (_, answer) = connection.stream(LARGE, &[]).await.unwrap();
    assert!(matches!(answer, Answer::Streamed { .. }));
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
async fn a_large_result_with_statements_queued_behind_it_is_buffered_to_its_end() {
    let pools = make_pools_with(limited_to(1));
    let connection = open(&pools, testing::shared_postgres()).await;
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
async fn a_large_result_that_is_dropped_early_frees_its_connection() {
    let pools = make_pools_with(limited_to(1));
    let connection = open(&pools, testing::shared_postgres()).await;
    let endless = "SELECT generate_series(1, 100000000), repeat('x', 1000)";
    let (_, answer) = connection.stream(endless, &[]).await.unwrap();
    assert!(matches!(answer, Answer::Streamed { .. }));
    drop(answer);
    assert_eq!(query_number(&connection, "SELECT 1").await, 1);
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_large_result_ends_its_stream() {
    let connection = open(&make_pools(), testing::shared_postgres()).await;
    let statement = "SELECT repeat('x', 1000), 1 / (5000 - i) FROM generate_series(1, 10000) AS i";
    let (_, answer) = connection.stream(statement, &[]).await.unwrap();
    let Answer::Streamed { mut rows, .. } = answer else {
        panic!("the result was not streamed");
    };
    let failed = loop {
        match poll_fn(|cx| rows.poll_next(cx)).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("no error"),
        }
    };
    assert_eq!(expect_db_error(failed).code, "22012");
    drop(rows);
    assert_eq!(query_number(&connection, "SELECT 1").await, 1);
}
