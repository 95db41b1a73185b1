//! A consumer: passes the query (`+` for a space) to the ledger and responds with the result.

mod bindings {
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        path: "../wit",
        world: "shop",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

use bindings::guests::ledger::entries;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn ask(request: Request) -> impl IntoResponse {
    let question = request.uri().query().unwrap_or_default().replace('+', " ");
    if let Ok(number) = question.parse() {
        return format!("{}\n", entries::twice(number));
    }
    // The shop uses the same imports, so that the composition contains both granted and denied ones.
    let own = spin_sdk::variables::get("greeting").await;
    let redis = spin_sdk::redis::Connection::open("").await.is_ok();
    format!("{:?} {own:?} {redis}\n", entries::look(question).await)
}
