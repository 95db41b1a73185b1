//! Standard output and error of a component: whole lines, unchanged to its log file, and to the terminal with the
//! component's id and, where one request is served at a time, the request id.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::journal::Sink;

/// Longer lines are split, which bounds the memory of an unfinished line.
const MAX_LINE_BYTES: usize = 16 << 10;

/// The targets for the lines of one component.
#[derive(Clone)]
pub struct Destination {
    /// Starts every line on the terminal: the component's id.
    pub label: Arc<str>,
    pub file: Sink,
    /// `None` with `--quiet`.
    pub terminal: Option<Sink>,
}

impl Destination {
    /// Writes a line of the host itself, for the author of the component.
    pub fn write_line(&self, text: &str) {
        Output::new(self.clone()).write(text.as_bytes());
    }
}

/// Standard output or error of one instance. Clones write to the same stream.
#[derive(Clone)]
pub struct Output(Arc<Mutex<Line>>);

struct Line {
    begun: Vec<u8>,
    request_id: String,
    to: Destination,
}

impl Output {
    pub fn new(to: Destination) -> Self {
        Self(Arc::new(Mutex::new(Line {
            begun: Vec::new(),
            request_id: String::new(),
            to,
        })))
    }

    /// Labels lines from here on with this request; empty for none.
    pub fn set_request_id(&self, request_id: &str) {
        let mut line = self.lock();
        if !line.begun.is_empty() {
            // The previous request left an unfinished line.
            line.begun.push(b'\n');
            line.emit();
        }
        line.request_id.clear();
        line.request_id.push_str(request_id);
    }

    pub fn request_id(&self) -> String {
        self.lock().request_id.clone()
    }

    fn write(&self, bytes: &[u8]) {
        let mut line = self.lock();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            line.begun.extend_from_slice(part);
            if part.ends_with(b"\n") {
                line.emit();
            } else if line.begun.len() > MAX_LINE_BYTES {
                line.begun.push(b'\n');
                line.emit();
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn emit(&mut self) {
        self.to.file.append(&self.begun);
        if let Some(terminal) = &self.to.terminal {
            let mut line = Vec::with_capacity(self.begun.len() + 64);
            line.extend_from_slice(self.to.label.as_bytes());
            if !self.request_id.is_empty() {
                line.push(b' ');
                line.extend_from_slice(self.request_id.as_bytes());
            }
            line.extend_from_slice(b" | ");
            push_printable(&mut line, &self.begun);
            terminal.append(&line);
        }
        self.begun.clear();
    }
}

/// Copies a line without what would control the terminal: a component must not move the cursor over the lines of others,
/// hide text or answer for the user. The log file has the line unchanged.
fn push_printable(to: &mut Vec<u8>, line: &[u8]) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    for chunk in line.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() && character != '\t' {
                to.extend(character.escape_default().map(|escaped| escaped as u8));
            } else {
                let mut bytes = [0; 4];
                to.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
            }
        }
        for byte in chunk.invalid() {
            to.extend(byte.escape_ascii());
        }
    }
    to.push(b'\n');
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.begun.is_empty() {
            self.begun.push(b'\n');
            self.emit();
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        Output::write(self, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_LINE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controls_a_terminal_is_shown_instead() {
        for (line, shown) in [
            ("plain\ttext é\n".as_bytes(), "plain\ttext é\n"),
            (b"windows\r\n", "windows\n"),
            (b"over\rwritten\n", "over\\rwritten\n"),
            (b"\x1b[2Jred\n", "\\u{1b}[2Jred\n"),
            ("c1 \u{9b}2J\n".as_bytes(), "c1 \\u{9b}2J\n"),
            (b"\xff\n", "\\xff\n"),
        ] {
            let mut printed = Vec::new();
            push_printable(&mut printed, line);
            assert_eq!(String::from_utf8(printed).unwrap(), shown);
        }
    }
}
