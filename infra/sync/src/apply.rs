//! One version takes the place of another, from files that are all here. Begun again after any step, it ends in the same
//! folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::path::folded;
use crate::state::{Entry, Folder, Found, Journal, flush_folder, modified};

/// The changes of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub written: Vec<String>,
    pub removed: Vec<String>,
    /// The player's own, which stay.
    pub kept: Vec<String>,
    /// Files that were not the version's, or were changed since, and stood at a path that the pack needs: moved to
    /// `.wharf-sync/replaced`.
    pub set_aside: Vec<String>,
}

/// The path of a content that is not in its place yet.
pub fn staged(folder: &Folder, digest: &str) -> PathBuf {
    folder.own("staged").join(digest)
}

/// Contents that have to be fetched before `journal` can be carried out, and nothing that the folder lacks room for: a
/// folder with files of the player's at the place of a file is refused here, before anything changes.
pub fn missing(folder: &Folder, journal: &Journal) -> Result<Vec<(String, Entry)>> {
    let (mut wanted, respelled) = (Vec::new(), respelled(journal));
    for (path, entry) in &journal.to.files {
        check_parents(folder, journal, path)?;
        let found = folder.find(path)?;
        if found == Found::Folder {
            check_folder(journal, folder, path)?;
        }
        let known = journal.from.files.get(path).unwrap_or(entry);
        let seen = Entry {
            seen_at: known.seen_at.filter(|_| known.digest == entry.digest),
            ..entry.clone()
        };
        let stays = entry.keep && matches!(found, Found::File { .. });
        if respelled.contains(path) || !(stays || folder.has(path, &seen)?) {
            wanted.push((path.clone(), entry.clone()));
        }
    }
    Ok(wanted)
}

/// Paths that differ in case only from one of the old version. Where that is one file, the old spelling is removed first,
/// and the content with it.
fn respelled(journal: &Journal) -> BTreeSet<String> {
    let old: BTreeMap<_, _> = journal
        .from
        .files
        .keys()
        .map(|it| (folded(it), it))
        .collect();
    let new = journal.to.files.keys();
    new.filter(|it| old.get(&folded(it)).is_some_and(|old| old != it))
        .cloned()
        .collect()
}

/// Fails if a file of the player is in the place of a folder of the version.
fn check_parents(folder: &Folder, journal: &Journal, path: &str) -> Result<()> {
    for (at, _) in path.match_indices('/') {
        let parent = path.get(..at).unwrap_or_default();
        let is_file = matches!(folder.find(parent)?, Found::File { .. });
        if is_file && !journal.from.files.contains_key(parent) {
            bail!("the file {parent:?} is where the version has a folder: move it away first");
        }
    }
    Ok(())
}

/// Fails if a folder with files of the player is in the place of a file of the version.
fn check_folder(journal: &Journal, folder: &Folder, path: &str) -> Result<()> {
    for found in fs::read_dir(folder.at(path)?)? {
        let name = found?.file_name();
        let Some(name) = name.to_str() else {
            bail!("the folder {path:?} is where the version has a file: move it away first");
        };
        let below = format!("{path}/{name}");
        match folder.find(&below)? {
            Found::Folder => check_folder(journal, folder, &below)?,
            _ if journal.from.files.get(&below).is_some_and(|it| !it.keep) => {}
            _ => bail!("the folder {path:?} is where the version has a file: move it away first"),
        }
    }
    Ok(())
}

