//! The exports that Spin and our host call. Wasm only: native linkers refuse their symbol names.

// `export!` writes the C side of the component ABI.
#![allow(unsafe_code)]

use spin_sdk::redis_subscriber;

use crate::saga;
use crate::serves::Bookings;

kit::serve!(crate::routes::served);

crate::bindings::export!(Bookings with_types_in crate::bindings);

/// The tick.
#[redis_subscriber]
async fn on_tick(_: Vec<u8>) -> Result<(), crate::error::Error> {
    kit::store::sweep_in_turn("bookings", saga::sweep).await
}
