//! Objects in S3: presigned addresses for clients, and the few operations that a function makes itself.
//!
//! File bytes do not pass through a function on their way to a client: the client gets an address that is valid for
//! a moment and speaks to S3. A function reads an object only to verify it ([`S3::read`]).
//!
//! Every upload is an S3 multipart upload, a small file is one of one part. Its addresses write parts, never the
//! object: the object begins to exist when [`S3::complete_upload`] is called here, and from then on no address that a
//! client holds can change it. [`S3::list_parts`] knows what has arrived, so clients resume without bookkeeping.
//!
//! Keys of objects are made by components and never by callers: letters, digits, `-` and `/`.
//!
//! A component needs the variables `s3_endpoint`, `s3_public_endpoint` (empty: the same), `s3_region`, `s3_style`
//! (`path` or `host`), `s3_bucket`, `s3_access_key`, `s3_secret_key`, and `s3_endpoint` among its
//! `allowed_outbound_hosts`. Its key reaches the prefix in `s3_keys` of `spin.toml`: its objects stay below that.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use rusty_s3::actions::{
    CompleteMultipartUpload, CompleteMultipartUploadResponse, CreateMultipartUpload, ListObjectsV2,
    ListParts, S3Action,
};
use rusty_s3::{Bucket, Credentials, UrlStyle};
use spin_sdk::http::{FullBody, Response, send as send_out};
use spin_sdk::wasip3::http::types::ErrorCode;

use crate::setting::{Unset, setting};
use crate::web::Problem;
use crate::web::outbound::{Failed, failed, within};

/// How long an address is valid that is used at once, by this function.
const OWN_ADDRESS: Duration = Duration::from_secs(60);
/// How long S3 may take to begin its answer, and then for each further piece of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// To complete an upload S3 may have to copy every part.
const COMPLETION_PATIENCE: Duration = Duration::from_secs(45);
/// Bytes of an answer that is XML: 1000 parts or keys need a quarter of it.
const MAX_XML: usize = 1024 * 1024;

/// Parts that one upload may have: what one answer of [`S3::list_parts`] can hold.
pub const MAX_PARTS: u16 = 1000;

/// One bucket, as this component and as clients reach it.
pub struct S3 {
    inside: Bucket,
    outside: Bucket,
    key: Credentials,
}

#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    #[error(transparent)]
    Setting(#[from] Unset),
    #[error("the setting `{0}` does not fit")]
    Misconfigured(&'static str),
    #[error("S3 did not answer to {0}: {1}")]
    Unreachable(&'static str, Failed),
    #[error("S3 answered {1} to {0}: {2}")]
    Refused(&'static str, StatusCode, String),
    #[error("the answer of S3 to {0} cannot be read")]
    Unreadable(&'static str),
}

impl S3Error {
    /// Whether what was asked for is not there: no such object, no such upload.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Refused(_, StatusCode::NOT_FOUND, _))
    }
}

impl From<S3Error> for Problem {
    fn from(error: S3Error) -> Self {
        match &error {
            S3Error::Unreachable(..) => Self::unavailable(&error),
            S3Error::Refused(_, status, _) if status.is_server_error() => Self::unavailable(&error),
            _ => Self::internal(&error),
        }
    }
}

/// An object as S3 describes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    pub size: u64,
    /// Changes with the content.
    pub etag: String,
    /// RFC 3339; absent where it was not asked for.
    pub modified_at: Option<Timestamp>,
}

/// A part of an upload that S3 has.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// From 1.
    pub number: u16,
    pub size: u64,
    pub etag: String,
}

/// What a client is to call a downloaded object.
#[derive(Clone, Copy)]
pub struct SavedAs<'a> {
    pub name: &'a str,
    pub media_type: &'a str,
}

impl S3 {
    pub async fn open() -> Result<Self, S3Error> {
        let style = match setting("s3_style").await? {
            "path" => UrlStyle::Path,
            "host" => UrlStyle::VirtualHost,
            _ => return Err(S3Error::Misconfigured("s3_style")),
        };
        let region = setting("s3_region").await?;
        let name = setting("s3_bucket").await?;
        let bucket = |endpoint: &str, variable| {
            let endpoint = endpoint
                .parse()
                .map_err(|_| S3Error::Misconfigured(variable))?;
            Bucket::new(endpoint, style, name, region).map_err(|_| S3Error::Misconfigured(variable))
        };
        let inside = bucket(setting("s3_endpoint").await?, "s3_endpoint")?;
        let outside = match setting("s3_public_endpoint").await? {
            "" => inside.clone(),
            public => bucket(public, "s3_public_endpoint")?,
        };
        let key = Credentials::new(
            setting("s3_access_key").await?,
            setting("s3_secret_key").await?,
        );
        Ok(Self {
            inside,
            outside,
            key,
        })
    }

