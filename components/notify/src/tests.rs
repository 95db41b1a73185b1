//! What the router answers without a database.

use axum::body::Body;
use axum::http::Request;

#[tokio::test]
async fn nothing_is_decided_without_a_token() {
    let id = "00000000-0000-0000-0000-000000000007";
    for (method, path) in [
        ("POST", "/notify/tick".to_owned()),
        ("GET", "/notify/preferences".to_owned()),
        ("PUT", "/notify/preferences".to_owned()),
        ("GET", "/notify/webhooks".to_owned()),
        ("POST", "/notify/webhooks".to_owned()),
        ("DELETE", format!("/notify/webhooks/{id}")),
        ("POST", format!("/notify/webhooks/{id}/secret")),
        ("POST", format!("/notify/webhooks/{id}/enable")),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .body(Body::empty())
            .unwrap();
        let response = kit::answer(crate::routes::router(), request).await;
        assert_eq!(response.status().as_u16(), 401, "{method} {path}");
    }
}
