//! The rules of a file. No I/O in this file.

use jiff::Timestamp;
use kit::Word;
use kit::store::FromRow;
use kit::store::s3::MAX_PARTS;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::path;

/// Where a file is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Word)]
pub enum Side {
    #[default]
    Both,
    Client,
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Status {
    /// Bytes are expected.
    Uploading,
    /// All bytes have arrived and are being verified.
    Verifying,
    /// The bytes have the announced size and digests.
    Ready,
    /// The bytes differ from the announced ones, or never came: `failure` has the reason.
    Failed,
}

#[derive(Clone, Debug, Serialize, FromRow, Schema)]
pub struct PackFile {
    pub id: i64,
    pub pack_id: i64,
    /// Absent for a file of the pack itself, as its icon.
    pub version_id: Option<i64>,
    pub path: String,
    pub original_name: String,
    pub size: i64,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    pub side: Side,
    #[row(column = "is_optional")]
    pub optional: bool,
    /// The player's own copy stays when the pack is updated.
    #[row(column = "is_kept")]
    pub keep: bool,
    /// Only the team of the pack sees it, and the users and roles that it is shared with.
    #[row(column = "is_restricted")]
    pub restricted: bool,
    /// The digests are known once the file is ready.
    pub sha1: Option<String>,
    pub sha256: Option<String>,
    pub sha512: Option<String>,
    /// CurseForge's fingerprint.
    pub murmur2: Option<i64>,
    /// The address of a linked file on another server. Its bytes were not verified here: compare its digests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    pub created_at: Timestamp,
    /// The id in the key of its object.
    #[serde(skip)]
    pub object: Option<Uuid>,
}

/// A file that is going to be uploaded.
#[derive(Debug, Deserialize, Schema)]
pub struct NewFile {
    /// Where the file belongs in the game's folder: relative, with `/`.
    #[schemars(length(min = 1, max = 200), example = &"mods/example.jar")]
    pub path: String,
    /// The file name of a download; the last name of the path when absent.
    #[schemars(length(min = 1, max = 200), example = &"example.jar")]
    pub original_name: Option<String>,
    /// The exact number of bytes.
    #[schemars(range(min = 1, max = 34_359_738_368_i64), example = 1024)]
    pub size: i64,
    #[serde(default)]
    pub side: Side,
    #[serde(default)]
    pub optional: bool,
    #[serde(default)]
    pub keep: bool,
    #[serde(flatten)]
    pub digests: Announced,
}

/// The digests that the client expects, in hexadecimal digits. The upload fails when the bytes have others.
#[derive(Clone, Debug, Default, Deserialize, Schema)]
pub struct Announced {
    #[schemars(length(min = 40, max = 40))]
    pub sha1: Option<String>,
    #[schemars(length(min = 64, max = 64))]
    pub sha256: Option<String>,
    #[schemars(length(min = 128, max = 128))]
    pub sha512: Option<String>,
}

/// A verified file that is put at another path, or into another version.
#[derive(Debug, Deserialize, Schema)]
pub struct Reuse {
    pub file_id: i64,
    #[schemars(length(min = 1, max = 200), example = &"mods/reused.jar")]
    pub path: String,
    #[schemars(length(min = 1, max = 200))]
    pub original_name: Option<String>,
    pub side: Option<Side>,
    pub optional: Option<bool>,
    pub keep: Option<bool>,
}

/// A published file with a wanted hash.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Found {
    pub hash: String,
    pub file_id: i64,
    pub pack_id: i64,
    pub pack_name: String,
    pub version_id: i64,
    pub version_name: String,
    pub path: String,
    pub size: i64,
}

/// The bytes that a user's packs keep. Equal content counts once.
#[derive(Debug, Serialize, FromRow, Schema)]
pub struct Usage {
    pub stored: i64,
    /// Bytes that are reserved for uploads until these are verified.
    pub reserved: i64,
    pub quota: i64,
}

/// The largest file.
const MAX_SIZE: i64 = 32 << 30;
const MIB: u64 = 1 << 20;
/// The part size of uploads that are not large: a lost connection costs at most one part.
const PART: u64 = 16 * MIB;

