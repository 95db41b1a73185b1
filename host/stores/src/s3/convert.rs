//! Conversions between the types of the library `s3s` and those of `Objects`.

use std::ops::Range as Bytes;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Result};

use super::listing::{MAX_PAGE, Page, Query};
use super::records::{Body, Object as Stored, timestamp};

pub(super) fn etag(object: &Stored) -> ETag {
    ETag::Strong(object.etag.clone())
}

pub(super) fn checksum_type(object: &Stored) -> Option<ChecksumType> {
    (!object.digests.is_empty()).then(|| type_of_checksum(object.composite))
}

pub(super) fn type_of_checksum(composite: bool) -> ChecksumType {
    ChecksumType::from_static(if composite {
        ChecksumType::COMPOSITE
    } else {
        ChecksumType::FULL_OBJECT
    })
}

pub(super) fn find_source(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket {
            bucket,
            key,
            version_id: None,
        } => Ok((bucket, key)),
        _ => Err(S3ErrorCode::NotImplemented.into()),
    }
}

/// The requested bytes: a range, a part by its number, or all.
pub(super) fn requested_range(
    object: &Stored,
    range: Option<&Range>,
    part: Option<i32>,
) -> S3Result<Bytes<u64>> {
    match (range, part) {
        (Some(_), Some(_)) => Err(S3ErrorCode::InvalidRequest.into()),
        (Some(range), None) => Ok(range.check(object.size)?),
        (None, Some(part)) => part_bytes(object, part),
        (None, None) => Ok(0..object.size),
    }
}

fn part_bytes(object: &Stored, part: i32) -> S3Result<Bytes<u64>> {
    let index = usize::try_from(part)
        .ok()
        .and_then(|part| part.checked_sub(1))
        .ok_or(S3ErrorCode::InvalidArgument)?;
    match &object.body {
        Body::Files(pieces) => {
            let begin = pieces.iter().take(index).map(|piece| piece.size).sum();
            let piece = pieces.get(index).ok_or(S3ErrorCode::InvalidRange)?;
            Ok(begin..begin + piece.size)
        }
        Body::Small | Body::File(_) if index == 0 => Ok(0..object.size),
        Body::Small | Body::File(_) => Err(S3ErrorCode::InvalidRange.into()),
    }
}

pub(super) fn parts_count(object: &Stored) -> Option<i32> {
    match &object.body {
        Body::Files(pieces) => Some(number(pieces.len())),
        Body::Small | Body::File(_) => None,
    }
}

pub(super) fn content_range(range: &Bytes<u64>, size: u64) -> String {
    format!(
        "bytes {}-{}/{size}",
        range.start,
        range.end.saturating_sub(1)
    )
}

pub(super) fn query(
    bucket: &str,
    prefix: &Option<String>,
    delimiter: &Option<String>,
    after: String,
    max_keys: Option<i32>,
) -> S3Result<Query> {
    Ok(Query {
        bucket: bucket.to_owned(),
        prefix: prefix.clone().unwrap_or_default(),
        delimiter: delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
        after,
        limit: page_limit(max_keys)?,
    })
}

pub(super) fn page_limit(wanted: Option<i32>) -> S3Result<usize> {
    match wanted.map(usize::try_from) {
        None => Ok(MAX_PAGE),
        Some(Ok(wanted)) => Ok(wanted.min(MAX_PAGE)),
        Some(Err(_)) => Err(S3ErrorCode::InvalidArgument.into()),
    }
}

/// The key in a continuation token. Tokens are Base64, because a key may contain characters that XML
/// cannot.
pub(super) fn decode_token(token: &str) -> S3Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| S3ErrorCode::InvalidArgument.into())
}

/// The function that encodes the keys of a list: percent-encoding if requested, for keys with
/// characters that XML cannot contain.
pub(super) fn key_encoding(wanted: &Option<EncodingType>) -> fn(String) -> String {
    match wanted {
        Some(encoding) if encoding.as_str() == EncodingType::URL => percent_encode,
        _ => |key| key,
    }
}

fn percent_encode(key: String) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

pub(super) fn contents(page: Page, encode: fn(String) -> String) -> Vec<Object> {
    let object = |(key, object): (String, Stored)| Object {
        key: Some(encode(key)),
        size: Some(signed(object.size)),
        e_tag: Some(etag(&object)),
        last_modified: Some(timestamp(object.modified_ms)),
        checksum_type: checksum_type(&object),
        ..Default::default()
    };
    page.objects.into_iter().map(object).collect()
}

pub(super) fn common_prefixes(page: &Page, encode: fn(String) -> String) -> Vec<CommonPrefix> {
    page.prefixes
        .iter()
        .map(|prefix| CommonPrefix {
            prefix: Some(encode(prefix.clone())),
        })
        .collect()
}

/// The library has signed integers for sizes and counts.
pub(super) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

pub(super) fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) fn part_number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A part number; zero, which is not a valid one, for a negative number.
pub(super) fn unsigned(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}
