//! The exports that Spin and our host call. Wasm only: their symbol names are
//! ones that native linkers refuse.

// What the macros write is the C side of the component ABI.
#![allow(unsafe_code)]

use std::sync::LazyLock;

use axum::Router;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::{http_service, redis_subscriber};

/// Built once per instance; an instance serves many requests.
static ROUTER: LazyLock<Router> = LazyLock::new(crate::routes::router);

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    kit::answer(ROUTER.clone(), request).await
}

/// The outbox has something, or time has passed.
#[redis_subscriber]
async fn wake(_: Vec<u8>) -> Result<(), kit::DbError> {
    crate::turn::take().await
}
