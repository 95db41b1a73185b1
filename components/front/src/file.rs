//! Embedded files, served with a validator so that a client downloads each version once.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kit::Word;

use crate::preference::accepts_gzip;

/// The files below `/docs/`.
#[derive(Clone, Copy, Debug, Word)]
pub enum Asset {
    #[word(rename = "page.css")]
    Style,
    #[word(rename = "page.js")]
    Page,
    #[word(rename = "element.js")]
    Element,
    #[word(rename = "operation.js")]
    Operation,
    #[word(rename = "schema.js")]
    Schema,
    #[word(rename = "trial.js")]
    Trial,
    #[word(rename = "icon.svg")]
    Icon,
}

impl Asset {
    pub fn file(self) -> &'static File {
        macro_rules! file {
            ($media_type:expr, $name:literal) => {{
                static FILE: File =
                    File::new($media_type, include_bytes!(concat!("pages/", $name)));
                &FILE
            }};
        }
        match self {
            Self::Style => file!(CSS, "page.css"),
            Self::Page => file!(JAVASCRIPT, "page.js"),
            Self::Element => file!(JAVASCRIPT, "element.js"),
            Self::Operation => file!(JAVASCRIPT, "operation.js"),
            Self::Schema => file!(JAVASCRIPT, "schema.js"),
            Self::Trial => file!(JAVASCRIPT, "trial.js"),
            Self::Icon => file!("image/svg+xml", "icon.svg"),
        }
    }
}

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
pub const HTML: &str = "text/html; charset=utf-8";

/// The page that shows the API description.
pub static DOCS: File = File::new(HTML, include_bytes!("pages/docs.html"));

const JSON: &str = "application/json";
static DESCRIPTION: File = File::new(
    JSON,
    include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json")),
)
.kept_for("public, max-age=300");
static DESCRIPTION_GZIP: File = File::new(
    JSON,
    include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz")),
)
.kept_for("public, max-age=300");

/// The events that functions tell each other of.
pub static EVENTS: File =
    File::new(JSON, include_bytes!("../../../docs/events.json")).kept_for("public, max-age=300");

/// The API description, compressed for clients that accept it.
pub fn description(headers: &HeaderMap) -> Response {
    let is_gzip = accepts_gzip(headers);
    let file = if is_gzip {
        &DESCRIPTION_GZIP
    } else {
        &DESCRIPTION
    };
    let mut response = file.answer(headers);
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if is_gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Bytes that never change while the component runs.
pub struct File {
    media_type: &'static str,
    bytes: &'static [u8],
    cache_control: &'static str,
    tag: OnceLock<String>,
}

impl File {
    /// A browser asks each time whether its copy is current: files of two versions never mix on a page.
    const fn new(media_type: &'static str, bytes: &'static [u8]) -> Self {
        Self {
            media_type,
            bytes,
            cache_control: "no-cache",
            tag: OnceLock::new(),
        }
    }

    const fn kept_for(mut self, cache_control: &'static str) -> Self {
        self.cache_control = cache_control;
        self
    }

    /// The file, or 304 when the client has this version.
    pub fn answer(&'static self, headers: &HeaderMap) -> Response {
        let tag = self.tag.get_or_init(|| tag_of(self.bytes));
        let validators = [
            (header::ETAG, tag.as_str()),
            (header::CACHE_CONTROL, self.cache_control),
        ];
        if is_current(headers, tag) {
            return (StatusCode::NOT_MODIFIED, validators).into_response();
        }
        let media_type = [
            (header::CONTENT_TYPE, self.media_type),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (validators, media_type, self.bytes).into_response()
    }
}

/// A strong entity tag. Every copy of a build makes the same.
fn tag_of(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// Whether `If-None-Match` names this version (RFC 9110, 13.1.2: compared weakly).
fn is_current(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .map(str::trim)
        .any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == tag)
}

/// A page runs our own scripts and styles alone, in no frame. `blob:` shows images that an operation
/// answered.
pub const PAGE_HEADERS: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];
