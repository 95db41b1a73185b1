//! The heads of `wharf:http` (`wit/http.wit`): how request and response but for their bodies are written as bytes.

use bytes::{Buf, Bytes};
use http::{Method, StatusCode};

/// The head of a request while it is written.
pub struct Head {
    bytes: Vec<u8>,
    /// Where the number of fields stands.
    count_at: usize,
    count: u16,
}

impl Head {
    pub fn new(is_vouched: bool, method: &Method, uri: &str) -> Self {
        // More than most heads take.
        let mut bytes = Vec::with_capacity(1 << 10);
        bytes.push(is_vouched.into());
        write(&mut bytes, method.as_str().as_bytes());
        write(&mut bytes, uri.as_bytes());
        let count_at = bytes.len();
        bytes.extend([0; 2]);
        Self {
            bytes,
            count_at,
            count: 0,
        }
    }

    pub fn add(&mut self, name: &str, value: &[u8]) {
        write(&mut self.bytes, name.as_bytes());
        write(&mut self.bytes, value);
        self.count += 1;
    }

    pub fn into_bytes(mut self) -> Vec<u8> {
        if let Some(count) = self.bytes.get_mut(self.count_at..self.count_at + 2) {
            count.copy_from_slice(&self.count.to_le_bytes());
        }
        self.bytes
    }
}

/// A text. The host bounds all that it writes far below 4 GiB.
fn write(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text);
}

/// The head of a response: its status and its fields, of which the last one is `None` if the head is malformed.
pub fn read(mut head: Bytes) -> Option<(StatusCode, impl Iterator<Item = Option<(Bytes, Bytes)>>)> {
    let status = head.try_get_u16_le().ok()?;
    let status = StatusCode::from_u16(status).ok()?;
    let fields = std::iter::from_fn(move || {
        head.has_remaining()
            .then(|| Some((read_text(&mut head)?, read_text(&mut head)?)))
    });
    Some((status, fields.fuse()))
}

fn read_text(head: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(head.try_get_u32_le().ok()?).ok()?;
    (length <= head.len()).then(|| head.split_to(length))
}

/// Whether the head of a request has this field.
#[cfg(test)]
pub fn has_field(head: &[u8], name: &str, value: &str) -> bool {
    let mut field = Vec::new();
    write(&mut field, name.as_bytes());
    write(&mut field, value.as_bytes());
    head.windows(field.len()).any(|it| it == field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_the_number_of_its_fields() {
        let mut head = Head::new(true, &Method::GET, "http://h/");
        head.add("a", b"1");
        head.add("a", b"22");
        let written = b"\x01\x03\0\0\0GET\x09\0\0\0http://h/\x02\0\
            \x01\0\0\0a\x01\0\0\x001\x01\0\0\0a\x02\0\0\x0022";
        assert_eq!(head.into_bytes(), written);
    }

    #[test]
    fn the_fields_of_a_response_are_read_up_to_what_is_malformed() {
        let mut head = vec![200, 0];
        write(&mut head, b"name");
        write(&mut head, b"value");
        let field = Some((Bytes::from("name"), Bytes::from("value")));
        for (end, fields) in [
            (&b""[..], vec![field.clone()]),
            (b"\x01\0\0", vec![field.clone(), None]),
            (b"\x02\0\0\0a", vec![field.clone(), None]),
            (b"\0\0\0\0", vec![field, None]),
        ] {
            let head = Bytes::from([&head, end].concat());
            let (status, read) = read(head).unwrap();
            // A malformed head has no end of its own.
            assert_eq!(status, 200);
            assert_eq!(read.take(fields.len()).collect::<Vec<_>>(), fields);
        }
        for malformed in ["", "\x01", "\x01\0"] {
            assert!(read(Bytes::from(malformed)).is_none());
        }
    }
}
