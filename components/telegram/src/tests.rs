//! What the router answers without a database.

use axum::body::Body;
use axum::http::Request;

#[tokio::test]
async fn only_an_admin_tells_telegram_where_to_bring_updates() {
    let request = Request::post("/telegram/install")
        .body(Body::empty())
        .unwrap();
    let response = kit::answer(crate::routes::router(), request).await;
    assert_eq!(response.status().as_u16(), 401);
}
