//! `wasi:sockets`: connections and datagrams to what is granted, by address or by name, and look-ups.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::thread;

use super::*;

/// Sends five bytes back on every connection.
fn start_tcp_echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut bytes = [0; 5];
            if stream.read_exact(&mut bytes).is_ok() {
                let _ = stream.write_all(&bytes);
            }
        }
    });
    address
}

fn start_udp_echo() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 16];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            let _ = socket.send_to(&bytes[..length], from);
        }
    });
    address
}

fn granting(hosts: &[String]) -> Host {
    start(&format!("allowed_outbound_hosts = {hosts:?}"))
}

/// The answer to a denied use of a socket.
async fn assert_denied(host: &Host, path: &str) {
    let answer = host.get(path).await;
    assert_eq!(answer.status(), 502, "{path}: {}", answer.text());
    assert!(
        answer.text().contains("PermissionDenied"),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_address_is_reached() {
    let (tcp, udp) = (start_tcp_echo(), start_udp_echo());
    let host = granting(&[format!("tcp://{tcp}"), format!("udp://{udp}")]);
    assert_answer(&host.get(&format!("/tcp?{tcp}")).await, 200, &[], "hello");
    assert_answer(&host.get(&format!("/udp?{udp}")).await, 200, &[], "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_network_is_reached() {
    let tcp = start_tcp_echo();
    let host = granting(&[format!("*://127.0.0.0/8:{}", tcp.port())]);
    assert_answer(&host.get(&format!("/tcp?{tcp}")).await, 200, &[], "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_name_is_looked_up_and_reached() {
    let port = start_tcp_echo().port();
    let host = granting(&[format!("tcp://localhost:{port}")]);
    assert_answer(&host.get("/look-up?localhost").await, 200, &[], "true");
    let by_name = host.get(&format!("/tcp?localhost:{port}")).await;
    assert_answer(&by_name, 200, &[], "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_port_or_protocol_is_denied() {
    let tcp = start_tcp_echo();
    let port = tcp.port();
    for granted in [
        format!("tcp://127.0.0.2:{port}"),
        format!("tcp://127.0.0.1:{}", port - 1),
        format!("http://127.0.0.1:{port}"),
        format!("udp://127.0.0.1:{port}"),
        format!("tcp://example.invalid:{port}"),
    ] {
        let host = granting(&[granted]);
        assert_denied(&host, &format!("/tcp?{tcp}")).await;
        assert!(!host.log("grants_stderr.txt").contains("panicked"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_without_a_grant_has_no_network() {
    let (tcp, udp) = (start_tcp_echo(), start_udp_echo());
    let host = start("");
    assert_denied(&host, &format!("/tcp?{tcp}")).await;
    assert_denied(&host, &format!("/udp?{udp}")).await;
    let looked_up = host.get("/look-up?localhost").await;
    assert_eq!(looked_up.status(), 502, "{}", looked_up.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_never_listens() {
    let host = granting(&["*://*:*".to_owned()]);
    assert_denied(&host, "/listen").await;
}
