//! Components that export `wharf:http` (`wit/http.wit`): they are called over it, and contained like all others.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey};
use http_body_util::StreamBody;
use hyper::Request;
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use stage::{Host, until};

const MANIFEST: &str = r#"
[application.tool.wharf]
request_id_header = true

[[trigger.http]]
route = "/..."
component = "whole"

[component.whole]
source = "{guests}/guest_whole.wasm"
[component.whole.tool.wharf]
request_timeout_ms = 1500
body_limit_kb = 64
max_instances = 4
"#;

const FAILED: &str = r#"wharf_instances_failed_total{component="whole"}"#;
const STARTED: &str = r#"wharf_instances_started_total{component="whole"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_passed_unchanged() {
    let host = Host::start(MANIFEST);
    let request = Request::put(host.url("/a%20b?c=d"))
        .header("x-twice", "1")
        .header("x-twice", "2")
        .header("connection", "keep-alive")
        .header("spin-client-addr", "6.6.6.6:6")
        .body(Bytes::from(vec![b'x'; 64 << 10]))
        .unwrap();
    let answer = host.send(request).await;
    let (seen, id) = (answer.text(), answer.header("x-request-id"));
    let url = format!("{}/a%20b?c=d", host.base_url);
    for line in [
        &format!("PUT {url}\n"),
        "x-twice: 1\nx-twice: 2\n",
        "spin-client-addr: 127.0.0.1:",
        &format!("spin-full-url: {url}\n"),
        &format!("x-request-id: {id}\n"),
        "65536 bytes\n",
    ] {
        assert!(seen.contains(line), "{line}\nnot in\n{seen}");
    }
    for line in ["connection: ", "\nhost: ", "6.6.6.6", "spin-matched-route"] {
        assert!(!seen.contains(line), "{line}\nin\n{seen}");
    }
}

