//! One version takes the place of another, cut off at every step.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use sha2::{Digest, Sha256};

use crate::apply::{Changes, apply, missing, staged};
use crate::state::{Entry, Folder, Installed, Journal};

struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wharf-sync-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn entry(content: &str) -> Entry {
    Entry {
        digest: Sha256::digest(content)
            .iter()
            .map(|it| format!("{it:02x}"))
            .collect(),
        size: content.len() as u64,
        keep: false,
        seen_at: None,
    }
}

/// Paths that end with `!` are kept.
fn version(id: i64, files: &[(&str, &str)]) -> Installed {
    let files = files.iter().map(|(path, content)| {
        let mut entry = entry(content);
        entry.keep = path.ends_with('!');
        (path.trim_end_matches('!').to_owned(), entry)
    });
    Installed {
        pack_id: 1,
        version_id: id,
        version: id.to_string(),
        files: files.collect(),
    }
}

fn write(root: &Path, path: &str, content: &str) {
    let at = root.join(path);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, content).unwrap();
}

/// All files below the folder but the client's own, with what is set aside.
fn contents(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for at in fs::read_dir(folder).unwrap() {
            let at = at.unwrap().path();
            let name = at.strip_prefix(root).unwrap().display().to_string();
            let is_own = name.starts_with(".wharf-sync/") && !name.contains("replaced");
            if at.is_dir() {
                folders.push(at);
            } else if !is_own {
                found.insert(name, fs::read_to_string(&at).unwrap());
            }
        }
    }
    found
}

/// Everything that the new version lacks, as a download would have left it.
fn stage(folder: &Folder, journal: &Journal, of: &[(&str, &str)]) -> Result<()> {
    fs::create_dir_all(folder.own("staged"))?;
    for (_, wanted) in missing(folder, journal)? {
        let content = of.iter().find(|it| entry(it.1).digest == wanted.digest);
        fs::write(staged(folder, &wanted.digest), content.unwrap().1)?;
    }
    Ok(())
}

fn update(root: &Path, id: i64, files: &[(&str, &str)]) -> Result<Changes> {
    let folder = Folder::open(root)?;
    let from = folder.state()?.unwrap_or_default();
    let mut journal = Journal {
        from,
        to: version(id, files),
    };
    stage(&folder, &journal, files)?;
    folder.write_journal(&journal)?;
    apply(&folder, &mut journal, &mut || Ok(()))
}

const OLD: &[(&str, &str)] = &[
    ("mods/a.jar", "a1"),
    ("mods/gone.jar", "gone"),
    ("mods/sub/gone.jar", "deep"),
    ("mods/changed.jar", "as it was"),
    ("config/own.toml!", "default"),
    ("config/left.toml!", "left"),
    ("shape", "a file"),
    ("turn/a", "in a folder"),
    ("Name.txt", "name"),
];
const NEW: &[(&str, &str)] = &[
    ("mods/a.jar", "a2"),
    ("mods/b.jar", "same"),
    ("mods/c.jar", "same"),
    ("config/own.toml!", "new default"),
    ("foreign.txt", "the pack's"),
    ("shape/of", "a folder now"),
    ("turn", "a file now"),
    ("name.txt", "name"),
];

fn play(root: &Path) {
    write(root, "config/own.toml", "mine");
    write(root, "config/left.toml", "mine too");
    write(root, "mods/changed.jar", "patched");
    write(root, "foreign.txt", "the player's");
    write(root, "saves/world", "blocks");
}

fn expected() -> BTreeMap<String, String> {
    [
        ("mods/a.jar", "a2"),
        ("mods/b.jar", "same"),
        ("mods/c.jar", "same"),
        ("config/own.toml", "mine"),
        ("config/left.toml", "mine too"),
        ("foreign.txt", "the pack's"),
        (".wharf-sync/replaced/foreign.txt", "the player's"),
        (".wharf-sync/replaced/mods/changed.jar", "patched"),
        ("shape/of", "a folder now"),
        ("turn", "a file now"),
        ("name.txt", "name"),
        ("saves/world", "blocks"),
    ]
    .into_iter()
    .map(|(path, content)| (path.to_owned(), content.to_owned()))
    .collect()
}

#[test]
fn an_update_removes_its_own_files_and_keeps_the_players() {
    let root = Temporary::new("update");
    update(&root.0, 1, OLD).unwrap();
    play(&root.0);
    let changes = update(&root.0, 2, NEW).unwrap();
    assert_eq!(contents(&root.0), expected());
    assert_eq!(changes.set_aside, ["mods/changed.jar", "foreign.txt"]);
    assert!(!root.0.join("mods/sub").exists());
    // Nothing is left to do.
    assert_eq!(update(&root.0, 2, NEW).unwrap().written, [""; 0]);
    assert_eq!(contents(&root.0), expected());
}

