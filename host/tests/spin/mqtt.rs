//! Publishing over MQTT in both interfaces.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use super::*;

/// A broker that accepts every client and acknowledges messages; it passes on their packets.
fn start_broker() -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (messages, received) = mpsc::channel();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let messages = messages.clone();
            thread::spawn(move || serve(stream, &messages));
        }
    });
    (address, received)
}

fn serve(mut stream: TcpStream, messages: &Sender<Vec<u8>>) -> Option<()> {
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head).ok()?;
        let mut body = vec![0; head[1].into()];
        stream.read_exact(&mut body).ok()?;
        match head[0] {
            0x10 => stream.write_all(&[0x20, 2, 0, 0]).ok()?,
            0x32 => stream.write_all(&[0x40, 2, body[6], body[7]]).ok()?,
            _ => {}
        }
        if head[0] & 0xf0 == 0x30 {
            messages.send([&head[..1], &body].concat()).ok()?;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_a_granted_broker() {
    let (address, messages) = start_broker();
    let host = start(&format!("allowed_outbound_hosts = [\"mqtt://{address}\"]"));
    for (path, packet) in [
        ("mqtt", &b"\x32\0\x04news\0\x01hello"[..]),
        ("mqtt-v2", b"\x30\0\x04newshello"),
    ] {
        let answer = host
            .get(&format!("/{path}?mqtt://{address}?client_id=c"))
            .await;
        assert_answer(&answer, 200, &[], "published");
        let message = messages.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(message, packet);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_granted_is_denied() {
    let (address, messages) = start_broker();
    let host = start("allowed_outbound_hosts = [\"mqtt://127.0.0.1:1\"]");
    let url = format!("mqtt://{address}?client_id=c");
    let denied = format!("Error::ConnectionFailed(\"address {url} is not permitted\")");
    for path in ["mqtt", "mqtt-v2"] {
        let answer = host.get(&format!("/{path}?{url}")).await;
        assert_answer(&answer, 502, &[], &denied);
    }
    assert!(messages.try_recv().is_err());
}
