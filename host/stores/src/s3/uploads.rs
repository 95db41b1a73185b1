//! Multipart uploads. Each part is a file and stays one: completing an upload copies no content.

use std::ops::RangeInclusive;

use redb::ReadableTable as _;
use s3s::S3ErrorCode;
use s3s::dto::{ETag, StreamingBlob};

use super::bodies::Received;
use super::digests::{Claims, Digests, Hasher, combine_digests, hex};
use super::failure::Result;
use super::index::{PARTS, Tables, UPLOADS, decode, encode};
use super::objects::{Conditions, Objects};
use super::records::{Body, Object, Part, Piece, Upload, now_ms};

/// The part numbers of S3.
const PART_NUMBERS: RangeInclusive<u32> = 1..=10_000;
/// The smallest part in S3, except for the last one.
const MIN_PART_BYTES: u64 = 5 << 20;
/// An older upload counts as abandoned.
const MAX_UPLOAD_AGE_MS: u64 = 7 * 24 * 3600 * 1000;

/// The upload of a request. Bucket and key must be those of the upload.
#[derive(Debug, Clone)]
pub(crate) struct UploadId {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) id: String,
}

/// A part as listed by the client that completes the upload.
#[derive(Debug)]
pub(crate) struct ClaimedPart {
    pub(crate) number: u32,
    pub(crate) etag: Option<ETag>,
    pub(crate) digests: Digests,
}

impl Objects {
    pub(crate) async fn begin_upload(&self, upload: Upload) -> Result<String> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let insert = {
            let id = id.clone();
            move |tables: &mut Tables<'_>| {
                tables.require_bucket(&upload.bucket)?;
                tables.uploads.insert(&*id, &*encode(&upload)?)?;
                Ok(())
            }
        };
        self.index.write(insert).await?;
        Ok(id)
    }

    pub(crate) fn find_upload(&self, upload: &UploadId) -> Result<Upload> {
        self.index.read(|transaction| {
            let uploads = transaction.open_table(UPLOADS)?;
            let found = uploads.get(&*upload.id)?;
            let found = found.map(|found| decode(found.value())).transpose()?;
            upload.check(found)
        })
    }

    pub(crate) async fn put_part(
        &self,
        upload: UploadId,
        number: u32,
        body: Option<StreamingBlob>,
        mut claims: Claims,
    ) -> Result<Part> {
        // Fails before a large body is received.
        claims.wanted.extend(self.find_upload(&upload)?.algorithm);
        if !PART_NUMBERS.contains(&number) {
            return Err(S3ErrorCode::InvalidArgument.into());
        }
        let (
            Received {
                size, md5, digests, ..
            },
            file,
        ) = self.bodies.receive_file(body, claims).await?;
        let part = Part {
            size,
            etag: hex(&md5),
            modified_ms: now_ms(),
            digests,
            file: file.name().to_owned(),
        };
        let stored = part.clone();
        let insert = move |tables: &mut Tables<'_>| {
            tables.require_upload(&upload)?;
            let replaced = tables
                .parts
                .insert((&*upload.id, number), &*encode(&stored)?)?;
            replaced
                .map(|replaced| decode(replaced.value()))
                .transpose()
        };
        let replaced: Option<Part> = self.index.write(insert).await?;
        file.keep();
        self.bodies
            .remove(replaced.into_iter().map(Part::into_piece).collect())
            .await;
        Ok(part)
    }

    /// The received parts, by number.
    pub(crate) fn parts(&self, upload: &UploadId) -> Result<Vec<(u32, Part)>> {
        self.find_upload(upload)?;
        self.index.read(|transaction| {
            let mut parts = Vec::new();
            for entry in transaction
                .open_table(PARTS)?
                .range(all_parts(&upload.id))?
            {
                let (place, part) = entry?;
                parts.push((place.value().1, decode(part.value())?));
            }
            Ok(parts)
        })
    }

    /// The unfinished uploads of the bucket, by key and id.
    pub(crate) fn uploads(&self, bucket: &str, prefix: &str) -> Result<Vec<(String, Upload)>> {
        self.require_bucket(bucket)?;
        let mut uploads = self.all_uploads()?;
        uploads.retain(|(_, upload)| upload.bucket == bucket && upload.key.starts_with(prefix));
        uploads.sort_by(|(a_id, a), (b_id, b)| (&a.key, a_id).cmp(&(&b.key, b_id)));
        Ok(uploads)
    }

    fn all_uploads(&self) -> Result<Vec<(String, Upload)>> {
        self.index.read(|transaction| {
            let mut uploads = Vec::new();
            for entry in transaction.open_table(UPLOADS)?.iter()? {
                let (id, upload) = entry?;
                uploads.push((id.value().to_owned(), decode(upload.value())?));
            }
            Ok(uploads)
        })
    }

    /// Creates the object from the listed parts and deletes all others.
    pub(crate) async fn complete_upload(
        &self,
        upload: UploadId,
        claimed: Vec<ClaimedPart>,
        whole: Claims,
        conditions: Conditions,
    ) -> Result<Object> {
        let complete = move |tables: &mut Tables<'_>| {
            let begun = tables.require_upload(&upload)?;
            let parts = tables.find_parts(&upload, &claimed)?;
            let object = assemble(begun, &parts, &whole)?;
            let used: Vec<_> = parts.into_iter().map(|part| part.file).collect();
            let mut unused =
                tables.replace(&upload.bucket, &upload.key, &object, None, &conditions)?;
            let of_upload = tables.remove_upload(&upload.id)?;
            unused.extend(
                of_upload
                    .into_iter()
                    .filter(|piece| !used.contains(&piece.file)),
            );
            Ok((object, unused))
        };
        let (object, unused) = self.index.write(complete).await?;
        self.bodies.remove(unused).await;
        Ok(object)
    }

    pub(crate) async fn abort_upload(&self, upload: UploadId) -> Result<()> {
        let remove = move |tables: &mut Tables<'_>| {
            tables.require_upload(&upload)?;
            tables.remove_upload(&upload.id)
        };
        let unused = self.index.write(remove).await?;
        self.bodies.remove(unused).await;
        Ok(())
    }

    /// Aborts abandoned uploads.
    pub(crate) async fn expire_uploads(&self) -> Result<()> {
        self.expire_uploads_begun_before(now_ms().saturating_sub(MAX_UPLOAD_AGE_MS))
            .await
    }

    async fn expire_uploads_begun_before(&self, time_ms: u64) -> Result<()> {
        let mut expired = self.all_uploads()?;
        expired.retain(|(_, upload)| upload.begun_ms < time_ms);
        for (id, _) in expired {
            // Removes nothing if the upload was completed meanwhile.
            let unused = self
                .index
                .write(move |tables| tables.remove_upload(&id))
                .await?;
            self.bodies.remove(unused).await;
        }
        Ok(())
    }
}

