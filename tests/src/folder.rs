//! Folders that are gone when the tests are, however they end.
//!
//! A shell that outlives this process waits for the end of a pipe and then deletes: no exit handler
//! runs when a process is killed, and a finished test program leaves its statics undropped.

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
        // What still writes into it is on its way out; what stays, the janitor takes.
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
            // Ctrl-C is for the tests; this is still needed afterwards.
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