/// A JWKS, and a token that its key signed.
fn signed_token() -> (String, String) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    let jwks = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x }] });
    let [header, claims] = [json!({ "alg": "EdDSA", "kid": "k" }), json!({ "sub": "1" })]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).to_bytes());
    (jwks.to_string(), format!("{message}.{signature}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_learns_whether_the_host_knows_who_signed_a_token() {
    let (jwks, token) = signed_token();
    let manifest = MANIFEST.replace(
        "request_id_header = true",
        &format!("request_id_header = true\nbearer_keys = '{jwks}'"),
    );
    let host = Host::start(&manifest);
    let ask = async |host: &Host, token: &str| {
        let request = Request::get(host.url("/vouched"))
            .header("authorization", format!("Bearer {token}"))
            .body(Bytes::new())
            .unwrap();
        host.send(request).await.text()
    };
    assert_eq!(ask(&host, &token).await, "1\n");
    assert_eq!(ask(&host, &token.replacen('.', "A.", 1)).await, "0\n");
    assert_eq!(host.get("/vouched").await.text(), "0\n");
    let without_keys = Host::start(MANIFEST);
    assert_eq!(ask(&without_keys, &token).await, "0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_instances_are_called_over_wasi_http() {
    let host = Host::start(&format!("{MANIFEST}\nconcurrent_requests = 16"));
    assert_eq!(host.get("/hello").await.text(), "streamed\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_beyond_the_limit_are_refused_with_and_without_a_declared_length() {
    let host = Host::start(MANIFEST);
    let declared = host.post("/", vec![b'x'; (64 << 10) + 1]).await;
    assert_eq!(declared.refusal(), "body_too_large");

    let pieces =
        (0..100).map(|_| Ok::<_, hyper::Error>(Frame::data(Bytes::from(vec![b'x'; 1024]))));
    let request = Request::post(host.url("/"))
        .body(StreamBody::new(futures::stream::iter(pieces)))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    assert_eq!(client.request(request).await.unwrap().status(), 413);
}

/// Opens a connection and sends these bytes.
fn send(host: &Host, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    stream
}

/// Reads the beginning of the status line; empty if the connection ends instead.
fn read_status(mut stream: &TcpStream) -> String {
    let mut status = [0; 12];
    stream.read_exact(&mut status).map_or_else(
        |_| String::new(),
        |()| String::from_utf8_lossy(&status).into_owned(),
    )
}

const HEAD: &str = "POST / HTTP/1.1\r\nhost: here\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_occupies_no_instance_and_is_refused_after_the_timeout() {
    let host = Host::start(MANIFEST);
    let begun = Instant::now();
    // More than the limit of instances.
    let slow: Vec<_> = (0..8)
        .map(|_| send(&host, &format!("{HEAD}content-length: 9\r\n\r\nslow")))
        .collect();
    for _ in 0..8 {
        assert_eq!(host.post("/", "quick").await.status(), 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
    for slow in &slow {
        assert_eq!(read_status(slow), "HTTP/1.1 408");
    }
    assert!(begun.elapsed() < Duration::from_secs(4));

    let malformed = send(
        &host,
        &format!("{HEAD}transfer-encoding: chunked\r\n\r\nnonsense"),
    );
    let answer = read_status(&malformed);
    assert!(answer.is_empty() || answer == "HTTP/1.1 400", "{answer}");
    let short = send(&host, &format!("{HEAD}content-length: 9\r\n\r\nshort"));
    short.shutdown(Shutdown::Write).unwrap();
    read_status(&short);
    assert_eq!(host.get("/").await.status(), 200);
    // No instance was called for the refused requests.
    assert_eq!(
        (host.metric(FAILED).await, host.metric(STARTED).await),
        (0.0, 1.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_one_byte_chunks_takes_no_more_memory_than_its_length() {
    let patient = MANIFEST
        .replace("body_limit_kb = 64", "body_limit_kb = 1024")
        .replace("request_timeout_ms = 1500", "request_timeout_ms = 60000");
    let host = Host::start(&patient);
    let before = host.peak_kilobytes();
    let body = "1\r\nx\r\n".repeat((1 << 20) - 1);
    let asked: Vec<_> = (0..8)
        .map(|_| {
            send(
                &host,
                &format!("{HEAD}transfer-encoding: chunked\r\n\r\n{body}"),
            )
        })
        .collect();
    let grown = host.peak_kilobytes() - before;
    assert!(grown < 100 << 10, "{grown} kB");
    for mut asked in asked {
        asked.write_all(b"0\r\n\r\n").unwrap();
        assert_eq!(read_status(&asked), "HTTP/1.1 200");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_response_is_a_failure_of_the_component_only() {
    let host = Host::start(MANIFEST);
    for path in [
        "/1", "/101", "/name", "/value", "/long", "/many", "/cut", "/huge", "/trap",
    ] {
        let answer = host.get(path).await;
        assert_eq!((path, answer.refusal().as_str()), (path, "function_failed"));
    }
    let said = host.said();
    assert!(!said.contains("panicked at host"), "{said}");
    assert_eq!(
        host.metric(FAILED).await,
        1.0,
        "only the trap ended an instance"
    );
    for path in ["/loop", "/wait"] {
        assert_eq!(host.get(path).await.refusal(), "request_timeout");
    }
    assert_eq!(host.metric(FAILED).await, 3.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_computes_the_content_length() {
    let host = Host::start(MANIFEST);
    let lie = host.get("/lie").await;
    assert_eq!(
        (lie.text().as_str(), lie.header("x-own")),
        ("not one byte\n", "kept")
    );
    assert_eq!(
        (lie.header("content-length"), lie.header("connection")),
        ("13", "")
    );
    let nothing = host.get("/204").await;
    assert_eq!((nothing.status(), nothing.text().as_str()), (204, ""));
    let head = |path| Request::head(host.url(path)).body(Bytes::new()).unwrap();
    for (path, length) in [("/lie", "1"), ("/later", "6")] {
        let answer = host.send(head(path)).await;
        assert_eq!(
            (answer.header("content-length"), answer.text().as_str()),
            (length, "")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_responses_hold_permits_only_when_there_is_no_more_memory_for_them() {
    let host = Host::start(MANIFEST);
    assert_eq!(host.get("/large").await.body.len(), 15 << 20);
    let ask = || {
        let unread = send(&host, "GET /large HTTP/1.1\r\nhost: here\r\n\r\n");
        assert_eq!(read_status(&unread), "HTTP/1.1 200");
        unread
    };
    let mut unread: Vec<_> = (0..4).map(|_| ask()).collect();
    assert_eq!(host.get("/").await.status(), 200);
    unread.extend((0..4).map(|_| ask()));
    assert_eq!(host.get("/").await.refusal(), "busy");
    drop(unread);
    until("their permits are released", async || {
        host.get("/").await.status() == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spawned_tasks_finish_after_the_response() {
    let host = Host::start(MANIFEST);
    let begun = Instant::now();
    assert_eq!(host.get("/later").await.text(), "begun\n");
    assert!(begun.elapsed() < Duration::from_secs(1));
    // The next request does not wait: another instance serves it.
    assert_eq!(host.get("/").await.status(), 200);
    assert_eq!(host.metric(STARTED).await, 2.0);
    until("it is done", async || {
        host.log("whole_stdout.txt") == "later\n"
    })
    .await;
    until("both are kept", async || {
        host.get("/").await.status() == 200
    })
    .await;
    assert_eq!(host.metric(STARTED).await, 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_complete_even_if_the_instance_traps_afterwards() {
    let host = Host::start(MANIFEST);
    assert_eq!(host.get("/late-trap").await.text(), "begun\n");
    until("the trap is known", async || {
        host.metric(FAILED).await == 1.0
    })
    .await;
    assert_eq!(host.get("/").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_client_fails_no_instance_and_requests_beyond_the_limit_wait() {
    let host = Host::start(MANIFEST);
    // A safe request is aborted with its instance; this one goes on.
    let sent = "POST /sleep HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n";
    let gone = send(&host, sent);
    drop(gone);
    let crowd = futures::future::join_all((0..12).map(|_| host.get("/sleep"))).await;
    assert!(crowd.iter().all(|answer| answer.text() == "slept\n"));
    assert!(host.metric(STARTED).await <= 4.0);
    assert_eq!(host.metric(FAILED).await, 0.0);
}

/// Thousands of requests in one instance: no state accumulates in it or for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_serves_thousands_of_requests_and_is_then_replaced() {
    let host = Host::start(&format!("{MANIFEST}requests_per_instance = 3000"));
    for number in 0..3001 {
        let path = match number {
            500 => "/name",
            1000 => "/lie",
            1500 => "/large",
            _ => "/",
        };
        host.get(path).await;
    }
    assert_eq!(host.metric(STARTED).await, 2.0);
    assert_eq!(host.metric(FAILED).await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_with_grown_memory_is_not_kept() {
    let host = Host::start(MANIFEST);
    for path in ["/", "/", "/grow", "/", "/"] {
        assert_eq!(host.get(path).await.status(), 200);
    }
    assert_eq!(host.metric(STARTED).await, 2.0);
}
