//! The exports that Spin and our host call. Wasm only: native linkers reject their names.

kit::serve!(crate::routes::routes);
