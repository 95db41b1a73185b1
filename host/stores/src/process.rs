//! Starts processes as an unprivileged user, ties their life to this process, and finds orphans of
//! an earlier host by their working directory.
//!
//! Supervision is in `child`.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use crate::error::{Error, Result};

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// The user for the children of a root process, because PostgreSQL refuses to run as root:
    /// `postgres` if its package created that account, else `nobody`.
    pub(crate) fn unprivileged() -> Self {
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| accounts.lines().find_map(|line| parse_account(line, name)))
            .unwrap_or(Self {
                name: "nobody".to_owned(),
                uid: 65534,
                gid: 65534,
            })
    }

    /// The owner of a file or folder.
    pub(crate) fn owning(path: &Path) -> io::Result<Self> {
        let owner = fs::metadata(path)?;
        Ok(Self {
            name: format!("uid {}", owner.uid()),
            uid: owner.uid(),
            gid: owner.gid(),
        })
    }

    /// Whether the user may search every folder down to `path`, by the permission bits alone.
    pub(crate) fn can_reach(&self, path: &Path) -> bool {
        path.ancestors().all(|folder| match fs::metadata(folder) {
            Ok(metadata) => {
                let search = match () {
                    () if metadata.uid() == self.uid => 0o100,
                    () if metadata.gid() == self.gid => 0o010,
                    () => 0o001,
                };
                metadata.mode() & search != 0
            }
            Err(_) => false,
        })
    }
}

/// The account in a line of `/etc/passwd` (`name:password:uid:gid:…`), if it has this name.
fn parse_account(line: &str, wanted: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| *name == wanted)?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(User { name, uid, gid })
}

/// Whether this process is root, so that its children need another user.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A command that runs `program` as `user`, with `signal` as its parent-death signal.
///
/// The child has its own process group: Ctrl-C reaches this process only, which then stops its
/// children in order.
pub(crate) fn command(program: &Path, user: Option<&User>, signal: Signal) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .process_group(0);
    // A program outside the system's folders may need it to find its libraries.
    if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    set_parent_death_signal(&mut command, signal);
    command
}

/// Makes the kernel send `signal` to the child when the thread that started it ends, even by
/// `kill -9` of the process. So start it from a thread that lives as long as the child.
#[allow(unsafe_code, reason = "the signal must be set between fork and exec")]
pub fn set_parent_death_signal(command: &mut Command, signal: Signal) {
    let parent = rustix::process::getpid();
    let set_signal = move || {
        rustix::process::set_parent_process_death_signal(Some(signal))?;
        // If the parent died before the call above, the kernel sends no signal.
        if rustix::process::getppid() != Some(parent) {
            return Err(Errno::SRCH.into());
        }
        Ok(())
    };
    // SAFETY: the closure makes system calls only and does not allocate, as is required after fork in
    // a process with several threads. The standard library runs it after it changed the user, which
    // would clear the signal.
    unsafe { command.pre_exec(set_signal) };
}

/// How long an orphan may take to end by the parent-death signal, before it gets SIGKILL.
const ORPHAN_GRACE: Duration = Duration::from_secs(3);
/// How long a process may take to end after SIGKILL. Usually milliseconds; longer means that it
/// hangs in the kernel.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits until all orphans of an earlier host have ended, and kills them after `ORPHAN_GRACE`.
///
/// Orphans are the processes whose working directory is `folder`: PostgreSQL, Redis and the
/// processes they fork work in their own folder; a zombie has no working directory. Call it only
/// while holding the lock of the data folder, so that no such process belongs to a running host.
pub(crate) fn end_orphans(folder: &Path) -> Result<()> {
    let began = Instant::now();
    let mut killed = false;
    loop {
        let orphans = find_processes_in(folder);
        let Some(first) = orphans.first() else {
            return Ok(());
        };
        let waited = began.elapsed();
        if waited > ORPHAN_GRACE + KILL_TIMEOUT {
            let detail = format!(
                "process {first} of an earlier host still uses {} and does not end after SIGKILL",
                folder.display()
            );
            return Err(Error::Io {
                doing: detail,
                source: io::ErrorKind::TimedOut.into(),
            });
        }
        if waited > ORPHAN_GRACE && !killed {
            killed = true;
            for orphan in orphans {
                // Fails if it has just ended by itself.
                let _ = rustix::process::kill_process(orphan, Signal::KILL);
            }
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn find_processes_in(folder: &Path) -> Vec<Pid> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == folder))
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let line = "postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash";
        let expected = User {
            name: "postgres".to_owned(),
            uid: 101,
            gid: 104,
        };
        assert_eq!(parse_account(line, "postgres"), Some(expected));
        assert_eq!(parse_account(line, "post"), None);
    }

    #[test]
    fn an_orphan_that_does_not_end_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut orphan = Command::new("sleep")
            .arg("60")
            .current_dir(folder.path())
            .spawn()
            .unwrap();
        end_orphans(&folder.path().canonicalize().unwrap()).unwrap();
        assert!(!orphan.wait().unwrap().success());
    }
}
