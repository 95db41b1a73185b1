//! Keys that reach the objects below one prefix.

use jiff::Timestamp;
use rusty_s3::Method::{Delete, Get, Head, Post, Put};
use rusty_s3::signing::sign;

use super::*;

/// A request, with what it names in sorted order: method, path, query, headers, body.
type Asked<'a> = (
    rusty_s3::Method,
    &'a str,
    &'a [(&'a str, &'a str)],
    &'a [(&'a str, &'a str)],
    &'a str,
);

impl S3 {
    /// Sends a request to a presigned address, also one that the library has no action for.
    async fn ask(&self, (method, path, query, headers, body): Asked<'_>) -> Answer {
        let url = sign(
            &Timestamp::now(),
            method,
            self.bucket.base_url().join(path).unwrap(),
            self.credentials.key(),
            self.credentials.secret(),
            None,
            self.bucket.region(),
            SOON.as_secs(),
            query.iter().copied(),
            headers.iter().copied(),
        );
        let method = method.to_str().parse().unwrap();
        self.send(method, url, headers, body.as_bytes()).await
    }
}

impl Answer {
    #[track_caller]
    fn expect_success(&self) {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
    }
}

/// The body of a request to delete two objects.
fn deletion(one: &str, other: &str) -> String {
    format!("<Delete><Object><Key>{one}</Key></Object><Object><Key>{other}</Key></Object></Delete>")
}

