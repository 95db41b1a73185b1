//! The exports that Spin, our host and other functions call. Wasm only: their
//! symbol names are ones that native linkers refuse.

use std::sync::LazyLock;

use axum::Router;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

use crate::functions::Signin;

/// Built once per instance; an instance serves many requests, also at once.
static ROUTER: LazyLock<Router> = LazyLock::new(crate::routes::router);

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    kit::answer(ROUTER.clone(), request).await
}

#[allow(
    unsafe_code,
    reason = "generated: what crosses the boundary is passed as pointers"
)]
mod exported {
    use super::Signin;
    crate::functions::bindings::export!(Signin with_types_in crate::functions::bindings);
}
