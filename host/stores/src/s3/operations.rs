//! The supported operations of S3, as calls of `Objects`. All others are answered with 501.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::*;
use s3s::path::check_bucket_name;
use s3s::{S3, S3ErrorCode, S3Request, S3Response, S3Result};

use super::convert::{
    checksum_type, common_prefixes, content_range, contents, decode_token, etag, find_source,
    key_encoding, number, page_limit, part_number, parts_count, query, requested_range, signed,
    type_of_checksum, unsigned,
};
use super::digests::{Algorithm, Claims, claimed, claims, wanted, with_digests};
use super::listing::MAX_PAGE;
use super::objects::{Conditions, Objects};
use super::records::{Object as Stored, Upload, attributes, now_ms, timestamp};
use super::uploads::{ClaimedPart, UploadId};

pub(crate) struct Operations(pub(crate) Arc<Objects>);

type Answer<T> = S3Result<S3Response<T>>;

fn answer<T>(output: T) -> Answer<T> {
    Ok(S3Response::new(output))
}

#[async_trait::async_trait]
impl S3 for Operations {
    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> Answer<CreateBucketOutput> {
        let bucket = request.input.bucket;
        if !check_bucket_name(&bucket) {
            return Err(S3ErrorCode::InvalidBucketName.into());
        }
        self.0.create_bucket(bucket.clone()).await?;
        answer(CreateBucketOutput {
            location: Some(format!("/{bucket}")),
        })
    }

    async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> Answer<DeleteBucketOutput> {
        self.0.delete_bucket(request.input.bucket).await?;
        answer(DeleteBucketOutput {})
    }

    async fn head_bucket(&self, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.0.require_bucket(&request.input.bucket)?;
        answer(HeadBucketOutput::default())
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        self.0.require_bucket(&request.input.bucket)?;
        answer(GetBucketLocationOutput::default())
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        let bucket = |(name, made_ms)| Bucket {
            name: Some(name),
            creation_date: Some(timestamp(made_ms)),
            ..Default::default()
        };
        let buckets = self.0.buckets()?.into_iter().map(bucket).collect();
        answer(ListBucketsOutput {
            buckets: Some(buckets),
            ..Default::default()
        })
    }

    async fn put_object(&self, mut request: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let claims = claims!(request);
        let mut input = request.input;
        let attributes = attributes!(input);
        let conditions = Conditions {
            matches: input.if_match,
            none_match: input.if_none_match,
            ..Conditions::default()
        };
        let body = input.body;
        let object = self
            .0
            .put(
                input.bucket,
                input.key,
                body,
                claims,
                attributes,
                conditions,
            )
            .await?;
        let output = PutObjectOutput {
            e_tag: Some(etag(&object)),
            ..Default::default()
        };
        answer(with_digests!(output, &object.digests))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        let input = request.input;
        let conditions = Conditions {
            matches: input.if_match,
            none_match: input.if_none_match,
            modified_since: input.if_modified_since,
            unmodified_since: input.if_unmodified_since,
        };
        let range_of =
            |object: &Stored| requested_range(object, input.range.as_ref(), input.part_number);
        let (object, range, body) = self
            .0
            .get(&input.bucket, &input.key, &conditions, range_of)
            .await?;
        let is_part = input.range.is_some() || input.part_number.is_some();
        let with_digests = input.checksum_mode.is_some() && !is_part;
        let attributes = object.attributes.clone();
        let output = GetObjectOutput {
            body: Some(body),
            content_length: Some(signed(range.end - range.start)),
            content_range: (is_part && object.size > 0).then(|| content_range(&range, object.size)),
            accept_ranges: Some("bytes".to_owned()),
            last_modified: Some(timestamp(object.modified_ms)),
            e_tag: Some(etag(&object)),
            content_type: Some(
                input
                    .response_content_type
                    .unwrap_or_else(|| object.attributes.content_type()),
            ),
            content_encoding: input
                .response_content_encoding
                .or(attributes.content_encoding),
            content_disposition: input
                .response_content_disposition
                .or(attributes.content_disposition),
            content_language: input
                .response_content_language
                .or(attributes.content_language),
            cache_control: input.response_cache_control.or(attributes.cache_control),
            metadata: object.attributes.metadata(),
            parts_count: input.part_number.and_then(|_| parts_count(&object)),
            checksum_type: with_digests.then(|| checksum_type(&object)).flatten(),
            ..Default::default()
        };
        answer(if with_digests {
            with_digests!(output, &object.digests)
        } else {
            output
        })
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        let input = request.input;
        let object = self.0.find(&input.bucket, &input.key)?.object;
        let conditions = Conditions {
            matches: input.if_match,
            none_match: input.if_none_match,
            modified_since: input.if_modified_since,
            unmodified_since: input.if_unmodified_since,
        };
        conditions.check_read(&object)?;
        let range = requested_range(&object, input.range.as_ref(), input.part_number)?;
        let is_part = input.range.is_some() || input.part_number.is_some();
        let with_digests = input.checksum_mode.is_some() && !is_part;
        let attributes = object.attributes.clone();
        let output = HeadObjectOutput {
            content_length: Some(signed(range.end - range.start)),
            content_range: (is_part && object.size > 0).then(|| content_range(&range, object.size)),
            accept_ranges: Some("bytes".to_owned()),
            last_modified: Some(timestamp(object.modified_ms)),
            e_tag: Some(etag(&object)),
            content_type: Some(object.attributes.content_type()),
            content_encoding: attributes.content_encoding,
            content_disposition: attributes.content_disposition,
            content_language: attributes.content_language,
            cache_control: attributes.cache_control,
            metadata: object.attributes.metadata(),
            parts_count: input.part_number.and_then(|_| parts_count(&object)),
            checksum_type: with_digests.then(|| checksum_type(&object)).flatten(),
            ..Default::default()
        };
        answer(if with_digests {
            with_digests!(output, &object.digests)
        } else {
            output
        })
    }

