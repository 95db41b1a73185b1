//! The command-line client against the running platform: downloads, files of the player, and a kill at any moment.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use wharf_tests::{Folder, Stack, User, eventually, repository};

use super::links::create_link;
use super::*;

fn client() -> Command {
    let built = repository().join("target/release/wharf-sync");
    assert!(built.exists(), "{} is not built", built.display());
    Command::new(built)
}

fn sync(folder: &Path, address: &str, more: &[&str]) -> Command {
    let mut command = client();
    command
        .arg(folder)
        .args([address, "--json"])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The last line of a run's output.
fn done(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{failed}");
    let done: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(done["event"], "done");
    done
}

/// All files but the client's own.
fn contents(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for at in fs::read_dir(folder).unwrap() {
            let at = at.unwrap().path();
            let name = at.strip_prefix(root).unwrap().display().to_string();
            if at.is_dir() && name != ".wharf-sync" {
                folders.push(at);
            } else if at.is_file() {
                found.insert(name, fs::read(&at).unwrap());
            }
        }
    }
    found
}

fn holding(files: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
    let owned = files
        .iter()
        .map(|(path, it)| ((*path).to_owned(), it.to_vec()));
    owned.collect()
}

fn address(stack: &Stack, path: &str) -> String {
    format!("http://{}{path}", stack.address())
}

/// A new version of these files, each uploaded unless an earlier version has the same bytes.
fn release(owner: &User, pack: i64, name: &str, files: &[(&str, &[u8])]) -> i64 {
    let version = create_draft(owner, pack, name);
    for (path, bytes) in files {
        let keep = path.starts_with("config/");
        let body = json!({ "size": bytes.len(), "sha256": sha256(bytes), "keep": keep });
        let plan = begin(owner, pack, version, path, &body);
        send_parts(&plan, bytes);
        let file = number(&plan["file"]["id"]);
        complete(owner, file).expect(200);
        assert_eq!(settled(owner, file)["status"], "ready");
    }
    publish(owner, pack, version).expect(200);
    version
}

#[test]
fn a_synced_folder_becomes_the_latest_version_and_keeps_the_players_files() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let (first, second) = (content(3_000), content(4_000));
    let (config, other) = (content(60), content(70));
    let old = release(
        &owner,
        pack,
        "1",
        &[
            ("mods/a.jar", &first),
            ("mods/gone.jar", &second),
            ("config/a b.toml", &config),
        ],
    );
    let link = address(stack, &create_link(&owner, pack).1);
    let folder = Folder::new("game");
    let game = folder.path();
    let run = |more: &[&str]| done(&sync(game, &link, more).output().unwrap());
    let ran = run(&[]);
    assert_eq!(ran["downloaded"], first.len() + second.len() + config.len());
    let installed = holding(&[
        ("mods/a.jar", &first),
        ("mods/gone.jar", &second),
        ("config/a b.toml", &config),
    ]);
    assert_eq!(contents(game), installed);

    fs::write(game.join("config/a b.toml"), b"mine").unwrap();
    fs::write(game.join("options.txt"), b"mine too").unwrap();
    // One file is new, one has moved, one is gone.
    release(
        &owner,
        pack,
        "2",
        &[
            ("mods/b.jar", &first),
            ("mods/c.jar", &other),
            ("config/a b.toml", &config),
        ],
    );
    let ran = run(&[]);
    assert_eq!(ran["downloaded"], other.len());
    assert_eq!(ran["kept"], json!(["config/a b.toml"]));
    let updated = holding(&[
        ("mods/b.jar", &first),
        ("mods/c.jar", &other),
        ("config/a b.toml", b"mine"),
        ("options.txt", b"mine too"),
    ]);
    assert_eq!(contents(game), updated);
    assert_eq!(run(&[])["written"], json!([]));

    // A damaged file comes back; and so does an old version.
    fs::write(game.join("mods/c.jar"), &second).unwrap();
    assert_eq!(run(&["--verify"])["set_aside"], json!(["mods/c.jar"]));
    assert_eq!(contents(game), updated);
    run(&["--version", &old.to_string()]);
    let found = contents(game);
    assert_eq!(
        (&found["mods/a.jar"], &found["mods/gone.jar"]),
        (&first, &second)
    );
    assert!(!found.contains_key("mods/b.jar"));
}

