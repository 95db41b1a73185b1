//! The record of a request: one line of the access log, and metrics.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, Method, StatusCode, Uri};
use jiff::Timestamp;

use crate::journal::Sink;
use crate::metrics::RouteMeter;

/// Written when dropped: after the last byte of the response, or when the client has gone.
pub struct Record {
    pub started: Instant,
    pub request_id: HeaderValue,
    pub method: Method,
    /// Logged without its query, which may contain secrets.
    pub uri: Uri,
    pub meter: Arc<RouteMeter>,
    pub status: StatusCode,
    /// `None` with `--quiet`.
    pub log: Option<Sink>,
    pub has_broken_off: bool,
}

impl Record {
    /// The response ended before it was complete.
    pub fn mark_broken_off(&mut self) {
        self.has_broken_off = true;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        self.meter.record(&self.method, self.status, took);
        let Some(log) = &self.log else { return };
        let mut line = Vec::with_capacity(160);
        // Writing to memory cannot fail.
        let _ = writeln!(
            line,
            "{:.3} {} {} {} {} {} {} {:.1}ms{}",
            Timestamp::now(),
            self.request_id.to_str().unwrap_or("-"),
            self.method,
            self.uri.path(),
            or_dash(self.meter.component()),
            or_dash(self.meter.route()),
            self.status.as_u16(),
            took.as_secs_f64() * 1e3,
            if self.has_broken_off {
                " broken off"
            } else {
                ""
            },
        );
        log.append(&line);
    }
}

fn or_dash(name: &str) -> &str {
    if name.is_empty() { "-" } else { name }
}
