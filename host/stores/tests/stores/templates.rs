//! Copies of a migrated database.

use wharf_stores::Template;

use crate::data_folder::{Server, connect, migrations};

#[tokio::test]
async fn copies_are_complete_and_independent() {
    let server = Server::shared();
    let values = server.values();
    let (_folder, migrations) =
        migrations(&[("stock/0001_item.sql", "CREATE TABLE item (id int)")]);
    let make = || {
        Template::make(server.owner_url(), &migrations, |schema| {
            values.role_password(schema)
        })
    };
    // As two test processes that start at the same time.
    let (template, again) = tokio::join!(make(), make());
    let (template, again) = (template.unwrap(), again.unwrap());

    let (one, other) = tokio::join!(template.copy("stock_one"), again.copy("stock_other"));
    let one = connect(&server.url_for_role(&one.unwrap(), "stock")).await;
    let other = connect(&server.url_for_role(&other.unwrap(), "stock")).await;
    one.batch_execute("INSERT INTO item VALUES (1)")
        .await
        .unwrap();
    let seen = other
        .query_one("SELECT count(*) FROM item", &[])
        .await
        .unwrap();
    assert_eq!(seen.get::<_, i64>(0), 0);
    assert!(
        one.batch_execute("CREATE TEMPORARY TABLE t (id int)")
            .await
            .is_err()
    );

    // Even with an open session.
    template.remove("stock_one").await.unwrap();
    assert!(one.batch_execute("SELECT 1").await.is_err());
}
