//! Packs of other platforms become drafts; archives of an attacker are refused.

use serde_json::{Value, json};
use wharf_tests::{Stack, User, eventually, eventually_some};

use super::links::create_link;
use super::*;

/// An archive of stored files, as a zip tool writes it; `mode` is that of Unix.
fn archive(files: &[(&str, &[u8])], mode: u32) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let at = u32::try_from(bytes.len()).unwrap();
        let size = u32::try_from(content.len()).unwrap();
        let mut common = Vec::new();
        for field in [20_u16, 0, 0, 0, 0x21] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc32(content), size, size] {
            common.extend(field.to_le_bytes());
        }
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.extend(*content);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let at = u32::try_from(bytes.len()).unwrap();
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    bytes.extend([count, count].concat());
    bytes.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

fn crc32(content: &[u8]) -> u32 {
    let mut remainder = u32::MAX;
    for byte in content {
        remainder ^= u32::from(*byte);
        for _ in 0..8 {
            let is_odd = remainder & 1 == 1;
            remainder = (remainder >> 1) ^ if is_odd { 0xedb8_8320 } else { 0 };
        }
    }
    !remainder
}

const SOURCE: &str = "https://cdn.modrinth.com/data/AABB/versions/1/a.jar";

fn index(path: &str) -> String {
    let index = json!({
        "formatVersion": 1, "game": "minecraft", "versionId": unique("Imported"), "name": "Sky",
        "dependencies": { "minecraft": "1.20.1", "forge": "47.2.0" },
        "files": [
            {
                "path": path, "hashes": { "sha1": "1".repeat(40), "sha512": "5".repeat(128) },
                "env": { "client": "required", "server": "unsupported" }, "downloads": [SOURCE], "fileSize": 17,
            },
            {
                "path": "mods/other.jar", "hashes": { "sha1": "2".repeat(40), "sha512": "6".repeat(128) },
                "downloads": ["https://files.test/other.jar"], "fileSize": 18,
            },
        ],
    });
    index.to_string()
}

/// Uploads a file of the pack itself.
fn upload_to_pack(owner: &User, pack: i64, path: &str, bytes: &[u8]) -> i64 {
    let to = format!("/modpacks/{pack}/files");
    let new = json!({ "path": path, "size": bytes.len() });
    let plan = owner.post(&to).json(&new).send().expect(200).json();
    send_parts(&plan, bytes);
    let file = number(&plan["file"]["id"]);
    complete(owner, file).expect(200);
    assert_eq!(settled(owner, file)["status"], "ready");
    file
}

/// An import of that archive, once it has ended.
fn import(owner: &User, pack: i64, bytes: &[u8]) -> Value {
    let file = upload_to_pack(
        owner,
        pack,
        &format!("imports/{}.zip", unique("pack")),
        bytes,
    );
    let to = format!("/modpacks/{pack}/imports");
    let made = owner
        .post(&to)
        .json(&json!({ "file_id": file }))
        .send()
        .expect(201);
    let location = made.header("location").unwrap().to_owned();
    eventually_some("the import has ended", SOON, || {
        let shown = owner.get(&location).send().expect(200).json();
        (shown["status"] != "waiting").then_some(shown)
    })
}

