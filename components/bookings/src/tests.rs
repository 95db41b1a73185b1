//! Answers of the router that need no database, and checks of the tables.

use axum::body::Body;
use axum::http::Request;
use kit::testing::{ask, get, unknown_outcomes};

use crate::error::Error;
use crate::routes::routes;

#[tokio::test]
async fn booking_needs_a_token() {
    let request = Request::post("/booking").body(Body::empty()).unwrap();
    let answer = ask(routes(), request).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body["error_message"], "No token provided");
}

#[tokio::test]
async fn an_unknown_parking_type_is_refused() {
    assert_eq!(
        get(routes(), "/parking?parking_type=tree").await.status,
        422
    );
}

#[tokio::test]
async fn an_incomplete_search_window_is_refused() {
    let answer = get(routes(), "/parking?date_from=2026-01-01T00:00:00Z").await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (400, &"missing-field".into())
    );
}

#[test]
fn every_outcome_is_known() {
    let unknown = unknown_outcomes::<Error>(env!("CARGO_MANIFEST_DIR"), "bookings");
    assert!(unknown.is_empty(), "{unknown:?}");
}
