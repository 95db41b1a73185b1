//! What the router answers without a database.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;

async fn ask(method: &str, path: &str) -> (u16, serde_json::Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    let response = kit::answer(crate::routes::router(), request).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn nobody_looks_after_the_outbox_without_a_token() {
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
        let (status, body) = ask(method, &path).await;
        assert_eq!(
            (status, &body["code"]),
            (401, &"no-token".into()),
            "{method} {path}"
        );
    }
}
