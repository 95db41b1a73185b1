//! Clients that hold connections, bodies and responses: they are given up, and others are served as if they were not there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::Request;
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use stage::{Host, until};

fn manifest(connections: &str) -> String {
    format!(
        r#"
[application.tool.wharf]
request_id_header = true
[application.tool.wharf.connections]
{connections}

[[trigger.http]]
route = "/..."
component = "whole"
[[trigger.http]]
route = "/acts/..."
component = "acts"

[component.whole]
source = "{{guests}}/guest_whole.wasm"
[component.whole.tool.wharf]
max_instances = 4

[component.acts]
source = "{{guests}}/guest_acts.wasm"
"#
    )
}

fn connect(host: &Host, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(host.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(sent).unwrap();
    stream
}

/// Reads until the host closes the connection.
fn read_to_close(mut stream: &TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(why) if why.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(why) => panic!("the connection is still open: {why}"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The p99 of another client's requests, whose bodies arrive in two packets.
async fn p99_of_others(host: &Host) -> Duration {
    let client = Client::builder(TokioExecutor::new()).build_http();
    stage::p99(async || {
        let pieces = futures::stream::unfold(0, |sent| async move {
            if sent == 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let piece = Frame::data(Bytes::from_static(b"half"));
            (sent < 2).then_some((Ok::<_, hyper::Error>(piece), sent + 1))
        });
        let request = Request::post(host.url("/"))
            .body(StreamBody::new(Box::pin(pieces)))
            .unwrap();
        let answer = client.request(request).await.unwrap();
        assert_eq!(answer.status(), 200);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_request_is_closed() {
    let host = Host::start(&manifest("idle_timeout_ms = 500"));
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let silent: Vec<TcpStream> = [&b""[..], b"PRI * HT", b"GET / HTT", http2]
        .into_iter()
        .map(|sent| connect(&host, sent))
        .collect();
    let mut kept = connect(&host, b"GET /name-of-it HTTP/1.1\r\nhost: h\r\n\r\n");
    let mut first = [0; 12];
    kept.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    for stream in silent.iter().chain([&kept]) {
        read_to_close(stream);
    }
    until("nothing of them is left", async || {
        host.metric("wharf_connections").await == 1.0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_take_longer_than_a_connection_may_be_idle() {
    let host = Host::start(&manifest("idle_timeout_ms = 200"));
    let asked = Instant::now();
    assert_eq!(host.get("/acts/sleep?1000").await.text(), "slept\n");
    assert!(asked.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_a_client_and_in_all_are_limited() {
    for limits in ["max_per_client = 8", "max = 8"] {
        let host = Host::start(&manifest(limits));
        let open: Vec<TcpStream> = (0..8).map(|_| connect(&host, b"")).collect();
        until("they are all counted", async || {
            read_is_closed(&connect(&host, b""))
        })
        .await;
        drop(open);
        until("a new connection is served", async || {
            let asked = Client::builder(TokioExecutor::new()).build_http();
            let request =
                Request::get(host.url("/")).body(StreamBody::new(futures::stream::empty::<
                    Result<Frame<Bytes>, hyper::Error>,
                >()));
            asked.request(request.unwrap()).await.is_ok()
        })
        .await;
        assert!(host.metric("wharf_connections_refused_total").await >= 1.0);
    }
}

fn read_is_closed(mut stream: &TcpStream) -> bool {
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    matches!(stream.read(&mut [0]), Ok(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_which_one_byte_arrives_keep_out_no_other_and_are_given_up() {
    let host = Host::start(&manifest("stall_timeout_ms = 5000"));
    let alone = p99_of_others(&host).await;
    let head = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\nx";
    let slow: Vec<TcpStream> = (0..500).map(|_| connect(&host, head)).collect();
    let began = Instant::now();
    let beside = p99_of_others(&host).await;
    assert!(
        beside < alone * 4 + Duration::from_millis(250),
        "alone {alone:?}, beside slow bodies {beside:?}"
    );
    for stream in [&slow[0], &slow[499]] {
        let answer = read_to_close(stream);
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("body_late"), "{answer}");
    }
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(15), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_responses_occupy_no_instance_and_are_given_up() {
    let host = Host::start(&manifest("stall_timeout_ms = 3000"));
    let alone = p99_of_others(&host).await;
    let head = b"GET /large HTTP/1.1\r\nhost: h\r\n\r\n";
    let unread: Vec<TcpStream> = (0..4).map(|_| connect(&host, head)).collect();
    until("all of them are answered", async || {
        let instances = r#"wharf_instances_started_total{component="whole"}"#;
        host.metric(instances).await >= 2.0 && host.metric("wharf_connections").await >= 5.0
    })
    .await;
    let beside = p99_of_others(&host).await;
    assert!(
        beside < alone * 4 + Duration::from_millis(250),
        "alone {alone:?}, beside unread responses {beside:?}"
    );
    until("their connections are closed", async || {
        host.metric("wharf_connections").await < 4.0
    })
    .await;
    let answer = read_to_close(&unread[0]);
    assert!(answer.len() < 15 << 20, "only a part of it was sent");
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let [s, t, u, v] = stream.to_be_bytes();
    [&[a, b, c, kind, flags, s, t, u, v][..], payload].concat()
}

/// HEADERS of a GET, which end the request: `:method`, `:scheme`, `:path` and `:authority`, without compression (RFC 7541,
/// appendix A).
fn get_frame(stream: u32, path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    let method_and_scheme = [0x82, 0x86, 0x04, length];
    let authority = [0x01, 1, b'h'];
    let head = [&method_and_scheme[..], path.as_bytes(), &authority[..]].concat();
    frame(HEADERS, 0x05, stream, &head)
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;

/// The beginning of a connection over HTTP/2 whose client makes no room for any response: SETTINGS_INITIAL_WINDOW_SIZE = 0.
fn without_room() -> Vec<u8> {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    [
        &preface[..],
        &frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])[..],
    ]
    .concat()
}

/// Reads a frame: its kind and its stream.
fn read_frame(mut connection: &TcpStream) -> (u8, u32) {
    let mut head = [0; 9];
    connection.read_exact(&mut head).unwrap();
    let [a, b, c, kind, _, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    connection.read_exact(&mut payload).unwrap();
    (kind, u32::from_be_bytes(stream))
}

/// Reads until a frame of this kind comes on this stream.
fn read_to_frame(connection: &TcpStream, kind: u8, stream: u32) {
    while read_frame(connection) != (kind, stream) {}
}

/// Reads until frames of this kind came on so many streams.
fn read_to_frames(connection: &TcpStream, kind: u8, streams: usize) -> BTreeSet<u32> {
    let mut came = BTreeSet::new();
    while came.len() < streams {
        let (of_kind, stream) = read_frame(connection);
        if of_kind == kind && stream != 0 {
            came.insert(stream);
        }
    }
    came
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_over_http_2_for_which_its_client_makes_no_room_is_given_up_alone() {
    let host = Host::start(&manifest("stall_timeout_ms = 500"));
    let sent = [without_room(), get_frame(1, "/large")].concat();
    let mut connection = connect(&host, &sent);
    read_to_frame(&connection, HEADERS, 1);
    read_to_frame(&connection, RST_STREAM, 1);
    // The connection goes on. This response has no body, so it needs no room.
    connection.write_all(&get_frame(3, "/204")).unwrap();
    read_to_frame(&connection, HEADERS, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_responses_wait_for_a_client_over_http_2_as_it_may_have_connections() {
    let host = Host::start(&manifest("max_per_client = 4"));
    let requests = (0..8).flat_map(|number| get_frame(2 * number + 1, "/"));
    let sent: Vec<u8> = without_room().into_iter().chain(requests).collect();
    let mut connection = connect(&host, &sent);
    // At once, and not after a minute.
    let reset = read_to_frames(&connection, RST_STREAM, 4);
    let room = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff]);
    connection.write_all(&room).unwrap();
    let sent = read_to_frames(&connection, DATA, 4);
    assert!(reset.is_disjoint(&sent), "{reset:?} {sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_files_may_be_open_as_the_system_allows() {
    let host = Host::start(&manifest(""));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", host.pid())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let words: Vec<&str> = line.unwrap().split_whitespace().collect();
    assert_eq!(words[3], words[4], "{words:?}");
}
