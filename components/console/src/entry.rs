//! The export that Spin and our host call. Wasm only: native linkers refuse its symbol name.

kit::serve!(crate::routes::routes);
