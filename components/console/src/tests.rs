//! What the router answers without other functions.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use kit::web::answer;

use crate::routes::routes;

async fn send(request: axum::http::request::Builder) -> Response {
    answer(
        &routes().into_router(),
        request.body(Body::empty()).unwrap(),
    )
    .await
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_sign_in_and_back() {
    let answer = send(Request::get("/console/bookings?after=7")).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let to = answer.headers()[header::LOCATION].to_str().unwrap();
    assert_eq!(
        to,
        "/console/sign-in?next=%2Fconsole%2Fbookings%3Fafter%3D7"
    );
    let page = text(send(Request::get(to)).await).await;
    assert!(
        page.contains("value=\"/console/bookings?after=7\""),
        "{page}"
    );
}

#[tokio::test]
async fn who_shows_different_tokens_is_not_signed_in() {
    let request = Request::get("/console/bookings")
        .header("cookie", "access_token=theirs; access_token=mine");
    let answer = send(request).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let to = answer.headers()[header::LOCATION].to_str().unwrap();
    assert_eq!(to, "/console/sign-in?next=%2Fconsole%2Fbookings");
}

#[tokio::test]
async fn what_is_filled_in_is_text_and_a_page_runs_nothing() {
    let answer = send(Request::get("/console/sign-in?next=%22%3E%3Cscript%3E")).await;
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'"));
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let page = text(answer).await;
    assert!(!page.contains("<script"), "{page}");
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_on_a_page() {
    let body = Request::post("/console/sign-in")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://evil.test")
        .header("spin-full-url", "https://wharf.test/console/sign-in");
    let answer = send(body).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(text(answer).await.contains("<h1>A cookie is no proof"));
}

#[tokio::test]
async fn a_form_with_more_fields_than_any_page_has_is_refused() {
    let request = Request::post("/console/sign-in")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://wharf.test")
        .header("spin-full-url", "https://wharf.test/console/sign-in")
        .body(Body::from("a=&".repeat(10_001)))
        .unwrap();
    let refused = answer(&routes().into_router(), request).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_not_there_is_said_on_a_page() {
    let answer = send(Request::get("/console/nothing")).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let media_type = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
    assert_eq!(media_type, "text/html; charset=utf-8");
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'"));
    assert_eq!(answer.headers()[header::REFERRER_POLICY], "same-origin");
    assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(
        text(answer)
            .await
            .contains("<h1>Nothing is served here</h1>")
    );
}
