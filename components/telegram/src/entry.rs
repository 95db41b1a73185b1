//! The exports that Spin and our host call. Wasm only: native linkers refuse their symbol names.

// The macros write the C side of the component ABI.
#![allow(unsafe_code)]

use spin_sdk::redis_subscriber;

kit::serve!(crate::routes::routes);

/// The tick: events are heard.
#[redis_subscriber]
async fn on_tick(_: Vec<u8>) -> Result<(), crate::error::Error> {
    kit::store::sweep_in_turn("telegram", crate::hear::hear_events).await
}
