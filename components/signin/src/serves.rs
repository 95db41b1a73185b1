//! What other functions call: the interfaces of `wit/signin.wit`, over the same
//! store as the routes. `entry` exports them.

mod accounts;
mod passcodes;
mod upkeep;

#[allow(
    unsafe_code,
    reason = "generated: what crosses the boundary is passed as pointers"
)]
pub mod bindings {
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        path: "../../wit/signin.wit",
        world: "signin",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        pub_export_macro: true,
        generate_all,
    });
}

/// The component, as other components know it.
pub struct Signin;
