//! Pages of other origins, and access to the metrics.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use bytes::Bytes;
use hyper::Request;
use stage::{Answer, Host};

const MANIFEST: &str = r#"
[variables]
origins = { default = "https://app.example.com, http://localhost:5173" }
metrics_token = { default = "secret" }

[application.tool.wharf.cors]
origins = ["{{ origins }}"]
headers = ["api_key", "authorization", "content-type"]
exposed_headers = ["link", "x-request-id"]

[application.tool.wharf.metrics_access]
networks = ["192.0.2.0/24"]
token = "{{ metrics_token }}"

[[trigger.http]]
route = "/..."
component = "acts"
[component.acts]
source = "{guests}/guest_acts.wasm"
"#;

async fn ask(host: &Host, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(host.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    host.send(request.body(Bytes::new()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_request_of_a_listed_origin_is_answered_by_the_host() {
    let host = Host::start(MANIFEST);
    let origin = ("origin", "https://app.example.com");
    let asks = ("access-control-request-method", "PUT");
    let answer = ask(&host, "OPTIONS", "/hello", &[origin, asks]).await;
    assert_eq!((answer.status(), answer.text()), (204, String::new()));
    for (name, value) in [
        ("access-control-allow-origin", "https://app.example.com"),
        ("access-control-allow-credentials", "true"),
        (
            "access-control-allow-methods",
            "GET, HEAD, POST, PUT, PATCH, DELETE",
        ),
        (
            "access-control-allow-headers",
            "api_key, authorization, content-type",
        ),
        ("access-control-max-age", "7200"),
        ("vary", "origin"),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    let instances = r#"wharf_instances_started_total{component="acts"}"#;
    let metrics = ask(
        &host,
        "GET",
        "/metrics",
        &[("authorization", "Bearer secret")],
    )
    .await
    .text();
    assert!(metrics.contains(&format!("{instances} 0\n")), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_responses_and_refusals_only_from_a_listed_origin() {
    let host = Host::start(MANIFEST);
    for (path, status) in [("/hello", 200), ("/trap", 500)] {
        let origin = [("origin", "http://localhost:5173")];
        let answer = ask(&host, "GET", path, &origin).await;
        assert_eq!(answer.status(), status);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "http://localhost:5173"
        );
        assert_eq!(
            answer.header("access-control-expose-headers"),
            "link, x-request-id"
        );
    }
    for origin in ["https://evil.example.com", "null", "http://localhost:5174"] {
        let answer = ask(&host, "GET", "/hello", &[("origin", origin)]).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.header("vary"), "origin");
        let asks = ("access-control-request-method", "PUT");
        let preflight = ask(&host, "OPTIONS", "/hello", &[("origin", origin), asks]).await;
        assert_eq!(preflight.refusal(), "origin_not_listed");
        assert_eq!(preflight.header("access-control-allow-origin"), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_list_an_options_request_reaches_the_component() {
    let host = Host::start(&MANIFEST.replace("https://app.example.com, http://localhost:5173", ""));
    let asks = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "PUT"),
    ];
    let answer = ask(&host, "OPTIONS", "/hello", &asks).await;
    assert_eq!((answer.status(), answer.text()), (200, "hello\n".into()));
    assert_eq!(
        (
            answer.header("vary"),
            answer.header("access-control-allow-origin")
        ),
        ("", "")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_need_a_listed_network_or_the_token() {
    let host = Host::start(MANIFEST);
    for (authorization, status) in [
        ("", 403),
        ("Bearer wrong", 403),
        ("Basic secret", 403),
        ("Bearer secret", 200),
        ("bearer secret", 200),
    ] {
        let headers = [("authorization", authorization)];
        let answer = ask(&host, "GET", "/metrics", &headers).await;
        assert_eq!(answer.status(), status, "{authorization}");
    }
    let host = Host::start(&MANIFEST.replace("192.0.2.0/24", "127.0.0.0/8"));
    assert_eq!(host.get("/metrics").await.status(), 200);
    let closed = MANIFEST.replace(r#"default = "secret""#, r#"default = """#);
    let host = Host::start(&closed);
    let empty = ask(&host, "GET", "/metrics", &[("authorization", "Bearer ")]).await;
    assert_eq!(empty.refusal(), "metrics_denied");
}

#[test]
fn an_origin_that_is_none_is_refused_at_the_start() {
    let folder = stage::folder(&MANIFEST.replace("http://localhost:5173", "app.example.com"));
    let output = stage::wharf(folder.path())
        .args(["up", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        said.contains("\"app.example.com\" is not an origin"),
        "{said}"
    );
}
