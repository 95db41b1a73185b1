//! The import of each format, and its refusals.

use serde_json::{Value, json};

use super::*;
use crate::archive::{
    entries, find_directory,
    tests::{Lie, archive},
};

const ORIGINS: &[&str] = &["https://cdn.modrinth.com"];

fn listed(names: &[&str]) -> Vec<Entry> {
    let files: Vec<_> = names.iter().map(|it| (*it, b"x".as_slice())).collect();
    let bytes = archive(&files, &Lie::default());
    let directory = find_directory(&bytes, bytes.len() as u64).unwrap();
    let at = usize::try_from(directory.at).unwrap();
    entries(&bytes[at..], &directory).unwrap()
}

fn index(files: &[Value]) -> Vec<u8> {
    let index = json!({
        "formatVersion": 1, "game": "minecraft", "versionId": "2.1", "name": "Sky", "files": files,
        "dependencies": { "minecraft": "1.20.1", "fabric-loader": "0.15.11" },
    });
    index.to_string().into_bytes()
}

fn file(path: &str, address: &str) -> Value {
    json!({
        "path": path, "hashes": { "sha1": "1".repeat(40), "sha512": "A".repeat(128) },
        "env": { "client": "required", "server": "unsupported" },
        "downloads": [address], "fileSize": 17,
    })
}

const TRUSTED: &str = "https://cdn.modrinth.com/data/a.jar";

#[test]
fn an_mrpack_becomes_links_and_overrides() {
    let names = [
        "modrinth.index.json",
        "overrides/config/a.toml",
        "overrides/options.txt",
        "client-overrides/options.txt",
    ];
    let plan = mrpack(
        &index(&[file("mods/a.jar", TRUSTED)]),
        &listed(&names),
        "",
        ORIGINS,
    )
    .unwrap();
    assert_eq!(
        (plan.name.as_str(), plan.mc_version.as_str()),
        ("2.1", "1.20.1")
    );
    assert_eq!(plan.loader, Some(Loader::Fabric));
    let link = &plan.links[0];
    assert_eq!(
        (link.path.as_str(), link.side, link.size),
        ("mods/a.jar", Side::Client, Some(17))
    );
    assert_eq!(link.sha512, Some("a".repeat(128)));
    let unpacked: Vec<_> = plan
        .unpacked
        .iter()
        .map(|it| (it.path.as_str(), it.side))
        .collect();
    assert_eq!(
        unpacked,
        [("config/a.toml", Side::Both), ("options.txt", Side::Client)]
    );
    assert_eq!(plan.refused[0].path, "overrides/options.txt");
}

#[test]
fn downloads_from_other_servers_or_without_digests_are_left_out() {
    let mut unproven = file("mods/c.jar", TRUSTED);
    unproven["hashes"] = json!({ "sha1": "1".repeat(40) });
    let files = [
        file("mods/a.jar", "https://evil.test/a.jar"),
        file("mods/b.jar", "https://cdn.modrinth.com.evil.test/a.jar"),
        file("mods/d.jar", "http://cdn.modrinth.com/a.jar"),
        file("mods/e.jar", "https://cdn.modrinth.com@evil.test/a.jar"),
        file("mods/f.jar", "https://cdn.modrinth.com/a b"),
        unproven,
    ];
    let plan = mrpack(&index(&files), &[], "", ORIGINS).unwrap();
    assert_eq!((plan.links.len(), plan.refused.len()), (0, files.len()));
}

#[test]
fn paths_that_are_unsafe_or_collide_refuse_the_archive() {
    let overrides = listed(&["overrides/mods/A.jar"]);
    for path in [
        "../a.jar",
        "/a.jar",
        "C:\\a.jar",
        "mods/a.jar",
        "mods/A.jar/b",
        "mods",
    ] {
        let refused = mrpack(&index(&[file(path, TRUSTED)]), &overrides, "", ORIGINS);
        assert!(refused.is_err(), "{path}");
    }
    let twice = [file("mods/b.jar", TRUSTED), file("MODS/b.jar", TRUSTED)];
    assert!(mrpack(&index(&twice), &[], "", ORIGINS).is_err());
    assert!(mrpack(b"{}", &[], "", ORIGINS).is_err());
}

