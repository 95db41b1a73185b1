//! The packets of MQTT 3.1.1 that a publisher needs (OASIS standard, sections 3.1 to 3.7).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::bindings::spin::mqtt::mqtt::Qos;

/// The largest length that a packet can declare.
const MAX_PACKET_BYTES: usize = 268_435_455;

/// The longest packet that a publisher accepts: acknowledgements have two to four bytes.
const MAX_REPLY_BYTES: usize = 64;

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;

pub struct Login {
    pub client_id: String,
    /// Empty for none.
    pub username: String,
    pub password: String,
    /// Seconds; 0 for none.
    pub keep_alive: u16,
}

pub struct Message<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub qos: Qos,
    pub packet_id: u16,
}

impl Message<'_> {
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        if self.topic.is_empty() || self.topic.contains(['+', '#', '\0']) {
            return Err(format!("{:?} is not the name of a topic", self.topic));
        }
        let mut body = Vec::with_capacity(self.topic.len() + self.payload.len() + 4);
        put_text(&mut body, self.topic)?;
        let level = match self.qos {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => 1,
            Qos::ExactlyOnce => 2,
        };
        if level > 0 {
            body.extend(self.packet_id.to_be_bytes());
        }
        body.extend_from_slice(self.payload);
        packet(PUBLISH | (level << 1), &body)
    }
}

/// Sends a message and waits for its acknowledgement.
pub async fn publish(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    packet: &[u8],
    message: &Message<'_>,
) -> io::Result<()> {
    stream.write_all(packet).await?;
    stream.flush().await?;
    match message.qos {
        Qos::AtMostOnce => Ok(()),
        Qos::AtLeastOnce => expect_acknowledgement(stream, PUBACK, message.packet_id).await,
        Qos::ExactlyOnce => {
            expect_acknowledgement(stream, PUBREC, message.packet_id).await?;
            let [high, low] = message.packet_id.to_be_bytes();
            stream.write_all(&[PUBREL, 2, high, low]).await?;
            stream.flush().await?;
            expect_acknowledgement(stream, PUBCOMP, message.packet_id).await
        }
    }
}

pub async fn log_in(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    login: &Login,
) -> io::Result<()> {
    let packet = encode_login(login).map_err(io::Error::other)?;
    stream.write_all(&packet).await?;
    stream.flush().await?;
    let (kind, body) = read_packet(stream).await?;
    match (kind, &*body) {
        (CONNACK, [_, 0]) => Ok(()),
        (CONNACK, [_, code]) => Err(io::Error::other(match code {
            1 => "the broker does not speak MQTT 3.1.1",
            2 => "the broker refused the client id",
            3 => "the broker is not available",
            4 => "the broker refused the user name or password",
            5 => "the broker does not admit this client",
            _ => "the broker refused the connection",
        })),
        _ => Err(unexpected()),
    }
}

fn encode_login(login: &Login) -> Result<Vec<u8>, String> {
    let has_username = !login.username.is_empty();
    let has_password = has_username && !login.password.is_empty();
    // The lowest flag asks for a session without a past: a publisher has no subscriptions.
    let flags = 0x02 | (u8::from(has_username) << 7) | (u8::from(has_password) << 6);
    let mut body = Vec::new();
    put_text(&mut body, "MQTT")?;
    body.extend([4, flags]);
    body.extend(login.keep_alive.to_be_bytes());
    put_text(&mut body, &login.client_id)?;
    if has_username {
        put_text(&mut body, &login.username)?;
    }
    if has_password {
        put_text(&mut body, &login.password)?;
    }
    packet(CONNECT, &body)
}

async fn expect_acknowledgement(
    stream: &mut (impl AsyncRead + Unpin),
    kind: u8,
    packet_id: u16,
) -> io::Result<()> {
    let (got, body) = read_packet(stream).await?;
    if got == kind && *body == packet_id.to_be_bytes() {
        Ok(())
    } else {
        Err(unexpected())
    }
}

fn unexpected() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the broker sent an unexpected packet",
    )
}

/// The type of a packet, with its flags, and its body.
async fn read_packet(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await?;
    let mut length = 0_usize;
    for shift in [0, 7, 14, 21] {
        let byte = stream.read_u8().await?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    if length > MAX_REPLY_BYTES {
        return Err(unexpected());
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok((kind, body))
}

fn packet(kind: u8, body: &[u8]) -> Result<Vec<u8>, String> {
    if body.len() > MAX_PACKET_BYTES {
        return Err("the message is too long".to_owned());
    }
    let mut packet = Vec::with_capacity(body.len() + 5);
    packet.push(kind);
    let mut length = body.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        packet.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    Ok(packet)
}

fn put_text(to: &mut Vec<u8>, text: &str) -> Result<(), String> {
    let length = u16::try_from(text.len()).map_err(|_| "a text is too long".to_owned())?;
    to.extend(length.to_be_bytes());
    to.extend_from_slice(text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_packet_takes_one_to_four_bytes() {
        for (length, encoded) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
        ] {
            let packet = packet(0, &vec![0; length]).unwrap();
            assert_eq!(&packet[1..=encoded.len()], encoded, "{length}");
            assert_eq!(packet.len(), 1 + encoded.len() + length);
        }
    }

    #[test]
    fn a_topic_names_one_topic() {
        for topic in ["", "a/+", "#", "a\0"] {
            let message = Message {
                topic,
                payload: b"",
                qos: Qos::AtMostOnce,
                packet_id: 1,
            };
            assert!(message.encode().is_err(), "{topic:?}");
        }
    }
}
