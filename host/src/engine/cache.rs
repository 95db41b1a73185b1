//! Compiled components on disk, so that only a changed component is compiled again.
//! The name of an entry is a hash of its inputs: the component's bytes and the engine's settings. An entry ends
//! with a digest of its code; one that does not match is compiled again. Code is mapped from the file, so only the
//! pages in use take memory.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::shortcut::{MARKED_EVERY, Shortcut};

const DIGEST_LEN: u64 = 32;

/// Entries that no start used for this long are removed: older builds are rarely run again.
const MAX_UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Buffer size for reading an entry.
const READ_BYTES: usize = 1 << 16;

pub struct Cache {
    folder: PathBuf,
    engine: Engine,
    /// Hash of wasmtime's version, the target and the compiler's settings, which also determine the code.
    settings: u64,
}

impl Cache {
    pub fn open(engine: &Engine, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self {
            folder: folder.to_owned(),
            engine: engine.clone(),
            settings: hasher.finish(),
        })
    }

    /// Loads the component compiled from `bytes`, if it is in the cache.
    pub fn find(&self, bytes: &[u8]) -> Option<Component> {
        self.load(&self.entry_path(bytes))
    }

    /// Loads what the shortcut leads to. Its digest was checked when the shortcut was made.
    pub fn follow(&self, shortcut: &Shortcut) -> Option<Component> {
        self.map(&shortcut.follow(&self.folder, self.settings)?)
    }

    /// Remembers that the shortcut leads to the component compiled from `bytes`, which `find` has found.
    pub fn remember(&self, shortcut: &Shortcut, bytes: &[u8]) {
        let remembered = shortcut.remember(&self.folder, self.settings, &self.entry_path(bytes));
        if let Err(cause) = remembered {
            // The next start only has to read more.
            tracing::debug!("cannot remember a compiled component: {cause}");
        }
    }

    /// Compiles a component and saves it.
    pub fn compile(&self, bytes: &[u8]) -> Result<Component> {
        let component = Component::new(&self.engine, bytes)?;
        if let Err(cause) = save(&self.entry_path(bytes), &component) {
            // The next start only has to compile again.
            tracing::warn!("cannot save a compiled component: {cause:#}");
        }
        Ok(component)
    }

    /// Removes entries that no start used for long. Call it after `find`, which marks entries as used.
    pub fn remove_unused(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries {
            let used = entry.metadata().and_then(|metadata| metadata.modified());
            let unused_for = used.ok().and_then(|used| used.elapsed().ok());
            if unused_for.is_some_and(|unused| unused > MAX_UNUSED) {
                // Another host may have removed it already; otherwise the next start tries again.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn entry_path(&self, bytes: &[u8]) -> PathBuf {
        let name = hex(&Sha256::digest(bytes));
        self.folder
            .join(format!("{name}-{:016x}.cwasm", self.settings))
    }

    fn load(&self, entry: &Path) -> Option<Component> {
        if !is_intact(entry).ok()? {
            tracing::warn!("{} is damaged; compiling again", entry.display());
            return None;
        }
        self.map(entry)
    }

    fn map(&self, entry: &Path) -> Option<Component> {
        // SAFETY: wasmtime trusts the code it is given. A host wrote this file to the data folder; the digest
        // showed that it is complete, and it is only ever replaced, never changed in place. An attacker who can
        // forge both code and digest can replace the host as well.
        #[allow(unsafe_code)]
        unsafe { Component::deserialize_file(&self.engine, entry) }.ok()
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the code matches the digest at the end of the entry. Marks the entry as used.
fn is_intact(entry: &Path) -> io::Result<bool> {
    let mut file = File::open(entry)?;
    let marked = file.metadata()?.modified()?;
    if marked
        .elapsed()
        .is_ok_and(|unmarked| unmarked >= MARKED_EVERY)
    {
        // For `remove_unused`. Fails only for a user who could not remove the entry either.
        let _ = file.set_modified(SystemTime::now());
    }
    let Some(code_len) = file.metadata()?.len().checked_sub(DIGEST_LEN) else {
        return Ok(false);
    };
    let mut hasher = Sha256::new();
    let mut code = BufReader::with_capacity(READ_BYTES, (&mut file).take(code_len));
    while let piece = code.fill_buf()?
        && !piece.is_empty()
    {
        hasher.update(piece);
        let length = piece.len();
        code.consume(length);
    }
    let mut digest = Vec::new();
    file.read_to_end(&mut digest)?;
    Ok(hasher.finalize().as_slice() == digest)
}

/// Writes a temporary file and renames it, so that readers and other writers see a complete entry or none.
fn save(entry: &Path, component: &Component) -> Result<()> {
    let code = component.serialize()?;
    let mut file =
        tempfile::NamedTempFile::new_in(entry.parent().context("the cache has a folder")?)?;
    file.write_all(&code)?;
    file.write_all(&Sha256::digest(&code))?;
    file.persist(entry)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{self, Capacity};

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn cache(folder: &Path) -> Cache {
        let engine = engine::build(Capacity {
            instances: 1,
            memory_bytes: 1 << 20,
            parts: 1,
        })
        .unwrap();
        Cache::open(&engine, folder).unwrap()
    }

    #[test]
    fn an_entry_is_found_until_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        assert!(cache.find(EMPTY).is_none());
        cache.compile(EMPTY).unwrap();
        let entry = cache.entry_path(EMPTY);
        assert!(cache.find(EMPTY).is_some());

        let mut bytes = fs::read(&entry).unwrap();
        bytes[100] ^= 1;
        replace(&entry, &bytes);
        assert!(cache.find(EMPTY).is_none());
        replace(&entry, b"short");
        assert!(cache.find(EMPTY).is_none());

        cache.compile(EMPTY).unwrap();
        assert!(cache.find(EMPTY).is_some());
    }

    #[test]
    fn entries_unused_for_a_month_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        cache.compile(EMPTY).unwrap();
        let age = |entry: &Path| {
            let long_ago = SystemTime::now() - MAX_UNUSED - Duration::from_secs(60);
            File::open(entry).unwrap().set_modified(long_ago).unwrap();
        };
        let left_by_a_crash = folder.path().join(".tmp123");
        fs::write(&left_by_a_crash, "half").unwrap();
        age(&left_by_a_crash);
        age(&cache.entry_path(EMPTY));
        assert!(cache.find(EMPTY).is_some());
        cache.remove_unused();
        assert!(!left_by_a_crash.exists());
        assert!(cache.find(EMPTY).is_some());

        age(&cache.entry_path(EMPTY));
        cache.remove_unused();
        assert!(cache.find(EMPTY).is_none());
    }

    /// Replaces the file instead of writing to it: the old one may be mapped.
    fn replace(entry: &Path, bytes: &[u8]) {
        fs::remove_file(entry).unwrap();
        fs::write(entry, bytes).unwrap();
    }

    #[test]
    fn concurrent_writers_leave_one_intact_entry() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| cache.compile(EMPTY).unwrap());
            }
        });
        assert!(cache.find(EMPTY).is_some());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
