//! What Spin, our host and other functions call. Wasm only: it exports names that native linkers refuse.

use crate::functions::Signin;

kit::serve!(crate::routes::router);

#[allow(
    unsafe_code,
    reason = "generated: what crosses the boundary is passed as pointers"
)]
mod exported {
    use super::Signin;
    crate::functions::bindings::export!(Signin with_types_in crate::functions::bindings);
}