    // Addresses for clients.

    /// Where a client downloads an object, with Range and conditional requests as S3 has them.
    pub fn download_address(
        &self,
        key: &str,
        saved_as: SavedAs<'_>,
        valid_for: Duration,
    ) -> String {
        let mut action = self.outside.get_object(Some(&self.key), key);
        let query = action.query_mut();
        query.insert(
            "response-content-disposition",
            content_disposition(saved_as.name),
        );
        query.insert("response-content-type", saved_as.media_type);
        query.insert("response-cache-control", "private, max-age=60");
        action.sign(valid_for).into()
    }

    /// Where a client asks for the head of an object.
    pub fn head_address(&self, key: &str, valid_for: Duration) -> String {
        let action = self.outside.head_object(Some(&self.key), key);
        action.sign(valid_for).into()
    }

    /// Where a client puts a part of an upload. The length is signed: S3 takes exactly so many bytes.
    pub fn part_address(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        size: u64,
        valid_for: Duration,
    ) -> String {
        let mut action = self
            .outside
            .upload_part(Some(&self.key), key, number, upload);
        action
            .headers_mut()
            .insert("content-length", size.to_string());
        action.sign(valid_for).into()
    }

    // What the function does itself.

    /// Begins an upload and answers its id.
    pub async fn create_upload(&self, key: &str) -> Result<String, S3Error> {
        const OPERATION: &str = "CreateMultipartUpload";
        let action = self.inside.create_multipart_upload(Some(&self.key), key);
        let text = self
            .ask(OPERATION, Method::POST, &action, String::new(), PATIENCE)
            .await?;
        let created = CreateMultipartUpload::parse_response(&text);
        let created = created.map_err(|_| S3Error::Unreadable(OPERATION))?;
        Ok(created.upload_id().to_owned())
    }

