//! Answers of the router that need no database, and checks of the route tables.

use axum::body::Body;
use axum::http::Request;
use kit::testing::{ask, unknown_outcomes};

use crate::error::Error;
use crate::routes::routes;

#[tokio::test]
async fn registering_the_bot_needs_a_token() {
    let request = Request::post("/telegram/install")
        .body(Body::empty())
        .unwrap();
    let answer = ask(routes(), request).await;
    assert_eq!(answer.status, 401);
}

#[test]
fn every_outcome_is_known() {
    let unknown = unknown_outcomes::<Error>(env!("CARGO_MANIFEST_DIR"), "telegram");
    assert!(unknown.is_empty(), "{unknown:?}");
}
