//! The exports that Spin and our host call. Wasm only: their symbol names are
//! ones that native linkers refuse.

// What the macros write is the C side of the component ABI.
#![allow(unsafe_code)]

use spin_sdk::redis_subscriber;

kit::serve!(crate::routes::router);

#[redis_subscriber]
async fn hear(payload: Vec<u8>) -> Result<(), crate::error::Error> {
    crate::turn::hear(&payload).await
}