#[test]
fn an_mrpack_becomes_a_draft_of_files_and_links() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let (config, large) = (content(200), content(17 << 20));
    let index = index("mods/a.jar");
    let files: &[(&str, &[u8])] = &[
        ("modrinth.index.json", index.as_bytes()),
        ("overrides/", b""),
        ("overrides/config/a.toml", &config),
        ("overrides/large.bin", &large),
        ("overrides/empty", b""),
    ];
    let ended = import(&owner, pack, &archive(files, 0o100_644));
    assert_eq!(
        (&ended["status"], &ended["linked"], &ended["unpacked"]),
        (&json!("done"), &json!(1), &json!(2))
    );
    let refused = ended["refused"].as_array().unwrap();
    let refused: Vec<_> = refused.iter().map(|it| &it["path"]).collect();
    assert_eq!(refused, ["mods/other.jar", "overrides/empty"]);
    // The archive is no longer needed.
    eventually("the archive is gone", SOON, || {
        let of_pack = owner.get(&format!("/modpacks/{pack}/files")).send();
        of_pack.expect(200).json() == json!([])
    });

    let version = number(&ended["version_id"]);
    let listed = || {
        owner
            .get(&format!("/modpacks/{pack}/versions/{version}/files"))
            .send()
            .expect(200)
            .json()
    };
    let files = eventually_some("the files are verified", SOON, || {
        let files = listed();
        let is_ready = files.as_array()?.iter().all(|it| it["status"] == "ready");
        is_ready.then_some(files)
    });
    let known: Vec<_> = files
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["path"], &it["sha256"]))
        .collect();
    assert_eq!(known[0], (&json!("config/a.toml"), &json!(sha256(&config))));
    assert_eq!(known[1], (&json!("large.bin"), &json!(sha256(&large))));
    assert_eq!(
        (&files[2]["path"], &files[2]["source"]),
        (&json!("mods/a.jar"), &json!(SOURCE))
    );
    publish(&owner, pack, version).expect(200);
    let shown = owner
        .get(&format!("/modpacks/{pack}/latest"))
        .send()
        .expect(200)
        .json();
    assert_eq!(
        (&shown["mc_version"], &shown["loader"]),
        (&json!("1.20.1"), &json!("forge"))
    );

    // Launchers get the linked file where it is, by each protocol.
    let link = create_link(&owner, pack).1;
    let download = stack
        .get(&format!("{link}/files/{}/download", files[2]["id"]))
        .send()
        .expect(302);
    assert_eq!(download.header("location"), Some(SOURCE));
    let meta = stack
        .get(&format!("{link}/latest/packwiz/mods/a.jar.pw.toml"))
        .send()
        .expect(200)
        .text();
    assert!(
        meta.contains(SOURCE) && meta.contains(&"5".repeat(128)),
        "{meta}"
    );
    let mrpack = stack
        .get(&format!("{link}/latest.mrpack"))
        .send()
        .expect(200)
        .text();
    assert!(mrpack.contains(SOURCE), "{mrpack}");
    // The next version may begin with them.
    let body = json!({ "name": "next", "mc_version": "1.20.1", "based_on": version });
    let next = owner
        .post(&format!("/modpacks/{pack}/versions"))
        .json(&body)
        .send()
        .expect(201)
        .json();
    let diff = format!("/modpacks/{pack}/diff?from={version}&to={}", next["id"]);
    let diff = owner.get(&diff).send().expect(200).json();
    assert_eq!(diff.as_array().map(Vec::len), Some(0), "{diff}");
}

#[test]
fn archives_of_curseforge_and_packwiz_become_drafts() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let config = content(120);
    let manifest = json!({
        "minecraft": { "version": "1.19.2", "modLoaders": [{ "id": "forge-43.2.0", "primary": true }] },
        "manifestType": "minecraftModpack", "manifestVersion": 1, "name": "Old", "version": "3",
        "files": [{ "projectID": 12, "fileID": 34, "required": true }], "overrides": "overrides",
    });
    let manifest = manifest.to_string();
    let ended = import(
        &owner,
        pack,
        &archive(
            &[
                ("manifest.json", manifest.as_bytes()),
                ("overrides/config/a.toml", &config),
            ],
            0,
        ),
    );
    assert_eq!(
        (&ended["status"], &ended["unpacked"]),
        (&json!("done"), &json!(1)),
        "{ended}"
    );
    assert_eq!(ended["refused"][0]["path"], "project 12, file 34");

    let index = format!(
        "hash-format = \"sha256\"\n[[files]]\nfile = \"config/a.toml\"\nhash = \"{}\"\npreserve = true\n",
        sha256(&config)
    );
    let toml = format!(
        "name = \"P\"\nversion = \"4\"\n[index]\nfile = \"index.toml\"\nhash-format = \"sha256\"\nhash = \"{}\"\n\
         [versions]\nminecraft = \"1.20.1\"\nfabric = \"0.15.11\"\n",
        sha256(index.as_bytes())
    );
    let packed = |toml: &str, index: &str| {
        let files: &[(&str, &[u8])] = &[
            ("repo/pack.toml", toml.as_bytes()),
            ("repo/index.toml", index.as_bytes()),
            ("repo/config/a.toml", &config),
        ];
        archive(files, 0)
    };
    let ended = import(&owner, pack, &packed(&toml, &index));
    assert_eq!(
        (&ended["status"], &ended["unpacked"]),
        (&json!("done"), &json!(1)),
        "{ended}"
    );
    let listed = format!("/modpacks/{pack}/versions/{}/files", ended["version_id"]);
    let listed = owner.get(&listed).send().expect(200).json();
    assert_eq!(
        (&listed[0]["path"], &listed[0]["keep"]),
        (&json!("config/a.toml"), &json!(true))
    );
    // An index that was changed after it was signed for.
    let ended = import(&owner, pack, &packed(&toml, &format!("{index}\n")));
    assert_eq!(ended["status"], "failed");
}

