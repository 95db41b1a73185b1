//! The log file of a child process, and its last lines for the error message of a failed start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::private_file;

/// A longer log is deleted at the next start of the host.
const MAX_LOG_BYTES: u64 = 10 << 20;
/// Lines in an error message: the cause, and the hints that PostgreSQL adds.
const QUOTED_LINES: usize = 6;

pub(crate) struct LogFile {
    path: PathBuf,
    /// The position at which the output of the current start begins.
    start: u64,
}

impl LogFile {
    pub(crate) fn open(folder: &Path, name: &str) -> io::Result<Self> {
        private_file::create_folder(folder)?;
        let path = folder.join(name);
        if fs::metadata(&path).is_ok_and(|log| log.len() > MAX_LOG_BYTES) {
            fs::remove_file(&path)?;
        }
        Ok(Self { path, start: 0 })
    }

    /// The file for the output of a process that is started now.
    pub(crate) fn begin_start(&mut self) -> io::Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        self.start = file.metadata()?.len();
        Ok(file)
    }

    /// The last lines written since `begin_start`.
    pub(crate) fn tail(&self) -> String {
        let mut text = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.start))?;
            file.take(MAX_LOG_BYTES).read_to_end(&mut text)
        });
        if let Err(error) = read {
            return format!("(its log {} cannot be read: {error})", self.path.display());
        }
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        let quoted = lines
            .get(lines.len().saturating_sub(QUOTED_LINES)..)
            .unwrap_or_default();
        format!("{}\n(more in {})", quoted.join("\n"), self.path.display())
    }
}
