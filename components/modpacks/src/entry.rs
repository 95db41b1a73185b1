//! The exports that Spin and our host call. Wasm only: native linkers refuse their symbol names.

// The macros write the C side of the component ABI.
#![allow(unsafe_code)]

use spin_sdk::redis_subscriber;

kit::serve!(crate::routes::routes);

/// The tick, or an upload that is complete.
#[redis_subscriber]
async fn on_message(payload: Vec<u8>) -> Result<(), crate::error::Error> {
    match payload == b"tick" {
        true => kit::store::sweep_in_turn("modpacks", crate::upkeep::sweep).await,
        // Uploads are verified by as many copies as have time.
        false => crate::upkeep::sweep().await,
    }
}