/// A published version with a file for each side, named as the side that needs it.
fn release_for_sides(owner: &User, pack: i64) -> BTreeMap<String, Vec<u8>> {
    let version = create_draft(owner, pack, "1");
    let mut files = BTreeMap::new();
    for side in ["both", "client", "server"] {
        let (path, bytes) = (format!("mods/{side}.jar"), content(900));
        let bytes = [bytes.as_slice(), side.as_bytes()].concat();
        let body = json!({ "size": bytes.len(), "side": side });
        let plan = begin(owner, pack, version, &path, &body);
        send_parts(&plan, &bytes);
        let file = number(&plan["file"]["id"]);
        complete(owner, file).expect(200);
        assert_eq!(settled(owner, file)["status"], "ready");
        files.insert(path, bytes);
    }
    publish(owner, pack, version).expect(200);
    files
}

#[test]
fn a_server_gets_a_pack_without_the_files_of_players() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let mut files = release_for_sides(&owner, pack);
    let (_, link) = create_link(&owner, pack);
    let paths = |form: &str, list: &str| {
        let answer = stack.get(&format!("{link}{form}")).send().expect(200);
        let shown = match form.contains("mrpack") {
            true => super::links::mrpack_index(&answer),
            false => answer.json(),
        };
        let named = shown[list].as_array().unwrap().iter();
        named
            .map(|it| it["path"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = ["mods/both.jar", "mods/client.jar", "mods/server.jar"];
    let of_server = ["mods/both.jar", "mods/server.jar"];
    for form in ["/latest/manifest.json", "/latest.mrpack"] {
        assert_eq!(paths(form, "files"), all, "{form}");
        let wanted = format!("{form}?side=server");
        assert_eq!(paths(&wanted, "files"), of_server, "{form}");
    }
    let named = stack
        .get(&format!("{link}/latest.mrpack?side=server"))
        .send();
    let named = named.header("content-disposition").unwrap().to_owned();
    assert!(named.ends_with("-server.mrpack\""), "{named}");

    let folder = Folder::new("server");
    let address = address(stack, &link);
    done(
        &sync(folder.path(), &address, &["--side", "server"])
            .output()
            .unwrap(),
    );
    let client = files.remove("mods/client.jar").unwrap();
    assert_eq!(contents(folder.path()), files);
    // The same folder for a player.
    done(
        &sync(folder.path(), &address, &["--side", "client"])
            .output()
            .unwrap(),
    );
    files.remove("mods/server.jar");
    files.insert("mods/client.jar".to_owned(), client);
    assert_eq!(contents(folder.path()), files);
}

#[test]
fn only_viewers_of_a_pack_sync_it() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (pack, .., bytes) = published(&owner, "private");
    let address = address(stack, &format!("/modpacks/{pack}"));
    let folder = Folder::new("game");
    let refused = sync(folder.path(), &address, &[]).output().unwrap();
    assert!(!refused.status.success());
    assert_eq!(contents(folder.path()), BTreeMap::new());
    let ran = sync(folder.path(), &address, &[])
        .env("WHARF_TOKEN", &owner.token)
        .output()
        .unwrap();
    done(&ran);
    assert_eq!(contents(folder.path())["mods/example.jar"], bytes);
    // Another pack does not take its place.
    let (other, ..) = published(&owner, "public");
    let other = super::sync::address(stack, &format!("/modpacks/{other}"));
    let refused = sync(folder.path(), &other, &[]).output().unwrap();
    assert!(!refused.status.success());
    assert_eq!(contents(folder.path())["mods/example.jar"], bytes);
}

#[test]
fn a_killed_download_keeps_the_old_version_and_resumes() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let small = content(2_000);
    release(&owner, pack, "1", &[("mods/a.jar", &small)]);
    let link = address(stack, &create_link(&owner, pack).1);
    let folder = Folder::new("game");
    let game = folder.path();
    done(&sync(game, &link, &[]).output().unwrap());
    let large = content(12 << 20);
    release(&owner, pack, "2", &[("mods/large.jar", &large)]);

    let mut running = sync(game, &link, &["--limit-rate", "2000000"])
        .spawn()
        .unwrap();
    let part = game
        .join(".wharf-sync/staged")
        .join(format!("{}.part", sha256(&large)));
    let size = |it: &PathBuf| it.metadata().map_or(0, |it| it.len());
    eventually("some bytes have come", SOON, || size(&part) > 1 << 20);
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(size(&part) < large.len() as u64, "killed too late");
    assert_eq!(contents(game), holding(&[("mods/a.jar", &small)]));

    let left = large.len() as u64 - size(&part);
    let ran = done(&sync(game, &link, &[]).output().unwrap());
    assert_eq!(ran["downloaded"], left);
    assert_eq!(contents(game), holding(&[("mods/large.jar", &large)]));
}