impl NewFile {
    pub fn checked(self) -> Result<Self, Error> {
        path::checked(&self.path)?;
        if !(1..=MAX_SIZE).contains(&self.size) {
            return Err(Error::InvalidFile("size is 1 byte to 32 GiB"));
        }
        self.original_name.as_deref().map(check_name).transpose()?;
        Ok(Self {
            digests: self.digests.checked()?,
            ..self
        })
    }

    pub fn original_name(&self) -> &str {
        let named = self.original_name.as_deref();
        named.unwrap_or_else(|| path::file_name(&self.path))
    }
}

impl Reuse {
    pub fn checked(self) -> Result<Self, Error> {
        path::checked(&self.path)?;
        self.original_name.as_deref().map(check_name).transpose()?;
        Ok(self)
    }
}

impl Announced {
    /// In lower case, or the rule that one breaks.
    pub fn checked(self) -> Result<Self, Error> {
        Ok(Self {
            sha1: hex(self.sha1, 40)?,
            sha256: hex(self.sha256, 64)?,
            sha512: hex(self.sha512, 128)?,
        })
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    if path::is_name(name) && name.chars().count() <= 200 {
        Ok(())
    } else {
        Err(Error::InvalidFile("original_name is the name of a file"))
    }
}

fn hex(text: Option<String>, length: usize) -> Result<Option<String>, Error> {
    match text {
        Some(text) if !is_hex(&text, length) => Err(Error::InvalidFile(
            "sha1, sha256 and sha512 are 40, 64 and 128 hexadecimal digits",
        )),
        text => Ok(text.map(|it| it.to_ascii_lowercase())),
    }
}

pub fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|it| it.is_ascii_hexdigit())
}

/// The size of the parts of an upload, all but the last: whole MiB, and as few parts as one list of S3 holds.
pub fn part_size(size: u64) -> u64 {
    let least = size.div_ceil(u64::from(MAX_PARTS));
    least.div_ceil(MIB).saturating_mul(MIB).max(PART)
}

/// The parts of an upload: number, from 1, and size.
pub fn parts(size: u64, part_size: u64) -> impl Iterator<Item = (u16, u64)> {
    let starts = (0..size).step_by(usize::try_from(part_size).unwrap_or(usize::MAX));
    (1..).zip(starts.map(move |start| part_size.min(size - start)))
}

/// The media type of a download, by the name's end.
pub fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |it| it.1);
    match extension.to_ascii_lowercase().as_str() {
        "jar" => "application/java-archive",
        "zip" => "application/zip",
        "mrpack" => "application/x-modrinth-modpack+zip",
        "json" => "application/json",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "toml" | "txt" | "cfg" | "properties" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_the_whole_file_and_no_more_than_s3_lists(size in 1..=MAX_SIZE.unsigned_abs()) {
            let part = part_size(size);
            let parts: Vec<_> = parts(size, part).collect();
            prop_assert!(parts.len() <= usize::from(MAX_PARTS));
            prop_assert_eq!(parts.iter().map(|it| it.1).sum::<u64>(), size);
            prop_assert!(parts.iter().all(|it| it.1 > 0 && it.1 <= part));
            // S3 takes smaller parts only at the end.
            prop_assert!(parts.iter().rev().skip(1).all(|it| it.1 == part && part >= 5 * MIB));
            prop_assert!(parts.iter().map(|it| it.0).eq(1..=u16::try_from(parts.len()).unwrap()));
        }
    }

    #[test]
    fn digests_are_compared_in_lower_case() {
        let announced = Announced {
            sha1: Some("A".repeat(40)),
            ..Announced::default()
        };
        assert_eq!(announced.checked().unwrap().sha1, Some("a".repeat(40)));
        for sha256 in ["g".repeat(64), "a".repeat(63), String::new()] {
            let announced = Announced {
                sha256: Some(sha256),
                ..Announced::default()
            };
            assert!(announced.checked().is_err());
        }
    }
}