#[test]
fn an_update_interrupted_at_any_step_is_finished_by_the_next_run() {
    for cut in 0.. {
        let root = Temporary::new("cut");
        update(&root.0, 1, OLD).unwrap();
        play(&root.0);
        let folder = Folder::open(&root.0).unwrap();
        let mut journal = Journal {
            from: folder.state().unwrap().unwrap(),
            to: version(2, NEW),
        };
        stage(&folder, &journal, NEW).unwrap();
        folder.write_journal(&journal).unwrap();
        let mut steps = 0;
        let ended = apply(&folder, &mut journal, &mut || {
            steps += 1;
            if steps > cut {
                bail!("cut off");
            }
            Ok(())
        });
        if let Some(mut journal) = folder.journal().unwrap() {
            for (_, wanted) in missing(&folder, &journal).unwrap() {
                assert!(
                    crate::fetch::is_staged(&folder, &wanted).unwrap(),
                    "{wanted:?}"
                );
            }
            apply(&folder, &mut journal, &mut || Ok(())).unwrap();
        }
        assert_eq!(contents(&root.0), expected(), "cut off at {cut}");
        let state = folder.state().unwrap().unwrap();
        assert_eq!(state.version_id, 2);
        if ended.is_ok() {
            assert!(cut > 12, "only {cut} steps");
            return;
        }
    }
}

#[test]
fn folders_of_the_player_and_symlinks_are_not_written_through() {
    let root = Temporary::new("links");
    let outside = Temporary::new("outside");
    fs::create_dir_all(&outside.0).unwrap();
    fs::create_dir_all(&root.0).unwrap();
    symlink(&outside.0, root.0.join("mods")).unwrap();
    assert!(update(&root.0, 1, &[("mods/a.jar", "a")]).is_err());
    assert_eq!(contents(&outside.0).len(), 0);
    fs::remove_file(root.0.join("mods")).unwrap();
    write(&outside.0, "a.jar", "a");
    fs::create_dir(root.0.join("mods")).unwrap();
    symlink(outside.0.join("a.jar"), root.0.join("mods/a.jar")).unwrap();
    assert!(update(&root.0, 1, &[("mods/a.jar", "b")]).is_err());
    assert_eq!(contents(&outside.0)["a.jar"], "a");
    fs::remove_file(root.0.join("mods/a.jar")).unwrap();
    write(&root.0, "mods/a.jar/own.txt", "the player's");
    assert!(update(&root.0, 1, &[("mods/a.jar", "b")]).is_err());
    write(&root.0, "config", "the player's");
    assert!(update(&root.0, 1, &[("config/a.toml", "b")]).is_err());
    assert_eq!(contents(&root.0).len(), 2);
}

#[test]
fn symlinks_among_the_clients_own_files_are_not_followed() {
    let root = Temporary::new("own-links");
    let outside = Temporary::new("own-outside");
    write(&outside.0, "file", "the player's");
    update(&root.0, 1, OLD).unwrap();
    for name in ["lock", "state.json.new", "staged", "replaced"] {
        let own = root.0.join(".wharf-sync").join(name);
        let _ = fs::remove_file(&own);
        symlink(outside.0.join("file"), &own).unwrap();
        assert!(update(&root.0, 2, NEW).is_err(), "{name}");
        assert_eq!(contents(&outside.0)["file"], "the player's", "{name}");
        fs::remove_file(&own).unwrap();
    }
    update(&root.0, 2, NEW).unwrap();
}

#[test]
fn a_file_is_set_aside_below_the_name_of_another_that_was() {
    let root = Temporary::new("aside");
    write(&root.0, "x", "the player's file");
    update(&root.0, 1, &[("x", "of the pack")]).unwrap();
    update(&root.0, 2, &[("z", "z")]).unwrap();
    for content in ["the player's own", "another"] {
        write(&root.0, "x/y", content);
        let changes = update(&root.0, 3, &[("x/y", "below")]).unwrap();
        assert_eq!(changes.set_aside, ["x/y"]);
    }
    let expected = [
        ("x/y", "below"),
        (".wharf-sync/replaced/x", "the player's file"),
        (".wharf-sync/replaced/x.1/y", "the player's own"),
        (".wharf-sync/replaced/x.1/y.1", "another"),
    ];
    let expected = expected.map(|(path, content)| (path.to_owned(), content.to_owned()));
    assert_eq!(contents(&root.0), BTreeMap::from(expected));
}

#[test]
fn a_file_that_was_not_written_since_is_not_read_again() {
    let root = Temporary::new("trust");
    update(&root.0, 1, OLD).unwrap();
    let folder = Folder::open(&root.0).unwrap();
    let state = folder.state().unwrap().unwrap();
    let known = &state.files["mods/a.jar"];
    assert!(known.seen_at.is_some());
    let other = Entry {
        digest: "0".repeat(64),
        ..known.clone()
    };
    assert!(folder.has("mods/a.jar", &other).unwrap());
    write(&root.0, "mods/a.jar", "xx");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    let file = fs::File::options()
        .write(true)
        .open(root.0.join("mods/a.jar"));
    file.unwrap().set_modified(later).unwrap();
    assert!(!folder.has("mods/a.jar", known).unwrap());
}
