//! MQTT against small brokers.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::testing;

/// A packet that the broker received: its type with flags, and its body.
type Packet = (u8, Vec<u8>);

/// A broker that acknowledges everything, and closes its first connection after `packets_before_close` packets.
async fn start_broker(
    packets_before_close: usize,
) -> (SocketAddr, mpsc::UnboundedReceiver<Packet>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, packets) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut limit = packets_before_close;
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, seen.clone(), limit));
            limit = usize::MAX;
        }
    });
    (address, packets)
}

async fn serve(mut stream: TcpStream, seen: mpsc::UnboundedSender<Packet>, limit: usize) {
    for _ in 0..limit {
        let Ok(kind) = stream.read_u8().await else {
            return;
        };
        let length = stream.read_u8().await.unwrap();
        assert!(length < 0x80, "the messages of these tests are short");
        let mut body = vec![0; length.into()];
        stream.read_exact(&mut body).await.unwrap();
        let packet_id = |body: &[u8]| {
            let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
            [body[2 + topic], body[3 + topic]]
        };
        let reply = match kind {
            0x10 => vec![0x20, 2, 0, u8::from(body.ends_with(b"wrong")) * 4],
            0x32 => [&[0x40, 2], &packet_id(&body)[..]].concat(),
            0x34 => [&[0x50, 2], &packet_id(&body)[..]].concat(),
            0x62 => [&[0x70, 2], &body[..]].concat(),
            _ => vec![],
        };
        seen.send((kind, body)).unwrap();
        stream.write_all(&reply).await.unwrap();
    }
}

fn brokers() -> Brokers {
    Brokers::new(testing::allow_all(), Arc::new(RootCertStore::empty()))
}

async fn open(address: SocketAddr, password: &str) -> Result<Connection, Error> {
    let url = format!("mqtt://{address}?client_id=c1");
    let (user, password) = ("user".to_owned(), password.to_owned());
    brokers().open(&url, user, password, 30).await
}

#[tokio::test]
async fn a_message_is_published_with_each_quality_of_service() {
    let (address, mut packets) = start_broker(usize::MAX).await;
    let connection = open(address, "secret").await.unwrap();
    let login = b"\0\x04MQTT\x04\xc2\0\x1e\0\x02c1\0\x04user\0\x06secret".to_vec();
    assert_eq!(packets.recv().await.unwrap(), (0x10, login));
    for (qos, expected) in [
        (Qos::AtMostOnce, vec![(0x30, b"\0\x03a/bhello".to_vec())]),
        (
            Qos::AtLeastOnce,
            vec![(0x32, b"\0\x03a/b\0\x02hello".to_vec())],
        ),
        (
            Qos::ExactlyOnce,
            vec![
                (0x34, b"\0\x03a/b\0\x03hello".to_vec()),
                (0x62, b"\0\x03".to_vec()),
            ],
        ),
    ] {
        connection.publish("a/b", b"hello", qos).await.unwrap();
        for packet in expected {
            assert_eq!(packets.recv().await.unwrap(), packet);
        }
    }
}

#[tokio::test]
async fn a_refused_login_says_why() {
    let (address, _packets) = start_broker(usize::MAX).await;
    let refused = open(address, "wrong").await.err().unwrap();
    assert!(matches!(refused, Error::ConnectionFailed(why) if why.contains("password")));
}

#[tokio::test]
async fn a_lost_connection_is_opened_again_by_the_message_after_the_failed_one() {
    let (address, mut packets) = start_broker(1).await;
    let connection = open(address, "secret").await.unwrap();
    packets.recv().await.unwrap();
    let lost = connection.publish("a", b"1", Qos::AtLeastOnce).await;
    assert!(matches!(lost, Err(Error::Other(_))));
    let sent = connection.publish("a", b"2", Qos::AtLeastOnce).await;
    sent.unwrap();
    assert_eq!(packets.recv().await.unwrap().0, 0x10);
    assert_eq!(packets.recv().await.unwrap().0, 0x32);
}

#[tokio::test]
async fn an_address_must_be_granted_and_have_a_client_id() {
    let denied = Brokers::new(
        Arc::new(Egress::new(
            Default::default(),
            Default::default(),
            Arc::new(|_| ()),
        )),
        Arc::new(RootCertStore::empty()),
    );
    let open = async |address: &str| {
        let opened = denied.open(address, String::new(), String::new(), 0).await;
        opened.err().unwrap()
    };
    let error = open("mqtt://broker:1883?client_id=c").await;
    assert!(
        matches!(error, Error::ConnectionFailed(why) if why == "address mqtt://broker:1883?client_id=c is not permitted")
    );
    for address in [
        "broker",
        "http://broker?client_id=c",
        "mqtt://broker",
        "mqtt://broker?client_id=",
        "mqtt://user:pass@broker?client_id=c",
        "mqtt://?client_id=c",
    ] {
        assert!(
            matches!(open(address).await, Error::InvalidAddress),
            "{address}"
        );
    }
}
