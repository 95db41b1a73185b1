//! The audit compares the objects in S3 with the rows, and repairs differences.

use serde_json::{Value, json};
use wharf_tests::{Stack, User};

use super::*;

/// All pages of the comparison: the number of strays, and the digests of lost bytes.
fn compare(admin: &User, delete: bool) -> (i64, Vec<Value>) {
    let (mut strays, mut lost, mut after) = (0, Vec::new(), Value::Null);
    loop {
        let body = json!({ "after": after, "delete": delete });
        let page = admin
            .post("/files/repair")
            .json(&body)
            .send()
            .expect(200)
            .json();
        strays += number(&page["strays"]);
        let digests = page["lost"].as_array().unwrap().iter();
        lost.extend(digests.map(|it| it["sha256"].clone()));
        after = page["next"].clone();
        if after.is_null() {
            return (strays, lost);
        }
    }
}

#[test]
fn the_audit_deletes_stray_objects_and_lists_lost_bytes() {
    let stack = &Stack::shared();
    let (owner, admin) = (User::driver(stack), User::admin(stack));
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1.0");
    let (stray, kept) = (content(700), content(800));
    let [stray_file, kept_file] = [("a.jar", &stray), ("b.jar", &kept)]
        .map(|(path, it)| upload(&owner, pack, version, path, it));
    let address = |file: i64| {
        owner
            .get(&format!("/files/{file}/download"))
            .send()
            .expect(302)
    };
    let (stray_address, kept_address) = (address(stray_file), address(kept_file));
    // Rows that went without their object, as after a backup was restored; and a row without an object.
    let lost = sha256(&content(900));
    let rows = format!(
        "BEGIN; SET LOCAL session_replication_role = replica;
        DELETE FROM modpacks.file WHERE id = {stray_file};
        DELETE FROM modpacks.holding WHERE blob_id IN (SELECT id FROM modpacks.blob WHERE sha256 = '{}');
        DELETE FROM modpacks.blob WHERE sha256 = '{}';
        INSERT INTO modpacks.blob (id, size, sha1, sha256, sha512, murmur2)
        VALUES (gen_random_uuid(), 9, '', '{lost}', '', 0); COMMIT",
        sha256(&stray),
        sha256(&stray),
    );
    stack.sql().batch_execute(&rows).unwrap();
    owner
        .post("/files/repair")
        .json(&json!({}))
        .send()
        .problem(403);

    let (strays, named) = compare(&admin, false);
    assert!(strays >= 1);
    assert!(named.contains(&json!(lost)), "{named:?}");
    assert!(!named.contains(&json!(sha256(&kept))), "{named:?}");
    follow(&stray_address).expect(200);
    compare(&admin, true);
    assert_eq!(follow(&stray_address).status(), 404);
    assert_eq!(follow(&kept_address).expect(200).text().as_bytes(), kept);
    let mut sql = stack.sql();
    let forget = "DELETE FROM modpacks.blob WHERE sha256 = $1";
    sql.execute(forget, &[&lost]).unwrap();
}
