//! The log of a child: where it goes, and what to quote from it when a start fails.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::kept;

/// A log beyond this begins anew at the next start of the host.
const LONGEST: u64 = 10 << 20;
/// Enough to hold the cause; PostgreSQL adds a hint or two.
const QUOTED_LINES: usize = 6;

pub(crate) struct LogFile {
    path: PathBuf,
    /// Where the output of the start that is going on begins.
    start: u64,
}

impl LogFile {
    pub(crate) fn open(folder: &Path, name: &str) -> io::Result<Self> {
        kept::make_private_folder(folder)?;
        let path = folder.join(name);
        if fs::metadata(&path).is_ok_and(|log| log.len() > LONGEST) {
            fs::remove_file(&path)?;
        }
        Ok(Self { path, start: 0 })
    }

    /// The file to give to a process that is started now.
    pub(crate) fn begin(&mut self) -> io::Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        self.start = file.metadata()?.len();
        Ok(file)
    }

    /// The last lines written since `begin`.
    pub(crate) fn complaint(&self) -> String {
        let mut text = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.start))?;
            file.take(LONGEST).read_to_end(&mut text)
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
