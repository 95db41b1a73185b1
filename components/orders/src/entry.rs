//! The exports that Spin and our host call. Wasm only: native linkers refuse their symbol names.

// The macros write the C side of the component ABI.
#![allow(unsafe_code)]

use spin_sdk::redis_subscriber;

use crate::saga;

kit::serve!(crate::routes::routes);

/// The tick.
#[redis_subscriber]
async fn on_message(_: Vec<u8>) -> Result<(), crate::error::Error> {
    kit::store::sweep_in_turn("orders", saga::sweep).await
}
