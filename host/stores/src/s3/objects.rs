//! Buckets and whole objects: put, get, copy, delete.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use redb::ReadTransaction;
use s3s::dto::{ETagCondition, StreamingBlob, Timestamp};
use s3s::{S3ErrorCode, S3Result};

use super::bodies::{self, Bodies, MAX_SMALL_BYTES, Received};
use super::digests::{Algorithm, Claims, hex};
use super::failure::{Failure, Result};
use super::index::{BUCKETS, Index, OBJECTS, SMALL_BODIES, Tables, decode, encode};
use super::records::{Attributes, Body, Object, Piece, now_ms, timestamp};
use crate::private_file;

#[derive(Debug)]
pub(crate) struct Objects {
    pub(super) index: Index,
    pub(super) bodies: Bodies,
}

/// An object, with its body if that is small.
pub(crate) struct Found {
    pub(crate) object: Object,
    small: Option<Bytes>,
}

/// The preconditions of a request (RFC 9110). The default has none.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) matches: Option<ETagCondition>,
    pub(crate) none_match: Option<ETagCondition>,
    pub(crate) modified_since: Option<Timestamp>,
    pub(crate) unmodified_since: Option<Timestamp>,
}

impl Objects {
    pub(crate) fn open(folder: &Path, durable: bool) -> Result<Self> {
        private_file::create_folder(folder)?;
        let bodies = Bodies::open(&folder.join("bodies"), durable)?;
        let index = Index::open(&folder.join("index.redb"), durable)?;
        let objects = Self { index, bodies };
        objects.remove_orphans()?;
        Ok(objects)
    }

    /// Removes files that are not in the index: a crash may happen between writing a file and adding it
    /// to the index.
    fn remove_orphans(&self) -> Result<()> {
        let files = self.bodies.list_files()?;
        if !files.is_empty() {
            let in_use = self.index.files_in_use()?;
            self.bodies.remove_files(files.difference(&in_use));
        }
        Ok(())
    }

    pub(crate) async fn create_bucket_if_missing(&self, bucket: String) -> Result<()> {
        match self.create_bucket(bucket).await {
            Err(Failure::Refused(error))
                if *error.code() == S3ErrorCode::BucketAlreadyOwnedByYou =>
            {
                Ok(())
            }
            result => result,
        }
    }

