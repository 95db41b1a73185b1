//! Uploads, verification, downloads, and the room that they take.

use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use wharf_tests::{Stack, User, at_once, eventually};

use super::*;

#[test]
fn a_file_is_served_byte_by_byte_once_it_is_verified() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "public");
    let version = create_draft(&owner, pack, "1.0");
    let bytes = content(50_000);
    let file = upload(
        &owner,
        pack,
        version,
        "mods/äpfel \"1\".jar".replace('"', "'").as_str(),
        &bytes,
    );
    let shown = owner.get(&format!("/files/{file}")).send().json();
    assert_eq!(shown["sha256"], sha256(&bytes));
    assert_eq!(shown["sha512"], hex(&Sha512::digest(&bytes)));
    assert_eq!(shown["sha1"].as_str().unwrap().len(), 40);
    assert!(shown["murmur2"].is_i64());
    publish(&owner, pack, version).expect(200);

    let download = stack
        .get(&format!("/files/{file}/download"))
        .send()
        .expect(302);
    assert_eq!(download.header("cache-control"), Some("no-store"));
    let got = follow(&download).expect(200);
    assert_eq!(got.text().as_bytes(), bytes);
    let disposition = got.header("content-disposition").unwrap();
    assert!(
        disposition.contains("filename*=UTF-8''%C3%A4pfel"),
        "{disposition}"
    );
    assert_eq!(got.header("content-type"), Some("application/java-archive"));
    let etag = got.header("etag").unwrap().to_owned();

    let url = download.header("location").unwrap();
    let part = at_s3("GET", url)
        .header("range", "bytes=10-19")
        .send()
        .expect(206);
    assert_eq!(part.text().as_bytes(), &bytes[10..20]);
    at_s3("GET", url)
        .header("if-none-match", &etag)
        .send()
        .expect(304);
    assert!(url.contains("X-Amz-Expires=60"), "{url}");
}

#[test]
fn an_address_of_s3_opens_only_its_object() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (.., file, _) = published(&owner, "public");
    let (.., other, _) = published(&owner, "private");
    let address = |id: i64| {
        let answer = owner
            .get(&format!("/files/{id}/address"))
            .send()
            .expect(200)
            .json();
        answer["url"].as_str().unwrap().to_owned()
    };
    let (url, foreign) = (address(file), address(other));
    let (path, query) = url.split_once('?').unwrap();
    let (foreign_path, _) = foreign.split_once('?').unwrap();
    assert_eq!(
        at_s3("GET", &format!("{foreign_path}?{query}"))
            .send()
            .status(),
        403
    );
    assert_eq!(at_s3("GET", path).send().status(), 403);
    assert_eq!(at_s3("DELETE", &url).send().status(), 403);
    assert_eq!(
        at_s3("PUT", &url).body("text/plain", "x").send().status(),
        403
    );
    let longer = url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000");
    assert_eq!(at_s3("GET", &longer).send().status(), 403);
}

#[test]
fn bytes_that_differ_from_the_announcement_are_never_served() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "public");
    let version = create_draft(&owner, pack, "1.0");
    let bytes = content(3_000);
    for (path, announced) in [
        (
            "a.jar",
            json!({ "size": bytes.len(), "sha256": "0".repeat(64) }),
        ),
        (
            "b.jar",
            json!({ "size": bytes.len(), "sha1": "0".repeat(40) }),
        ),
        (
            "c.jar",
            json!({ "size": bytes.len(), "sha512": "0".repeat(128), "sha256": sha256(&bytes) }),
        ),
    ] {
        let plan = begin(&owner, pack, version, path, &announced);
        let file = number(&plan["file"]["id"]);
        send_parts(&plan, &bytes);
        owner
            .get(&format!("/files/{file}/download"))
            .send()
            .problem(409);
        complete(&owner, file).expect(200);
        let shown = settled(&owner, file);
        assert_eq!(shown["status"], "failed", "{shown}");
        assert!(
            shown["failure"].as_str().unwrap().contains("another one"),
            "{shown}"
        );
        let refused = owner
            .get(&format!("/files/{file}/download"))
            .send()
            .problem(409);
        assert_eq!(refused["code"], "file-not-ready");
    }
    assert_eq!(
        publish(&owner, pack, version).problem(409)["code"],
        "files-pending"
    );
    let usage = owner.get("/files/usage").send().expect(200).json();
    assert_eq!(
        (&usage["stored"], &usage["reserved"]),
        (&json!(0), &json!(0))
    );
}

