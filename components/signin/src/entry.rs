//! The exports that Spin, our host and other functions call. Wasm only: native linkers refuse their symbol names.

// `export!` writes the C side of the component ABI.
#![allow(unsafe_code)]

use spin_sdk::redis_subscriber;

use crate::serves::Signin;

kit::serve!(crate::routes::routes);

crate::bindings::export!(Signin with_types_in crate::bindings);

/// The tick.
#[redis_subscriber]
async fn on_tick(_: Vec<u8>) -> Result<(), crate::error::Error> {
    kit::store::sweep_in_turn("signin", crate::sweep::sweep).await
}