    /// Puts a part that this function made itself.
    pub async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: u16,
        bytes: Bytes,
    ) -> Result<(), S3Error> {
        let action = self
            .inside
            .upload_part(Some(&self.key), key, number, upload);
        let request = Request::put(action.sign(OWN_ADDRESS).as_str())
            .header(header::CONTENT_LENGTH, bytes.len())
            .body(bytes);
        open("UploadPart", request, COMPLETION_PATIENCE)
            .await
            .map(drop)
    }

    /// The parts of an upload that have arrived, by their numbers.
    pub async fn list_parts(&self, key: &str, upload: &str) -> Result<Vec<Part>, S3Error> {
        const OPERATION: &str = "ListParts";
        let mut action = self.inside.list_parts(Some(&self.key), key, upload);
        action.set_max_parts(MAX_PARTS);
        let text = self
            .ask(OPERATION, Method::GET, &action, String::new(), PATIENCE)
            .await?;
        let listed =
            ListParts::parse_response(&text).map_err(|_| S3Error::Unreadable(OPERATION))?;
        let parts = listed.parts.into_iter().map(|it| Part {
            number: it.number,
            size: it.size,
            etag: it.etag,
        });
        Ok(parts.collect())
    }

    /// Makes the object of all parts, which are numbered without a gap from 1. The upload ends with it.
    pub async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[Part],
    ) -> Result<(), S3Error> {
        const OPERATION: &str = "CompleteMultipartUpload";
        let etags = parts.iter().map(|it| it.etag.as_str());
        let action =
            CompleteMultipartUpload::new(&self.inside, Some(&self.key), key, upload, etags);
        let body = action.clone().body();
        let text = self
            .ask(OPERATION, Method::POST, &action, body, COMPLETION_PATIENCE)
            .await?;
        // S3 may answer 200 before it knows that it fails.
        CompleteMultipartUploadResponse::parse(&text)
            .map(drop)
            .map_err(|_| S3Error::Unreadable(OPERATION))
    }

    /// Drops an upload and its parts. One that is not there is fine.
    pub async fn abort_upload(&self, key: &str, upload: &str) -> Result<(), S3Error> {
        let action = self
            .inside
            .abort_multipart_upload(Some(&self.key), key, upload);
        let aborted = self
            .ask(
                "AbortMultipartUpload",
                Method::DELETE,
                &action,
                String::new(),
                PATIENCE,
            )
            .await;
        or_absent(aborted.map(drop))
    }

    /// An object's size and ETag; absent when it is not there.
    pub async fn head(&self, key: &str) -> Result<Option<Object>, S3Error> {
        const OPERATION: &str = "HeadObject";
        let address = self
            .inside
            .head_object(Some(&self.key), key)
            .sign(OWN_ADDRESS);
        let request = Request::head(address.as_str()).body(Bytes::new());
        let answered = open(OPERATION, request, PATIENCE).await;
        let response = match answered {
            Err(error) if error.is_absent() => return Ok(None),
            answered => answered?,
        };
        let text = |name: header::HeaderName| response.headers().get(name)?.to_str().ok();
        let size = text(header::CONTENT_LENGTH).and_then(|it| it.parse().ok());
        Ok(Some(Object {
            key: key.to_owned(),
            size: size.ok_or(S3Error::Unreadable(OPERATION))?,
            etag: text(header::ETAG).unwrap_or_default().to_owned(),
            modified_at: None,
        }))
    }

    /// Reads `length` bytes of an object from `start` on, piece by piece.
    pub async fn read(&self, key: &str, start: u64, length: u64) -> Result<Reading, S3Error> {
        let address = self
            .inside
            .get_object(Some(&self.key), key)
            .sign(OWN_ADDRESS);
        let last = start.saturating_add(length).saturating_sub(1);
        let request = Request::get(address.as_str())
            .header(header::RANGE, format!("bytes={start}-{last}"))
            .body(Bytes::new());
        Ok(Reading(open("GetObject", request, PATIENCE).await?))
    }

    /// Up to 1000 objects whose keys begin with `prefix` and come after `after`, by key.
    pub async fn list(&self, prefix: &str, after: &str) -> Result<Vec<Object>, S3Error> {
        const OPERATION: &str = "ListObjectsV2";
        let mut action = self.inside.list_objects_v2(Some(&self.key));
        action.with_prefix(prefix);
        if !after.is_empty() {
            action.with_start_after(after);
        }
        let text = self
            .ask(OPERATION, Method::GET, &action, String::new(), PATIENCE)
            .await?;
        let listed =
            ListObjectsV2::parse_response(&text).map_err(|_| S3Error::Unreadable(OPERATION))?;
        let objects = listed.contents.into_iter().map(|it| Object {
            key: it.key,
            size: it.size.unwrap_or_default(),
            etag: it.etag.unwrap_or_default(),
            modified_at: it.last_modified.and_then(|it| it.parse().ok()),
        });
        Ok(objects.collect())
    }

    /// Deletes an object. One that is not there is fine.
    pub async fn delete(&self, key: &str) -> Result<(), S3Error> {
        let action = self.inside.delete_object(Some(&self.key), key);
        let deleted = self
            .ask(
                "DeleteObject",
                Method::DELETE,
                &action,
                String::new(),
                PATIENCE,
            )
            .await;
        or_absent(deleted.map(drop))
    }

    async fn ask<'a>(
        &self,
        operation: &'static str,
        method: Method,
        action: &impl S3Action<'a>,
        body: String,
        patience: Duration,
    ) -> Result<String, S3Error> {
        let request = Request::builder()
            .method(method)
            .uri(action.sign(OWN_ADDRESS).as_str())
            // S3 takes no body of unknown length.
            .header(header::CONTENT_LENGTH, body.len())
            .body(Bytes::from(body));
        read_text(operation, open(operation, request, patience).await?).await
    }
}

fn or_absent(done: Result<(), S3Error>) -> Result<(), S3Error> {
    match done {
        Err(error) if error.is_absent() => Ok(()),
        done => done,
    }
}

/// Sends a request and waits for the head of a good answer.
async fn open(
    operation: &'static str,
    request: axum::http::Result<Request<Bytes>>,
    patience: Duration,
) -> Result<Response, S3Error> {
    let request = request.map_err(|_| S3Error::Misconfigured("s3_endpoint"))?;
    let asked = async { send_out(request.map(FullBody::new)).await.map_err(failed) };
    let response = within(patience, asked)
        .await
        .map_err(|it| S3Error::Unreachable(operation, it))?;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let text = read_text(operation, response).await.unwrap_or_default();
    let code = text.split_once("<Code>").map_or("", |it| it.1);
    let code = code.split('<').next().unwrap_or_default();
    Err(S3Error::Refused(operation, status, code.to_owned()))
}

