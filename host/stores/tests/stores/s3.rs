//! The embedded S3 server over HTTP, with signatures of an independent library (`rusty-s3`).

mod clients;
mod failures;
mod keys;

use std::ops::Range;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::HeaderMap;
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rusty_s3::actions::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload,
    CreateMultipartUploadResponse, DeleteObject, GetObject, ListObjectsV2, ListObjectsV2Response,
    PutObject, UploadPart,
};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use sha2::{Digest as _, Sha256};
use wharf_stores::{Options, S3Address, Stores, Values, Wanted};

use crate::data_folder::{DataFolder, start};
use crate::host::Host;

const SOON: Duration = Duration::from_secs(60);

fn s3(folder: &DataFolder) -> Options {
    Options {
        postgres: Wanted::No,
        s3: Wanted::Embedded,
        ..folder.postgres()
    }
}

/// A client with keys to a bucket.
struct S3 {
    bucket: Bucket,
    credentials: Credentials,
    client: Client<HttpConnector, Full<Bytes>>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    /// The error code of S3.
    fn code(&self) -> &str {
        let after = self.text().split_once("<Code>").unwrap_or_default().1;
        after.split_once("</Code>").unwrap_or_default().0
    }
}

impl S3 {
    fn of(stores: &Stores) -> Self {
        Self::at(stores.addresses().s3.as_ref().unwrap())
    }

