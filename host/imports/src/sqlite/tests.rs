//! SQLite as a guest meets it: what is denied, what is limited.

use std::time::{Duration, Instant};

use super::*;
use crate::testing;

struct Fixture {
    database: Database,
    folder: PathBuf,
}

impl Fixture {
    fn new(name: &str, max_bytes: u64) -> Fixture {
        let folder = testing::make_folder(name);
        let database = Database::open(&folder.join("default.db"), max_bytes, false).unwrap();
        Fixture { database, folder }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

async fn run(connection: &Connection, statement: &str) -> Result<QueryResult, Error> {
    connection.execute(statement.to_owned(), vec![]).await
}

#[tokio::test]
async fn values_of_every_type_come_back() {
    let fixture = Fixture::new("sqlite-values", 1 << 20);
    let connection = fixture.database.connect().await.unwrap();
    run(&connection, "CREATE TABLE t (a, b, c, d, e)")
        .await
        .unwrap();
    let values = vec![
        Value::Integer(i64::MIN),
        Value::Real(0.5),
        Value::Text("é".to_owned()),
        Value::Blob(vec![0, 255]),
        Value::Null,
    ];
    let inserted = connection
        .execute("INSERT INTO t VALUES (?, ?, ?, ?, ?)".to_owned(), values)
        .await
        .unwrap();
    assert!(inserted.columns.is_empty() && inserted.rows.is_empty());
    assert_eq!(connection.changes().await.unwrap(), 1);
    assert_eq!(connection.last_insert_rowid().await.unwrap(), 1);
    let other = fixture.database.connect().await.unwrap();
    let found = run(&other, "SELECT a, b, c, d, e FROM t").await.unwrap();
    assert_eq!(found.columns, ["a", "b", "c", "d", "e"]);
    let [row] = &found.rows[..] else {
        panic!("{found:?}")
    };
    assert!(matches!(
        &row.values[..],
        [Value::Integer(i64::MIN), Value::Real(0.5), Value::Text(text), Value::Blob(blob), Value::Null]
            if text == "é" && blob == &[0, 255]
    ));
}

#[tokio::test]
async fn a_database_grows_up_to_its_limit() {
    let fixture = Fixture::new("sqlite-full", 64 << 10);
    let connection = fixture.database.connect().await.unwrap();
    run(&connection, "CREATE TABLE t (a)").await.unwrap();
    let full = run(&connection, "INSERT INTO t VALUES (zeroblob(200000))").await;
    assert!(matches!(full, Err(Error::DatabaseFull)), "{full:?}");
    run(&connection, "INSERT INTO t VALUES (zeroblob(1000))")
        .await
        .unwrap();
    run(&connection, "VACUUM").await.unwrap();
}

#[tokio::test]
async fn a_guest_reaches_no_other_file_and_no_guarded_setting() {
    let fixture = Fixture::new("sqlite-denied", 1 << 20);
    let connection = fixture.database.connect().await.unwrap();
    let elsewhere = fixture.folder.join("elsewhere.db");
    let elsewhere = elsewhere.display();
    for statement in [
        &format!("ATTACH '{elsewhere}' AS other"),
        &format!("VACUUM INTO '{elsewhere}'"),
        "ATTACH ':memory:' AS other",
        "PRAGMA max_page_count = 1000000",
        "PRAGMA Cache_Size = 1000000",
        "PRAGMA hard_heap_limit = 1000",
        "PRAGMA journal_mode = off",
        "SELECT load_extension('/lib/x.so')",
    ] {
        let denied = run(&connection, statement).await;
        assert!(
            matches!(denied, Err(Error::Io(_))),
            "{statement}: {denied:?}"
        );
    }
    assert!(!fixture.folder.join("elsewhere.db").exists());
    run(&connection, "PRAGMA foreign_keys = on").await.unwrap();
    run(&connection, "PRAGMA max_page_count").await.unwrap();
}

#[tokio::test]
async fn a_result_is_bounded() {
    let fixture = Fixture::new("sqlite-large", 1 << 20);
    let connection = fixture.database.connect().await.unwrap();
    let endless = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n, zeroblob(10000) FROM t";
    let large = run(&connection, endless).await;
    assert!(matches!(large, Err(Error::Io(why)) if why.contains("exceeds limit")));
    let long = run(&connection, "SELECT zeroblob(100000000)").await;
    assert!(matches!(long, Err(Error::Io(_))));
}

#[tokio::test]
async fn a_statement_ends_with_its_connection() {
    let fixture = Fixture::new("sqlite-endless", 1 << 20);
    let endless =
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t";
    for _ in 0..MAX_RUNNING {
        let connection = fixture.database.connect().await.unwrap();
        let waiting = tokio::time::timeout(Duration::from_millis(50), run(&connection, endless));
        assert!(waiting.await.is_err());
    }
    let began = Instant::now();
    let connection = fixture.database.connect().await.unwrap();
    run(&connection, "SELECT 1").await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn connections_are_counted() {
    let fixture = Fixture::new("sqlite-many", 1 << 20);
    let mut open = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        open.push(fixture.database.connect().await.unwrap());
    }
    assert!(fixture.database.connect().await.is_err());
    open.pop();
    assert!(fixture.database.connect().await.is_ok());
}
