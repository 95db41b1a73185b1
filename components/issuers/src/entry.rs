//! The exports that Spin and our host call. Wasm only: native linkers refuse their symbol names.

kit::serve!(crate::routes::routes);