#[test]
fn a_harmful_archive_fails_as_a_whole() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let good = index("mods/a.jar");
    let bad = index("../../evil.jar");
    let with = |name: &str, mode| {
        archive(
            &[("modrinth.index.json", good.as_bytes()), (name, b"x")],
            mode,
        )
    };
    let mut damaged = with("overrides/a", 0);
    let at = damaged.windows(3).position(|it| it == b"axP").unwrap();
    damaged[at + 1] = b'y';
    for (bytes, reason) in [
        (
            archive(&[("modrinth.index.json", bad.as_bytes())], 0),
            "not safe",
        ),
        (with("overrides/../../evil", 0), "not safe"),
        (with("overrides/C:\\evil", 0), "not safe"),
        (with("overrides/mods/A.jar", 0), "case only"),
        (with("overrides/a", 0o120_777), "symlink"),
        (damaged, "damaged"),
        (content(500), "no zip archive"),
        (archive(&[("readme.txt", b"x")], 0), "neither"),
    ] {
        let ended = import(&owner, pack, &bytes);
        let failure = ended["failure"].as_str().unwrap_or_default();
        assert!(
            ended["status"] == "failed" && failure.contains(reason),
            "{reason}: {ended}"
        );
    }
    // Uploads that the team abandoned take no room.
    for listed in owner
        .get(&format!("/modpacks/{pack}/versions"))
        .send()
        .expect(200)
        .json()
        .as_array()
        .unwrap()
    {
        let version = format!("/modpacks/{pack}/versions/{}", listed["id"]);
        owner.delete(&version).send().expect(204);
    }
    owner
        .delete(&format!("/modpacks/{pack}"))
        .send()
        .expect(204);
    let usage = owner.get("/files/usage").send().expect(200).json();
    assert_eq!(
        (&usage["stored"], &usage["reserved"]),
        (&json!(0), &json!(0))
    );
}

#[test]
fn only_the_team_of_a_pack_imports_into_it() {
    let stack = &Stack::shared();
    let (owner, stranger) = (User::driver(stack), User::driver(stack));
    let pack = create_pack(&owner, "public");
    let index = index("mods/a.jar");
    let bytes = archive(&[("modrinth.index.json", index.as_bytes())], 0);
    let file = upload_to_pack(&owner, pack, "imports/a.mrpack", &bytes);
    let to = format!("/modpacks/{pack}/imports");
    let body = json!({ "file_id": file, "version_name": "Mine", "channel": "beta" });
    stack.post(&to).json(&body).send().problem(401);
    stranger.post(&to).json(&body).send().problem(403);
    let own = create_pack(&stranger, "private");
    let into_own = format!("/modpacks/{own}/imports");
    stranger.post(&into_own).json(&body).send().problem(404);
    // A repeated request makes one import and one draft.
    let made: Vec<_> = (0..2).map(|_| owner.post(&to).json(&body).send()).collect();
    assert_eq!(made[0].status(), 201);
    let first = made[0].json();
    let ids = made
        .iter()
        .filter(|it| it.status() == 201)
        .map(|it| it.json()["id"].clone());
    assert!(ids.into_iter().all(|it| it == first["id"]));
    let shown = format!("{to}/{}", first["id"]);
    stranger.get(&shown).send().problem(404);
    let ended = eventually_some("the import has ended", SOON, || {
        let shown = owner.get(&shown).send().expect(200).json();
        (shown["status"] == "done").then_some(shown)
    });
    let versions = owner
        .get(&format!("/modpacks/{pack}/versions"))
        .send()
        .expect(200)
        .json();
    assert_eq!(versions.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&versions[0]["id"], &versions[0]["name"]),
        (&ended["version_id"], &json!("Mine"))
    );
    assert_eq!(versions[0]["channel"], "beta");
}
