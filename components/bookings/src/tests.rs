//! What the router answers before any database is asked.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::Value;

async fn ask(request: Request<Body>) -> (u16, Value) {
    let response = kit::answer(crate::routes::router(), request).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn nobody_books_without_a_token() {
    let request = Request::post("/booking").body(Body::empty()).unwrap();
    let (status, problem) = ask(request).await;
    assert_eq!(status, 401);
    assert_eq!(problem["error_message"], "No token provided");
}

#[tokio::test]
async fn a_parking_type_that_is_none_is_refused() {
    let request = Request::get("/parking?parking_type=tree")
        .body(Body::empty())
        .unwrap();
    assert_eq!(ask(request).await.0, 422);
}

#[tokio::test]
async fn a_search_window_that_cannot_be_is_refused() {
    let request = Request::get("/parking?date_from=2026-01-01T00:00:00Z")
        .body(Body::empty())
        .unwrap();
    let (status, problem) = ask(request).await;
    assert_eq!((status, &problem["code"]), (400, &"missing-field".into()));
}
