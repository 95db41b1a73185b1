//! Answers are the component's own, and the route is told in headers.

use super::*;

const ACTS: &str = r#"
[[trigger.http]]
route = "/..."
component = "acts"
[[trigger.http]]
route = "/shelves/:shelf_id/books/:Book"
component = "acts"
[component.acts]
source = "{guests}/guest_acts.wasm"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_adds_no_header_to_an_answer() {
    let host = Host::start(ACTS);
    assert_answer(&host.get("/hello").await, 200, &[], "hello\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_may_ask_for_the_request_id() {
    let host = Host::start(&format!(
        "[application.tool.wharf]\nrequest_id_header = true\n{ACTS}"
    ));
    let answer = host.get("/hello").await;
    let id = answer.header("x-request-id").to_owned();
    assert_eq!(id.len(), 16);
    assert_answer(&answer, 200, &[("x-request-id", &id)], "hello\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_a_route_have_hyphens_in_their_headers() {
    let host = Host::start(ACTS);
    let seen = host.get("/shelves/7/books/headers").await.text();
    let lines: Vec<&str> = seen
        .lines()
        .filter(|line| line.starts_with("spin-path-match-"))
        .collect();
    assert_eq!(
        lines,
        [
            "spin-path-match-book: headers",
            "spin-path-match-shelf-id: 7"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scheme_in_a_request_line_is_not_believed() {
    use std::io::{Read, Write};

    let host = Host::start(ACTS);
    let address = host.address();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let head = format!(
        "GET https://{address}/headers HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let url = format!("spin-full-url: http://{address}/headers\n");
    assert!(answer.contains(&url), "{answer}");
}