/// Carries the journal out. `step` is called before each change, so that a test can fail there.
pub fn apply(
    folder: &Folder,
    journal: &mut Journal,
    step: &mut dyn FnMut() -> Result<()>,
) -> Result<Changes> {
    let mut changes = Changes::default();
    let mut touched = BTreeSet::new();
    for (path, old) in &journal.from.files {
        if journal.to.files.contains_key(path) {
            continue;
        }
        let at = folder.at(path)?;
        if matches!(folder.find(path)?, Found::File { .. }) {
            step()?;
            if folder.has(path, old)? {
                fs::remove_file(&at).with_context(|| at.display().to_string())?;
                changes.removed.push(path.clone());
            } else if old.keep {
                changes.kept.push(path.clone());
            } else {
                set_aside(folder, path, &at)?;
                changes.set_aside.push(path.clone());
            }
        }
        prune(folder, path, &mut touched)?;
    }
    let mut uses = BTreeMap::new();
    // Those are needed again by a run that goes on from here.
    let respelled = respelled(journal);
    for (path, entry) in &journal.to.files {
        let copies = 1 + u32::from(respelled.contains(path));
        *uses.entry(entry.digest.clone()).or_insert(0_u32) += copies;
    }
    for (path, entry) in &mut journal.to.files {
        let at = folder.at(path)?;
        let left = uses.entry(entry.digest.clone()).or_insert(1);
        *left -= 1;
        let is_last_use = *left == 0;
        let old = journal.from.files.get(path);
        let found = folder.find(path)?;
        if entry.keep && matches!(found, Found::File { .. }) {
            changes.kept.push(path.clone());
            continue;
        }
        entry.seen_at = old
            .filter(|it| it.digest == entry.digest)
            .and_then(|it| it.seen_at);
        if !folder.has(path, entry)? {
            step()?;
            let is_ours = match old {
                Some(old) => folder.has(path, old)?,
                None => false,
            };
            if matches!(found, Found::File { .. }) && !is_ours {
                set_aside(folder, path, &at)?;
                changes.set_aside.push(path.clone());
                step()?;
            }
            place(folder, entry, &at, is_last_use)?;
            changes.written.push(path.clone());
            touched.extend(at.parent().map(Path::to_owned));
        }
        entry.seen_at = modified(&fs::symlink_metadata(&at)?);
    }
    step()?;
    for folder in touched.iter().filter(|it| it.is_dir()) {
        flush_folder(folder)?;
    }
    folder.write_state(&journal.to)?;
    step()?;
    folder.remove_journal()?;
    step()?;
    let staged = folder.own("staged");
    if staged.exists() {
        fs::remove_dir_all(staged)?;
    }
    Ok(changes)
}

fn place(folder: &Folder, entry: &Entry, at: &Path, is_last_use: bool) -> Result<()> {
    let parent = at.parent().context("a path below the folder")?;
    fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    let content = staged(folder, &entry.digest);
    let moved = if is_last_use {
        content
    } else {
        let copy = content.with_extension("copy");
        fs::copy(&content, &copy).with_context(|| content.display().to_string())?;
        fs::File::open(&copy)?.sync_all()?;
        copy
    };
    fs::rename(&moved, at).with_context(|| at.display().to_string())
}

/// Moves a file out of the way without losing it. A name that is taken there gets a number: also that of a folder, when a
/// file was set aside by the same name earlier.
fn set_aside(folder: &Folder, path: &str, at: &Path) -> Result<()> {
    let mut aside = folder.own("replaced");
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        aside.push(name);
        let is_folder = names.peek().is_some();
        let mut number = 0_u32;
        while aside.exists() && !(is_folder && aside.is_dir()) {
            number += 1;
            aside.set_file_name(format!("{name}.{number}"));
        }
    }
    let parent = aside.parent().context("a path below the folder")?;
    fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    fs::rename(at, &aside).with_context(|| at.display().to_string())
}

/// Removes the folders that the removal of a path has emptied.
fn prune(folder: &Folder, path: &str, touched: &mut BTreeSet<PathBuf>) -> Result<()> {
    let mut path = path;
    while let Some((parent, _)) = path.rsplit_once('/') {
        path = parent;
        let at = folder.at(parent)?;
        touched.insert(at.clone());
        // Fails for a folder that is not empty, which is how it is found out.
        if fs::remove_dir(&at).is_err() && at.exists() {
            break;
        }
    }
    Ok(())
}