#[test]
fn an_upload_takes_exactly_the_announced_bytes() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1.0");
    let plan = begin(&owner, pack, version, "a.jar", &json!({ "size": 100 }));
    let file = number(&plan["file"]["id"]);
    let url = plan["parts"][0]["url"].as_str().unwrap();
    for length in [99, 101] {
        let sent = at_s3("PUT", url)
            .body("text/plain", "x".repeat(length))
            .send();
        assert_eq!(sent.status(), 403, "{length}");
    }
    let refused = complete(&owner, file).problem(409);
    assert_eq!(refused["code"], "upload-incomplete");
    // The refused upload can still be completed.
    at_s3("PUT", url)
        .body("text/plain", "x".repeat(100))
        .send()
        .expect(200);
    complete(&owner, file).expect(200);
    assert_eq!(settled(&owner, file)["status"], "ready");
}

#[test]
fn bytes_that_come_after_completion_change_nothing() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1.0");
    let (good, evil) = (content(1_000), vec![b'!'; 1_000]);
    let plan = begin(&owner, pack, version, "a.jar", &json!({ "size": 1_000 }));
    let file = number(&plan["file"]["id"]);
    send_parts(&plan, &good);
    complete(&owner, file).expect(200);
    settled(&owner, file);
    let url = plan["parts"][0]["url"].as_str().unwrap();
    let swapped = at_s3("PUT", url).body("text/plain", evil).send();
    assert_eq!(swapped.status(), 404, "{swapped}");
    let download = owner
        .get(&format!("/files/{file}/download"))
        .send()
        .expect(302);
    assert_eq!(follow(&download).text().as_bytes(), good);
}

#[test]
fn an_upload_in_parts_goes_on_where_it_stopped() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1.0");
    let bytes = content(40 << 20);
    let announced = json!({ "size": bytes.len(), "sha256": sha256(&bytes) });
    let plan = begin(&owner, pack, version, "mods/large.jar", &announced);
    let file = number(&plan["file"]["id"]);
    assert_eq!(plan["parts"].as_array().unwrap().len(), 3);
    let mut some = plan.clone();
    some["parts"].as_array_mut().unwrap().truncate(2);
    send_parts(&some, &bytes);
    assert_eq!(
        complete(&owner, file).problem(409)["code"],
        "upload-incomplete"
    );
    // The plan is requested again, by the file or by its path: only the third part is left.
    let again = owner
        .get(&format!("/files/{file}/upload"))
        .send()
        .expect(200)
        .json();
    let by_path = begin(&owner, pack, version, "mods/large.jar", &announced);
    for rest in [&again, &by_path] {
        assert_eq!(rest["file"]["id"], file);
        assert_eq!(rest["arrived"], 2);
        assert_eq!(rest["parts"].as_array().unwrap().len(), 1);
        assert_eq!(rest["parts"][0]["number"], 3);
    }
    send_parts(&again, &bytes);
    complete(&owner, file).expect(200);
    let shown = settled(&owner, file);
    assert_eq!(
        (&shown["status"], &shown["sha256"]),
        (&json!("ready"), &json!(sha256(&bytes)))
    );
}

#[test]
fn equal_content_is_kept_once_until_its_last_file_goes() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let bytes = content(5_000);
    let packs: Vec<_> = (0..2)
        .map(|_| {
            let pack = create_pack(&owner, "private");
            let version = create_draft(&owner, pack, "1.0");
            (pack, upload(&owner, pack, version, "a.jar", &bytes))
        })
        .collect();
    let mut sql = stack.sql();
    let mut blobs = || {
        let query =
            "SELECT count(*), coalesce(sum(refs), 0)::bigint FROM modpacks.blob WHERE sha256 = $1";
        let row = sql.query_one(query, &[&sha256(&bytes)]).unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    assert_eq!(blobs(), (1, 2));
    let usage = || owner.get("/files/usage").send().expect(200).json()["stored"].clone();
    assert_eq!(usage(), 5_000);
    owner
        .delete(&format!("/modpacks/{}", packs[0].0))
        .send()
        .expect(204);
    assert_eq!(blobs(), (1, 1));
    let download = owner
        .get(&format!("/files/{}/download", packs[1].1))
        .send()
        .expect(302);
    follow(&download).expect(200);
    owner
        .delete(&format!("/modpacks/{}", packs[1].0))
        .send()
        .expect(204);
    assert_eq!(usage(), 0);
    // The sweep waits until no address is valid any more.
    let due = "UPDATE modpacks.blob SET unused_since = now() - interval '1 hour' WHERE sha256 = $1";
    stack.sql().execute(due, &[&sha256(&bytes)]).unwrap();
    eventually("the bytes are gone", SOON, || blobs().0 == 0);
    let url = download.header("location").unwrap();
    assert_eq!(at_s3("GET", url).send().status(), 404);
}

