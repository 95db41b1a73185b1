//! WIT bindings, generated alike in every component.

/// The module `bindings` of a component: `kit::bindings!("wharf:bookings/bookings", ["../../wit/payments.wit",
/// "../../wit/bookings.wit"]);` in its `lib.rs`.
#[macro_export]
macro_rules! bindings {
    ($world:literal, [$($path:literal),+ $(,)?]) => {
        #[allow(clippy::all, clippy::restriction, unsafe_code, missing_docs)]
        pub mod bindings {
            use spin_sdk::wit_bindgen;
            wit_bindgen::generate!({
                path: [$($path),+],
                world: $world,
                runtime_path: "spin_sdk::wit_bindgen::rt",
                pub_export_macro: true,
                default_bindings_module: "crate::bindings",
                generate_all,
            });
        }
    };
}
