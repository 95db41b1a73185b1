//! The exports that Spin and our host call. Wasm only: native linkers refuse their symbol names.

// The macros write the C side of the component ABI.
#![allow(unsafe_code)]

use kit::store::relay;
use spin_sdk::redis_subscriber;

use crate::store;

kit::serve!(crate::routes::routes);

/// The tick: carries out the events that wait for this function.
#[redis_subscriber]
async fn on_tick(_: Vec<u8>) -> Result<(), crate::error::Error> {
    relay::drain(&store::open().await?, store::hear).await?;
    Ok(())
}
