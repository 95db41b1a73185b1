//! A dependency: exports an interface of its own next to its HTTP handler, and reports which imports it may use.

mod bindings {
    use super::Ledger;
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        path: "../wit",
        world: "ledger",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
    export!(Ledger);
}

use bindings::exports::guests::ledger::entries::Guest;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

struct Ledger;

impl Guest for Ledger {
    async fn look(what: String) -> Result<String, String> {
        match what.split_once(' ') {
            Some(("variable", name)) => spin_sdk::variables::get(name)
                .await
                .map_err(|cause| format!("{cause:?}")),
            Some(("redis", address)) => spin_sdk::redis::Connection::open(address)
                .await
                .map(|_| "open".to_owned())
                .map_err(|cause| format!("{cause:?}")),
            Some(("http", url)) => spin_sdk::http::get(url)
                .await
                .map(|answer| answer.status().to_string())
                .map_err(|cause| format!("{cause:?}")),
            Some(("environment", name)) => std::env::var(name).map_err(|cause| cause.to_string()),
            Some(("file", path)) => {
                std::fs::read_to_string(path).map_err(|cause| cause.to_string())
            }
            _ => Err(format!("cannot look at {what}")),
        }
    }

    fn twice(number: u32) -> u32 {
        number * 2
    }
}

#[http_service]
async fn answer(_request: Request) -> impl IntoResponse {
    "the ledger over HTTP\n"
}