async fn read_text(operation: &'static str, response: Response) -> Result<String, S3Error> {
    let reading = async {
        let body = Limited::new(response.into_body(), MAX_XML).collect().await;
        body.map_err(|it| match it.downcast::<ErrorCode>() {
            Ok(code) => failed(*code),
            Err(_) => Failed::TooLong,
        })
    };
    let body = within(PATIENCE, reading)
        .await
        .map_err(|it| S3Error::Unreachable(operation, it))?;
    String::from_utf8(body.to_bytes().into()).map_err(|_| S3Error::Unreadable(operation))
}

/// The bytes of an object on their way. S3 sends fewer than were asked for when the object ends.
pub struct Reading(Response);

impl Reading {
    /// The next piece; absent at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        loop {
            let frame = async { self.0.body_mut().frame().await.transpose().map_err(failed) };
            let frame = within(PATIENCE, frame)
                .await
                .map_err(|it| S3Error::Unreachable("GetObject", it))?;
            match frame.map(|it| it.into_data()) {
                None => return Ok(None),
                Some(Ok(data)) => return Ok(Some(data)),
                // Trailers.
                Some(Err(_)) => {}
            }
        }
    }
}

/// Characters of a file name that file systems have room for in every encoding.
const MAX_NAME: usize = 60;

/// A download under that name (RFC 6266): in ASCII for every client, and in full for clients that know RFC 8187.
fn content_disposition(name: &str) -> String {
    let name = plain_name(name);
    let ascii: String = name
        .chars()
        .map(|it| if it.is_ascii() { it } else { '_' })
        .collect();
    if ascii == name {
        return format!("attachment; filename=\"{ascii}\"");
    }
    let mut extended = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                extended.push(char::from(byte));
            }
            byte => extended.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{extended}")
}

/// A name that is valid for a file on every system: no folder, no quotes, nothing invisible.
fn plain_name(name: &str) -> String {
    let is_plain = |it: char| {
        it.is_alphanumeric() || matches!(it, ' ' | '-' | '_' | '.' | '+' | '(' | ')' | '[' | ']')
    };
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    // A long name keeps its end, because the extension stands there.
    let excess = name.chars().count().saturating_sub(MAX_NAME);
    let name: String = name
        .chars()
        .skip(excess)
        .map(|it| if is_plain(it) { it } else { '_' })
        .collect();
    match name.trim_matches([' ', '.']) {
        "" => "file".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3() -> S3 {
        let bucket = |endpoint: &str| {
            Bucket::new(endpoint.parse().unwrap(), UrlStyle::Path, "files", "eu-1").unwrap()
        };
        S3 {
            inside: bucket("http://127.0.0.1:9000"),
            outside: bucket("https://s3.example.org"),
            key: Credentials::new("key", "secret"),
        }
    }

    const SOON: Duration = Duration::from_secs(60);

    #[test]
    fn clients_get_addresses_of_the_public_endpoint() {
        let saved_as = SavedAs {
            name: "mod.jar",
            media_type: "application/java-archive",
        };
        let address = s3().download_address("objects/a", saved_as, SOON);
        assert!(
            address.starts_with("https://s3.example.org/files/objects/a?"),
            "{address}"
        );
        assert!(address.contains("X-Amz-Expires=60"), "{address}");
        assert!(
            address.contains("response-content-disposition=attachment"),
            "{address}"
        );
    }

    #[test]
    fn the_length_of_a_part_is_signed() {
        let address = s3().part_address("objects/a", "upload", 3, 17, SOON);
        assert!(
            address.contains("X-Amz-SignedHeaders=content-length%3Bhost"),
            "{address}"
        );
        assert_ne!(
            address,
            s3().part_address("objects/a", "upload", 3, 18, SOON)
        );
    }

    #[test]
    fn a_download_has_a_name_that_every_file_system_takes() {
        for (name, disposition) in [
            ("mod.jar", "attachment; filename=\"mod.jar\""),
            ("../../etc/passwd", "attachment; filename=\"passwd\""),
            ("a\"b\r\nc.jar", "attachment; filename=\"a_b__c.jar\""),
            ("", "attachment; filename=\"file\""),
            ("..", "attachment; filename=\"file\""),
            (
                "м.jar",
                "attachment; filename=\"_.jar\"; filename*=UTF-8''%D0%BC.jar",
            ),
        ] {
            assert_eq!(content_disposition(name), disposition);
        }
        let long = format!("{}.jar", "x".repeat(300));
        assert!(plain_name(&long).ends_with("x.jar") && plain_name(&long).len() == MAX_NAME);
    }
}
