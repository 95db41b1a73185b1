//! Components that take requests whole (`wit/http.wit`): asked that way, and contained like all others.

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

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::Request;
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use stage::{Host, until};

const ONE: &str = r#"
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
async fn a_request_arrives_as_it_was_sent() {
    let host = Host::start(ONE);
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
        "spin-matched-route: /...\n",
        &format!("spin-full-url: {url}\n"),
        &format!("x-request-id: {id}\n"),
        "65536 bytes\n",
    ] {
        assert!(seen.contains(line), "{line}\nnot in\n{seen}");
    }
    for line in ["connection: ", "\nhost: ", "6.6.6.6"] {
        assert!(!seen.contains(line), "{line}\nin\n{seen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_serves_many_at_once_is_asked_the_other_way() {
    let host = Host::start(&format!("{ONE}\nconcurrent_requests = 16"));
    assert_eq!(host.get("/hello").await.text(), "streamed\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_stop_at_their_limit_declared_or_not() {
    let host = Host::start(ONE);
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

/// A connection over which these bytes were sent.
fn sending(host: &Host, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    stream
}

/// The beginning of what is answered; nothing, if the connection ends instead.
fn status(mut stream: &TcpStream) -> String {
    let mut status = [0; 12];
    stream.read_exact(&mut status).map_or_else(
        |_| String::new(),
        |()| String::from_utf8_lossy(&status).into_owned(),
    )
}

const HEAD: &str = "POST / HTTP/1.1\r\nhost: here\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for_and_harms_nobody() {
    let host = Host::start(ONE);
    let begun = Instant::now();
    // More of them than there may be instances.
    let slow: Vec<_> = (0..8)
        .map(|_| sending(&host, &format!("{HEAD}content-length: 9\r\n\r\nslow")))
        .collect();
    for _ in 0..8 {
        assert_eq!(host.post("/", "quick").await.status(), 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
    for slow in &slow {
        assert_eq!(status(slow), "HTTP/1.1 408");
    }
    assert!(begun.elapsed() < Duration::from_secs(4));

    let malformed = sending(
        &host,
        &format!("{HEAD}transfer-encoding: chunked\r\n\r\nnonsense"),
    );
    let answer = status(&malformed);
    assert!(answer.is_empty() || answer == "HTTP/1.1 400", "{answer}");
    let short = sending(&host, &format!("{HEAD}content-length: 9\r\n\r\nshort"));
    short.shutdown(Shutdown::Write).unwrap();
    status(&short);
    assert_eq!(host.get("/").await.status(), 200);
    // No instance was asked, and none is blamed.
    assert_eq!(
        (host.metric(FAILED).await, host.metric(STARTED).await),
        (0.0, 1.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_in_the_smallest_pieces_takes_no_more_memory_than_it_is_long() {
    let patient = ONE
        .replace("body_limit_kb = 64", "body_limit_kb = 1024")
        .replace("request_timeout_ms = 1500", "request_timeout_ms = 60000");
    let host = Host::start(&patient);
    let before = host.peak_kilobytes();
    let body = "1\r\nx\r\n".repeat((1 << 20) - 1);
    let asked: Vec<_> = (0..8)
        .map(|_| {
            sending(
                &host,
                &format!("{HEAD}transfer-encoding: chunked\r\n\r\n{body}"),
            )
        })
        .collect();
    let grown = host.peak_kilobytes() - before;
    assert!(grown < 100 << 10, "{grown} kB");
    for mut asked in asked {
        asked.write_all(b"0\r\n\r\n").unwrap();
        assert_eq!(status(&asked), "HTTP/1.1 200");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_the_components_failure_alone() {
    let host = Host::start(ONE);
    for path in [
        "/1", "/101", "/name", "/value", "/long", "/many", "/huge", "/trap",
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
async fn the_length_of_an_answer_is_the_hosts_to_say() {
    let host = Host::start(ONE);
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
async fn a_long_answer_holds_the_place_of_an_instance_until_it_is_read() {
    let host = Host::start(ONE);
    assert_eq!(host.get("/large").await.body.len(), 15 << 20);
    let unread: Vec<_> = (0..4)
        .map(|_| sending(&host, "GET /large HTTP/1.1\r\nhost: here\r\n\r\n"))
        .collect();
    for unread in &unread {
        assert_eq!(status(unread), "HTTP/1.1 200");
    }
    assert_eq!(host.get("/").await.refusal(), "busy");
    drop(unread);
    until("their places are free", async || {
        host.get("/").await.status() == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_to_do_after_the_answer_is_done() {
    let host = Host::start(ONE);
    let begun = Instant::now();
    assert_eq!(host.get("/later").await.text(), "begun\n");
    assert!(begun.elapsed() < Duration::from_millis(250));
    // The next is not kept waiting: another instance answers.
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
async fn an_answer_is_whole_whatever_becomes_of_the_instance() {
    let host = Host::start(ONE);
    assert_eq!(host.get("/late-trap").await.text(), "begun\n");
    until("the trap is known", async || {
        host.metric(FAILED).await == 1.0
    })
    .await;
    assert_eq!(host.get("/").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_ends_nothing_and_who_comes_too_many_waits() {
    let host = Host::start(ONE);
    let gone = sending(&host, "GET /sleep HTTP/1.1\r\nhost: here\r\n\r\n");
    drop(gone);
    let crowd = futures::future::join_all((0..12).map(|_| host.get("/sleep"))).await;
    assert!(crowd.iter().all(|answer| answer.text() == "slept\n"));
    assert!(host.metric(STARTED).await <= 4.0);
    assert_eq!(host.metric(FAILED).await, 0.0);
}

/// One instance, thousands of requests: nothing piles up in it or for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_serves_for_long_and_then_makes_room() {
    let host = Host::start(&format!("{ONE}requests_per_instance = 3000"));
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
async fn an_instance_that_grew_is_not_kept() {
    let host = Host::start(ONE);
    for path in ["/", "/", "/grow", "/", "/"] {
        assert_eq!(host.get(path).await.status(), 200);
    }
    assert_eq!(host.metric(STARTED).await, 2.0);
}
