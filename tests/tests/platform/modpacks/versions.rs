//! Versions: drafts, publishing, the latest, differences.

use serde_json::json;
use wharf_tests::{Stack, User};

use super::*;

#[test]
fn a_draft_changes_until_it_is_published() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "public");
    let draft = create_draft(&owner, pack, "1.0");
    let path = format!("/modpacks/{pack}/versions/{draft}");
    let change = json!({ "name": "1.1" });
    let changed = owner.patch(&path).json(&change).send().expect(200).json();
    assert_eq!(
        (&changed["name"], &changed["status"]),
        (&json!("1.1"), &json!("draft"))
    );
    User::driver(stack)
        .patch(&path)
        .json(&change)
        .send()
        .problem(403);
}

#[test]
fn a_version_is_changed_only_below_its_own_pack() {
    let stack = &Stack::shared();
    let (owner, other) = (User::driver(stack), User::driver(stack));
    let (pack, own, ..) = published(&owner, "public");
    let theirs = create_pack(&other, "public");
    let draft = create_draft(&other, theirs, "1.0");
    let (_, public, ..) = published(&other, "public");
    for (version, method, rest) in [
        (draft, "PATCH", ""),
        (draft, "POST", "/publish"),
        (public, "POST", "/yank"),
        (public, "DELETE", ""),
    ] {
        let path = format!("/modpacks/{pack}/versions/{version}{rest}");
        let change = json!({ "name": "1.1" });
        let refused = owner.request(method, &path).json(&change).send();
        assert_eq!(refused.problem(404)["code"], "unknown-version", "{path}");
    }
    let next = json!({ "name": "2", "mc_version": "1.20.1", "based_on": public });
    let versions = format!("/modpacks/{pack}/versions");
    owner.post(&versions).json(&next).send().problem(404);
    let kept = "SELECT count(*) FROM modpacks.version
        WHERE id = ANY ($1) AND deleted_at IS NULL AND name <> '1.1' AND status <> 'yanked'
            AND (id = $2) = (status = 'draft')";
    let ids = [own, draft, public];
    let kept = stack.sql().query_one(kept, &[&ids.as_slice(), &draft]);
    assert_eq!(kept.unwrap().get::<_, i64>(0), 3);
}

#[test]
fn a_published_version_does_not_change() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (pack, version, file, _) = published(&owner, "public");
    let path = format!("/modpacks/{pack}/versions/{version}");
    let change = json!({ "name": "1.1" });
    let new = json!({ "path": "mods/more.jar", "size": 5 });
    let reused = json!({ "path": "mods/again.jar", "file_id": file });
    let files = format!("{path}/files");
    for refused in [
        owner.patch(&path).json(&change),
        owner.post(&files).json(&new),
        owner.put(&files).json(&reused),
        owner.delete(&format!("/files/{file}")),
    ] {
        assert_eq!(refused.send().problem(409)["code"], "version-published");
    }
    // Not even a faulty statement can.
    for statement in [
        "UPDATE modpacks.version SET name = 'other' WHERE id = $1",
        "UPDATE modpacks.version SET status = 'draft', published_at = NULL WHERE id = $1",
        "UPDATE modpacks.file SET path = 'other' WHERE version_id = $1",
        "DELETE FROM modpacks.file WHERE version_id = $1",
        "INSERT INTO modpacks.file (pack_id, version_id, owner, path, original_name, size, side, is_optional, is_kept)
            SELECT pack_id, id, gen_random_uuid(), 'x', 'x', 1, 'both', false, false FROM modpacks.version WHERE id = $1",
    ] {
        refused_once_published(stack, statement, version);
    }
}

#[test]
fn a_version_in_which_a_path_is_a_file_and_a_folder_is_not_published() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (pack, _, source, _) = published(&owner, "private");
    // Windows and macOS take `Config` for `config`.
    for (file, below) in [
        ("config", "config/a.toml"),
        ("Config/a", "config/A/b/c.toml"),
    ] {
        let draft = create_draft(&owner, pack, &unique("version"));
        let to = format!("/modpacks/{pack}/versions/{draft}/files");
        let put = |path: &str| {
            let body = json!({ "file_id": source, "path": path });
            number(&owner.put(&to).json(&body).send().expect(200).json()["id"])
        };
        put("config.toml");
        put(below);
        let in_the_way = put(file);
        let refused = publish(&owner, pack, draft).problem(409);
        assert_eq!(refused["code"], "file-and-folder", "{file}");
        let in_the_way = format!("/files/{in_the_way}");
        owner.delete(&in_the_way).send().expect(204);
        publish(&owner, pack, draft).expect(200);
    }
}