#[test]
fn parallel_uploads_do_not_exceed_the_quota() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1.0");
    let quota = format!("/files/usage/{}", user_id(&owner));
    owner
        .put(&quota)
        .json(&json!({ "quota": 1 }))
        .send()
        .problem(403);
    let allowed = json!({ "quota": 5_500 });
    User::admin(stack)
        .put(&quota)
        .json(&allowed)
        .send()
        .expect(200);
    let path = format!("/modpacks/{pack}/versions/{version}/files");
    let answers = at_once(12, |number| {
        let new = json!({ "path": format!("{number}.jar"), "size": 1_000 });
        owner.post(&path).json(&new).send()
    });
    let taken = answers.iter().filter(|it| it.status() == 200).count();
    assert_eq!(taken, 5);
    for refused in answers.iter().filter(|it| it.status() != 200) {
        assert_eq!(refused.problem(409)["code"], "quota-exceeded");
    }
    let usage = owner.get("/files/usage").send().expect(200).json();
    assert_eq!(usage["reserved"], 5_000);
    // An abandoned file frees its room.
    let listed = owner.get(&path).send().expect(200).json();
    let first = number(&listed[0]["id"]);
    owner.delete(&format!("/files/{first}")).send().expect(204);
    let new = json!({ "path": "again.jar", "size": 1_500 });
    owner.post(&path).json(&new).send().expect(200);
}

#[test]
fn abandoned_uploads_are_dropped_with_their_bytes() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1.0");
    let plan = begin(&owner, pack, version, "a.jar", &json!({ "size": 10 }));
    let file = number(&plan["file"]["id"]);
    send_parts(&plan, b"0123456789");
    let due = "UPDATE modpacks.upload SET due_at = now() WHERE file_id = $1";
    stack.sql().execute(due, &[&file]).unwrap();
    let shown = settled(&owner, file);
    assert_eq!(
        (&shown["status"], &shown["failure"]),
        (&json!("failed"), &json!("abandoned"))
    );
    eventually("S3 has dropped the upload", SOON, || {
        at_s3("PUT", plan["parts"][0]["url"].as_str().unwrap())
            .body("text/plain", "0123456789")
            .send()
            .status()
            == 404
    });
    let usage = owner.get("/files/usage").send().expect(200).json();
    assert_eq!(usage["reserved"], 0);
    // The path is free for another try.
    upload(&owner, pack, version, "a.jar", &content(20));
}

#[test]
fn paths_that_are_unsafe_or_taken_are_refused() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1.0");
    upload(&owner, pack, version, "mods/A.jar", &content(10));
    let to = format!("/modpacks/{pack}/versions/{version}/files");
    let code = |path: &str, status| {
        let new = json!({ "path": path, "size": 10 });
        owner.post(&to).json(&new).send().problem(status)["code"].clone()
    };
    for path in [
        "../a",
        "/a",
        "a\\b",
        "mods/con.jar",
        "a//b",
        "mods/nul .txt",
        "COM¹",
        "CONIN$",
        ".wharf-sync/state.json",
    ] {
        assert_eq!(code(path, 422), "invalid-file", "{path}");
    }
    assert_eq!(code("MODS/a.jar", 409), "path-taken");
}

#[test]
fn a_content_is_found_by_each_of_its_hashes() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (pack, version, file, _) = published(&owner, "public");
    let shown = owner.get(&format!("/files/{file}")).send().json();
    let hashes = json!({
        "hashes": [shown["sha1"], shown["sha256"].as_str().unwrap().to_uppercase(), shown["sha512"], "0".repeat(64)],
        "fingerprints": [shown["murmur2"]],
    });
    let found = stack
        .post("/files/lookup")
        .json(&hashes)
        .send()
        .expect(200)
        .json();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 4, "{found:?}");
    for it in found {
        let ids = (&it["pack_id"], &it["version_id"], &it["file_id"]);
        assert_eq!(ids, (&json!(pack), &json!(version), &json!(file)));
    }
    let many: Vec<Value> = (0..1_001).map(|_| json!("0".repeat(64))).collect();
    let refused = stack
        .post("/files/lookup")
        .json(&json!({ "hashes": many }))
        .send();
    refused.problem(422);
}
