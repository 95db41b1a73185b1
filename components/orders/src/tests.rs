//! Answers of the router that need no database, and checks of the route tables.

use axum::body::Body;
use axum::http::Request;
use kit::testing::{ask, get, unknown_outcomes};

use crate::error::Error;
use crate::routes::routes;

#[tokio::test]
async fn ordering_needs_a_token() {
    let request = Request::post("/orders").body(Body::empty()).unwrap();
    let answer = ask(routes(), request).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body["msg"], "No token provided");
    assert_eq!(answer.body["status code"], 401);
}

#[tokio::test]
async fn an_order_that_no_number_names_is_not_found() {
    assert_eq!(get(routes(), "/orders/follow/7").await.status, 404);
}

#[test]
fn every_outcome_is_known() {
    let unknown = unknown_outcomes::<Error>(env!("CARGO_MANIFEST_DIR"), "orders");
    assert!(unknown.is_empty(), "{unknown:?}");
}
