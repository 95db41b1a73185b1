//! Functions written with Spin's SDKs for Python and JavaScript. `infra/languages` builds them and runs these tests.

use super::*;

const PYTHON: &str = "[[trigger.http]]
route = \"/python/...\"
component = \"python\"
[component.python]
source = \"{guests}/guest_python.wasm\"
key_value_stores = [\"default\"]
allowed_outbound_hosts = [\"http://127.0.0.1:*\"]
variables = { greeting = \"bom dia\" }
";
const JAVASCRIPT: &str = "[[trigger.http]]
route = \"/javascript/...\"
component = \"javascript\"
[component.javascript]
source = \"{guests}/guest_javascript.wasm\"
allowed_outbound_hosts = [\"http://127.0.0.1:*\"]
";

fn fetch(host: &Host, language: &str) -> String {
    format!(
        "/{language}/fetch?http://{}/{language}/hello",
        host.address()
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "infra/languages builds the function"]
async fn python_serves() {
    let host = Host::start(PYTHON);
    let text = [("content-type", "text/plain")];
    let bytes = [("content-type", "application/octet-stream")];
    let hello = "hello from Python\n";
    assert_answer(&host.get("/python/hello").await, 200, &text, hello);
    let body = "é".repeat(100_000);
    let echo = host.post("/python/echo", body.clone()).await;
    assert_answer(&echo, 200, &bytes, &body);
    let variable = host.get("/python/variable?greeting").await;
    assert_answer(&variable, 200, &text, "bom dia");
    for visits in ["1", "2"] {
        assert_answer(&host.get("/python/visits").await, 200, &text, visits);
    }
    assert_answer(&host.get(&fetch(&host, "python")).await, 200, &text, hello);
    assert_eq!(host.get("/python/other").await.status(), 500);
    assert_answer(&host.get("/python/hello").await, 200, &text, hello);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "infra/languages builds the function"]
async fn javascript_serves() {
    let host = Host::start(JAVASCRIPT);
    let hello = "hello from JavaScript\n";
    assert_eq!(host.get("/javascript/hello").await.text(), hello);
    let body = "é".repeat(100_000);
    let echo = host.post("/javascript/echo", body.clone()).await;
    assert_eq!((echo.status(), echo.text()), (200, body));
    let fetched = host.get(&fetch(&host, "javascript")).await;
    assert_eq!((fetched.status(), fetched.text().as_str()), (200, hello));
    assert_eq!(host.get("/javascript/other").await.status(), 500);
    assert_eq!(host.get("/javascript/hello").await.text(), hello);
}
