//! Tests of the PostgreSQL capability below its WIT traits, against a real server.

mod access;
mod pool;
mod results;
mod sessions;
mod statements;

use std::time::Duration;

use super::*;
use crate::bindings::spin::postgres4_2_0::postgres::{DbError, DbValue};
use crate::testing;

fn make_pools_with(settings: Settings) -> Pools {
    let roots = Arc::new(RootCertStore::empty());
    Pools::new("parking".to_owned(), testing::allow_all(), settings, roots)
}

fn make_pools() -> Pools {
    make_pools_with(limited_to(Settings::default().connections))
}

/// Waits long, because other tests keep the machine busy.
fn limited_to(connections: usize) -> Settings {
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
    testing::retry(async || pools.open(&url(port), None).await).await
}

async fn run(connection: &Connection, statement: &str) -> u64 {
    let done = connection.execute(statement, &[]).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error:?}"))
}

async fn query_value(connection: &Connection, statement: &str) -> DbValue {
    let set = connection.query(statement, &[]).await;
    let mut set = set.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    set.rows.remove(0).remove(0)
}

async fn query_text(connection: &Connection, statement: &str) -> String {
    match query_value(connection, statement).await {
        DbValue::Str(text) => text,
        other => panic!("{statement}: {other:?}"),
    }
}

async fn query_number(connection: &Connection, statement: &str) -> i64 {
    match query_value(connection, statement).await {
        DbValue::Int64(number) => number,
        DbValue::Int32(number) => number.into(),
        other => panic!("{statement}: {other:?}"),
    }
}

fn expect_db_error(error: Error) -> DbError {
    match error {
        Error::QueryFailed(QueryError::DbError(error)) => error,
        other => panic!("{other:?}"),
    }
}
