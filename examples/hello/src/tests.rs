//! What the router answers before any database is asked.

use kit::testing::get;
use kit::web::openapi::describe;

use crate::routes::routes;

#[tokio::test]
async fn an_id_that_is_no_number_names_nothing() {
    let answer = get(routes(), "/greetings/first").await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (404, &"not-found".into())
    );
}

#[test]
fn every_operation_is_described() {
    assert_eq!(describe("hello", routes()).paths.len(), 2);
}
