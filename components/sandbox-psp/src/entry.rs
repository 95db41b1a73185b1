//! What Spin and our host call. Wasm only: it exports names that native linkers refuse.

kit::serve!(crate::routes::router);