    async fn copy_object(&self, request: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        let mut input = request.input;
        let (source_bucket, source_key) = find_source(&input.copy_source)?;
        let replaces = input
            .metadata_directive
            .take()
            .is_some_and(|it| it.as_str() == MetadataDirective::REPLACE);
        if !replaces && (source_bucket, source_key) == (&*input.bucket, &*input.key) {
            // As in S3: the copy would change nothing.
            return Err(S3ErrorCode::InvalidRequest.into());
        }
        let attributes = replaces.then(|| attributes!(input));
        let conditions = Conditions {
            matches: input.copy_source_if_match,
            none_match: input.copy_source_if_none_match,
            modified_since: input.copy_source_if_modified_since,
            unmodified_since: input.copy_source_if_unmodified_since,
        };
        let wanted = wanted(input.checksum_algorithm, &request.headers);
        let target = (input.bucket, input.key);
        let object = self
            .0
            .copy(
                (source_bucket, source_key),
                &conditions,
                target,
                attributes,
                wanted,
            )
            .await?;
        let result = CopyObjectResult {
            e_tag: Some(etag(&object)),
            last_modified: Some(timestamp(object.modified_ms)),
            ..Default::default()
        };
        let result = with_digests!(result, &object.digests);
        answer(CopyObjectOutput {
            copy_object_result: Some(result),
            ..Default::default()
        })
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> Answer<DeleteObjectOutput> {
        let input = request.input;
        let conditions = Conditions {
            matches: input.if_match,
            ..Conditions::default()
        };
        self.0
            .delete(input.bucket, vec![input.key], conditions)
            .await?;
        answer(DeleteObjectOutput::default())
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let Delete { objects, quiet } = request.input.delete;
        if objects.len() > MAX_PAGE {
            return Err(S3ErrorCode::MalformedXML.into());
        }
        let keys: Vec<_> = objects.into_iter().map(|object| object.key).collect();
        self.0
            .delete(request.input.bucket, keys.clone(), Conditions::default())
            .await?;
        let deleted = |key| DeletedObject {
            key: Some(key),
            ..Default::default()
        };
        let deleted = (quiet != Some(true)).then(|| keys.into_iter().map(deleted).collect());
        answer(DeleteObjectsOutput {
            deleted,
            ..Default::default()
        })
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        let input = request.input;
        let after = match &input.continuation_token {
            Some(token) => decode_token(token)?,
            None => input.start_after.clone().unwrap_or_default(),
        };
        let query = query(
            &input.bucket,
            &input.prefix,
            &input.delimiter,
            after,
            input.max_keys,
        )?;
        let page = self.0.list(&query)?;
        let encode = key_encoding(&input.encoding_type);
        answer(ListObjectsV2Output {
            key_count: Some(number(page.objects.len() + page.prefixes.len())),
            max_keys: Some(number(query.limit)),
            is_truncated: Some(page.next_after.is_some()),
            next_continuation_token: page
                .next_after
                .as_ref()
                .map(|after| URL_SAFE_NO_PAD.encode(after)),
            common_prefixes: Some(common_prefixes(&page, encode)),
            contents: Some(contents(page, encode)),
            name: Some(input.bucket),
            prefix: input.prefix.map(encode),
            delimiter: input.delimiter.map(encode),
            start_after: input.start_after.map(encode),
            continuation_token: input.continuation_token,
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> Answer<ListObjectsOutput> {
        let input = request.input;
        let after = input.marker.clone().unwrap_or_default();
        let query = query(
            &input.bucket,
            &input.prefix,
            &input.delimiter,
            after,
            input.max_keys,
        )?;
        let page = self.0.list(&query)?;
        let encode = key_encoding(&input.encoding_type);
        answer(ListObjectsOutput {
            max_keys: Some(number(query.limit)),
            is_truncated: Some(page.next_after.is_some()),
            next_marker: page.next_after.clone().map(encode),
            common_prefixes: Some(common_prefixes(&page, encode)),
            contents: Some(contents(page, encode)),
            name: Some(input.bucket),
            prefix: input.prefix.map(encode),
            delimiter: input.delimiter.map(encode),
            marker: input.marker.map(encode),
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let mut input = request.input;
        let algorithm = match &input.checksum_algorithm {
            Some(named) => {
                Some(Algorithm::named(named.as_str()).ok_or(S3ErrorCode::InvalidRequest)?)
            }
            None => None,
        };
        let wanted_type = input.checksum_type.as_ref().map(ChecksumType::as_str);
        let composite =
            algorithm.map_or(Ok(false), |algorithm| algorithm.is_composite(wanted_type))?;
        let upload = Upload {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            begun_ms: now_ms(),
            attributes: attributes!(input),
            algorithm,
            composite,
        };
        let id = self.0.begin_upload(upload).await?;
        answer(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            checksum_algorithm: input.checksum_algorithm,
            checksum_type: algorithm.map(|_| type_of_checksum(composite)),
            ..Default::default()
        })
    }

    async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> Answer<UploadPartOutput> {
        let claims = claims!(request);
        let input = request.input;
        let upload = UploadId {
            bucket: input.bucket,
            key: input.key,
            id: input.upload_id,
        };
        let part = self
            .0
            .put_part(upload, unsigned(input.part_number), input.body, claims)
            .await?;
        let output = UploadPartOutput {
            e_tag: Some(ETag::Strong(part.etag)),
            ..Default::default()
        };
        answer(with_digests!(output, &part.digests))
    }

    async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> Answer<UploadPartCopyOutput> {
        let input = request.input;
        let upload = UploadId {
            bucket: input.bucket,
            key: input.key,
            id: input.upload_id,
        };
        let conditions = Conditions {
            matches: input.copy_source_if_match,
            none_match: input.copy_source_if_none_match,
            modified_since: input.copy_source_if_modified_since,
            unmodified_since: input.copy_source_if_unmodified_since,
        };
        let range = match &input.copy_source_range {
            Some(range) => Some(Range::parse(range).map_err(|_| S3ErrorCode::InvalidArgument)?),
            None => None,
        };
        let range_of = |object: &Stored| requested_range(object, range.as_ref(), None);
        let (_, _, content) = self
            .0
            .get_source(find_source(&input.copy_source)?, &conditions, range_of)
            .await?;
        let part = self
            .0
            .put_part(
                upload,
                unsigned(input.part_number),
                Some(content),
                Claims::default(),
            )
            .await?;
        let result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag)),
            last_modified: Some(timestamp(part.modified_ms)),
            ..Default::default()
        };
        let result = with_digests!(result, &part.digests);
        answer(UploadPartCopyOutput {
            copy_part_result: Some(result),
            ..Default::default()
        })
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        let input = request.input;
        let upload = UploadId {
            bucket: input.bucket,
            key: input.key,
            id: input.upload_id,
        };
        let after = unsigned(input.part_number_marker.unwrap_or(0));
        let limit = page_limit(input.max_parts)?;
        let mut parts = self.0.parts(&upload)?;
        parts.retain(|(number, _)| *number > after);
        let is_truncated = parts.len() > limit;
        parts.truncate(limit);
        let last = parts.last().map(|(number, _)| part_number(*number));
        let part = |(number, part): (u32, super::records::Part)| {
            let output = Part {
                part_number: Some(part_number(number)),
                size: Some(signed(part.size)),
                e_tag: Some(ETag::Strong(part.etag)),
                last_modified: Some(timestamp(part.modified_ms)),
                ..Default::default()
            };
            with_digests!(output, &part.digests)
        };
        answer(ListPartsOutput {
            parts: Some(parts.into_iter().map(part).collect()),
            is_truncated: Some(is_truncated),
            next_part_number_marker: if is_truncated { last } else { None },
            max_parts: Some(number(limit)),
            part_number_marker: input.part_number_marker,
            bucket: Some(upload.bucket),
            key: Some(upload.key),
            upload_id: Some(upload.id),
            ..Default::default()
        })
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        let input = request.input;
        let limit = page_limit(input.max_uploads)?;
        let mut uploads = self
            .0
            .uploads(&input.bucket, input.prefix.as_deref().unwrap_or_default())?;
        if let Some(key) = input.key_marker.as_deref().filter(|key| !key.is_empty()) {
            let id = input.upload_id_marker.as_deref().unwrap_or_default();
            let is_seen = |upload: &Upload, its_id: &str| match id.is_empty() {
                true => upload.key.as_str() <= key,
                false => (upload.key.as_str(), its_id) <= (key, id),
            };
            uploads.retain(|(its_id, upload)| !is_seen(upload, its_id));
        }
        let is_truncated = uploads.len() > limit;
        uploads.truncate(limit);
        let last = uploads.last().filter(|_| is_truncated).cloned();
        let (next_id, next_key) = last.map(|(id, upload)| (id, upload.key)).unzip();
        let encode = key_encoding(&input.encoding_type);
        let upload = |(id, upload): (String, Upload)| MultipartUpload {
            key: Some(encode(upload.key)),
            upload_id: Some(id),
            initiated: Some(timestamp(upload.begun_ms)),
            ..Default::default()
        };
        answer(ListMultipartUploadsOutput {
            uploads: Some(uploads.into_iter().map(upload).collect()),
            is_truncated: Some(is_truncated),
            next_key_marker: next_key.map(encode),
            next_upload_id_marker: next_id,
            max_uploads: Some(number(limit)),
            bucket: Some(input.bucket),
            prefix: input.prefix.map(encode),
            key_marker: input.key_marker.map(encode),
            upload_id_marker: input.upload_id_marker,
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let input = request.input;
        self.0
            .abort_upload(UploadId {
                bucket: input.bucket,
                key: input.key,
                id: input.upload_id,
            })
            .await?;
        answer(AbortMultipartUploadOutput::default())
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let mut input = request.input;
        let whole = Claims {
            digests: claimed!(input),
            ..Claims::default()
        };
        let parts = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let part = |mut part: CompletedPart| ClaimedPart {
            number: part.part_number.map_or(0, unsigned),
            digests: claimed!(part),
            etag: part.e_tag,
        };
        let parts = parts.into_iter().map(part).collect();
        let conditions = Conditions {
            matches: input.if_match,
            none_match: input.if_none_match,
            ..Conditions::default()
        };
        let upload = UploadId {
            bucket: input.bucket,
            key: input.key,
            id: input.upload_id,
        };
        let object = self
            .0
            .complete_upload(upload.clone(), parts, whole, conditions)
            .await?;
        let output = CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", upload.bucket, upload.key)),
            bucket: Some(upload.bucket),
            key: Some(upload.key),
            e_tag: Some(etag(&object)),
            checksum_type: checksum_type(&object),
            ..Default::default()
        };
        answer(with_digests!(output, &object.digests))
    }
}
