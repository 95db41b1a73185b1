//! SQLite in both interfaces.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_every_type_come_back() {
    let host = start("sqlite_databases = [\"default\"]");
    let expected = r#"[[Value::Integer(1), Value::Text("hello"), Value::Blob([1, 2]), Value::Null, Value::Real(0.5)]]"#;
    for _ in 0..2 {
        assert_answer(&host.get("/sqlite?default").await, 200, &[], expected);
    }
    assert!(host.folder.path().join(".wharf/sqlite/default.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_previous_interface_works() {
    let host = start("sqlite_databases = [\"default\"]");
    let expected = r#"["sum"] [RowResult { values: [Value::Integer(42)] }]"#;
    assert_answer(&host.get("/sqlite-v2?default").await, 200, &[], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_granted_is_denied() {
    let host = start("sqlite_databases = [\"default\"]");
    for path in ["/sqlite?other", "/sqlite-v2?other"] {
        assert_answer(&host.get(path).await, 502, &[], "Error::AccessDenied");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_the_operator_run_before_the_start() {
    let folder = stage::folder(&manifest("sqlite_databases = [\"default\", \"other\"]"));
    let seed = folder.path().join("seed.sql");
    std::fs::write(
        &seed,
        "CREATE TABLE seed (name); INSERT INTO seed VALUES ('b');",
    )
    .unwrap();
    let file = format!("@{}:other", seed.display());
    let statements = [
        "--sqlite",
        "CREATE TABLE seed (name)",
        "--sqlite",
        "INSERT INTO seed VALUES ('a')",
        "--sqlite",
        &file,
    ];
    let host = Host::start_in(folder, &statements);
    for (label, name) in [("default", "a"), ("other", "b")] {
        let expected = format!(r#"[[Value::Text("{name}")]]"#);
        let answer = host.get(&format!("/sqlite-table?{label}")).await;
        assert_answer(&answer, 200, &[], &expected);
    }
}
