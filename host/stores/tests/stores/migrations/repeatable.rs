//! Files that are applied again when they change.

use super::*;

#[tokio::test]
async fn repeatable_files_are_applied_after_all_numbered_ones_and_in_every_schema_first() {
    let server = Server::shared();
    let url = server.create_database().await;
    let stock = ("stock/0002_bin.sql", "CREATE TABLE bin (cents bigint)");
    let worth = (
        "stock/worth.sql",
        "CREATE OR REPLACE VIEW worth AS SELECT euros(cents) FROM bin",
    );
    let (_folder, migrations) = migrations(&[PRICE, worth, EUROS, stock, ITEM]);
    assert_eq!(
        apply(&server, &url, &migrations).await.unwrap(),
        [
            "shop/0001_item.sql",
            "stock/0002_bin.sql",
            "every/euros.sql → shop",
            "every/euros.sql → stock",
            "shop/price.sql",
            "stock/worth.sql",
        ]
    );
    assert!(apply(&server, &url, &migrations).await.unwrap().is_empty());

    // Each schema has its own, and the role of the schema may use it.
    for schema in ["shop", "stock"] {
        let role = server.url_for_role(&url, schema);
        let euros: String = read(&role, "SELECT euros(250)::float8::text").await;
        assert_eq!(euros, "2.5");
        let qualified = format!("SELECT {schema}.euros(250) = 2.5");
        assert!(read::<bool>(&role, &qualified).await);
    }
    let roles = "SELECT count(*) FROM pg_roles WHERE rolname = 'wharf_every'";
    assert_eq!(read::<i64>(&url, roles).await, 0);
    assert!(read::<bool>(&url, "SELECT to_regnamespace('every') IS NULL").await);
}

#[tokio::test]
async fn a_repeatable_file_is_applied_again_when_it_changes() {
    let server = Server::shared();
    let url = server.create_database().await;
    // As in a database that is older than its repeatable files.
    let (_folder, numbered) = migrations(&[ITEM]);
    apply(&server, &url, &numbered).await.unwrap();
    let (_folder, original) = migrations(&[ITEM, EUROS, PRICE]);
    assert_eq!(
        apply(&server, &url, &original).await.unwrap(),
        ["every/euros.sql → shop", "shop/price.sql"]
    );

    let more = (
        PRICE.0,
        "CREATE OR REPLACE VIEW price AS SELECT euros(cents) AS euros, cents FROM item",
    );
    let (_folder, changed) = migrations(&[ITEM, EUROS, more]);
    assert_eq!(
        apply(&server, &url, &changed).await.unwrap(),
        ["shop/price.sql"]
    );
    assert!(apply(&server, &url, &changed).await.unwrap().is_empty());
    connect(&url)
        .await
        .batch_execute("SELECT cents FROM shop.price")
        .await
        .unwrap();

    let rounded = (
        EUROS.0,
        "CREATE OR REPLACE FUNCTION euros(cents bigint) RETURNS numeric LANGUAGE sql RETURN cents / 100",
    );
    let (_folder, changed) = migrations(&[ITEM, rounded, more]);
    assert_eq!(
        apply(&server, &url, &changed).await.unwrap(),
        ["every/euros.sql → shop"]
    );
    assert!(read::<bool>(&url, "SELECT shop.euros(250) = 2").await);

    // A file that was deleted is no fault; what it made stays.
    let (_folder, without) = migrations(&[ITEM]);
    assert!(apply(&server, &url, &without).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_numbered_file_may_drop_what_a_repeatable_file_makes() {
    let server = Server::shared();
    let url = server.create_database().await;
    let other = ("other/0001_a.sql", "CREATE TABLE a (id int)");
    let (_folder, original) = migrations(&[ITEM, other, EUROS, PRICE]);
    apply(&server, &url, &original).await.unwrap();

    let named = (
        "shop/0002_name.sql",
        "DROP VIEW price; ALTER TABLE item ADD name text",
    );
    let (_folder, with_more) = migrations(&[ITEM, other, named, EUROS, PRICE]);
    assert_eq!(
        apply(&server, &url, &with_more).await.unwrap(),
        [
            "shop/0002_name.sql",
            "every/euros.sql → shop",
            "shop/price.sql"
        ]
    );
    connect(&url)
        .await
        .batch_execute("SELECT euros FROM shop.price")
        .await
        .unwrap();
}

#[tokio::test]
async fn an_older_host_leaves_the_repeatable_files_of_a_newer_one_alone() {
    let server = Server::shared();
    let url = server.create_database().await;
    let (_folder, older) = migrations(&[ITEM, EUROS, PRICE]);
    apply(&server, &url, &older).await.unwrap();

    let (_folder, newer) = migrations(&[
        ITEM,
        ("shop/0002_name.sql", "ALTER TABLE item ADD name text"),
        EUROS,
        (
            PRICE.0,
            "CREATE OR REPLACE VIEW price AS SELECT euros(cents) AS euros, name FROM item",
        ),
        (
            "shop/name.sql",
            "CREATE OR REPLACE VIEW name AS SELECT name FROM item",
        ),
    ]);
    apply(&server, &url, &newer).await.unwrap();

    assert!(apply(&server, &url, &older).await.unwrap().is_empty());
    connect(&url)
        .await
        .batch_execute("SELECT name FROM shop.price")
        .await
        .unwrap();
    assert!(apply(&server, &url, &newer).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_repeatable_file_that_fails_is_reported_with_its_schema_and_line() {
    let server = Server::shared();
    let url = server.create_database().await;
    let broken = ("every/broken.sql", "SELECT 1;\nSELECT * FROM nowhere;");
    let (_folder, broken) = migrations(&[ITEM, broken]);
    let refused = apply(&server, &url, &broken).await.unwrap_err().to_string();
    assert!(
        refused.contains("every/broken.sql → shop, line 2: relation \"nowhere\" does not exist"),
        "{refused}"
    );
}

#[tokio::test]
async fn processes_that_start_at_the_same_time_apply_each_repeatable_file_once() {
    let server = Server::shared();
    let url = server.create_database().await;
    let slow = (
        "shop/price.sql",
        "CREATE OR REPLACE VIEW price AS SELECT euros(cents) AS euros FROM item; SELECT pg_sleep(0.1)",
    );
    let (_folder, migrations) = migrations(&[ITEM, EUROS, slow]);
    let all = (0..5).map(|_| apply(&server, &url, &migrations));
    let mut applied = Vec::new();
    for result in futures::future::join_all(all).await {
        applied.extend(result.unwrap());
    }
    assert_eq!(
        applied,
        [
            "shop/0001_item.sql",
            "every/euros.sql → shop",
            "shop/price.sql"
        ]
    );
}