#[test]
fn the_latest_version_is_the_newest_by_creation_not_by_name() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "public");
    let to = format!("/modpacks/{pack}/versions");
    let make = |name: &str, channel: &str, mc_version: &str| {
        let body = json!({ "name": name, "channel": channel, "mc_version": mc_version });
        let made = owner.post(&to).json(&body).send().expect(201);
        let id = number(&made.json()["id"]);
        publish(&owner, pack, id).expect(200);
        id
    };
    let latest = |query: &str| {
        let answer = stack.get(&format!("/modpacks/{pack}/latest{query}")).send();
        (answer.status() == 200).then(|| number(&answer.json()["id"]))
    };
    assert_eq!(latest(""), None);
    let first = make("9.9", "release", "1.20.1");
    let second = make("Stable v1.1", "release", "1.20.1");
    let beta = make("0.1", "beta", "1.21");
    create_draft(&owner, pack, "draft");
    assert_eq!(latest(""), Some(beta));
    assert_eq!(latest("?channel=release"), Some(second));
    assert_eq!(latest("?mc_version=1.20.1"), Some(second));
    assert_eq!(latest("?mc_version=1.19"), None);
    assert_eq!(latest("?loader=forge"), None);
    // Set back, and free again.
    let set = |version: serde_json::Value| {
        let path = format!("/modpacks/{pack}/latest");
        owner
            .put(&path)
            .json(&json!({ "version_id": version }))
            .send()
    };
    set(json!(first)).expect(204);
    assert_eq!(latest(""), Some(first));
    assert_eq!(latest("?channel=beta"), Some(beta));
    set(json!(12_345)).problem(404);
    // A yanked or deleted version is never the latest.
    owner.post(&format!("{to}/{first}/yank")).send().expect(200);
    assert_eq!(latest(""), Some(beta));
    owner.delete(&format!("{to}/{beta}")).send().expect(204);
    assert_eq!(latest(""), Some(second));
    stack.get(&format!("{to}/{first}")).send().expect(200);
    publish(&owner, pack, first).expect(200);
    assert_eq!(latest(""), Some(first));
    set(json!(null)).expect(204);
    assert_eq!(latest(""), Some(second));
    let updates = json!({ "versions": [first, second, 7] });
    let updates = stack
        .post("/modpacks/updates")
        .json(&updates)
        .send()
        .expect(200)
        .json();
    let mut current: Vec<_> = updates
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["current"].clone())
        .collect();
    current.sort_by_key(|it| it.as_bool());
    assert_eq!(current, [json!(false), json!(true)]);
}

#[test]
fn a_version_based_on_another_has_its_files_and_a_diff() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let first = create_draft(&owner, pack, "1");
    let (kept, replaced) = (content(100), content(200));
    upload(&owner, pack, first, "mods/kept.jar", &kept);
    upload(&owner, pack, first, "mods/replaced.jar", &content(150));
    let removed = upload(&owner, pack, first, "mods/removed.jar", &content(160));
    publish(&owner, pack, first).expect(200);
    let body = json!({ "name": "2", "mc_version": "1.20.1", "based_on": first });
    let versions = format!("/modpacks/{pack}/versions");
    let second = number(&owner.post(&versions).json(&body).send().expect(201).json()["id"]);
    let files = format!("{versions}/{second}/files");
    let listed = owner.get(&files).send().expect(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 3);
    for file in listed
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["path"] != "mods/kept.jar")
    {
        owner
            .delete(&format!("/files/{}", file["id"]))
            .send()
            .expect(204);
    }
    upload(&owner, pack, second, "mods/replaced.jar", &replaced);
    let reuse = json!({ "path": "config/moved.txt", "file_id": removed, "keep": true });
    owner.put(&files).json(&reuse).send().expect(200);
    publish(&owner, pack, second).expect(200);
    let path = format!("/modpacks/{pack}/diff?from={first}&to={second}");
    let differences = owner.get(&path).send().expect(200).json();
    let steps: Vec<_> = differences
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["step"].as_str().unwrap(), it["path"].as_str().unwrap()))
        .collect();
    assert_eq!(
        steps,
        [
            ("add", "config/moved.txt"),
            ("remove", "mods/removed.jar"),
            ("replace", "mods/replaced.jar"),
        ]
    );
    assert_eq!(differences[0]["keep"], true);
    assert_eq!(differences[2]["sha256"], sha256(&replaced));
    let same = format!("/modpacks/{pack}/diff?from={first}&to={first}");
    assert_eq!(owner.get(&same).send().expect(200).json(), json!([]));
    // Bytes that both have count once.
    let usage = owner.get("/files/usage").send().expect(200).json();
    assert_eq!(usage["stored"], 100 + 150 + 160 + 200);
}

