//! What a server writes to its standard error.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::{Failure, Result};

/// A log file, read from a certain place on.
#[derive(Clone, Debug)]
pub struct Log {
    path: PathBuf,
    from: u64,
}

impl Log {
    /// The whole of the file, which need not exist yet.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            from: 0,
        }
    }

    /// The same file without what is in it by now.
    pub fn from_now(&self) -> Self {
        Self {
            path: self.path.clone(),
            from: fs::metadata(&self.path).map_or(0, |it| it.len()),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn read(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(&self.path) {
            // What cannot be read is missing in a message, no more.
            let _ = file.seek(SeekFrom::Start(self.from));
            let _ = file.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its end, as it belongs below the message of a failure.
    pub fn last_lines(&self) -> String {
        const LINES: usize = 120;
        let text = self.read();
        let skipped = text.lines().count().saturating_sub(LINES);
        let lines: Vec<&str> = text.lines().skip(skipped).collect();
        lines.join("\n")
    }

    pub(crate) fn append(&self) -> Result<File> {
        let file = File::options().create(true).append(true).open(&self.path);
        file.map_err(Failure::doing(self.path.display()))
    }
}
