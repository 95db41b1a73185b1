//! The client's state of a folder between two runs. Its files are written as a whole or not at all.
//!
//! `state.json` is the version in the folder. `journal.json` exists while one version replaces another: a run that
//! finds it goes on from there. Everything that the new version needs is fetched before the journal is written.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha512};

use crate::path::{self, OWN};

/// A version in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    pub pack_id: i64,
    pub version_id: i64,
    pub version: String,
    pub files: BTreeMap<String, Entry>,
}

/// A file as the version has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// SHA-256, or SHA-512 of a file of another platform, in hexadecimal digits.
    pub digest: String,
    pub size: u64,
    /// A copy that the player has changed stays.
    pub keep: bool,
    /// When the file was last seen with this content, in nanoseconds. It is read again only after it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<u64>,
}

/// The replacement of one version by another.
#[derive(Debug, Serialize, Deserialize)]
pub struct Journal {
    pub from: Installed,
    pub to: Installed,
}

pub struct Folder {
    root: PathBuf,
    /// Locked while this process runs: two syncs of one folder would disturb each other.
    _lock: File,
}

/// The content of a path.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Nothing,
    File { size: u64, modified: Option<u64> },
    Folder,
}

impl Folder {
    pub fn open(root: &Path) -> Result<Self> {
        let own = root.join(OWN);
        fs::create_dir_all(&own).with_context(|| own.display().to_string())?;
        let is_folder = fs::symlink_metadata(&own)?.is_dir();
        ensure!(is_folder, "{} is no folder", own.display());
        for found in fs::read_dir(&own)? {
            let found = found?;
            let is_symlink = found.file_type()?.is_symlink();
            let at = found.path();
            ensure!(
                !is_symlink,
                "{} is a symlink, and is not followed",
                at.display()
            );
        }
        let lock = File::create(own.join("lock"))?;
        if lock.try_lock().is_err() {
            bail!("another sync of this folder is running");
        }
        Ok(Self {
            root: root.to_owned(),
            _lock: lock,
        })
    }

    pub fn state(&self) -> Result<Option<Installed>> {
        let state: Option<Installed> = self.read("state.json")?;
        // The file may have been edited, and it decides which files are deleted.
        if let Some(state) = &state {
            path::check(state.files.keys().map(String::as_str)).context("state.json")?;
        }
        Ok(state)
    }

    pub fn journal(&self) -> Result<Option<Journal>> {
        let journal: Option<Journal> = self.read("journal.json")?;
        for installed in journal.iter().flat_map(|it| [&it.from, &it.to]) {
            path::check(installed.files.keys().map(String::as_str)).context("journal.json")?;
        }
        Ok(journal)
    }

    pub fn write_state(&self, state: &Installed) -> Result<()> {
        self.write("state.json", state)
    }

    pub fn write_journal(&self, journal: &Journal) -> Result<()> {
        self.write("journal.json", journal)
    }

    pub fn remove_journal(&self) -> Result<()> {
        let own = self.root.join(OWN);
        fs::remove_file(own.join("journal.json"))?;
        flush_folder(&own)
    }

    pub fn own(&self, name: &str) -> PathBuf {
        self.root.join(OWN).join(name)
    }

    /// The location of a path of a version. Fails where a symlink would lead out of the folder.
    pub fn at(&self, path: &str) -> Result<PathBuf> {
        let mut at = self.root.clone();
        for name in path.split('/') {
            at.push(name);
            match fs::symlink_metadata(&at) {
                Ok(found) if found.is_symlink() => {
                    bail!("{} is a symlink, and is not followed", at.display())
                }
                Ok(_) => {}
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error).with_context(|| at.display().to_string()),
            }
        }
        Ok(at)
    }

    pub fn find(&self, path: &str) -> Result<Found> {
        let at = self.at(path)?;
        match fs::symlink_metadata(&at) {
            Ok(found) if found.is_dir() => Ok(Found::Folder),
            Ok(found) if found.is_file() => Ok(Found::File {
                size: found.len(),
                modified: modified(&found),
            }),
            Ok(_) => bail!("{} is neither a file nor a folder", at.display()),
            Err(error) if is_absent(&error) => Ok(Found::Nothing),
            Err(error) => Err(error).with_context(|| at.display().to_string()),
        }
    }

    /// Whether the file at the path has that content. A file that was not written since it was last seen is not read.
    pub fn has(&self, path: &str, entry: &Entry) -> Result<bool> {
        let Found::File { size, modified } = self.find(path)? else {
            return Ok(false);
        };
        if size != entry.size {
            return Ok(false);
        }
        if modified.is_some() && modified == entry.seen_at {
            return Ok(true);
        }
        is_digest(&self.at(path)?, &entry.digest)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let file = self.own(name);
        match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .with_context(|| format!("{} is damaged", file.display())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| file.display().to_string()),
        }
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let (file, new) = (self.own(name), self.own(&format!("{name}.new")));
        let mut writing = File::create(&new)?;
        writing.write_all(&serde_json::to_vec(value)?)?;
        writing.sync_all()?;
        fs::rename(new, file)?;
        flush_folder(&self.root.join(OWN))
    }
}

/// Whether nothing is at the path; a path below a file counts as well.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

pub fn modified(found: &fs::Metadata) -> Option<u64> {
    let since = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

/// Whether the file has that digest. Its length tells SHA-256 from SHA-512.
pub fn is_digest(file: &Path, digest: &str) -> Result<bool> {
    let file = File::open(file).with_context(|| file.display().to_string())?;
    Ok(if digest.len() == 128 {
        digest_of::<Sha512>(&file)? == digest
    } else {
        digest_of::<Sha256>(&file)? == digest
    })
}

fn digest_of<D: Digest>(mut file: &File) -> Result<String> {
    let mut digest = D::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        match buffer.get(..read).filter(|it| !it.is_empty()) {
            Some(bytes) => digest.update(bytes),
            None => {
                let digest = digest.finalize();
                return Ok(digest.iter().map(|it| format!("{it:02x}")).collect());
            }
        }
    }
}

/// Names in a folder survive a power cut only when the folder itself is flushed.
pub fn flush_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