#[test]
fn an_archive_of_curseforge_keeps_its_overrides_and_reports_its_mods() {
    let manifest = json!({
        "minecraft": { "version": "1.19.2", "modLoaders": [{ "id": "forge-43.2.0", "primary": true }] },
        "manifestType": "minecraftModpack", "manifestVersion": 1, "name": "Old", "version": "3",
        "files": [{ "projectID": 12, "fileID": 34, "required": true }], "overrides": "stuff",
    });
    let entries = listed(&["manifest.json", "stuff/config/a.toml", "other/b"]);
    let plan = curseforge(manifest.to_string().as_bytes(), &entries, "").unwrap();
    assert_eq!(
        (plan.loader, plan.loader_version.as_deref()),
        (Some(Loader::Forge), Some("43.2.0"))
    );
    assert_eq!(plan.unpacked[0].path, "config/a.toml");
    assert_eq!((plan.unpacked.len(), plan.refused.len()), (1, 1));
    assert_eq!(plan.refused[0].path, "project 12, file 34");
}

fn packwiz_of(meta: &str, meta_hash: &str) -> Result<Plan, Rejected> {
    let entries = listed(&[
        "repo/pack.toml",
        "repo/index.toml",
        "repo/config/a.toml",
        "repo/mods/a.pw.toml",
    ]);
    let (format, entry, folder) = recognize(&entries).unwrap();
    assert_eq!(
        (format, entry.name.as_str(), folder),
        (Format::Packwiz, "repo/pack.toml", "repo/")
    );
    let indexed = format!(
        "hash-format = \"sha256\"\n[[files]]\nfile = \"config/a.toml\"\nhash = \"{}\"\npreserve = true\n\
         [[files]]\nfile = \"mods/a.pw.toml\"\nmetafile = true\nhash = \"{meta_hash}\"\n",
        "2".repeat(64)
    );
    let pack = format!(
        "name = \"P\"\nversion = \"7\"\n[index]\nfile = \"index.toml\"\nhash-format = \"sha256\"\nhash = \"{}\"\n\
         [versions]\nminecraft = \"1.20.1\"\nneoforge = \"20.1\"\n",
        crate::digest::hex_sha256(indexed.as_bytes())
    );
    let (plan, _, wanted) = packwiz::pack(pack.as_bytes(), &entries, folder)?;
    let index = packwiz::index(plan, indexed.as_bytes(), wanted, &entries, folder)?;
    index.finish(&[meta.as_bytes().to_vec()], ORIGINS)
}

#[test]
fn a_pack_of_packwiz_becomes_files_and_links() {
    let meta = format!(
        "name = \"A\"\nfilename = \"a.jar\"\nside = \"server\"\n[download]\nurl = \"{TRUSTED}\"\n\
         hash-format = \"sha512\"\nhash = \"{}\"\n[option]\noptional = true\n",
        "5".repeat(128)
    );
    let plan = packwiz_of(&meta, &crate::digest::hex_sha256(meta.as_bytes())).unwrap();
    assert_eq!(
        (plan.name.as_str(), plan.loader),
        ("7", Some(Loader::Neoforge))
    );
    let unpacked = &plan.unpacked[0];
    assert_eq!(
        (unpacked.path.as_str(), unpacked.keep),
        ("config/a.toml", true)
    );
    assert_eq!(unpacked.sha256, Some("2".repeat(64)));
    let link = &plan.links[0];
    assert_eq!(
        (link.path.as_str(), link.side, link.optional),
        ("mods/a.jar", Side::Server, true)
    );
    assert!(packwiz_of(&meta, &"0".repeat(64)).is_err());
    let leaves = meta.replace("a.jar\"\nside", "../../a.jar\"\nside");
    assert!(packwiz_of(&leaves, "").is_err());
}
