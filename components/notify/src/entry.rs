//! The exports that Spin and our host call. Wasm only: their symbol names are
//! ones that native linkers refuse.

// What the macros write is the C side of the component ABI.
#![allow(unsafe_code)]

use spin_sdk::redis_subscriber;

kit::serve!(crate::routes::router);

/// The outbox has something, or time has passed.
#[redis_subscriber]
async fn wake(_: Vec<u8>) -> Result<(), kit::DbError> {
    crate::turn::take().await
}
