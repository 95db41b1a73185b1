//! The limits of drafts, links and files of a pack, also under concurrent requests.

use serde_json::json;
use wharf_tests::{Stack, User, at_once};

use super::*;

/// Carries out a statement that fills a pack up to one below a limit.
fn fill(stack: &Stack, statement: &str, pack: i64) {
    let mut sql = stack.sql();
    sql.batch_execute("SET search_path = modpacks").unwrap();
    sql.execute(statement, &[&pack]).unwrap();
}

#[track_caller]
fn assert_one_more(statuses: &[u16]) {
    let with = |status| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((with(201), with(409)), (1, 3), "{statuses:?}");
}

#[test]
fn a_pack_has_a_hundred_drafts_at_most() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let drafts = "INSERT INTO version (request, pack_id, name, channel, mc_version, changelog)
        SELECT gen_random_uuid(), $1, 'draft ' || number, 'release', '1.20.1', ''
        FROM generate_series(1, 99) AS number";
    fill(stack, drafts, pack);
    let path = format!("/modpacks/{pack}/versions");
    let draft = |name: &str| {
        let body = json!({ "name": name, "mc_version": "1.20.1", "loader": "fabric" });
        owner.post(&path).json(&body).send()
    };
    let statuses = at_once(4, |number| draft(&format!("one more {number}")).status());
    assert_one_more(&statuses);
    assert_eq!(draft("101").problem(409)["code"], "too-many-drafts");
    create_draft(&owner, create_pack(&owner, "private"), "1.0");
    // A published version is no draft.
    fill(
        stack,
        "UPDATE version SET status = 'published', published_at = now() WHERE pack_id = $1 AND name = 'draft 1'",
        pack,
    );
    draft("101").expect(201);
}

#[test]
fn a_pack_has_a_hundred_links_at_most() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let hundred = "INSERT INTO link (pack_id, secret, label)
        SELECT pack.id, md5(pack.id || 'a' || number) || md5(pack.id || 'b' || number), 'friend'
        FROM pack, generate_series(1, 99) AS number WHERE pack.id = $1";
    fill(stack, hundred, pack);
    let path = format!("/modpacks/{pack}/links");
    let link = || {
        owner
            .post(&path)
            .json(&json!({ "label": "one more" }))
            .send()
    };
    let statuses = at_once(4, |_| link().status());
    assert_one_more(&statuses);
    assert_eq!(link().problem(409)["code"], "too-many-links");
    links::create_link(&owner, create_pack(&owner, "private"));
    // A revoked link makes room for another.
    let listed = owner.get(&path).send().expect(200).json();
    let revoked = format!("{path}/{}", listed[0]["id"]);
    owner.delete(&revoked).send().expect(204);
    link().expect(201);
}

#[test]
fn a_version_has_ten_thousand_files_at_most() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let version = create_draft(&owner, pack, "1.0");
    let files = "INSERT INTO file (pack_id, version_id, owner, path, original_name, size, status, side, is_optional, is_kept, source,
            source_sha512)
        SELECT pack.id, version.id, pack.owner, 'mods/' || number, 'mod', 1, 'ready', 'both', false, false, 'https://example.org/mod', repeat('0', 128)
        FROM pack JOIN version ON version.pack_id = pack.id, generate_series(1, 9999) AS number
        WHERE pack.id = $1";
    fill(stack, files, pack);
    let path = format!("/modpacks/{pack}/versions/{version}/files");
    let file = |name: &str| {
        let body = json!({ "path": name, "size": 1, "sha256": sha256(b"1") });
        owner.post(&path).json(&body).send()
    };
    file("mods/the last.jar").expect(200);
    let refused = file("mods/one more.jar").problem(409);
    assert_eq!(refused["code"], "too-many-files");
    // Another version counts its own.
    let next = create_draft(&owner, pack, "2.0");
    let body = json!({ "size": 1, "sha256": sha256(b"1") });
    begin(&owner, pack, next, "mods/the first.jar", &body);
}
