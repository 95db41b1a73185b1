//! Answers of the router that need no database, and checks of the route tables.

use axum::body::Body;
use axum::http::Request;
use kit::testing::{self, unknown_outcomes};
use serde_json::{Value, json};

use crate::error::Error;
use crate::routes::routes;

async fn ask(method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-request-id", "r-1");
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map_or_else(Body::empty, |it| Body::from(it.to_string()));
    let answer = testing::ask(routes(), request.body(body).unwrap()).await;
    (answer.status, answer.body)
}

/// Every operation of this component except the webhook, which is proven by its signature, and the page that thanks
/// the payer.
const FOR_CALLERS: [(&str, &str); 46] = [
    ("GET", "/payment/balance"),
    ("GET", "/payment/transactions"),
    ("GET", "/payment/statement"),
    ("GET", "/payment/statement.csv"),
    ("POST", "/payment/promocode/activate"),
    ("POST", "/payment/promocode/generate"),
    ("POST", "/payment/promocode"),
    ("POST", "/payment/promocode/create"),
    ("GET", "/payment/promocode/ABCD"),
    ("GET", "/payment/promocode"),
    ("DELETE", "/payment/promocode/ABCD"),
    ("GET", "/payments/account"),
    ("POST", "/payments/account"),
    ("GET", "/payments/accounts/"),
    ("POST", "/payments/accounts"),
    ("GET", "/payments/accounts/a/balance"),
    ("GET", "/payments/accounts/a/statement"),
    ("POST", "/payments/deposit"),
    ("POST", "/api/payments/withdraw"),
    ("POST", "/payments/send"),
    ("GET", "/api/payments/histories"),
    ("POST", "/payments/"),
    ("GET", "/payments"),
    ("GET", "/payments/trial-balance"),
    ("GET", "/payments/disputed"),
    ("GET", "/payments/payouts"),
    ("GET", "/payments/payouts/ended"),
    ("GET", "/payments/receivables"),
    (
        "POST",
        "/payments/receivables/0199f0a0-0000-7000-8000-000000000001/written-off",
    ),
    ("GET", "/payments/unclaimed"),
    (
        "POST",
        "/payments/unclaimed/0199f0a0-0000-7000-8000-000000000001/handed-over",
    ),
    ("GET", "/payments/acts"),
    ("GET", "/payment/commission"),
    ("GET", "/payments/commissions"),
    ("PUT", "/payments/commissions"),
    (
        "PUT",
        "/payments/commissions/0199f0a0-0000-7000-8000-000000000001",
    ),
    ("GET", "/payments/provider-files"),
    ("POST", "/payments/provider-files"),
    (
        "GET",
        "/payments/provider-files/0199f0a0-0000-7000-8000-000000000001/differences",
    ),
    (
        "POST",
        "/payments/payouts/0199f0a0-0000-7000-8000-000000000001/paid",
    ),
    (
        "POST",
        "/payments/payouts/0199f0a0-0000-7000-8000-000000000001/returned",
    ),
    (
        "POST",
        "/payments/0199f0a0-0000-7000-8000-000000000001/attempts/1/return",
    ),
    (
        "GET",
        "/payments/0199f0a0-0000-7000-8000-000000000001/attempts",
    ),
    ("GET", "/payments/0199f0a0-0000-7000-8000-000000000001"),
    ("PATCH", "/payments/0199f0a0-0000-7000-8000-000000000001"),
    (
        "GET",
        "/payments/0199f0a0-0000-7000-8000-000000000001/qr.svg",
    ),
];

#[tokio::test]
async fn nothing_is_shown_or_moved_without_a_token() {
    for (method, path) in FOR_CALLERS {
        let (status, body) = ask(method, path, Some(json!({}))).await;
        assert_eq!(
            (status, &body["code"]),
            (401, &json!("no-token")),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn every_dialect_refuses_in_its_own_words() {
    assert_eq!(
        ask("GET", "/payment/balance", None).await.1["error_status_code"],
        401
    );
    assert_eq!(
        ask("GET", "/api/payments/histories", None).await.1["error"],
        "No token provided"
    );
    assert_eq!(ask("GET", "/payments/", None).await.1["status code"], 401);
}

#[tokio::test]
async fn a_notification_without_a_subject_is_refused() {
    let (status, body) = ask("POST", "/payments/webhook", Some(json!({"data": {}}))).await;
    assert_eq!((status, &body["code"]), (400, &json!("no-payment-id")));
}

#[test]
fn every_outcome_is_known() {
    let unknown = unknown_outcomes::<Error>(env!("CARGO_MANIFEST_DIR"), "payments");
    assert!(unknown.is_empty(), "{unknown:?}");
}
