//! `kill -9` between the bytes of an upload, its completion and its verification.

use serde_json::json;
use wharf_tests::{Options, User, eventually};

use super::*;

#[test]
fn a_crash_around_the_completion_of_an_upload_serves_and_leaks_nothing() {
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
    let due = "UPDATE modpacks.upload SET due_at = now() WHERE file_id = $1";
    // If the killed host was at it, another one is after its lease.
    stack.sql().execute(due, &[&begun[0]]).unwrap();

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
