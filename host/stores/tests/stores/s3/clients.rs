//! What clients do beside reading and writing: uploads in parts, lists, browsers.

use super::*;

#[tokio::test]
async fn a_multipart_upload_becomes_one_object() {
    const PART: usize = 5 << 20;
    let folder = DataFolder::new();
    let stores = start(s3(&folder)).await;
    let s3 = S3::of(&stores);
    let whole = content(PART + 1000);
    s3.put("source", &whole[PART..]).await;

    let upload = s3
        .begin_upload("big", &[("x-amz-checksum-algorithm", "CRC64NVME")])
        .await;
    let first = s3
        .send(
            Method::PUT,
            s3.part_url("big", 1, &upload),
            &[],
            &whole[..PART],
        )
        .await;
    assert!(!first.header("x-amz-checksum-crc64nvme").is_empty());
    // The second part is copied from another object, after a wrong one.
    s3.send(Method::PUT, s3.part_url("big", 2, &upload), &[], b"wrong")
        .await;
    let headers = [
        ("x-amz-copy-source", "/wharf/source"),
        ("x-amz-copy-source-range", "bytes=0-999"),
    ];
    let mut copy = UploadPart::new(
        &s3.bucket,
        Some(&s3.credentials),
        "big",
        2,
        upload.upload_id(),
    );
    for (name, value) in headers {
        copy.headers_mut().insert(name, value);
    }
    let second = s3.send(Method::PUT, copy.sign(SOON), &headers, b"").await;
    let second_etag = second
        .text()
        .split_once("<ETag>")
        .unwrap()
        .1
        .split_once("</ETag>")
        .unwrap()
        .0;
    let second_etag = second_etag.replace("&quot;", "\"");
    assert_eq!(s3.get("big").await.code(), "NoSuchKey");

    let etags = [first.header("etag"), &second_etag];
    assert_eq!(
        s3.complete("big", &upload, &[first.header("etag"), "\"0\""])
            .await
            .code(),
        "InvalidPart"
    );
    let completed = s3.complete("big", &upload, &etags).await;
    assert_eq!(completed.status, StatusCode::OK, "{}", completed.text());
    assert!(
        completed.text().contains("<ChecksumCRC64NVME>"),
        "{}",
        completed.text()
    );
    let got = s3.get("big").await;
    assert!(got.body == whole);
    assert!(
        got.header("etag").ends_with("-2\""),
        "{}",
        got.header("etag")
    );
    let across = s3.get_range("big", PART - 10..PART + 10).await;
    assert!(across.body == whole[PART - 10..PART + 10]);
    assert_eq!(
        s3.complete("big", &upload, &etags).await.code(),
        "NoSuchUpload"
    );

    let upload = s3.begin_upload("never", &[]).await;
    s3.send(Method::PUT, s3.part_url("never", 1, &upload), &[], b"part")
        .await;
    let abort = AbortMultipartUpload::new(
        &s3.bucket,
        Some(&s3.credentials),
        "never",
        upload.upload_id(),
    )
    .sign(SOON);
    assert_eq!(
        s3.send(Method::DELETE, abort, &[], b"").await.status,
        StatusCode::NO_CONTENT
    );
    s3.delete("big").await;
    s3.delete("source").await;
    stores.stop().await;
    let left = std::fs::read_dir(folder.path().join("s3/bodies"))
        .unwrap()
        .count();
    assert_eq!(left, 0, "remaining files");
}

#[tokio::test]
async fn only_one_of_concurrent_creations_of_an_object_succeeds() {
    let folder = DataFolder::new();
    let stores = start(s3(&folder)).await;
    let s3 = S3::of(&stores);
    let bodies: Vec<_> = (0..8).map(|number| format!("body {number}")).collect();
    let puts = bodies
        .iter()
        .map(|body| s3.put_with("k", body.as_bytes(), &[("if-none-match", "*")]));
    let answers = futures::future::join_all(puts).await;
    let created: Vec<_> = answers
        .iter()
        .zip(&bodies)
        .filter(|(answer, _)| answer.status == StatusCode::OK)
        .collect();
    assert_eq!(created.len(), 1);
    assert_eq!(s3.get("k").await.body, created[0].1.as_bytes());
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == StatusCode::OK || answer.code() == "PreconditionFailed")
    );
    stores.stop().await;
}

#[tokio::test]
async fn keys_are_listed_in_order_and_by_page() {
    let folder = DataFolder::new();
    let stores = start(s3(&folder)).await;
    let s3 = S3::of(&stores);
    for key in ["a/1", "a/2", "b", "..escape", "ü & <x>"] {
        assert_eq!(s3.put(key, b"x").await.status, StatusCode::OK, "{key}");
    }
    let keys = |page: &ListObjectsV2Response| -> Vec<_> {
        page.contents
            .iter()
            .map(|object| object.key.clone())
            .collect()
    };
    let first = s3.list(|action| action.with_max_keys(3)).await;
    let token = first.next_continuation_token.clone().unwrap();
    let rest = s3
        .list(|action| action.with_continuation_token(token))
        .await;
    let all: Vec<_> = [keys(&first), keys(&rest)].concat();
    assert_eq!(all.len(), 5);
    assert!(all.iter().any(|key| key.contains("escape")));
    let rolled = s3.list(|action| action.with_delimiter("/")).await;
    assert_eq!(
        rolled
            .common_prefixes
            .iter()
            .map(|prefix| &prefix.prefix)
            .filter(|prefix| *prefix == "a/")
            .count(),
        1
    );
    stores.stop().await;
}

#[tokio::test]
async fn a_browser_may_use_presigned_urls_from_any_origin() {
    let folder = DataFolder::new();
    let stores = start(s3(&folder)).await;
    let s3 = S3::of(&stores);
    let origin = ("origin", "https://app.example");
    let preflight_headers = [
        origin,
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "content-type"),
    ];
    let preflight = s3
        .send(
            Method::OPTIONS,
            s3.put_url("k", &[]),
            &preflight_headers,
            b"",
        )
        .await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert!(
        preflight
            .header("access-control-allow-methods")
            .contains("PUT")
    );
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        "content-type"
    );
    let put = s3
        .send(Method::PUT, s3.put_url("k", &[]), &[origin], b"x")
        .await;
    assert_eq!(
        (put.status, put.header("access-control-allow-origin")),
        (StatusCode::OK, "*")
    );
    stores.stop().await;
}
