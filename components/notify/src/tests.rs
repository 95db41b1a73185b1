//! What the router answers before any database is asked, and what the tables say.

use axum::body::Body;
use axum::http::Request;
use kit::testing::{ask, unknown_outcomes};

use crate::error::Error;
use crate::routes::routes;

#[tokio::test]
async fn every_operation_needs_a_token() {
    let id = "00000000-0000-0000-0000-000000000007";
    for (method, path) in [
        ("POST", "/notify/tick".to_owned()),
        ("GET", "/notify/preferences".to_owned()),
        ("PUT", "/notify/preferences".to_owned()),
        ("GET", "/notify/webhooks".to_owned()),
        ("POST", "/notify/webhooks".to_owned()),
        ("GET", format!("/notify/webhooks/{id}")),
        ("DELETE", format!("/notify/webhooks/{id}")),
        ("POST", format!("/notify/webhooks/{id}/secret")),
        ("POST", format!("/notify/webhooks/{id}/enable")),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .body(Body::empty())
            .unwrap();
        let answer = ask(routes(), request).await;
        assert_eq!(answer.status, 401, "{method} {path}");
    }
}

#[test]
fn every_outcome_is_known() {
    let unknown = unknown_outcomes::<Error>(env!("CARGO_MANIFEST_DIR"), "notify");
    assert!(unknown.is_empty(), "{unknown:?}");
}