#[test]
fn a_file_that_the_caller_does_not_see_is_not_reused() {
    let stack = &Stack::shared();
    let (owner, thief) = (User::driver(stack), User::driver(stack));
    let (.., file, _) = published(&owner, "private");
    let pack = create_pack(&thief, "private");
    let version = create_draft(&thief, pack, "1");
    let path = format!("/modpacks/{pack}/versions/{version}/files");
    let reuse = json!({ "path": "mine.jar", "file_id": file });
    assert_eq!(
        thief.put(&path).json(&reuse).send().problem(404)["code"],
        "unknown-file"
    );
}

#[test]
fn a_request_that_is_sent_twice_makes_one_pack_and_one_version() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let key = unique("key");
    let body = json!({ "name": unique("Pack") });
    let create = || {
        owner
            .post("/modpacks")
            .header("idempotency-key", &key)
            .json(&body)
            .send()
            .expect(201)
    };
    let (first, second) = (create().json(), create().json());
    assert_eq!(first, second);
    let pack = number(&first["id"]);
    let body = json!({ "name": "1", "mc_version": "1.20" });
    let path = format!("/modpacks/{pack}/versions");
    let create = || {
        owner
            .post(&path)
            .header("idempotency-key", &key)
            .json(&body)
            .send()
            .expect(201)
    };
    assert_eq!(create().json(), create().json());
    owner.post(&path).json(&body).send().problem(409);
}

#[test]
fn texts_of_authors_are_shown_as_safe_html_on_request() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let text = "# New\n\n<script>alert(1)</script>\n\n[map](https://example.org/a) [x](javascript:alert(1))";
    let html = "<h1>New</h1>\n<p><a href=\"https://example.org/a\" rel=\"nofollow noopener noreferrer ugc\">map</a> x</p>\n";
    let body = json!({ "name": unique("Pack"), "visibility": "public", "description": text });
    let pack = number(
        &owner
            .post("/modpacks")
            .json(&body)
            .send()
            .expect(201)
            .json()["id"],
    );
    let body = json!({ "name": "1", "mc_version": "1.20.1", "changelog": text });
    let versions = format!("/modpacks/{pack}/versions");
    let version = number(&owner.post(&versions).json(&body).send().expect(201).json()["id"]);
    publish(&owner, pack, version).expect(200);
    let (_, link) = super::links::create_link(&owner, pack);
    for (path, at, kind) in [
        (format!("/modpacks/{pack}"), "", "description"),
        (link.clone(), "", "description"),
        (format!("{versions}/{version}"), "", "changelog"),
        (versions.clone(), "/0", "changelog"),
        (format!("/modpacks/{pack}/latest"), "", "changelog"),
        (format!("{link}/versions"), "/0", "changelog"),
    ] {
        let shown = |query: &str| {
            let shown = stack
                .get(&format!("{path}{query}"))
                .send()
                .expect(200)
                .json();
            shown.pointer(at).unwrap().clone()
        };
        let (source, rendered) = (shown(""), shown("?html=true"));
        assert_eq!(source[kind], text, "{path}");
        assert_eq!(source.get(format!("{kind}_html")), None, "{path}");
        assert_eq!(rendered[kind], text, "{path}");
        assert_eq!(rendered[format!("{kind}_html")], html, "{path}");
    }
    stack
        .get(&format!("{versions}?html=maybe"))
        .send()
        .problem(422);
}