#[test]
fn a_sync_that_is_killed_at_any_moment_is_finished_by_the_next() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let pack = create_pack(&owner, "private");
    let bytes: Vec<_> = (0..8).map(|number| content(1_000 + number)).collect();
    let named = |from: &'static str, bytes: &[Vec<u8>]| -> Vec<(String, Vec<u8>)> {
        let files = bytes.iter().enumerate();
        files
            .map(|(at, it)| (format!("mods/{from}{at}.jar"), it.clone()))
            .collect()
    };
    let (one, two) = (named("x", &bytes[..5]), named("y", &bytes[3..]));
    let release = |name: &str, files: &[(String, Vec<u8>)]| {
        let files: Vec<_> = files
            .iter()
            .map(|(path, it)| (path.as_str(), it.as_slice()))
            .collect();
        (
            release(&owner, pack, name, &files).to_string(),
            holding(&files),
        )
    };
    let versions = [release("1", &one), release("2", &two)];
    let link = address(stack, &create_link(&owner, pack).1);
    let folder = Folder::new("game");
    let game = folder.path();
    let started = std::time::Instant::now();
    done(
        &sync(game, &link, &["--version", &versions[0].0])
            .output()
            .unwrap(),
    );
    let whole = started.elapsed();
    let mut is_now = 0;
    for cut in 0..24_u32 {
        let wanted = &versions[1 - is_now];
        let before = contents(game);
        assert_eq!(before, versions[is_now].1);
        let mut running = sync(game, &link, &["--version", &wanted.0])
            .spawn()
            .unwrap();
        // From the beginning of a run to its end, and a little beyond.
        let deadline = std::time::Instant::now() + whole * cut / 20;
        while std::time::Instant::now() < deadline && running.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        running.kill().unwrap();
        running.wait().unwrap();
        if !game.join(".wharf-sync/journal.json").exists() {
            let found = contents(game);
            assert!(found == before || found == wanted.1, "{:?}", found.keys());
        }
        done(
            &sync(game, &link, &["--version", &wanted.0])
                .output()
                .unwrap(),
        );
        is_now = 1 - is_now;
        assert_eq!(contents(game), versions[is_now].1, "cut off at {cut}");
    }
}

#[test]
fn the_client_writes_no_path_that_leaves_its_folder() {
    let stack = &Stack::shared();
    let owner = User::driver(stack);
    let (pack, version, ..) = published(&owner, "public");
    let folder = Folder::new("game");
    // The platform refuses such a path, so the test writes it into the database.
    let path = "BEGIN; SET LOCAL session_replication_role = replica; \
        UPDATE modpacks.file SET path = '../outside.jar' WHERE version_id = ";
    stack
        .sql()
        .batch_execute(&format!("{path}{version}; COMMIT"))
        .unwrap();
    let address = address(stack, &format!("/modpacks/{pack}"));
    let game = folder.path().join("game");
    let refused = sync(&game, &address, &[]).output().unwrap();
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("leaves the folder"), "{said}");
    assert!(!folder.path().join("outside.jar").exists());
}
