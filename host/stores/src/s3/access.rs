//! What an access key may do: everything, or only what concerns objects below its prefix.

use std::collections::HashMap;

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::Credentials;
use s3s::dto::{
    CopyObjectInput, CopySource, DeleteObjectsInput, ListMultipartUploadsInput, ListObjectsInput,
    ListObjectsV2Input, UploadPartCopyInput,
};
use s3s::path::S3Path;
use s3s::{S3ErrorCode, S3Request, S3Result};

use super::convert::find_source;

/// The operations on a bucket whose input names objects. It is checked once it is read, by the function of each below.
const NAMING_OBJECTS: [&str; 4] = [
    "DeleteObjects",
    "ListMultipartUploads",
    "ListObjects",
    "ListObjectsV2",
];

pub(super) struct Access {
    /// The only bucket for access keys with a prefix.
    pub(super) bucket: String,
    /// The prefix of each access key; `None` if it may do everything.
    pub(super) prefixes: HashMap<String, Option<String>>,
}

impl Access {
    fn prefix(&self, credentials: Option<&Credentials>) -> S3Result<Option<&str>> {
        let known = credentials.and_then(|it| self.prefixes.get(&it.access_key));
        Ok(known.ok_or(S3ErrorCode::AccessDenied)?.as_deref())
    }

    /// `start` is the key of an object, or what the keys of several begin with.
    fn require(
        &self,
        credentials: Option<&Credentials>,
        bucket: &str,
        start: &str,
    ) -> S3Result<()> {
        match self.prefix(credentials)? {
            Some(prefix) if bucket != self.bucket || !start.starts_with(prefix) => {
                Err(S3ErrorCode::AccessDenied.into())
            }
            Some(_) | None => Ok(()),
        }
    }

    fn require_list<T>(
        &self,
        request: &S3Request<T>,
        bucket: &str,
        prefix: &Option<String>,
    ) -> S3Result<()> {
        let start = prefix.as_deref().unwrap_or_default();
        self.require(request.credentials.as_ref(), bucket, start)
    }

    fn require_source<T>(&self, request: &S3Request<T>, source: &CopySource) -> S3Result<()> {
        // The holder of a presigned address could add this header: s3s does not ask that all headers are signed.
        let query = request.uri.query().unwrap_or_default();
        if query.contains("X-Amz-SignedHeaders=") && !query.contains("x-amz-copy-source") {
            return Err(S3ErrorCode::AccessDenied.into());
        }
        let (bucket, key) = find_source(source)?;
        self.require(request.credentials.as_ref(), bucket, key)
    }
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let credentials = context.credentials();
        let may_do_everything = self.prefix(credentials)?.is_none();
        match context.s3_path() {
            S3Path::Object { bucket, key } => self.require(credentials, bucket, key),
            S3Path::Bucket { .. } if NAMING_OBJECTS.contains(&context.s3_op().name()) => Ok(()),
            S3Path::Bucket { .. } | S3Path::Root if may_do_everything => Ok(()),
            S3Path::Bucket { .. } | S3Path::Root => Err(S3ErrorCode::AccessDenied.into()),
        }
    }

    async fn list_objects(&self, request: &mut S3Request<ListObjectsInput>) -> S3Result<()> {
        self.require_list(request, &request.input.bucket, &request.input.prefix)
    }

    async fn list_objects_v2(&self, request: &mut S3Request<ListObjectsV2Input>) -> S3Result<()> {
        self.require_list(request, &request.input.bucket, &request.input.prefix)
    }

    async fn list_multipart_uploads(
        &self,
        request: &mut S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<()> {
        self.require_list(request, &request.input.bucket, &request.input.prefix)
    }

    async fn delete_objects(&self, request: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        let (credentials, input) = (request.credentials.as_ref(), &request.input);
        let mut objects = input.delete.objects.iter();
        objects.try_for_each(|it| self.require(credentials, &input.bucket, &it.key))
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        self.require_source(request, &request.input.copy_source)
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        self.require_source(request, &request.input.copy_source)
    }
}
