//! The guarantees of migrations: forward only, each file in one transaction, least privileges for the
//! roles; repeatable files are applied again when they change.

mod repeatable;

use std::path::Path;

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

/// A value that the owner of the database reads.
async fn read<T: for<'a> tokio_postgres::types::FromSql<'a>>(url: &str, query: &str) -> T {
    connect(url)
        .await
        .query_one(query, &[])
        .await
        .unwrap()
        .get(0)
}

/// The error code of a statement; 42501 is "insufficient privilege".
async fn error_code(url: &str, statement: &str) -> String {
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
async fn a_role_writes_only_its_own_schema() {
    let server = Server::shared();
    let url = server.create_database().await;
    let (_folder, migrations) = migrations(&[OUTBOX, LEDGER]);
    let applied = apply(&server, &url, &migrations).await.unwrap();
    assert_eq!(applied, ["events/0001_outbox.sql", "till/0001_ledger.sql"]);

    let till = server.url_for_role(&url, "till");
    let client = connect(&till).await;
    // Unqualified names belong to the schema of the role.
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
        assert_eq!(error_code(&till, forbidden).await, "42501", "{forbidden}");
    }
    let events = server.url_for_role(&url, "events");
    assert_eq!(
        error_code(&events, "SELECT * FROM till.transfer").await,
        "42501"
    );
}

