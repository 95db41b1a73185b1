//! The exports that Spin and our host call. Wasm only: native linkers refuse their symbol names.

// The macros write the C side of the component ABI.
#![allow(unsafe_code)]

use spin_sdk::redis_subscriber;

kit::serve!(crate::routes::routes);

/// A wake-up or the tick.
#[redis_subscriber]
async fn on_message(payload: Vec<u8>) -> Result<(), crate::error::Error> {
    crate::drain::handle_message(&payload).await
}
