//! Folders that are deleted when the tests end, even when they are killed.
//!
//! A shell that outlives this process waits for the end of a pipe and then deletes them. Exit handlers do not
//! run in a killed process, and a test program does not drop its statics.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs};

/// A new folder, deleted when dropped. Other users may enter it: as root, PostgreSQL runs
/// as another user.
pub struct Folder(PathBuf);

struct Root {
    path: PathBuf,
    /// Closed by the kernel when this process is gone.
    _alive: ChildStdin,
}

impl Folder {
    pub fn new(name: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = root().join(format!("{name}-{number}"));
        fs::create_dir(&path).expect("a folder for a test");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Processes that still write into it are about to end. The janitor deletes what is left.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn root() -> &'static Path {
    static ROOT: OnceLock<Root> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        let path = env::temp_dir().join(format!("wharf-tests-{}", std::process::id()));
        fs::create_dir(&path).expect("a folder for the tests");
        // A database that is being killed may make a file between listing and deleting.
        let script =
            r#"cat >/dev/null; for _ in $(seq 50); do rm -rf "$1" && break; sleep 0.1; done"#;
        #[expect(
            clippy::zombie_processes,
            reason = "it outlives this process: that is what it is for"
        )]
        let mut janitor = Command::new("sh")
            .args(["-c", script, "janitor"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // In a group of its own, so that Ctrl-C ends the tests and not the janitor.
            .process_group(0)
            .spawn()
            .expect("sh");
        Root {
            path,
            _alive: janitor.stdin.take().expect("its stdin is piped"),
        }
    });
    &root.path
}