#[tokio::test]
async fn only_new_files_are_applied() {
    let server = Server::shared();
    let url = server.create_database().await;
    let first = ("again/0001_a.sql", "CREATE TABLE a (id int)");
    let second = ("again/0002_b.sql", "ALTER TABLE a ADD b int");
    let (_folder, old_migrations) = migrations(&[first]);
    apply(&server, &url, &old_migrations).await.unwrap();
    assert!(
        apply(&server, &url, &old_migrations)
            .await
            .unwrap()
            .is_empty()
    );

    let (_folder, new_migrations) = migrations(&[first, second]);
    assert_eq!(
        apply(&server, &url, &new_migrations).await.unwrap(),
        ["again/0002_b.sql"]
    );
    // An older copy of the host starts again.
    assert!(
        apply(&server, &url, &old_migrations)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_applied_file_that_was_changed_is_refused() {
    let server = Server::shared();
    let url = server.create_database().await;
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
    let url = server.create_database().await;
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
async fn a_file_that_fails_is_rolled_back_and_reported_with_its_line() {
    let server = Server::shared();
    let url = server.create_database().await;
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
async fn a_file_that_commits_is_refused() {
    let server = Server::shared();
    let url = server.create_database().await;
    let (_folder, committing) =
        migrations(&[("commits/0001_a.sql", "CREATE TABLE a (id int); COMMIT;")]);
    let refused = apply(&server, &url, &committing).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Migration(message) if message.contains("ends the transaction")),
        "{refused}"
    );
}

#[tokio::test]
async fn processes_that_start_at_the_same_time_apply_each_file_once() {
    let server = Server::shared();
    let url = server.create_database().await;
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
async fn two_databases_of_one_server_can_be_migrated_at_the_same_time() {
    let server = Server::shared();
    let (one, other) = (
        server.create_database().await,
        server.create_database().await,
    );
    let (_folder, migrations) = migrations(&[("twins/0001_a.sql", "CREATE TABLE a (id int)")]);
    let (one, other) = tokio::join!(
        apply(&server, &one, &migrations),
        apply(&server, &other, &migrations)
    );
    assert_eq!((one.unwrap().len(), other.unwrap().len()), (1, 1));
}

const ITEM: (&str, &str) = ("shop/0001_item.sql", "CREATE TABLE item (cents bigint)");
const PRICE: (&str, &str) = (
    "shop/price.sql",
    "CREATE OR REPLACE VIEW price AS SELECT euros(cents) AS euros FROM item",
);
const EUROS: (&str, &str) = (
    "every/euros.sql",
    "CREATE OR REPLACE FUNCTION euros(cents bigint) RETURNS numeric LANGUAGE sql RETURN cents / 100.0",
);

/// The files of the platform that are applied in every schema.
fn every(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/every");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

#[tokio::test]
async fn moments_cross_as_milliseconds_and_an_index_is_still_used() {
    let server = Server::shared();
    let url = server.create_database().await;
    let visit = (
        "visits/0001_visit.sql",
        "CREATE TABLE visit (at timestamptz NOT NULL);
         CREATE INDEX visit_at ON visit (at);
         INSERT INTO visit SELECT to_timestamp(n) FROM generate_series(1, 10000) n;
         ANALYZE visit;
         -- As in payments: functions are granted by name.
         ALTER DEFAULT PRIVILEGES IN SCHEMA visits REVOKE EXECUTE ON FUNCTIONS FROM wharf_visits;",
    );
    let revoked = (
        "visits/revoked.sql",
        "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA visits FROM PUBLIC",
    );
    let moments = every("moments.sql");
    let (_folder, migrations) = migrations(&[visit, ("every/moments.sql", &moments), revoked]);
    apply(&server, &url, &migrations).await.unwrap();

    let role = server.url_for_role(&url, "visits");
    for fact in [
        "SELECT moment(1700000000123) = '2023-11-14T22:13:20.123Z'",
        "SELECT millis(moment(1700000000123)) = 1700000000123",
        "SELECT millis(moment(-1)) = -1",
        "SELECT millis(NULL) IS NULL AND moment(NULL) IS NULL",
    ] {
        assert!(read::<bool>(&role, fact).await, "{fact}");
    }

    let client = connect(&role).await;
    client
        .batch_execute(
            "SET plan_cache_mode = force_generic_plan;
             PREPARE since AS SELECT millis(at) FROM visit WHERE at > moment($1) ORDER BY at LIMIT 10",
        )
        .await
        .unwrap();
    let rows = client
        .query("EXPLAIN (VERBOSE, COSTS OFF) EXECUTE since(9990000)", &[])
        .await
        .unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(
        plan.contains("Index Cond: (visit.at > to_timestamp("),
        "{plan}"
    );
    assert!(
        !plan.contains("millis(") && !plan.contains("moment("),
        "{plan}"
    );
}

#[tokio::test]
async fn every_schema_gets_the_same_table_of_idempotency_keys() {
    let server = Server::shared();
    let url = server.create_database().await;
    // As schemas made it before the file for every schema.
    let old = (
        "orders/0001_key.sql",
        "CREATE TABLE idempotency_key (
             caller uuid NOT NULL, key text NOT NULL, fingerprint text NOT NULL, status int, body text,
             claimed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (caller, key)
         );
         CREATE INDEX idempotency_key_age ON idempotency_key (claimed_at);
         INSERT INTO idempotency_key VALUES (gen_random_uuid(), 'k', 'f', 200, 'done');",
    );
    let fresh = ("fines/0001_fine.sql", "CREATE TABLE fine (id int)");
    let (_folder, numbered) = migrations(&[old, fresh]);
    apply(&server, &url, &numbered).await.unwrap();
    let idempotency = every("idempotency.sql");
    let (_folder, all) = migrations(&[old, fresh, ("every/idempotency.sql", &idempotency)]);
    apply(&server, &url, &all).await.unwrap();

    let shape = |schema: &str| {
        format!(
            "SELECT array_agg(line ORDER BY line)::text FROM (
                 SELECT format('%s %s %s', attname, format_type(atttypid, atttypmod), attnotnull)
                   FROM pg_attribute WHERE attrelid = '{schema}.idempotency_key'::regclass AND attnum > 0
                 UNION ALL
                 SELECT replace(indexdef, '{schema}.', '') FROM pg_indexes
                  WHERE schemaname = '{schema}' AND tablename = 'idempotency_key'
             ) AS shape (line)"
        )
    };
    let (orders, fines): (String, String) = (
        read(&url, &shape("orders")).await,
        read(&url, &shape("fines")).await,
    );
    assert_eq!(orders, fines);
    assert!(orders.contains("location text f"), "{orders}");
    let kept = "SELECT count(*) FROM orders.idempotency_key WHERE location IS NULL";
    assert_eq!(read::<i64>(&url, kept).await, 1);
}
