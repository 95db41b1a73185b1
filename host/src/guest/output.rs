//! What a component prints: whole lines, to its log file as they are, and to the terminal with the
//! component's name and, where one request is served at a time, that request's id.

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

/// A line longer than this is cut, so that a component that never ends its line holds no memory.
const LINE_BYTES: usize = 16 << 10;

/// Where the lines of one component go.
#[derive(Clone)]
pub struct Destination {
    /// Starts every line on the terminal: the component's id.
    pub label: Arc<str>,
    pub file: Sink,
    /// Absent when the terminal is to stay quiet.
    pub terminal: Option<Sink>,
}

impl Destination {
    /// A line from the host itself, meant for the component's author.
    pub fn line(&self, text: &str) {
        Output::new(self.clone()).write(text.as_bytes());
    }
}

/// One instance's standard output or standard error. Clones write the same stream.
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

    /// Lines from here on belong to this request; to none if it is empty.
    pub fn belongs_to(&self, request_id: &str) {
        let mut line = self.lock();
        if !line.begun.is_empty() {
            // Whoever served before it did not end its last line.
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
            } else if line.begun.len() > LINE_BYTES {
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
            line.extend_from_slice(&self.begun);
            terminal.append(&line);
        }
        self.begun.clear();
    }
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
        Ok(LINE_BYTES)
    }
}