#[tokio::test]
async fn a_key_with_a_prefix_reaches_nothing_beside_it() {
    let folder = DataFolder::new();
    // Written before there were such keys.
    let stores = start(s3(&folder)).await;
    for key in ["till/old", "tills", "stock/secret"] {
        S3::of(&stores).put(key, b"plans").await;
    }
    stores.stop().await;

    let options = Options {
        s3_keys: [("till", "till/"), ("stock", "stock/")]
            .map(|(name, prefix)| (name.to_owned(), prefix.to_owned()))
            .into(),
        ..s3(&folder)
    };
    let stores = start(options.clone()).await;
    let owner = S3::of(&stores);
    let address = stores.addresses().s3_keys["till"].clone();
    let till = S3::at(&address);
    owner
        .ask((Put, "/elsewhere/", &[], &[], ""))
        .await
        .expect_success();
    let theirs = owner.begin_upload("stock/upload", &[]).await;
    let theirs = theirs.upload_id();
    let ours = till.begin_upload("till/upload", &[]).await;
    let ours = ours.upload_id();

    let secret = ("x-amz-copy-source", "/wharf/stock/secret");
    let both = deletion("till/old", "stock/secret");
    let complete = "<CompleteMultipartUpload></CompleteMultipartUpload>";
    let refused: &[Asked<'_>] = &[
        (Get, "/wharf/stock/secret", &[], &[], ""),
        (Get, "/wharf/stock/missing", &[], &[], ""),
        // Its name only begins as the prefix does.
        (Get, "/wharf/tills", &[], &[], ""),
        (Get, "/wharf/stock/secret", &[("partNumber", "1")], &[], ""),
        (Put, "/wharf/stock/secret", &[], &[], "lies"),
        (Put, "/elsewhere/till/new", &[], &[], "lies"),
        (Delete, "/wharf/stock/secret", &[], &[], ""),
        (Post, "/wharf/", &[("delete", "")], &[], &both),
        // Copies from there and to there.
        (Put, "/wharf/till/new", &[], &[secret], ""),
        (
            Put,
            "/wharf/till/new",
            &[],
            &[("x-amz-copy-source", "/elsewhere/till/old")],
            "",
        ),
        (
            Put,
            "/wharf/stock/secret",
            &[],
            &[("x-amz-copy-source", "/wharf/till/old")],
            "",
        ),
        (
            Put,
            "/wharf/till/upload",
            &[("partNumber", "1"), ("uploadId", ours)],
            &[secret],
            "",
        ),
        // Uploads.
        (Post, "/wharf/stock/new", &[("uploads", "")], &[], ""),
        (
            Put,
            "/wharf/stock/upload",
            &[("partNumber", "1"), ("uploadId", theirs)],
            &[],
            "lies",
        ),
        (Get, "/wharf/stock/upload", &[("uploadId", theirs)], &[], ""),
        (
            Post,
            "/wharf/stock/upload",
            &[("uploadId", theirs)],
            &[],
            complete,
        ),
        (
            Delete,
            "/wharf/stock/upload",
            &[("uploadId", theirs)],
            &[],
            "",
        ),
        // Lists.
        (Get, "/wharf/", &[], &[], ""),
        (Get, "/wharf/", &[("prefix", "stock/")], &[], ""),
        (Get, "/wharf/", &[("prefix", "till")], &[], ""),
        (Get, "/wharf/", &[("list-type", "2")], &[], ""),
        (
            Get,
            "/wharf/",
            &[("list-type", "2"), ("prefix", "stock/")],
            &[],
            "",
        ),
        (
            Get,
            "/elsewhere/",
            &[("list-type", "2"), ("prefix", "till/")],
            &[],
            "",
        ),
        (Get, "/wharf/", &[("uploads", "")], &[], ""),
        (
            Get,
            "/wharf/",
            &[("prefix", "stock/"), ("uploads", "")],
            &[],
            "",
        ),
        // Buckets.
        (Get, "/", &[], &[], ""),
        (Get, "/wharf/", &[("location", "")], &[], ""),
        (Put, "/another/", &[], &[], ""),
        (Delete, "/elsewhere/", &[], &[], ""),
    ];
    for asked in refused {
        let answer = till.ask(*asked).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::FORBIDDEN, "AccessDenied"),
            "{asked:?}: {}",
            answer.text()
        );
    }
    // Their answers have no body.
    for path in ["/wharf/stock/secret", "/wharf/tills", "/wharf/"] {
        let answer = till.ask((Head, path, &[], &[], "")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    // The other upload belongs to another object.
    let foreign = [("partNumber", "1"), ("uploadId", theirs)];
    let answer = till
        .ask((Put, "/wharf/till/upload", &foreign, &[], "lies"))
        .await;
    assert_eq!(answer.code(), "NoSuchUpload");
    // An address for sending an object is not one for copying another.
    let own = [("x-amz-copy-source", "/wharf/till/old")];
    let to_send = till.put_url("till/new", &[]);
    let answer = till.send(Method::PUT, to_send, &own, b"").await;
    assert_eq!(answer.code(), "AccessDenied");
    assert_eq!(owner.get("stock/secret").await.body, "plans");
    assert_eq!(owner.get("till/new").await.code(), "NoSuchKey");

    let parts = [("partNumber", "1"), ("uploadId", ours)];
    let ours_only = deletion("till/old", "till/copy");
    let allowed: &[Asked<'_>] = &[
        (Get, "/wharf/till/old", &[], &[], ""),
        (Head, "/wharf/till/old", &[], &[], ""),
        (Put, "/wharf/till/new", &[], &[], "ours"),
        (
            Put,
            "/wharf/till/copy",
            &[],
            &[("x-amz-copy-source", "/wharf/till/new")],
            "",
        ),
        (
            Put,
            "/wharf/till/upload",
            &parts,
            &[("x-amz-copy-source", "/wharf/till/new")],
            "",
        ),
        (Put, "/wharf/till/upload", &parts, &[], "part"),
        (Get, "/wharf/till/upload", &[("uploadId", ours)], &[], ""),
        (
            Get,
            "/wharf/",
            &[("list-type", "2"), ("prefix", "till/")],
            &[],
            "",
        ),
        (Get, "/wharf/", &[("prefix", "till/n")], &[], ""),
        (
            Get,
            "/wharf/",
            &[("prefix", "till/"), ("uploads", "")],
            &[],
            "",
        ),
        (Delete, "/wharf/till/upload", &[("uploadId", ours)], &[], ""),
        (Post, "/wharf/", &[("delete", "")], &[], &ours_only),
        (Delete, "/wharf/till/new", &[], &[], ""),
    ];
    for asked in allowed {
        till.ask(*asked).await.expect_success();
    }
    let listed = owner.list(|_| {}).await.contents;
    let listed: Vec<_> = listed.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(listed, ["stock/secret", "tills"]);
    stores.stop().await;

    let stores = start(options).await;
    let kept = stores.addresses().s3_keys["till"].clone();
    assert_eq!(kept.access_key, address.access_key);
    assert_eq!(kept.secret_key, address.secret_key);
    stores.stop().await;
    // Only the owner's key is left when the manifest lists no other.
    let stores = start(s3(&folder)).await;
    let gone = S3::at(&S3Address {
        endpoint: stores.addresses().s3.clone().unwrap().endpoint,
        ..kept
    });
    let answer = gone.get("till/old").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    stores.stop().await;
}
