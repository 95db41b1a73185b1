//! What migrations promise: forward only, whole or not at all, and roles that can do what they
//! should and nothing else.

use wharf_stores::{Error, Migrations, Result, migrate};

use crate::data_folder::{Server, connect, migrations};

async fn apply(server: &Server, url: &str, migrations: &Migrations) -> Result<Vec<String>> {
    let values = server.values();
    migrate(
        &mut connect(url).await,
        migrations,
        |schema| values.role_password(schema),
        |_| {},
    )
    .await
}

/// What PostgreSQL says to a statement, in its code: 42501 is "insufficient privilege".
async fn refusal(url: &str, statement: &str) -> String {
    let error = connect(url)
        .await
        .batch_execute(statement)
        .await
        .unwrap_err();
    error.code().unwrap().code().to_owned()
}

const OUTBOX: (&str, &str) = (
    "events/0001_outbox.sql",
    "CREATE TABLE outbox (id bigserial PRIMARY KEY, name text NOT NULL);
     GRANT USAGE ON SCHEMA events TO wharf_till;
     GRANT INSERT ON outbox TO wharf_till;
     GRANT USAGE ON SEQUENCE outbox_id_seq TO wharf_till;",
);
const LEDGER: (&str, &str) = (
    "till/0001_ledger.sql",
    "CREATE EXTENSION IF NOT EXISTS btree_gist;
     CREATE TABLE transfer (id bigserial PRIMARY KEY, cents bigint NOT NULL);
     REVOKE UPDATE, DELETE ON transfer FROM wharf_till;
     CREATE FUNCTION total() RETURNS numeric LANGUAGE sql AS 'SELECT sum(cents) FROM transfer';",
);

#[tokio::test]
async fn a_role_writes_its_own_schema_and_nothing_else() {
    let server = Server::shared();
    let url = server.database().await;
    let (_folder, migrations) = migrations(&[OUTBOX, LEDGER]);
    let applied = apply(&server, &url, &migrations).await.unwrap();
    assert_eq!(applied, ["events/0001_outbox.sql", "till/0001_ledger.sql"]);

    let till = server.as_role(&url, "till");
    let client = connect(&till).await;
    // Names without a schema are those of the role's own.
    client
        .batch_execute("INSERT INTO transfer (cents) VALUES (5); SELECT total()")
        .await
        .unwrap();
    client
        .batch_execute("INSERT INTO events.outbox (name) VALUES ('paid')")
        .await
        .unwrap();
    for forbidden in [
        "UPDATE transfer SET cents = 6",
        "SELECT * FROM events.outbox",
        "SELECT * FROM wharf.migration",
        "CREATE TABLE mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "DROP TABLE transfer",
        "CREATE ROLE friend",
    ] {
        assert_eq!(refusal(&till, forbidden).await, "42501", "{forbidden}");
    }
    let events = server.as_role(&url, "events");
    assert_eq!(
        refusal(&events, "SELECT * FROM till.transfer").await,
        "42501"
    );
}

#[tokio::test]
async fn what_is_applied_is_not_applied_again_and_new_files_are() {
    let server = Server::shared();
    let url = server.database().await;
    let first = ("again/0001_a.sql", "CREATE TABLE a (id int)");
    let second = ("again/0002_b.sql", "ALTER TABLE a ADD b int");
    let (_folder, migrations_then) = migrations(&[first]);
    apply(&server, &url, &migrations_then).await.unwrap();
    assert!(
        apply(&server, &url, &migrations_then)
            .await
            .unwrap()
            .is_empty()
    );

    let (_folder, migrations_now) = migrations(&[first, second]);
    assert_eq!(
        apply(&server, &url, &migrations_now).await.unwrap(),
        ["again/0002_b.sql"]
    );
    // A replica of yesterday starts once more.
    assert!(
        apply(&server, &url, &migrations_then)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_file_changed_after_it_was_applied_is_refused_by_name() {
    let server = Server::shared();
    let url = server.database().await;
    let (_folder, original) = migrations(&[("changed/0001_a.sql", "CREATE TABLE a (id int)")]);
    apply(&server, &url, &original).await.unwrap();
    let (_folder, changed) = migrations(&[("changed/0001_a.sql", "CREATE TABLE a (id bigint)")]);
    let refused = apply(&server, &url, &changed)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("changed/0001_a.sql was changed"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_file_numbered_before_an_applied_one_is_refused() {
    let server = Server::shared();
    let url = server.database().await;
    let second = ("late/0002_b.sql", "CREATE TABLE b (id int)");
    let (_folder, original) = migrations(&[second]);
    apply(&server, &url, &original).await.unwrap();
    let (_folder, with_late_one) =
        migrations(&[second, ("late/0001_a.sql", "CREATE TABLE a (id int)")]);
    let refused = apply(&server, &url, &with_late_one)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("late/0001_a.sql comes too late"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_file_that_fails_leaves_nothing_and_says_where() {
    let server = Server::shared();
    let url = server.database().await;
    let (_folder, broken) = migrations(&[
        ("broken/0001_good.sql", "CREATE TABLE good (id int)"),
        (
            "broken/0002_bad.sql",
            "CREATE TABLE half (id int);\n\nSELECT * FROM nowhere;",
        ),
    ]);
    let refused = apply(&server, &url, &broken).await.unwrap_err().to_string();
    assert!(
        refused.contains("broken/0002_bad.sql, line 3: relation \"nowhere\" does not exist"),
        "{refused}"
    );
    let left = "SELECT to_regclass('broken.good') IS NOT NULL, to_regclass('broken.half') IS NULL";
    let left = connect(&url).await.query_one(left, &[]).await.unwrap();
    assert_eq!((left.get(0), left.get(1)), (true, true));
}

#[tokio::test]
async fn a_file_that_commits_by_itself_is_refused() {
    let server = Server::shared();
    let url = server.database().await;
    let (_folder, committing) =
        migrations(&[("commits/0001_a.sql", "CREATE TABLE a (id int); COMMIT;")]);
    let refused = apply(&server, &url, &committing).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Migration(sentence) if sentence.contains("ends the transaction")),
        "{refused}"
    );
}

#[tokio::test]
async fn many_that_start_at_once_apply_each_file_once() {
    let server = Server::shared();
    let url = server.database().await;
    let (_folder, migrations) = migrations(&[
        (
            "crowd/0001_a.sql",
            "CREATE TABLE a (id int); SELECT pg_sleep(0.1)",
        ),
        ("crowd/0002_b.sql", "INSERT INTO a VALUES (1)"),
    ]);
    let all = (0..5).map(|_| apply(&server, &url, &migrations));
    let mut applied = Vec::new();
    for result in futures::future::join_all(all).await {
        applied.extend(result.unwrap());
    }
    assert_eq!(applied, ["crowd/0001_a.sql", "crowd/0002_b.sql"]);
}

#[tokio::test]
async fn two_databases_of_one_server_are_migrated_at_the_same_time() {
    let server = Server::shared();
    let (one, other) = (server.database().await, server.database().await);
    let (_folder, migrations) = migrations(&[("twins/0001_a.sql", "CREATE TABLE a (id int)")]);
    let (one, other) = tokio::join!(
        apply(&server, &one, &migrations),
        apply(&server, &other, &migrations)
    );
    assert_eq!((one.unwrap().len(), other.unwrap().len()), (1, 1));
}
