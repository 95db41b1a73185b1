//! What the router answers before it needs a database.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

async fn ask(method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-request-id", "r-1");
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map_or_else(Body::empty, |it| Body::from(it.to_string()));
    let response = kit::answer(crate::routes::router(), request.body(body).unwrap()).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn post(path: &str, body: Value) -> (u16, Value) {
    ask("POST", path, Some(body)).await
}

#[tokio::test]
async fn a_parking_registration_that_does_not_fit_is_refused() {
    let asked = |login: &str, password: &str, role: &str| json!({"email": "ana@example.org", "login": login, "password": password, "role": role});
    let (status, body) = post("/register", asked("a", "Password123", "driver")).await;
    assert_eq!((status, &body["error_status_code"]), (409, &json!(409)));
    assert_eq!(
        post("/auth/register", asked("ana", "short", "owner"))
            .await
            .0,
        409
    );
    assert_eq!(
        post("/register", asked("ana", "Password123", "admin"))
            .await
            .0,
        422
    );
    let (status, body) = post("/register", json!({"login": "ana"})).await;
    assert_eq!((status, &body["code"]), (422, &json!("invalid-body")));
}

#[tokio::test]
async fn a_sign_up_that_does_not_fit_is_a_400_with_an_error() {
    let (status, body) = post(
        "/auth/signup",
        json!({"email": "ana", "password": "Password123"}),
    )
    .await;
    assert_eq!(status, 400);
    assert_eq!(body["error"], "an e-mail looks like name@example.org");
    assert_eq!(body["errors"][0]["pointer"], "/email");
    let short = json!({"email": "ana@example.org", "password": "short"});
    assert_eq!(post("/api/auth/signup", short).await.0, 400);
}

#[tokio::test]
async fn nobody_is_known_without_a_token() {
    for (method, path) in [
        ("GET", "/auth/me"),
        ("GET", "/user"),
        ("POST", "/auth/signout"),
    ] {
        let (status, body) = ask(method, path, None).await;
        assert_eq!(
            (status, &body["title"]),
            (401, &json!("No token provided")),
            "{path}"
        );
    }
    assert_eq!(
        ask("GET", "/api/auth/me", None).await.1["error"],
        "No token provided"
    );
}

#[tokio::test]
async fn a_wrong_type_and_a_wrong_method_are_told_apart() {
    assert_eq!(ask("POST", "/login", None).await.0, 415);
    assert_eq!(ask("GET", "/login", None).await.0, 405);
    assert_eq!(
        post("/login", json!({"login": 1, "password": "x"})).await.0,
        422
    );
}