    pub(crate) async fn create_bucket(&self, bucket: String) -> Result<()> {
        let insert = move |tables: &mut Tables<'_>| {
            if tables.has_bucket(&bucket)? {
                return Err(S3ErrorCode::BucketAlreadyOwnedByYou.into());
            }
            tables.buckets.insert(&*bucket, now_ms())?;
            Ok(())
        };
        self.index.write(insert).await
    }

    pub(crate) async fn delete_bucket(&self, bucket: String) -> Result<()> {
        let remove = move |tables: &mut Tables<'_>| {
            tables.require_bucket(&bucket)?;
            if !tables.is_empty(&bucket)? {
                return Err(S3ErrorCode::BucketNotEmpty.into());
            }
            tables.buckets.remove(&*bucket)?;
            Ok(())
        };
        self.index.write(remove).await
    }

    /// All buckets with their times of creation.
    pub(crate) fn buckets(&self) -> Result<Vec<(String, u64)>> {
        self.index.read(|transaction| {
            let mut buckets = Vec::new();
            for entry in redb::ReadableTable::iter(&transaction.open_table(BUCKETS)?)? {
                let (name, created_ms) = entry?;
                buckets.push((name.value().to_owned(), created_ms.value()));
            }
            Ok(buckets)
        })
    }

    pub(crate) fn require_bucket(&self, bucket: &str) -> Result<()> {
        self.index
            .read(|transaction| require_bucket(transaction, bucket))
    }

    pub(crate) fn find(&self, bucket: &str, key: &str) -> Result<Found> {
        self.index.read(|transaction| {
            let objects = transaction.open_table(OBJECTS)?;
            let Some(object) = objects.get((bucket, key))? else {
                require_bucket(transaction, bucket)?;
                return Err(S3ErrorCode::NoSuchKey.into());
            };
            let object: Object = decode(object.value())?;
            let small = match object.body {
                Body::Small => transaction.open_table(SMALL_BODIES)?.get((bucket, key))?,
                Body::File(_) | Body::Files(_) => None,
            };
            Ok(Found {
                object,
                small: small.map(|bytes| Bytes::copy_from_slice(bytes.value())),
            })
        })
    }

    /// The object, if the conditions hold, and the part of its content that `range_of` selects.
    pub(crate) async fn get(
        &self,
        bucket: &str,
        key: &str,
        conditions: &Conditions,
        range_of: impl Fn(&Object) -> S3Result<Range<u64>>,
    ) -> Result<(Object, Range<u64>, StreamingBlob)> {
        loop {
            let found = self.find(bucket, key)?;
            conditions.check_read(&found.object)?;
            let range = range_of(&found.object)?;
            match self.open_content(&found, range.clone()).await {
                Ok(content) => return Ok((found.object, range, content)),
                // The object may have been replaced before its files were opened: then try again. If
                // it is still the same object, a file is missing.
                Err(failure) => {
                    if self.find(bucket, key)?.object.body == found.object.body {
                        return Err(failure);
                    }
                }
            }
        }
    }

    async fn open_content(&self, found: &Found, range: Range<u64>) -> Result<StreamingBlob> {
        match (&found.object.body, &found.small) {
            (Body::Small, Some(bytes)) => bodies::read_small(bytes, range),
            (Body::Small, None) => Err(io::Error::other("a small body is missing").into()),
            (Body::File(_) | Body::Files(_), _) => {
                self.bodies
                    .read(found.object.body.pieces(found.object.size), range)
                    .await
            }
        }
    }

    /// Stores an object, replacing the one under its key.
    pub(crate) async fn put(
        &self,
        bucket: String,
        key: String,
        body: Option<StreamingBlob>,
        claims: Claims,
        attributes: Attributes,
        conditions: Conditions,
    ) -> Result<Object> {
        // Fails before a large body is received.
        self.require_bucket(&bucket)?;
        let received = self.bodies.receive(body, MAX_SMALL_BYTES, claims).await?;
        let Received {
            content,
            size,
            md5,
            digests,
        } = received;
        let object = Object {
            size,
            etag: hex(&md5),
            modified_ms: now_ms(),
            attributes,
            digests,
            composite: false,
            body: content.body(),
        };
        let small = content.small();
        let stored = object.clone();
        let replace = move |tables: &mut Tables<'_>| {
            tables.replace(&bucket, &key, &stored, small.as_deref(), &conditions)
        };
        let replaced = self.index.write(replace).await?;
        content.keep();
        self.bodies.remove(replaced).await;
        Ok(object)
    }

    /// Like `get` for the source of a copy: "not modified" is a failed precondition there.
    pub(super) async fn get_source(
        &self,
        (bucket, key): (&str, &str),
        conditions: &Conditions,
        range_of: impl Fn(&Object) -> S3Result<Range<u64>>,
    ) -> Result<(Object, Range<u64>, StreamingBlob)> {
        match self.get(bucket, key, conditions, range_of).await {
            Err(Failure::Refused(error)) if *error.code() == S3ErrorCode::NotModified => {
                Err(S3ErrorCode::PreconditionFailed.into())
            }
            result => result,
        }
    }

    /// Copies an object, with its own attributes or with the given ones.
    pub(crate) async fn copy(
        &self,
        source: (&str, &str),
        source_conditions: &Conditions,
        target: (String, String),
        attributes: Option<Attributes>,
        mut wanted: BTreeSet<Algorithm>,
    ) -> Result<Object> {
        let whole = |object: &Object| Ok(0..object.size);
        let (object, _, content) = self.get_source(source, source_conditions, whole).await?;
        if !object.composite {
            wanted.extend(object.digests.keys());
        }
        let claims = Claims {
            wanted,
            ..Claims::default()
        };
        let attributes = attributes.unwrap_or(object.attributes);
        self.put(
            target.0,
            target.1,
            Some(content),
            claims,
            attributes,
            Conditions::default(),
        )
        .await
    }

    /// Deletes the objects if all meet the conditions. Missing objects are not an error.
    pub(crate) async fn delete(
        &self,
        bucket: String,
        keys: Vec<String>,
        conditions: Conditions,
    ) -> Result<()> {
        let remove = move |tables: &mut Tables<'_>| {
            tables.require_bucket(&bucket)?;
            for key in &keys {
                conditions.check_write(tables.object(&bucket, key)?.as_ref())?;
            }
            let mut removed = Vec::new();
            for key in &keys {
                removed.extend(tables.remove(&bucket, key)?);
            }
            Ok(removed)
        };
        let removed = self.index.write(remove).await?;
        self.bodies.remove(removed).await;
        Ok(())
    }
}

