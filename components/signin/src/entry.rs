//! The exports that Spin, our host and other functions call. Wasm only: native linkers refuse their symbol names.

// `export!` writes the C side of the component ABI.
#![allow(unsafe_code)]

use crate::serves::Signin;

kit::serve!(crate::routes::routes);

crate::bindings::export!(Signin with_types_in crate::bindings);
