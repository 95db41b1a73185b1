//! One private pack in three protocols, by one link that a friend has without an account.

use serde_json::{Value, json};
use wharf_tests::{Answer, Options, Stack, User, eventually};

use super::*;

pub fn create_link(owner: &User, pack: i64) -> (i64, String) {
    let path = format!("/modpacks/{pack}/links");
    let made = owner
        .post(&path)
        .json(&json!({ "label": "A friend" }))
        .send()
        .expect(201)
        .json();
    let url = made["url"].as_str().unwrap();
    (
        number(&made["id"]),
        url[url.find("/modpacks").unwrap()..].to_owned(),
    )
}

/// The path of an address of the platform.
fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap();
    let at = url
        .find("/modpacks")
        .or_else(|| url.find("/files"))
        .unwrap();
    url[at..].to_owned()
}

/// The index of a `.mrpack`, which stands there as it is behind its name. Any byte may stand before that: a checksum.
pub fn mrpack_index(answer: &Answer) -> Value {
    let text = answer.text();
    let named = &text[text.find("modrinth.index.json").unwrap()..];
    let start = named.find('{').unwrap();
    let mut read = serde_json::Deserializer::from_str(&named[start..]).into_iter();
    read.next().unwrap().unwrap()
}

#[test]
fn a_friend_reads_a_private_pack_in_every_protocol() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let body = json!({ "name": "1", "mc_version": "1.20.1", "loader": "fabric", "loader_version": "0.15.11" });
    let versions = format!("/modpacks/{pack}/versions");
    let version = number(&owner.post(&versions).json(&body).send().expect(201).json()["id"]);
    let (jar, config) = (content(800), content(90));
    upload(&owner, pack, version, "mods/a.jar", &jar);
    upload(&owner, pack, version, "config/a b.toml", &config);
    publish(&owner, pack, version).expect(200);
    let (_, link) = create_link(&owner, pack);
    let get = |end: &str| stack.get(&format!("{link}{end}")).send();

    assert_eq!(get("").expect(200).json()["id"], pack);
    assert_eq!(get("/versions").expect(200).json()[0]["id"], version);

    let mrpack = get("/latest.mrpack").expect(200);
    assert_eq!(
        mrpack.header("content-type"),
        Some("application/x-modrinth-modpack+zip")
    );
    let index = mrpack_index(&mrpack);
    assert_eq!(
        index["dependencies"],
        json!({ "minecraft": "1.20.1", "fabric-loader": "0.15.11" })
    );
    let file = &index["files"][1];
    assert_eq!(
        (&file["path"], &file["fileSize"]),
        (&json!("mods/a.jar"), &json!(800))
    );
    let download = stack
        .get(&path_of(&file["downloads"][0]))
        .send()
        .expect(302);
    assert_eq!(follow(&download).expect(200).text().as_bytes(), jar);

    let pack_toml = get("/latest/packwiz/pack.toml").expect(200);
    assert_eq!(pack_toml.header("content-type"), Some("application/toml"));
    let index_toml = get("/latest/packwiz/index.toml").expect(200).text();
    assert!(pack_toml.text().contains(&sha256(index_toml.as_bytes())));
    assert!(index_toml.contains(&sha256(&config)), "{index_toml}");
    let plain = get("/latest/packwiz/config/a%20b.toml").expect(302);
    assert_eq!(follow(&plain).expect(200).text().as_bytes(), config);
    get("/latest/packwiz/config/other.toml").problem(404);

    let manifest = get("/latest/manifest.json").expect(200).json();
    assert_eq!(manifest["version"]["id"], version);
    let file = &manifest["files"][0];
    assert_eq!(file["sha256"], sha256(&config));
    stack.get(&path_of(&file["url"])).send().expect(302);
    let same = get(&format!("/versions/{version}/manifest.json"))
        .expect(200)
        .json();
    assert_eq!(same, manifest);
    get(&format!("/versions/{version}/pack.mrpack")).expect(200);

    // Servers need no files of players.
    let for_server = get("/latest/manifest.json?side=server").expect(200).json();
    assert_eq!(for_server["files"].as_array().map(Vec::len), Some(2));
    get("/latest/manifest.json?side=moon").problem(422);
}

