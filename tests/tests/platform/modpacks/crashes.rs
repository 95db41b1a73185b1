//! `kill -9` between the bytes of an upload, its completion and its verification.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;
use wharf_tests::{Options, Outside, Received, Reply, User, eventually};

use super::*;

#[test]
fn a_crash_during_completion_serves_and_leaks_no_bytes() {
    let mut stack = Options::default().start();
    let owner = User::driver(&stack);
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1.0");
    let contents: Vec<_> = (0..3).map(|it| content(3_000 + it)).collect();
    let begun: Vec<_> = contents
        .iter()
        .enumerate()
        .map(|(at, bytes)| {
            let body = json!({ "size": bytes.len(), "sha256": sha256(bytes) });
            let plan = begin(&owner, pack, version, &format!("{at}.jar"), &body);
            send_parts(&plan, bytes);
            number(&plan["file"]["id"])
        })
        .collect();
    // One is complete and not verified, one has all its bytes, one is given up.
    complete(&owner, begun[0]).expect(200);
    stack.kill();
    stack.start_again();

    assert_eq!(settled(&owner, begun[0])["status"], "ready");
    for file in &begun[1..] {
        let download = owner.get(&format!("/files/{file}/download")).send();
        assert_eq!(download.problem(409)["code"], "file-not-ready");
    }
    assert_eq!(
        publish(&owner, pack, version).problem(409)["code"],
        "files-pending"
    );
    let plan = owner
        .get(&format!("/files/{}/upload", begun[1]))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&plan["arrived"], &plan["parts"]),
        (&json!(1), &json!([])),
        "{plan}"
    );
    complete(&owner, begun[1]).expect(200);
    assert_eq!(settled(&owner, begun[1])["status"], "ready");

    let due = "UPDATE modpacks.upload SET due_at = now() WHERE file_id = $1";
    stack.sql().execute(due, &[&begun[2]]).unwrap();
    assert_eq!(settled(&owner, begun[2])["failure"], "abandoned");
    eventually("nothing is left of it", SOON, || {
        let uploads = "SELECT count(*) FROM modpacks.upload";
        stack
            .sql()
            .query_one(uploads, &[])
            .unwrap()
            .get::<_, i64>(0)
            == 0
    });
    let usage = owner.get("/files/usage").send().expect(200).json();
    let kept = contents[0].len() + contents[1].len();
    assert_eq!(
        (&usage["stored"], &usage["reserved"]),
        (&json!(kept), &json!(0))
    );
}

/// The bytes of every object in the S3 of this test.
const BYTES: &[u8] = b"what every upload consists of";

/// An S3 that has every object. While `slow`, it answers just before a worker would give up.
fn endless_s3(slow: &Arc<AtomicBool>) -> Outside {
    let slow = Arc::clone(slow);
    Outside::start(move |asked: &Received| {
        match (asked.method.as_str(), asked.path.contains("uploadId=")) {
            ("POST", false) => Reply::bytes(
                200,
                "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>",
            ),
            ("GET", true) => Reply::bytes(
                200,
                format!(
                    "<ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId><MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated>\
                     <Part><PartNumber>1</PartNumber><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                     <ETag>&quot;e&quot;</ETag><Size>{}</Size></Part></ListPartsResult>",
                    BYTES.len()
                ),
            ),
            ("HEAD" | "GET", false) => {
                let delay = if slow.load(Ordering::Relaxed) { 9 } else { 0 };
                Reply::bytes(200, BYTES).after(Duration::from_secs(delay))
            }
            _ => Reply::status(204),
        }
    })
}

#[test]
fn a_verification_is_taken_over_seconds_after_its_host_died() {
    let slow = Arc::new(AtomicBool::new(true));
    let s3 = endless_s3(&slow);
    let mut stack = Options::default()
        .argument("--s3-endpoint")
        .argument(&s3.url())
        .argument("--s3-bucket=wharf")
        .argument("--s3-access-key=key")
        .argument("--s3-secret-key=secret")
        .start();
    let second = stack.start_second();
    let owner = User::driver(&stack);
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1.0");
    let upload = |path: &str| {
        let plan = begin(&owner, pack, version, path, &json!({ "size": BYTES.len() }));
        let file = number(&plan["file"]["id"]);
        complete(&owner, file).expect(200);
        file
    };
    // How many workers have taken the upload; `None` once it is settled.
    let mut sql = stack.sql();
    let mut workers = |file: i64| {
        let fence = "SELECT fence FROM modpacks.upload WHERE file_id = $1";
        let row = sql.query_opt(fence, &[&file]).unwrap();
        row.map(|it| it.get::<_, i32>(0))
    };

    // Two answers of nine seconds are longer than a lease, and the other host does not take the upload.
    let begun = Instant::now();
    let kept = upload("kept.jar");
    eventually("the file is verified", SOON, || {
        let workers = workers(kept);
        assert!(workers.is_none_or(|it| it <= 1), "{workers:?} workers");
        workers.is_none()
    });
    assert_eq!(settled(&owner, kept)["status"], "ready");
    assert!(
        begun.elapsed() > Duration::from_secs(17),
        "{:?}",
        begun.elapsed()
    );

    let lost = upload("lost.jar");
    eventually("a worker is at it", SOON, || workers(lost) == Some(1));
    drop(second);
    stack.kill();
    let killed = Instant::now();
    slow.store(false, Ordering::Relaxed);
    stack.start_again();
    let started = killed.elapsed();
    assert_eq!(settled(&owner, lost)["status"], "ready");
    let lease = Duration::from_secs(15);
    let took = killed.elapsed();
    assert!(
        took < lease.max(started) + Duration::from_secs(10),
        "{took:?} after {started:?}"
    );
}