    fn at(address: &S3Address) -> Self {
        let endpoint = address.endpoint.parse().unwrap();
        let bucket = Bucket::new(
            endpoint,
            UrlStyle::Path,
            address.bucket.clone(),
            address.region.clone(),
        )
        .unwrap();
        let credentials = Credentials::new(&address.access_key, &address.secret_key);
        Self {
            bucket,
            credentials,
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    async fn try_send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self
            .client
            .request(request.body(Full::new(body)).unwrap())
            .await
            .ok()?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    async fn send(
        &self,
        method: Method,
        url: impl AsRef<str>,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.try_send(method, url.as_ref(), headers, Bytes::copy_from_slice(body))
            .await
            .unwrap()
    }

    /// A presigned URL for putting this object with these headers.
    fn put_url(&self, key: &str, headers: &[(&str, &str)]) -> String {
        let mut action = PutObject::new(&self.bucket, Some(&self.credentials), key);
        for (name, value) in headers {
            action
                .headers_mut()
                .insert((*name).to_owned(), (*value).to_owned());
        }
        action.sign(SOON).into()
    }

    fn get_url(&self, key: &str) -> String {
        GetObject::new(&self.bucket, Some(&self.credentials), key)
            .sign(SOON)
            .into()
    }

    async fn put(&self, key: &str, body: &[u8]) -> Answer {
        self.put_with(key, body, &[]).await
    }

    async fn put_with(&self, key: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        self.send(Method::PUT, self.put_url(key, headers), headers, body)
            .await
    }

    async fn get(&self, key: &str) -> Answer {
        self.send(Method::GET, self.get_url(key), &[], b"").await
    }

    async fn get_range(&self, key: &str, range: Range<usize>) -> Answer {
        let range = format!("bytes={}-{}", range.start, range.end - 1);
        self.send(Method::GET, self.get_url(key), &[("range", &range)], b"")
            .await
    }

    async fn delete(&self, key: &str) -> Answer {
        let url = DeleteObject::new(&self.bucket, Some(&self.credentials), key).sign(SOON);
        self.send(Method::DELETE, url, &[], b"").await
    }

    async fn list(&self, ask: impl FnOnce(&mut ListObjectsV2<'_>)) -> ListObjectsV2Response {
        let mut action = self.bucket.list_objects_v2(Some(&self.credentials));
        ask(&mut action);
        let answer = self.send(Method::GET, action.sign(SOON), &[], b"").await;
        ListObjectsV2::parse_response(answer.text()).unwrap()
    }

    async fn begin_upload(
        &self,
        key: &str,
        headers: &[(&str, &str)],
    ) -> CreateMultipartUploadResponse {
        let mut action = CreateMultipartUpload::new(&self.bucket, Some(&self.credentials), key);
        for (name, value) in headers {
            action
                .headers_mut()
                .insert((*name).to_owned(), (*value).to_owned());
        }
        let answer = self
            .send(Method::POST, action.sign(SOON), headers, b"")
            .await;
        CreateMultipartUpload::parse_response(answer.text()).unwrap()
    }

    fn part_url(&self, key: &str, number: u16, upload: &CreateMultipartUploadResponse) -> String {
        UploadPart::new(
            &self.bucket,
            Some(&self.credentials),
            key,
            number,
            upload.upload_id(),
        )
        .sign(SOON)
        .into()
    }

    async fn complete(
        &self,
        key: &str,
        upload: &CreateMultipartUploadResponse,
        etags: &[&str],
    ) -> Answer {
        let etags = etags.iter().copied();
        let action = CompleteMultipartUpload::new(
            &self.bucket,
            Some(&self.credentials),
            key,
            upload.upload_id(),
            etags,
        );
        let url = action.sign(SOON);
        self.send(Method::POST, url, &[], action.body().as_bytes())
            .await
    }
}

/// Bytes that differ by position.
fn content(size: usize) -> Vec<u8> {
    (0..size)
        .map(|place| (place % 251) as u8 ^ (place / 251) as u8)
        .collect()
}

#[tokio::test]
async fn objects_of_every_size_can_be_read_whole_and_by_range() {
    let folder = DataFolder::new();
    let stores = start(s3(&folder)).await;
    let s3 = S3::of(&stores);
    for size in [0, 1, 32 * 1024, 32 * 1024 + 1, 3_000_000] {
        let content = content(size);
        let headers = [
            ("content-type", "text/plain"),
            ("x-amz-meta-colour", "blue"),
        ];
        let put = s3.put_with("some/key with ü", &content, &headers).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.text());
        let got = s3.get("some/key with ü").await;
        assert!(got.body == content, "{size}");
        assert_eq!(
            (got.header("content-type"), got.header("x-amz-meta-colour")),
            ("text/plain", "blue")
        );
        assert_eq!(got.header("etag"), put.header("etag"));
        if size > 1000 {
            let part = s3.get_range("some/key with ü", 500..999).await;
            assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
            assert_eq!(
                part.header("content-range"),
                format!("bytes 500-998/{size}")
            );
            assert!(part.body == content[500..999]);
        }
    }
    assert_eq!(
        s3.get_range("some/key with ü", 3_000_000..3_000_001)
            .await
            .status,
        StatusCode::RANGE_NOT_SATISFIABLE
    );
    assert_eq!(
        s3.delete("some/key with ü").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(s3.get("some/key with ü").await.code(), "NoSuchKey");
    stores.stop().await;
}

#[tokio::test]
async fn only_a_valid_signature_gives_access() {
    let folder = DataFolder::new();
    let values = Values::open(folder.path()).unwrap();
    let (other_key, other_secret) = values.add_s3_key().unwrap();
    let stores = start(s3(&folder)).await;
    let s3 = S3::of(&stores);
    s3.put("secret", b"plans").await;

    let address = stores.addresses().s3.clone().unwrap();
    let second = S3::at(&S3Address {
        access_key: other_key,
        secret_key: other_secret,
        ..address.clone()
    });
    assert_eq!(second.get("secret").await.body, "plans");
    let wrong = S3::at(&S3Address {
        secret_key: "x".repeat(40),
        ..address.clone()
    });
    let unknown = S3::at(&S3Address {
        access_key: "x".repeat(20),
        ..address
    });
    for (client, url) in [
        (&wrong, wrong.get_url("secret")),
        (&unknown, unknown.get_url("secret")),
        (&s3, s3.get_url("open").replace("/open?", "/secret?")),
        (&s3, s3.bucket.object_url("secret").into()),
        // Expired.
        (
            &s3,
            GetObject::new(&s3.bucket, Some(&s3.credentials), "secret")
                .sign(Duration::ZERO)
                .into(),
        ),
    ] {
        let answer = client.send(Method::GET, url, &[], b"").await;
        assert!(
            answer.status.is_client_error() && answer.body != "plans",
            "{}",
            answer.text()
        );
    }
    let written = s3
        .send(Method::PUT, s3.get_url("secret"), &[], b"lies")
        .await;
    assert_eq!(written.status, StatusCode::FORBIDDEN);
    assert_eq!(s3.get("secret").await.body, "plans");
    stores.stop().await;
}

#[tokio::test]
async fn a_body_with_a_wrong_checksum_replaces_nothing() {
    let folder = DataFolder::new();
    let stores = start(s3(&folder)).await;
    let s3 = S3::of(&stores);
    s3.put("k", b"old").await;
    let digest = STANDARD.encode(Sha256::digest(b"new"));
    // MD5 of "new".
    let md5 = STANDARD.encode([
        0x22, 0xaf, 0x64, 0x5d, 0x18, 0x59, 0xcb, 0x5c, 0xa6, 0xda, 0x0c, 0x48, 0x4f, 0x1f, 0x37,
        0xea,
    ]);
    for (name, value) in [("x-amz-checksum-sha256", &digest), ("content-md5", &md5)] {
        let refused = s3.put_with("k", b"forged", &[(name, value)]).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::BAD_REQUEST, "BadDigest"),
            "{name}"
        );
        assert_eq!(s3.get("k").await.body, "old");
        let taken = s3.put_with("k", b"new", &[(name, value)]).await;
        assert_eq!(taken.status, StatusCode::OK, "{name}: {}", taken.text());
        s3.put("k", b"old").await;
    }
    assert_eq!(
        s3.put_with("k", b"new", &[("content-md5", "no base64")])
            .await
            .code(),
        "InvalidDigest"
    );

    s3.put_with("k", b"new", &[("x-amz-checksum-sha256", &digest)])
        .await;
    let headers = [("x-amz-checksum-mode", "ENABLED")];
    let mut get = GetObject::new(&s3.bucket, Some(&s3.credentials), "k");
    get.headers_mut().insert(headers[0].0, headers[0].1);
    let got = s3.send(Method::GET, get.sign(SOON), &headers, b"").await;
    assert_eq!(got.header("x-amz-checksum-sha256"), digest);
    assert_eq!(got.header("x-amz-checksum-type"), "FULL_OBJECT");
    stores.stop().await;
}