#[test]
fn members_and_shares_read_a_private_pack_in_every_protocol() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (pack, version, _, bytes) = published(&owner, "private");
    let of_pack = format!("/modpacks/{pack}");
    for place in ["/latest".to_owned(), format!("/versions/{version}")] {
        let manifest = format!("{of_pack}{place}/manifest.json");
        let shown = owner.get(&manifest).send().expect(200).json();
        assert_eq!(shown["files"][0]["sha256"], sha256(&bytes));
        stack.get(&manifest).send().problem(404);
        let index = format!("{of_pack}{place}/packwiz/index.toml");
        let index = owner.get(&index).send().expect(200).text();
        assert!(index.contains("mods/example"), "{index}");
    }
    for place in [
        "latest.mrpack".to_owned(),
        format!("versions/{version}/pack.mrpack"),
    ] {
        let mrpack = format!("{of_pack}/{place}");
        let index = mrpack_index(&owner.get(&mrpack).send().expect(200));
        assert_eq!(index["files"][0]["fileSize"], bytes.len());
        stack.get(&mrpack).send().problem(404);
    }
}

#[test]
fn the_address_of_the_latest_follows_publications_and_rollbacks() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (pack, first, ..) = published(&owner, "private");
    let (_, link) = create_link(&owner, pack);
    let latest = || {
        let answer = stack
            .get(&format!("{link}/latest/manifest.json"))
            .send()
            .expect(200);
        number(&answer.json()["version"]["id"])
    };
    assert_eq!(latest(), first);
    let second = create_draft(&owner, pack, "2.0");
    assert_eq!(latest(), first);
    publish(&owner, pack, second).expect(200);
    assert_eq!(latest(), second);
    let back = json!({ "version_id": first });
    owner
        .put(&format!("/modpacks/{pack}/latest"))
        .json(&back)
        .send()
        .expect(204);
    assert_eq!(latest(), first);
}

#[test]
fn a_link_opens_one_pack_until_it_is_revoked_or_ends() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (pack, _, file, _) = published(&owner, "private");
    let (.., other, _) = published(&owner, "private");
    let (id, link) = create_link(&owner, pack);
    let status = |path: &str| stack.get(&format!("{link}{path}")).send().status();
    assert_eq!(status(&format!("/files/{file}/download")), 302);
    assert_eq!(status(&format!("/files/{other}/download")), 404);
    // The link opens no path that needs a caller.
    stack
        .get(&format!("/files/{file}/download"))
        .send()
        .problem(404);
    let stranger = User::driver(stack);
    let links = format!("/modpacks/{pack}/links");
    stranger.get(&links).send().problem(404);
    stranger
        .delete(&format!("{links}/{id}"))
        .send()
        .problem(404);
    let listed = owner.get(&links).send().expect(200).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["label"]),
        (&json!(id), &json!("A friend"))
    );
    owner.delete(&format!("{links}/{id}")).send().expect(204);
    let assert_over = |link: &str| {
        let of_file = format!("/files/{file}/download");
        for path in ["", "/latest.mrpack", "/latest/manifest.json", &of_file] {
            stack.get(&format!("{link}{path}")).send().problem(404);
        }
    };
    assert_over(&link);
    let (second, ending) = create_link(&owner, pack);
    stack.get(&ending).send().expect(200);
    let end = "UPDATE modpacks.link SET expires_at = now() WHERE id = $1";
    stack.sql().execute(end, &[&second]).unwrap();
    assert_over(&ending);
    // An ended link stays closed when the pack becomes public.
    owner
        .patch(&format!("/modpacks/{pack}"))
        .json(&json!({ "visibility": "public" }))
        .send()
        .expect(200);
    assert_eq!(status(""), 404);
    stack.get("/modpacks/links/nonsense").send().problem(404);
}

#[test]
fn the_secret_of_a_link_is_neither_kept_nor_logged() {
    let stack = Options::default().start();
    let owner = User::driver(&stack);
    let (pack, ..) = published(&owner, "private");
    let (id, link) = create_link(&owner, pack);
    let secret = link.rsplit('/').next().unwrap();
    stack
        .get(&format!("{link}/latest.mrpack"))
        .send()
        .expect(200);
    let kept = "SELECT secret FROM modpacks.link WHERE id = $1";
    let kept: String = stack.sql().query_one(kept, &[&id]).unwrap().get(0);
    assert_eq!(kept, sha256(secret.as_bytes()));
    eventually("the request is logged", SOON, || {
        stack.log().contains("/modpacks/links/***")
    });
    assert!(!stack.log().contains(secret));
}
