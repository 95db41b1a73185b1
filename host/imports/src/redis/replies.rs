//! Bounds the replies of a server while they arrive. The driver collects a reply in memory before a guest sees any of it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::budget::{Budget, Held};

/// The largest reply that the host buffers for a guest, as in Spin.
const MAX_REPLY_BYTES: usize = 128 * 1024 * 1024;
/// Memory of an element beside its bytes. A list of a million small numbers is a hundred times larger in memory than on the
/// wire.
const ELEMENT_BYTES: usize = 96;
/// A line is a number, a short text or an error. Texts of any length have their length in front.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// A connection that fails when a reply becomes too large, or exceeds the budget of the component.
pub struct BoundedReplies<S> {
    stream: S,
    framing: Framing,
    budget: Budget,
    /// For the reply that is arriving.
    held: Held,
}

impl<S> BoundedReplies<S> {
    pub fn new(stream: S, budget: &Budget) -> Self {
        BoundedReplies {
            stream,
            framing: Framing::default(),
            budget: budget.clone(),
            held: budget.hold(),
        }
    }

    fn take_note(&mut self, arrived: &[u8]) -> io::Result<()> {
        let mut rest = arrived;
        while !rest.is_empty() {
            let used = self.framing.advance(rest)?;
            rest = rest.get(used..).unwrap_or_default();
            if self.framing.is_between_replies() {
                if self.held.bytes() > 0 {
                    self.held = self.budget.hold();
                }
                continue;
            }
            if self.framing.size > MAX_REPLY_BYTES {
                return Err(io::Error::other(format!(
                    "a reply of Redis exceeds {MAX_REPLY_BYTES} bytes"
                )));
            }
            let more = self.framing.size.saturating_sub(self.held.bytes());
            self.held.grow(more).map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// Where in a reply the stream is.
#[derive(Default)]
struct Framing {
    /// Elements of the reply that are still to come; 0 between two replies.
    open_elements: usize,
    /// Bytes of a text that are still to come, its line end included.
    text_bytes: usize,
    /// The line so far.
    line: Vec<u8>,
    /// What the reply takes in memory so far.
    size: usize,
}

impl Framing {
    fn is_between_replies(&self) -> bool {
        self.open_elements == 0 && self.text_bytes == 0 && self.line.is_empty()
    }

    /// Takes bytes up to the end of a line, a text or the reply. Returns how many.
    fn advance(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_between_replies() {
            (self.open_elements, self.size) = (1, 0);
        }
        if self.text_bytes > 0 {
            let taken = self.text_bytes.min(bytes.len());
            self.text_bytes -= taken;
            self.size = self.size.saturating_add(taken);
            if self.text_bytes == 0 {
                self.open_elements -= 1;
            }
            return Ok(taken);
        }
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        self.line.extend(bytes.iter().take(taken));
        self.size = self.size.saturating_add(taken);
        if self.line.len() > MAX_LINE_BYTES {
            return Err(io::Error::other("a line of a Redis reply has no end"));
        }
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            self.end_line(&line)?;
        }
        Ok(taken)
    }

    /// The first byte of a line is the type of the element, a number follows where it has a length.
    fn end_line(&mut self, line: &[u8]) -> io::Result<()> {
        self.size = self.size.saturating_add(ELEMENT_BYTES);
        let kind = line.first().copied().unwrap_or_default();
        let inner = match kind {
            b'$' | b'=' | b'!' => {
                // A missing text has the length -1.
                if let Some(length) = length(line)? {
                    self.text_bytes = length.saturating_add(2);
                    return Ok(());
                }
                0
            }
            b'*' | b'~' | b'>' => length(line)?.unwrap_or(0),
            b'%' => length(line)?.unwrap_or(0).saturating_mul(2),
            // Attributes stand before the element that they describe.
            b'|' => length(line)?
                .unwrap_or(0)
                .saturating_mul(2)
                .saturating_add(1),
            _ => 0,
        };
        self.open_elements = (self.open_elements - 1).saturating_add(inner);
        // The driver makes room for all elements that a list announces.
        self.size = self
            .size
            .saturating_add(inner.saturating_mul(size_of::<redis::Value>()));
        Ok(())
    }
}

fn length(line: &[u8]) -> io::Result<Option<usize>> {
    let digits = line.get(1..).unwrap_or_default().trim_ascii();
    let length = str::from_utf8(digits)
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    let length = length.ok_or_else(|| io::Error::other("a Redis reply has a bad length"))?;
    Ok(usize::try_from(length).ok())
}

impl<S: AsyncRead + Unpin> AsyncRead for BoundedReplies<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let arrived = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(self.take_note(arrived))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for BoundedReplies<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLIES: [&[u8]; 9] = [
        b"+OK\r\n",
        b":-7\r\n",
        b"$5\r\na\r\nbc\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$0\r\n\r\n-ERR no\r\n",
        b"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n",
        b"|1\r\n+ttl\r\n:3\r\n~2\r\n#t\r\n,1.5\r\n",
    ];

    fn bounded() -> (BoundedReplies<tokio::io::Empty>, Budget) {
        let budget = Budget::new(1, 256 << 20, None);
        (BoundedReplies::new(tokio::io::empty(), &budget), budget)
    }

    #[test]
    fn the_end_of_every_reply_is_found_however_it_is_cut() {
        let stream = REPLIES.concat();
        for piece in 1..=stream.len() {
            let (mut bounded, budget) = bounded();
            for bytes in stream.chunks(piece) {
                bounded.take_note(bytes).unwrap();
            }
            assert!(bounded.framing.is_between_replies(), "pieces of {piece}");
            assert_eq!(budget.held_bytes(), 0);
        }
        for reply in REPLIES {
            let (mut bounded, budget) = bounded();
            bounded.take_note(&reply[..reply.len() - 1]).unwrap();
            assert!(!bounded.framing.is_between_replies(), "{reply:?}");
            assert!(budget.held_bytes() >= reply.len() - 1);
        }
    }

    #[test]
    fn a_reply_that_is_too_large_is_refused_while_it_arrives() {
        let (mut bounded, budget) = bounded();
        bounded.take_note(b"*1000\r\n").unwrap();
        let large = vec![b'x'; 1 << 20];
        let failed = (0..1000).find_map(|_| {
            bounded.take_note(b"$1048576\r\n").unwrap();
            bounded.take_note(&large).err().or_else(|| {
                assert!(budget.held_bytes() <= MAX_REPLY_BYTES);
                bounded.take_note(b"\r\n").err()
            })
        });
        assert!(failed.unwrap().to_string().contains("exceeds"));
    }

    #[test]
    fn a_list_is_refused_for_the_elements_that_it_announces() {
        let (mut bounded, _) = bounded();
        assert!(bounded.take_note(b"*2000000000\r\n").is_err());
    }

    #[test]
    fn replies_that_are_no_replies_are_refused() {
        for bytes in [&b"$x\r\n"[..], &[b'+'; MAX_LINE_BYTES + 1]] {
            let (mut bounded, _) = bounded();
            assert!(bounded.take_note(bytes).is_err());
        }
    }
}
