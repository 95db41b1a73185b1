//! Compiled components on disk, so that only a changed component is compiled again.
//! An entry is named by what went in (the component's bytes, the engine's settings) and ends with the
//! digest of what came out: whatever is torn, foreign or damaged is compiled anew, never trusted.
//! Code runs from the file itself, so only what is used of it takes memory.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

const DIGEST_LEN: u64 = 32;

/// Nobody goes back to a build that was last run this long ago.
const KEPT_UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Read at once.
const PIECE: usize = 1 << 16;

pub struct Cache {
    folder: PathBuf,
    engine: Engine,
    /// What else decides the machine code: wasmtime's version, the target, the compiler's settings.
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

    /// The component compiled from `bytes`, if it was compiled before.
    pub fn find(&self, bytes: &[u8]) -> Option<Component> {
        self.load(&self.entry(bytes))
    }

    /// Compiles a component and keeps it.
    pub fn compile(&self, bytes: &[u8]) -> Result<Component> {
        let component = Component::new(&self.engine, bytes)?;
        if let Err(cause) = save(&self.entry(bytes), &component) {
            // The next start compiles again; nothing else is lost.
            tracing::warn!("cannot keep a compiled component: {cause:#}");
        }
        Ok(component)
    }

    /// Removes what no start has used for long. To be called after what this one uses was found.
    pub fn forget_unused(&self) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries {
            let used = entry.metadata().and_then(|metadata| metadata.modified());
            let unused_for = used.ok().and_then(|used| used.elapsed().ok());
            if unused_for.is_some_and(|unused| unused > KEPT_UNUSED) {
                // Another host may have been quicker; the next start tries again.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn entry(&self, bytes: &[u8]) -> PathBuf {
        let mut name: String = Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        name.push_str(&format!("-{:016x}.cwasm", self.settings));
        self.folder.join(name)
    }

    fn load(&self, entry: &Path) -> Option<Component> {
        if !is_whole(entry).ok()? {
            tracing::warn!("{} is damaged; compiling again", entry.display());
            return None;
        }
        // SAFETY: wasmtime trusts the code it is given. This is code this host wrote into its own
        // data folder, whole, as the digest shows, and never changes there: it is only ever replaced.
        // Who can forge both code and digest can replace the host as well.
        #[allow(unsafe_code)]
        unsafe { Component::deserialize_file(&self.engine, entry) }.ok()
    }
}

/// Whether the entry is what was once written, by the digest at its end.
fn is_whole(entry: &Path) -> io::Result<bool> {
    let mut file = File::open(entry)?;
    // For `forget_unused`. Whoever may not do it is not who cleans up.
    let _ = file.set_modified(SystemTime::now());
    let Some(code_len) = file.metadata()?.len().checked_sub(DIGEST_LEN) else {
        return Ok(false);
    };
    let mut hasher = Sha256::new();
    let mut code = BufReader::with_capacity(PIECE, (&mut file).take(code_len));
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

/// Written beside and renamed, so that a reader or a second writer sees all of it or nothing.
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
    fn a_compiled_component_is_read_back_and_a_damaged_one_is_compiled_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        assert!(cache.find(EMPTY).is_none());
        cache.compile(EMPTY).unwrap();
        let entry = cache.entry(EMPTY);
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
    fn what_is_not_used_for_a_month_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        cache.compile(EMPTY).unwrap();
        let age = |entry: &Path| {
            let long_ago = SystemTime::now() - KEPT_UNUSED - Duration::from_secs(60);
            File::open(entry).unwrap().set_modified(long_ago).unwrap();
        };
        let left_by_a_crash = folder.path().join(".tmp123");
        fs::write(&left_by_a_crash, "half").unwrap();
        age(&left_by_a_crash);
        age(&cache.entry(EMPTY));
        assert!(cache.find(EMPTY).is_some());
        cache.forget_unused();
        assert!(!left_by_a_crash.exists());
        assert!(cache.find(EMPTY).is_some());

        age(&cache.entry(EMPTY));
        cache.forget_unused();
        assert!(cache.find(EMPTY).is_none());
    }

    /// As another file: the one before may be mapped.
    fn replace(entry: &Path, bytes: &[u8]) {
        fs::remove_file(entry).unwrap();
        fs::write(entry, bytes).unwrap();
    }

    #[test]
    fn writers_at_once_leave_one_whole_entry() {
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
