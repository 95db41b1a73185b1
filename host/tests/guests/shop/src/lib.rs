//! A consumer: asks the ledger whatever the query says (`+` for a space) and answers what it heard.

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
    // The shop's own use of the same imports, so that granted and denied ones meet in one composition.
    let own = spin_sdk::variables::get("greeting").await;
    let redis = spin_sdk::redis::Connection::open("").await.is_ok();
    format!("{:?} {own:?} {redis}\n", entries::look(question).await)
}
