//! A function of tomorrow, for tests: `POST /ask/<interface>/<function>` asks another function through WIT and answers
//! with what it said, as JSON. What is asked for as JSON is the WIT record, its members in snake case.
#![cfg(target_family = "wasm")]
// What the macros write is the C side of the component ABI.
#![allow(unsafe_code)]

use axum::body::Body;
use axum::routing::post;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use tower_service::Service;

#[allow(clippy::all, clippy::restriction, missing_docs)]
mod bindings {
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        path: ["../../wit/payments.wit", "../../wit/signin.wit", "../../wit/bookings.wit"],
        inline: "
            package wharf:tests;
            world asker {
                import wharf:signin/accounts@1.0.0;
                import wharf:signin/passcodes@1.0.0;
                import wharf:payments/checkout@1.0.0;
                import wharf:payments/ledger@1.0.0;
                import wharf:bookings/places@1.0.0;
            }
        ",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        additional_derives: [serde::Serialize, serde::Deserialize],
        generate_all,
    });
}

use bindings::wharf::bookings::places;
use bindings::wharf::payments::{checkout, ledger};
use bindings::wharf::signin::{accounts, passcodes};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let mut router = Router::new()
        .route(
            "/ask/accounts/find",
            post(async |Json(who)| said(accounts::find(who).await)),
        )
        .route(
            "/ask/accounts/find-all",
            post(async |Json(ids)| said(accounts::find_all(ids).await)),
        )
        .route(
            "/ask/accounts/with-telegram-id",
            post(async |Json(id)| said(accounts::with_telegram_id(id).await)),
        )
        .route(
            "/ask/passcodes/owner",
            post(async |Json((code, address))| said(passcodes::owner(code, address).await)),
        )
        .route(
            "/ask/passcodes/redeem",
            post(async |Json((code, address))| said(passcodes::redeem(code, address).await)),
        )
        .route(
            "/ask/checkout/open",
            post(async |Json(request)| said(checkout::open(request).await)),
        )
        .route(
            "/ask/checkout/find",
            post(async |Json(id)| said(checkout::find(id).await)),
        )
        .route(
            "/ask/checkout/refresh",
            post(async |Json(id)| said(checkout::refresh(id).await)),
        )
        .route(
            "/ask/checkout/cancel",
            post(async |Json(id)| said(checkout::cancel(id).await)),
        )
        .route(
            "/ask/checkout/refund",
            post(async |Json(id)| said(checkout::refund(id).await)),
        )
        .route(
            "/ask/checkout/refund-part",
            post(async |Json((id, part, amount))| {
                said(checkout::refund_part(id, part, amount).await)
            }),
        )
        .route(
            "/ask/ledger/balance",
            post(async |Json((user, currency))| said(ledger::balance(user, currency).await)),
        )
        .route(
            "/ask/places/get-place",
            post(async |Json(id)| said(places::get_place(id).await)),
        );
    let answered = router.call(request.map(Body::new)).await;
    answered.unwrap_or_else(|never| match never {})
}

/// `{"Ok": …}` or `{"Err": …}`.
fn said(answer: impl Serialize) -> Json<Value> {
    Json(json!(answer))
}
