//! Photos in S3, which a person puts there without their bytes passing through a function.
//!
//! An upload of one part, whose length is signed: [`begin`] gives its address, [`complete`] makes the object, reads it
//! once and answers its digest. From then on no address changes it.

mod whole;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kit_derive::Word;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::whole::is_whole;
use super::s3::{S3, S3Error};
use crate::web::Schema;

/// Bytes of a photo: more than a phone's camera makes.
pub const MAX_SIZE: i64 = 10 * 1024 * 1024;
/// How long the address of an upload is valid: enough for a slow network.
const TIME_TO_PUT: Duration = Duration::from_secs(15 * 60);
/// How long the address of a download is valid.
pub const TIME_TO_GET: Duration = Duration::from_secs(5 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum MediaType {
    #[word(rename = "image/jpeg")]
    Jpeg,
    #[word(rename = "image/png")]
    Png,
    #[word(rename = "image/webp")]
    Webp,
}

/// How many bytes at the start of a photo tell its media type.
pub const HEAD: usize = 12;

impl MediaType {
    /// The media type of a file that begins with `head`, if it is an image. SVG is not among them: browsers run its scripts.
    pub fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else {
            None
        }
    }
}

/// Where to put the bytes of a photo.
#[derive(Debug, Serialize, Schema)]
pub struct Upload {
    pub id: Uuid,
    /// For a PUT of exactly `size` bytes.
    pub address: String,
    pub good_until: Timestamp,
}

/// Begins the upload of a photo. `remember` keeps the id of the upload before its address is given out.
pub async fn begin<E: From<S3Error>>(
    id: Uuid,
    key: &str,
    size: i64,
    remember: impl AsyncFnOnce(&str) -> Result<(), E>,
) -> Result<Upload, E> {
    let s3 = S3::open().await?;
    let upload = s3.create_upload(key).await?;
    remember(&upload).await?;
    let now = crate::now();
    Ok(Upload {
        id,
        address: s3.part_address(key, &upload, 1, size.unsigned_abs(), TIME_TO_PUT),
        good_until: now
            .checked_add(SignedDuration::try_from(TIME_TO_PUT).unwrap_or_default())
            .unwrap_or(now),
    })
}

/// What was put at the address of a photo.
#[derive(Debug, PartialEq, Eq)]
pub enum Put {
    Nothing,
    /// The bytes are not a whole photo of the announced type. Their object was deleted.
    SomethingElse,
    /// The SHA-256 digest in hexadecimal digits.
    Photo(String),
}

/// Completes the upload, unless that was done before, and reads the object.
pub async fn complete(
    s3: &S3,
    key: &str,
    upload: Option<&str>,
    media_type: MediaType,
) -> Result<Put, S3Error> {
    if s3.head(key).await?.is_none() {
        let Some(upload) = upload else {
            return Ok(Put::Nothing);
        };
        let parts = match s3.list_parts(key, upload).await {
            Err(error) if error.is_absent() => return Ok(Put::Nothing),
            parts => parts?,
        };
        if parts.len() != 1 {
            return Ok(Put::Nothing);
        }
        s3.complete_upload(key, upload, &parts).await?;
    }
    let mut bytes = Vec::new();
    let mut reading = s3.read(key, 0, MAX_SIZE.unsigned_abs()).await?;
    while let Some(piece) = reading.next().await? {
        bytes.extend_from_slice(&piece);
    }
    if !is_whole(media_type, &bytes) {
        s3.delete(key).await?;
        return Ok(Put::SomethingElse);
    }
    let digest = Sha256::digest(&bytes);
    Ok(Put::Photo(
        digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    ))
}

/// Deletes a photo, complete or not. One that is not there is fine.
pub async fn delete(s3: &S3, key: &str, upload: Option<&str>) -> Result<(), S3Error> {
    if let Some(upload) = upload {
        s3.abort_upload(key, upload).await?;
    }
    s3.delete(key).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_begins_as_its_type_says() {
        let heads: [(&[u8], _); 7] = [
            (b"\xff\xd8\xff\xe0\0\0\0\0\0\0\0\0", Some(MediaType::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\0", Some(MediaType::Png)),
            (b"RIFF\x24\0\0\0WEBP", Some(MediaType::Webp)),
            (b"RIFF\x24\0\0\0WAVE", None),
            (b"<svg", None),
            (b"<svg xmlns=", None),
            (b"", None),
        ];
        for (head, of) in heads {
            assert_eq!(MediaType::of(head), of, "{head:?}");
        }
    }
}
