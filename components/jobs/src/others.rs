//! The other functions, as this one speaks to them.

#[allow(clippy::all, clippy::restriction, unsafe_code, missing_docs)]
mod bindings {
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        path: ["../../wit/payments.wit", "../../wit/signin.wit", "../../wit/jobs.wit"],
        world: "wharf:jobs/jobs",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

pub use bindings::wharf::payments::upkeep as payments;
pub use bindings::wharf::signin::upkeep as signin;
