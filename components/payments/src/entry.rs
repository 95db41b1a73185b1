//! The exports that Spin, our host and other functions call. Wasm only: native linkers refuse their symbol names.

// `export!` writes the C side of the component ABI.
#![allow(unsafe_code)]

use spin_sdk::redis_subscriber;

use crate::serves::Payments;

kit::serve!(crate::routes::routes);

crate::bindings::export!(Payments with_types_in crate::bindings);

/// A wake-up, or the tick.
#[redis_subscriber]
async fn on_message(payload: Vec<u8>) -> Result<(), crate::error::Error> {
    crate::sweep::handle_message(&payload).await
}
