//! The stored types: objects, uploads and parts. They are stored as JSON, so that a newer host can
//! read an older file.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::Timestamp;
use serde::{Deserialize, Serialize};

use super::digests::Digests;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) modified_ms: u64,
    pub(crate) attributes: Attributes,
    pub(crate) digests: Digests,
    /// Whether the digests are composite: digests of the parts' digests, not of the content.
    pub(crate) composite: bool,
    pub(crate) body: Body,
}

/// The place of the content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Body {
    /// In the index.
    Small,
    File(String),
    /// Several files in this order, from a multipart upload.
    Files(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub(crate) file: String,
    pub(crate) size: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) begun_ms: u64,
    pub(crate) attributes: Attributes,
    pub(crate) algorithm: Option<super::digests::Algorithm>,
    pub(crate) composite: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) modified_ms: u64,
    pub(crate) digests: Digests,
    pub(crate) file: String,
}

/// Headers that the client stores with an object.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Takes the attributes from the input of an operation. A macro, because the inputs have the same
/// fields but no common type.
macro_rules! attributes {
    ($input:expr) => {
        $crate::s3::records::Attributes {
            content_type: $input.content_type.take(),
            content_encoding: $crate::s3::records::content_encoding($input.content_encoding.take()),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
            cache_control: $input.cache_control.take(),
            metadata: $input
                .metadata
                .take()
                .unwrap_or_default()
                .into_iter()
                .collect(),
        }
    };
}
pub(crate) use attributes;

/// The encodings without `aws-chunked`, which is an encoding of the transfer only.
pub(crate) fn content_encoding(encoding: Option<String>) -> Option<String> {
    let encoding = encoding?;
    let stored = encoding
        .split(',')
        .map(str::trim)
        .filter(|one| *one != "aws-chunked" && !one.is_empty());
    let stored: Vec<_> = stored.collect();
    (!stored.is_empty()).then(|| stored.join(","))
}

impl Attributes {
    /// The content type, by default the one of S3.
    pub(crate) fn content_type(&self) -> String {
        self.content_type
            .clone()
            .unwrap_or_else(|| "binary/octet-stream".to_owned())
    }

    pub(crate) fn metadata(&self) -> Option<HashMap<String, String>> {
        (!self.metadata.is_empty()).then(|| self.metadata.clone().into_iter().collect())
    }
}

impl Body {
    /// The files in order; none for a small body.
    pub(crate) fn pieces(&self, size: u64) -> Vec<Piece> {
        match self {
            Self::Small => Vec::new(),
            Self::File(file) => vec![Piece {
                file: file.clone(),
                size,
            }],
            Self::Files(pieces) => pieces.clone(),
        }
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn timestamp(ms: u64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_millis(ms))
}