impl UploadId {
    fn check(&self, found: Option<Upload>) -> Result<Upload> {
        let is_same = |upload: &Upload| upload.bucket == self.bucket && upload.key == self.key;
        found
            .filter(is_same)
            .ok_or_else(|| S3ErrorCode::NoSuchUpload.into())
    }
}

impl Part {
    fn into_piece(self) -> Piece {
        Piece {
            file: self.file,
            size: self.size,
        }
    }
}

fn all_parts(id: &str) -> RangeInclusive<(&str, u32)> {
    (id, 0)..=(id, u32::MAX)
}

impl Tables<'_> {
    fn require_upload(&self, upload: &UploadId) -> Result<Upload> {
        let found = self.uploads.get(&*upload.id)?;
        let found = found.map(|found| decode(found.value())).transpose()?;
        upload.check(found)
    }

    /// The listed parts in order. Fails if one differs from the client's claim.
    fn find_parts(&self, upload: &UploadId, claimed: &[ClaimedPart]) -> Result<Vec<Part>> {
        if claimed.is_empty() {
            return Err(S3ErrorCode::MalformedXML.into());
        }
        if !claimed.is_sorted_by(|a, b| a.number < b.number) {
            return Err(S3ErrorCode::InvalidPartOrder.into());
        }
        let mut parts = Vec::with_capacity(claimed.len());
        for claim in claimed {
            let part = self
                .parts
                .get((&*upload.id, claim.number))?
                .ok_or(S3ErrorCode::InvalidPart)?;
            let part: Part = decode(part.value())?;
            let has_same_etag = claim
                .etag
                .as_ref()
                .is_none_or(|etag| etag.value() == part.etag);
            let is_true = |(algorithm, digest)| part.digests.get(algorithm) == Some(digest);
            if !has_same_etag || !claim.digests.iter().all(is_true) {
                return Err(S3ErrorCode::InvalidPart.into());
            }
            parts.push(part);
        }
        let (_last, others) = parts.split_last().ok_or(S3ErrorCode::MalformedXML)?;
        if others.iter().any(|part| part.size < MIN_PART_BYTES) {
            return Err(S3ErrorCode::EntityTooSmall.into());
        }
        Ok(parts)
    }

    /// Removes the upload with its parts, and returns their files.
    fn remove_upload(&mut self, id: &str) -> Result<Vec<Piece>> {
        self.uploads.remove(id)?;
        let mut pieces = Vec::new();
        for entry in self.parts.range(all_parts(id))? {
            let part: Part = decode(entry?.1.value())?;
            pieces.push(part.into_piece());
        }
        self.parts.retain_in(all_parts(id), |_, _| false)?;
        Ok(pieces)
    }
}

