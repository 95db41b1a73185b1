//! A minimal HTTP/1.1 client over one persistent connection.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use httparse::{EMPTY_HEADER, Header, Response, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub struct Connection {
    stream: TcpStream,
    /// Bytes that were received and not yet consumed.
    read: Vec<u8>,
}

/// More than any response here.
const MAX_RESPONSE_BYTES: usize = 1 << 20;

/// The position of a response in the received bytes.
struct Frame {
    status: u16,
    body: std::ops::Range<usize>,
    end: usize,
}

impl Connection {
    pub async fn open(at: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            read: Vec::with_capacity(16 << 10),
        })
    }

    /// Sends a request and waits for the complete response. A status other than 2xx and 304 is an error: a refusal
    /// is faster than a response and would look like a good result.
    pub async fn send(&mut self, request: &[u8]) -> Result<()> {
        self.exchange(request, |_| ()).await
    }

    /// Like `send`; returns the body as JSON.
    pub async fn send_for_json(&mut self, request: &[u8]) -> Result<serde_json::Value> {
        Ok(self
            .exchange(request, |it| serde_json::from_slice(it))
            .await??)
    }

    async fn exchange<T>(&mut self, request: &[u8], read: impl FnOnce(&[u8]) -> T) -> Result<T> {
        self.stream.write_all(request).await?;
        let frame = loop {
            if let Some(frame) = parse_response(&self.read)? {
                break frame;
            }
            ensure!(
                self.read.len() < MAX_RESPONSE_BYTES,
                "the response is too long"
            );
            ensure!(
                self.stream.read_buf(&mut self.read).await? > 0,
                "the connection was closed"
            );
        };
        let body = self.read.get(frame.body).unwrap_or_default();
        if !(200..300).contains(&frame.status) && frame.status != 304 {
            let sent = String::from_utf8_lossy(request);
            bail!(
                "{} to\n{sent}\n{}",
                frame.status,
                String::from_utf8_lossy(body)
            );
        }
        let value = read(body);
        self.read.drain(..frame.end);
        Ok(value)
    }
}

/// Parses the first response, once it is complete.
fn parse_response(read: &[u8]) -> Result<Option<Frame>> {
    let mut headers = [EMPTY_HEADER; 32];
    let mut response = Response::new(&mut headers);
    let Status::Complete(head) = response.parse(read)? else {
        return Ok(None);
    };
    let status = response.code.context("a status")?;
    let header = |name: &str| {
        let is_it = |it: &&Header<'_>| it.name.eq_ignore_ascii_case(name);
        response
            .headers
            .iter()
            .find(is_it)
            .and_then(|it| std::str::from_utf8(it.value).ok())
    };
    let (body, end) = match header("content-length") {
        Some(length) => {
            let end = head + length.trim().parse::<usize>()?;
            (head..end, end)
        }
        None if header("transfer-encoding").is_some() => match parse_chunks(read, head)? {
            // The body is the first chunk; of a longer body only the end matters.
            Some((body, end)) => (body, end),
            None => return Ok(None),
        },
        None => (head..head, head),
    };
    Ok((end <= read.len()).then_some(Frame { status, body, end }))
}

/// The first chunk, and the end of the last one.
fn parse_chunks(read: &[u8], mut at: usize) -> Result<Option<(std::ops::Range<usize>, usize)>> {
    let mut first = None;
    loop {
        let rest = read.get(at..).unwrap_or_default();
        let Ok(size) = httparse::parse_chunk_size(rest) else {
            bail!("a chunk without a size")
        };
        let Status::Complete((line, length)) = size else {
            return Ok(None);
        };
        let begin = at + line;
        let end = begin + usize::try_from(length)?;
        at = end + 2;
        if at > read.len() {
            return Ok(None);
        }
        let body = first.get_or_insert(begin..end);
        if length == 0 {
            return Ok(Some((body.clone(), at)));
        }
    }
}
