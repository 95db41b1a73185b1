//! The exports that Spin and our host call. Wasm only: their symbol names are
//! ones that native linkers refuse.

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
