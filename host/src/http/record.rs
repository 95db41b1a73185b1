//! The record of a request: one line of the access log, and metrics.

use std::fmt;
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
    /// Bytes of the path that are logged; what follows is a secret.
    pub logged_length: usize,
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
            Logged(self.uri.path(), self.logged_length),
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

/// The beginning of a path, and a mark where more was.
struct Logged<'a>(&'a str, usize);

impl fmt::Display for Logged<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(path, length) = *self;
        match path.get(..length) {
            Some(beginning) if length < path.len() => write!(out, "{beginning}***"),
            _ => out.write_str(path),
        }
    }
}

/// Bytes of a path that are logged: up to the end of the first of the secret paths that it begins with.
pub fn logged_length(path: &str, secret_paths: &[String]) -> usize {
    let hidden = secret_paths.iter().filter(|it| path.starts_with(*it));
    hidden.map(String::len).min().unwrap_or(path.len())
}

fn or_dash(name: &str) -> &str {
    if name.is_empty() { "-" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_secret_path_is_not_logged() {
        let secret_paths = ["/links/".to_owned(), "/a/é/".to_owned()];
        let logged = |path: &str| Logged(path, logged_length(path, &secret_paths)).to_string();
        assert_eq!(logged("/links/s3cret/file"), "/links/***");
        assert_eq!(logged("/links/"), "/links/");
        assert_eq!(logged("/link/s3cret"), "/link/s3cret");
        assert_eq!(logged("/a/é/x"), "/a/é/***");
    }
}