impl Tables<'_> {
    fn has_bucket(&self, bucket: &str) -> Result<bool> {
        Ok(redb::ReadableTable::get(&self.buckets, bucket)?.is_some())
    }

    pub(super) fn require_bucket(&self, bucket: &str) -> Result<()> {
        if self.has_bucket(bucket)? {
            Ok(())
        } else {
            Err(S3ErrorCode::NoSuchBucket.into())
        }
    }

    fn is_empty(&self, bucket: &str) -> Result<bool> {
        let next = redb::ReadableTable::range(&self.objects, (bucket, "")..)?.next();
        Ok(next
            .transpose()?
            .is_none_or(|(key, _)| key.value().0 != bucket))
    }

    fn object(&self, bucket: &str, key: &str) -> Result<Option<Object>> {
        let object = redb::ReadableTable::get(&self.objects, (bucket, key))?;
        object.map(|object| decode(object.value())).transpose()
    }

    /// Stores the object, and returns the files of the object that it replaces.
    pub(super) fn replace(
        &mut self,
        bucket: &str,
        key: &str,
        object: &Object,
        small: Option<&[u8]>,
        conditions: &Conditions,
    ) -> Result<Vec<Piece>> {
        self.require_bucket(bucket)?;
        conditions.check_write(self.object(bucket, key)?.as_ref())?;
        let replaced = self.remove(bucket, key)?;
        self.objects.insert((bucket, key), &*encode(object)?)?;
        if let Some(small) = small {
            self.small_bodies.insert((bucket, key), small)?;
        }
        Ok(replaced)
    }

    /// Removes the object, if there is one, and returns its files.
    fn remove(&mut self, bucket: &str, key: &str) -> Result<Vec<Piece>> {
        let Some(object) = self.object(bucket, key)? else {
            return Ok(Vec::new());
        };
        self.objects.remove((bucket, key))?;
        self.small_bodies.remove((bucket, key))?;
        Ok(object.body.pieces(object.size))
    }
}

fn require_bucket(transaction: &ReadTransaction, bucket: &str) -> Result<()> {
    match transaction.open_table(BUCKETS)?.get(bucket)? {
        Some(_) => Ok(()),
        None => Err(S3ErrorCode::NoSuchBucket.into()),
    }
}

impl Conditions {
    /// Checks a read. An entity tag has precedence over a time (RFC 9110, section 13.2.2).
    pub(crate) fn check_read(&self, object: &Object) -> S3Result<()> {
        match (&self.matches, &self.unmodified_since) {
            (Some(tag), _) if !has_tag(tag, object) => {
                return Err(S3ErrorCode::PreconditionFailed.into());
            }
            (None, Some(since)) if modified_after(object, since) => {
                return Err(S3ErrorCode::PreconditionFailed.into());
            }
            _ => {}
        }
        match (&self.none_match, &self.modified_since) {
            (Some(tag), _) if has_tag(tag, object) => Err(S3ErrorCode::NotModified.into()),
            (None, Some(since)) if !modified_after(object, since) => {
                Err(S3ErrorCode::NotModified.into())
            }
            _ => Ok(()),
        }
    }

    /// Checks the replacement or removal of an object that may not exist.
    pub(crate) fn check_write(&self, object: Option<&Object>) -> S3Result<()> {
        let matches = self
            .matches
            .as_ref()
            .is_none_or(|tag| object.is_some_and(|object| has_tag(tag, object)));
        let differs = self
            .none_match
            .as_ref()
            .is_none_or(|tag| object.is_none_or(|object| !has_tag(tag, object)));
        if matches && differs {
            Ok(())
        } else {
            Err(S3ErrorCode::PreconditionFailed.into())
        }
    }
}

fn has_tag(tag: &ETagCondition, object: &Object) -> bool {
    match tag {
        ETagCondition::Any => true,
        ETagCondition::ETag(tag) => tag.value() == object.etag,
    }
}

/// Compares whole seconds, the precision of HTTP dates.
fn modified_after(object: &Object, since: &Timestamp) -> bool {
    timestamp(object.modified_ms / 1000 * 1000) > *since
}
