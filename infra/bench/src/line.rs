//! One connection that asks over HTTP/1.1 and stays open: as little client as possible.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use httparse::{EMPTY_HEADER, Header, Response, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub struct Line {
    stream: TcpStream,
    /// What was read and not yet used up.
    read: Vec<u8>,
}

/// More than any answer here.
const LONGEST: usize = 1 << 20;

/// Where in `read` an answer's body is, and where the answer ends.
struct Answer {
    status: u16,
    body: std::ops::Range<usize>,
    end: usize,
}

impl Line {
    pub async fn to(at: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(at).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            read: Vec::with_capacity(16 << 10),
        })
    }

    /// Sends a whole request and waits for the whole answer. Any status but 2xx is an error: a
    /// refusal is quicker than an answer and would look like a good figure.
    pub async fn ask(&mut self, request: &[u8]) -> Result<()> {
        self.answered(request, |_| ()).await
    }

    /// The same, and the body as JSON.
    pub async fn json(&mut self, request: &[u8]) -> Result<serde_json::Value> {
        Ok(self
            .answered(request, |it| serde_json::from_slice(it))
            .await??)
    }

    async fn answered<T>(&mut self, request: &[u8], read: impl FnOnce(&[u8]) -> T) -> Result<T> {
        self.stream.write_all(request).await?;
        let answer = loop {
            if let Some(answer) = answer(&self.read)? {
                break answer;
            }
            ensure!(self.read.len() < LONGEST, "the answer has no end");
            ensure!(
                self.stream.read_buf(&mut self.read).await? > 0,
                "the connection was closed"
            );
        };
        let body = self.read.get(answer.body).unwrap_or_default();
        if !(200..300).contains(&answer.status) {
            let asked = String::from_utf8_lossy(request);
            bail!(
                "{} to\n{asked}\n{}",
                answer.status,
                String::from_utf8_lossy(body)
            );
        }
        let value = read(body);
        self.read.drain(..answer.end);
        Ok(value)
    }
}

/// The answer at the beginning, once all of it is there.
fn answer(read: &[u8]) -> Result<Option<Answer>> {
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
        None if header("transfer-encoding").is_some() => match chunks(read, head)? {
            // A body of one chunk can be read where it is; a longer one only has to end.
            Some((body, end)) => (body, end),
            None => return Ok(None),
        },
        None => (head..head, head),
    };
    Ok((end <= read.len()).then_some(Answer { status, body, end }))
}

/// The first chunk and the end of the last.
fn chunks(read: &[u8], mut at: usize) -> Result<Option<(std::ops::Range<usize>, usize)>> {
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
