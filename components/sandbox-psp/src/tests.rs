//! What the router answers where it must not answer at all.

use axum::body::Body;
use axum::http::Request;

#[tokio::test]
async fn an_address_outside_the_prefix_is_not_ours() {
    let request = Request::get("/v1/payments/1").body(Body::empty()).unwrap();
    let response = kit::answer(crate::routes::router(), request).await;
    assert_eq!(response.status().as_u16(), 404);
}
