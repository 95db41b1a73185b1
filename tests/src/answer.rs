//! An answer, and the checks that hold for every answer of the platform.

use std::time::Duration;

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::Value;

#[derive(Debug)]
pub struct Answer {
    /// Method and path, for messages.
    pub(crate) asked: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) took: Duration,
}

/// A `Set-Cookie`, taken apart.
#[derive(Debug)]
pub struct Cookie {
    pub value: String,
    /// As sent, in lower case: `httponly`, `max-age=60` …
    pub attributes: Vec<String>,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.status
    }

    pub fn took(&self) -> Duration {
        self.took
    }

    /// Whether the request was refused because too many passwords are being hashed or too many requests served, by the
    /// function itself or by signin behind it. Refusals of older dialects have a text and no code.
    pub(crate) fn is_busy(&self) -> bool {
        let signs = [
            r#""code":"busy""#,
            r#""code":"accounts-unavailable""#,
            "Too many people sign in at this moment",
        ];
        [429, 503].contains(&self.status) && signs.iter().any(|it| self.text().contains(it))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|it| it.to_str().expect("a header of text"))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{self}\nis not JSON: {error}"),
        }
    }

    /// Panics, showing everything, unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert!(self.status == status, "expected {status}, got {self}");
        self
    }

    /// The problem document of a refusal. Panics unless it is as the contract demands: problem+json, with the request
    /// id, and without internals of the platform.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Value {
        assert!(self.status == status, "expected {status}, got {self}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self}"
        );
        let problem = self.json();
        for member in ["type", "title", "code", "request_id"] {
            assert!(problem[member].is_string(), "no `{member}` in {self}");
        }
        assert_eq!(problem["status"], status, "{self}");
        assert_eq!(
            problem["request_id"].as_str(),
            self.header("x-request-id"),
            "{self}"
        );
        // The request id is the client's word.
        let id = problem["request_id"].as_str().unwrap_or_default();
        let text = self.text().replace(id, "").to_lowercase();
        for inner in [
            "select ", "insert ", "sqlstate", "postgres", "panicked", ".rs:", "wasm", "/src/",
        ] {
            assert!(!text.contains(inner), "`{inner}` in {self}");
        }
        problem
    }

    /// The cookie it sets under this name.
    pub fn cookie(&self, name: &str) -> Option<Cookie> {
        let set = self
            .headers
            .get_all("set-cookie")
            .iter()
            .filter_map(|it| it.to_str().ok());
        set.filter_map(|cookie| {
            let mut parts = cookie.split(';').map(str::trim);
            let (given, value) = parts.next()?.split_once('=')?;
            (given == name).then(|| Cookie {
                value: value.to_owned(),
                attributes: parts.map(str::to_lowercase).collect(),
            })
        })
        .next()
    }
}

impl Cookie {
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|it| it == attribute)
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} to {}", self.status, self.asked)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        write!(f, "\n{}", self.text())
    }
}
