//! HTTP as a client sees it: routes, headers, bodies, refusals.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

#[path = "../stage/mod.rs"]
mod stage;
mod streams;

use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::Request;
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use stage::Host;

const ROUTES: &str = r#"
[application.tool.wharf]
metrics = ["/metrics", "/own/metrics"]
request_id_header = true

[[trigger.http]]
route = "/..."
component = "acts"
[[trigger.http]]
route = "/users/:id/..."
component = "users"
[[trigger.http]]
route = "/exact"
component = "users"
[[trigger.http]]
route = "/old/..."
component = "proxy"
[[trigger.http]]
route = "/teapot"
static_response = { status_code = 418, headers = { x-kind = "static" }, body = "short" }
[[trigger.http]]
route = { private = true }
component = "hidden"

[component.acts]
source = "{guests}/guest_acts.wasm"
[component.acts.tool.wharf]
body_limit_kb = 64
[component.users]
source = "{guests}/guest_acts.wasm"
[component.hidden]
source = "{guests}/guest_acts.wasm"
[component.proxy]
source = "{guests}/guest_proxy.wasm"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_matching_route_serves_and_is_reported_in_headers() {
    let host = Host::start(ROUTES);
    let seen = host.get("/users/42/cars/headers?x=y").await.text();
    for line in [
        "spin-base-path: /",
        "spin-component-route: /users/:id",
        "spin-matched-route: /users/:id/...",
        "spin-path-info: /cars/headers",
        "spin-path-match-id: 42",
        "spin-raw-component-route: /users/:id/...",
        &format!("spin-full-url: {}/users/42/cars/headers?x=y", host.base_url),
    ] {
        assert!(
            seen.lines().any(|seen| seen == line),
            "{line}\nnot in\n{seen}"
        );
    }
    assert!(seen.contains("spin-client-addr: 127.0.0.1:"));
    assert_eq!(host.get("/exact").await.text(), "hello\n");
    assert_eq!(host.get("/old/a?b=c").await.text(), "0.2 /old/a?b=c\n");
    let teapot = host.get("/teapot").await;
    assert_eq!(
        (teapot.status(), teapot.header("x-kind"), teapot.text()),
        (418, "static", "short".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_of_the_host_take_precedence_over_routes() {
    let host = Host::start(ROUTES);
    assert_eq!(host.get("/.well-known/spin/health").await.text(), "OK");
    assert_eq!(
        host.get("/.well-known/spin/info").await.text(),
        r#"{"name":"stage","version":"1.0.0"}"#
    );
    assert_eq!(
        host.get("/.well-known/spin/else").await.refusal(),
        "no_route"
    );
    host.get("/hello").await;
    host.get("/teapot").await;
    let metrics = host.get("/own/metrics").await.text();
    for line in [
        r#"http_requests_total{component="acts",method="GET",route="/..."} 1"#,
        r#"http_error_responses_total{component="",route="/teapot",status="418"} 1"#,
        r#"http_requests_errors_total{component="",route="/teapot",status="418"} 1"#,
        r#"http_request_duration_seconds_count{component="acts",route="/..."} 1"#,
        r#"wharf_instances{component="acts"} 1"#,
    ] {
        assert!(
            metrics.lines().any(|got| got == line),
            "{line}\nnot in\n{metrics}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_without_a_route_is_refused() {
    let host = Host::start(
        "[[trigger.http]]\nroute = \"/one\"\ncomponent = \"acts\"\n[component.acts]\nsource = \"{guests}/guest_acts.wasm\"",
    );
    let answer = host.get("/two").await;
    assert_eq!(
        (answer.status(), answer.refusal().as_str()),
        (404, "no_route")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_headers_do_not_reach_a_component() {
    let host = Host::start(ROUTES);
    let request = Request::get(host.url("/headers"))
        .header("spin-client-addr", "6.6.6.6:6")
        .header("spin-anything", "forged")
        .header("x-own", "kept")
        .body(Bytes::new())
        .unwrap();
    let seen = host.send(request).await.text();
    assert!(
        !seen.contains("6.6.6.6") && !seen.contains("forged"),
        "{seen}"
    );
    assert!(seen.contains("x-own: kept"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_kept_or_generated_and_sent_to_client_and_component() {
    let host = Host::start(ROUTES);
    for (sent, is_kept) in [("client-1.2_3", true), ("no spaces please", false)] {
        let request = Request::get(host.url("/headers"))
            .header("x-request-id", sent)
            .body(Bytes::new())
            .unwrap();
        let answer = host.send(request).await;
        let id = answer.header("x-request-id");
        assert_eq!(id == sent, is_kept);
        assert!(answer.text().contains(&format!("x-request-id: {id}\n")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_beyond_the_limit_are_refused_with_and_without_a_declared_length() {
    let host = Host::start(ROUTES);
    assert_eq!(
        host.post("/length", vec![b'x'; 64 << 10]).await.text(),
        "65536\n"
    );
    let declared = host.post("/length", vec![b'x'; (64 << 10) + 1]).await;
    assert_eq!(
        (declared.status(), declared.refusal().as_str()),
        (413, "body_too_large")
    );

    let client = Client::builder(TokioExecutor::new()).build_http();
    let pieces = futures::stream::iter(
        (0..100).map(|_| Ok::<_, hyper::Error>(Frame::data(Bytes::from(vec![b'x'; 1024])))),
    );
    let request = Request::post(host.url("/length"))
        .body(StreamBody::new(pieces))
        .unwrap();
    let answer = client.request(request).await.unwrap();
    assert_eq!(answer.status(), 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_beyond_the_limit_are_refused() {
    let host = Host::start(ROUTES);
    let request = Request::get(host.url("/hello"))
        .header("x-long", "x".repeat(40 << 10))
        .body(Bytes::new())
        .unwrap();
    let answer = host.send(request).await;
    assert_eq!(
        (answer.status(), answer.refusal().as_str()),
        (431, "headers_too_large")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_no_valid_host_or_two_hosts_is_refused() {
    let host = Host::start(ROUTES);
    for head in [
        "GET /hello HTTP/1.1\r\n\r\n",
        "GET http://one/hello HTTP/1.1\r\nhost: two\r\n\r\n",
        "GET /hello HTTP/1.1\r\nhost: user:password@one\r\n\r\n",
        "GET http://user@one/hello HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nhost: one:port\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(host.address()).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 400");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_leads_to_what_is_no_path() {
    let host = Host::start(ROUTES);
    for (target, status) in [
        ("OPTIONS *", "404"),
        ("GET *", "404"),
        ("CONNECT one:80", "404"),
        ("GET http://one:80", "200"),
        ("OPTIONS /", "200"),
    ] {
        let mut stream = TcpStream::connect(host.address()).unwrap();
        let head = format!("{target} HTTP/1.1\r\nhost: one:80\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        let expected = format!("HTTP/1.1 {status}");
        assert_eq!(answer, expected.as_bytes(), "{target}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn output_of_a_component_is_logged_and_shown_with_its_request_id() {
    let host = Host::start(ROUTES);
    let request = Request::get(host.url("/print?words"))
        .header("x-request-id", "r-7")
        .body(Bytes::new())
        .unwrap();
    host.send(request).await;
    stage::until("the lines appear", async || {
        host.log("acts_stdout.txt") == "words on stdout\n"
            && host.log("acts_stderr.txt") == "words on stderr\n"
            && host.said().contains("acts r-7 | words on stdout\n")
            && host.said().contains("acts r-7 | words on stderr\n")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_one_line_of_the_access_log_without_its_query() {
    let host = Host::start(ROUTES);
    for (method, path, id) in [
        ("GET", "/users/42/hello?token=secret", "r-1"),
        ("POST", "/trap", "r-2"),
        ("GET", "/.well-known/spin/health", "r-3"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(host.url(path))
            .header("x-request-id", id);
        host.send(request.body(Bytes::new()).unwrap()).await;
    }
    for line in [
        " r-1 GET /users/42/hello users /users/:id/... 200 ",
        " r-2 POST /trap acts /... 500 ",
        " r-3 GET /.well-known/spin/health - - 200 ",
    ] {
        stage::until(line, async || {
            let said = host.said();
            let told = said.lines().filter(|told| told.contains(line));
            let [told] = told.collect::<Vec<_>>()[..] else {
                return false;
            };
            // A timestamp first, the duration last.
            assert!(told.starts_with("20") && told.ends_with("ms"), "{told}");
            true
        })
        .await;
    }
    assert!(!host.said().contains("secret"), "{}", host.said());
}

/// The headers that tell a component the address of its client and the URL of the request.
async fn client_seen(host: &Host, forwarded_for: &str, forwarded_proto: &str) -> (String, String) {
    let request = Request::get(host.url("/headers"))
        .header("x-forwarded-for", forwarded_for)
        .header("x-forwarded-proto", forwarded_proto)
        .body(Bytes::new())
        .unwrap();
    let seen = host.send(request).await.text();
    let value = |name: &str| {
        let value = seen.lines().find_map(|line| line.strip_prefix(name));
        value.unwrap().to_owned()
    };
    (value("spin-client-addr: "), value("spin-full-url: "))
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_headers_count_only_from_a_trusted_proxy() {
    let host = Host::start(ROUTES);
    let (client, url) = client_seen(&host, "8.8.8.8", "https").await;
    assert!(client.starts_with("127.0.0.1:"), "{client}");
    assert_eq!(url, format!("{}/headers", host.base_url));

    let trusting = r#"
[variables]
proxies = { default = "10.0.0.0/8, 127.0.0.1" }
[application.tool.wharf]
trusted_proxies = ["192.0.2.1", "{{ proxies }}"]
[[trigger.http]]
route = "/..."
component = "acts"
[component.acts]
source = "{guests}/guest_acts.wasm"
"#;
    let host = Host::start(trusting);
    let (client, url) = client_seen(&host, "1.1.1.1, 8.8.8.8, 10.0.0.7", "https").await;
    assert_eq!(client, "8.8.8.8:0");
    assert_eq!(url, format!("https://{}/headers", host.address()));

    let folder = stage::folder(&trusting.replace("10.0.0.0/8, 127.0.0.1", "nginx"));
    let output = stage::wharf(folder.path())
        .args(["up", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("trusted_proxies: \"nginx\" is neither"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_the_members_that_the_clients_of_a_path_expect() {
    let host = Host::start(
        r#"
[[application.tool.wharf.problems]]
paths = ["/parking", "/booking"]
members = { error_message = "detail", error_status_code = "status" }
[[application.tool.wharf.problems]]
paths = ["/method"]
members = { error = { code = 50, message = "detail" } }
[[application.tool.wharf.problems]]
paths = ["/method"]
status = 404
members = { error = { code = 40, message = "detail" } }
[[trigger.http]]
route = "/parking/..."
component = "acts"
[[trigger.http]]
route = "/method/trap"
component = "acts"
[component.acts]
source = "{guests}/guest_acts.wasm"
"#,
    );
    let members_of = async |path: &str| {
        let answer = host.get(path).await;
        answer.refusal();
        let mut problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let problem = problem.as_object_mut().unwrap();
        for member in ["type", "title", "status", "detail", "code", "request_id"] {
            problem.remove(member).unwrap();
        }
        serde_json::to_string(problem).unwrap()
    };
    assert_eq!(
        members_of("/parking/trap").await,
        r#"{"error_message":"The function that serves this path failed.","error_status_code":500}"#
    );
    assert_eq!(
        members_of("/method/trap").await,
        r#"{"error":{"code":50,"message":"The function that serves this path failed."}}"#
    );
    assert_eq!(
        members_of("/method/a.b").await,
        r#"{"error":{"code":40,"message":"Nothing is served at this path."}}"#
    );
    assert_eq!(members_of("/parkings").await, "{}");
}
