//! The export that Spin and our host call. Wasm only: its symbol name is one
//! that native linkers refuse.

// What the macro writes is the C side of the component ABI.
#![allow(unsafe_code)]

use std::sync::LazyLock;

use axum::Router;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

/// Built once per instance; an instance serves many requests.
static ROUTER: LazyLock<Router> = LazyLock::new(crate::routes::router);

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    kit::answer(ROUTER.clone(), request).await
}