/// The object that consists of these parts. Fails if its digest differs from the client's claim.
fn assemble(upload: Upload, parts: &[Part], whole: &Claims) -> Result<Object> {
    let sized: Vec<_> = parts
        .iter()
        .map(|part| (&part.digests, part.size))
        .collect();
    let mut digests = Digests::new();
    if let Some(algorithm) = upload.algorithm {
        digests.extend(
            combine_digests(algorithm, upload.composite, &sized).map(|digest| (algorithm, digest)),
        );
    }
    // A client may omit the number of parts from a composite digest.
    let is_true = |(algorithm, claimed): (&_, &String)| {
        digests
            .get(algorithm)
            .is_some_and(|digest| digest == claimed || digest.split('-').next() == Some(claimed))
    };
    if !whole.digests.iter().all(is_true) {
        return Err(S3ErrorCode::BadDigest.into());
    }
    Ok(Object {
        size: parts.iter().map(|part| part.size).sum(),
        etag: etag_of(parts)?,
        modified_ms: now_ms(),
        attributes: upload.attributes,
        digests,
        composite: upload.composite,
        body: Body::Files(parts.iter().cloned().map(Part::into_piece).collect()),
    })
}

/// The MD5 of the parts' MD5s, and the number of parts.
fn etag_of(parts: &[Part]) -> Result<String> {
    let mut hasher = Hasher::new(&Claims::default());
    for part in parts {
        let bytes: Option<Vec<_>> = part.etag.as_bytes().chunks(2).map(from_hex).collect();
        hasher.update(&bytes.ok_or(S3ErrorCode::InternalError)?);
    }
    let (md5, _) = hasher.finish(Claims::default())?;
    Ok(format!("{}-{}", hex(&md5), parts.len()))
}

fn from_hex(pair: &[u8]) -> Option<u8> {
    u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::super::records::Attributes;
    use super::*;

    #[tokio::test]
    async fn an_abandoned_upload_is_removed_with_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::open(folder.path(), false).unwrap();
        objects.create_bucket("bbb".to_owned()).await.unwrap();
        let begun = Upload {
            bucket: "bbb".to_owned(),
            key: "k".to_owned(),
            begun_ms: 1000,
            attributes: Attributes::default(),
            algorithm: None,
            composite: false,
        };
        let id = objects.begin_upload(begun).await.unwrap();
        let upload = UploadId {
            bucket: "bbb".to_owned(),
            key: "k".to_owned(),
            id,
        };
        objects
            .put_part(upload.clone(), 1, None, Claims::default())
            .await
            .unwrap();
        assert_eq!(objects.bodies.list_files().unwrap().len(), 1);

        objects.expire_uploads_begun_before(1000).await.unwrap();
        objects.find_upload(&upload).unwrap();
        objects.expire_uploads_begun_before(1001).await.unwrap();
        assert!(objects.find_upload(&upload).is_err());
        assert!(objects.bodies.list_files().unwrap().is_empty());
    }
}
