//! Records of the tests for `infra/test`, which reads them once they are done.

use std::env;
use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, OnceLock};

/// A file of lines. Without its variable nothing is written.
pub(crate) struct Record {
    /// Names the file to append to.
    variable: &'static str,
    file: OnceLock<Option<Mutex<File>>>,
}

impl Record {
    pub(crate) const fn new(variable: &'static str) -> Self {
        Self {
            variable,
            file: OnceLock::new(),
        }
    }

    pub(crate) fn write(&self, line: &str) {
        let file = self.file.get_or_init(|| {
            let path = env::var_os(self.variable)?;
            let file = File::options().create(true).append(true).open(path);
            Some(Mutex::new(file.expect("a file for the record")))
        });
        if let Some(Ok(mut file)) = file.as_ref().map(Mutex::lock) {
            // A record that cannot be written is only missing in the report.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}
