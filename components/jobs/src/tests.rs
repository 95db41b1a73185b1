//! What the router answers before any database is asked, and what the tables say.

use axum::body::Body;
use axum::http::Request;
use kit::testing::{ask, unknown_outcomes};

use crate::error::Error;
use crate::routes::routes;

#[tokio::test]
async fn looking_after_the_outbox_needs_a_token() {
    let id = "00000000-0000-0000-0000-000000000007";
    for (method, path) in [
        ("POST", "/jobs/tick".to_owned()),
        ("GET", "/jobs/queue".to_owned()),
        ("GET", "/jobs/events".to_owned()),
        ("GET", format!("/jobs/events/{id}")),
        ("DELETE", format!("/jobs/events/{id}")),
        ("POST", format!("/jobs/events/{id}/requeue")),
        ("POST", "/jobs/requeue".to_owned()),
        ("PUT", "/jobs/pauses/notify".to_owned()),
        ("DELETE", "/jobs/pauses/notify".to_owned()),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .body(Body::empty())
            .unwrap();
        let answer = ask(routes(), request).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (401, &"no-token".into()),
            "{method} {path}"
        );
    }
}

#[test]
fn every_outcome_is_known() {
    let unknown = unknown_outcomes::<Error>(env!("CARGO_MANIFEST_DIR"), "jobs");
    assert!(unknown.is_empty(), "{unknown:?}");
}
