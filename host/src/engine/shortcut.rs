//! Remembers which entry of the cache the files of a component led to, so that a start need not read and compose them, nor
//! check the entry's digest, again. Files are told apart by what the file system says of them, as make and git do. A
//! shortcut holds until the machine boots: a power failure may have damaged an entry.

use std::fs::{self, Metadata};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

/// A file that changed more recently may change again without a sign: the clocks of file systems are coarse.
const SETTLES_AFTER: Duration = Duration::from_secs(1);

/// An entry is marked as used once a day, and then checked again.
pub const MARKED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// What decides the code of a component.
pub struct Shortcut(String);

impl Shortcut {
    /// For a component made of these files as `how` says. `None` if the files cannot be told apart from later ones.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a Path>, how: &str) -> Option<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        // Another build of this program may compose differently.
        let program = std::env::current_exe().ok()?;
        let mut all = format!("{boot}{how}\n{}", describe(&fs::metadata(program).ok()?));
        for file in files {
            let metadata = fs::metadata(file).ok()?;
            if !has_settled(&metadata) {
                return None;
            }
            all.push_str(&describe(&metadata));
        }
        Some(Self(all))
    }

    /// The entry that it led to, if that is still the same file.
    pub fn follow(&self, folder: &Path, settings: u64) -> Option<PathBuf> {
        let remembered = fs::read_to_string(self.path(folder, settings)).ok()?;
        let (name, description) = remembered.split_once('\n')?;
        let entry = folder.join(name);
        let metadata = fs::metadata(&entry).ok()?;
        let is_marked = metadata.modified().ok()?.elapsed().ok()? < MARKED_EVERY;
        (is_marked && describe(&metadata) == description).then_some(entry)
    }

    /// Remembers an entry whose digest was checked.
    pub fn remember(&self, folder: &Path, settings: u64, entry: &Path) -> std::io::Result<()> {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let description = describe(&fs::metadata(entry)?);
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        write!(file, "{name}\n{description}")?;
        file.persist(self.path(folder, settings))?;
        Ok(())
    }

    fn path(&self, folder: &Path, settings: u64) -> PathBuf {
        let name = super::cache::hex(&Sha256::digest(&self.0));
        folder.join(format!("{name}-{settings:016x}.shortcut"))
    }
}

/// Writing to a file, or replacing it, changes this.
fn describe(of: &Metadata) -> String {
    let (modified, changed) = ((of.mtime(), of.mtime_nsec()), (of.ctime(), of.ctime_nsec()));
    format!(
        "{} {} {} {modified:?} {changed:?}\n",
        of.dev(),
        of.ino(),
        of.len()
    )
}

fn has_settled(metadata: &Metadata) -> bool {
    let changed = u64::try_from(metadata.ctime()).unwrap_or_default();
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(changed);
    // A second more, since its fraction is left out.
    let settles = changed + SETTLES_AFTER + Duration::from_secs(1);
    settles <= SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_until_settled(file: &Path) {
        while !has_settled(&fs::metadata(file).unwrap()) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn a_shortcut_ends_when_a_file_or_the_entry_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (file, entry) = (folder.path().join("a.wasm"), folder.path().join("entry"));
        fs::write(&file, "one").unwrap();
        fs::write(&entry, "code").unwrap();
        let shortcut = |how: &str| Shortcut::of([file.as_path()], how);
        let follow = |how: &str| shortcut(how)?.follow(folder.path(), 1);
        // Just written: the next change could look the same.
        assert!(shortcut("alone").is_none());
        wait_until_settled(&file);
        let remember = || {
            shortcut("alone")
                .unwrap()
                .remember(folder.path(), 1, &entry)
        };
        assert_eq!(follow("alone"), None);
        remember().unwrap();
        assert_eq!(follow("alone"), Some(entry.clone()));
        assert_eq!(follow("with another"), None);
        assert_eq!(shortcut("alone").unwrap().follow(folder.path(), 2), None);

        fs::write(&entry, "CODE").unwrap();
        assert_eq!(follow("alone"), None);
        remember().unwrap();
        assert_eq!(follow("alone"), Some(entry.clone()));
        let long_ago = SystemTime::now() - MARKED_EVERY;
        fs::File::open(&entry)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        remember().unwrap();
        assert_eq!(follow("alone"), None);

        fs::write(&file, "two").unwrap();
        assert!(shortcut("alone").is_none());
        wait_until_settled(&file);
        remember().unwrap();
        fs::write(&entry, "code").unwrap();
        assert_eq!(follow("alone"), None);
    }
}
