//! Processes as this crate needs them: started as an unprivileged user, ended when this process
//! ends, and found again by the folder they work in when they outlived a predecessor of this
//! process.
//!
//! How long a child is kept alive is `child`'s affair.

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

use crate::{Error, Result};

/// An account of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// Who runs the children when this process is root, which PostgreSQL refuses to be: the account
    /// its package made, else the one that owns nothing.
    pub(crate) fn unprivileged() -> Self {
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| accounts.lines().find_map(|line| account(line, name)))
            .unwrap_or(Self {
                name: "nobody".to_owned(),
                uid: 65534,
                gid: 65534,
            })
    }

    /// The owner of what an earlier start made there.
    pub(crate) fn owning(path: &Path) -> io::Result<Self> {
        let owner = fs::metadata(path)?;
        Ok(Self {
            name: format!("uid {}", owner.uid()),
            uid: owner.uid(),
            gid: owner.gid(),
        })
    }

    /// Can this user walk through every folder down to `path`? Looks at permission bits alone.
    pub(crate) fn reaches(&self, path: &Path) -> bool {
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

/// A line of `/etc/passwd`: `name:password:uid:gid:…`.
fn account(line: &str, wanted: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| *name == wanted)?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(User { name, uid, gid })
}

/// Are we root, so that children have to become somebody else?
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// `program`, to be run as `user`, that gets `farewell` from the kernel when the thread that starts
/// it ends, be it by `kill -9` of the whole process: start it from a thread that lives as long as
/// the child may.
///
/// It gets a process group of its own, so that Ctrl-C reaches this process alone, which then stops
/// its children in order.
pub(crate) fn command(program: &Path, user: Option<&User>, farewell: Signal) -> Command {
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
    // A program unpacked into a private folder finds its libraries by this.
    if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    end_with_this_thread(&mut command, farewell);
    command
}

/// The command gets `farewell` from the kernel when the thread that starts it ends, however it does.
#[allow(
    unsafe_code,
    reason = "the death signal can only be asked for between fork and exec"
)]
pub fn end_with_this_thread(command: &mut Command, farewell: Signal) {
    let parent = rustix::process::getpid();
    let ask = move || {
        rustix::process::set_parent_process_death_signal(Some(farewell))?;
        // The parent may have died before the line above; then no signal will come.
        if rustix::process::getppid() != Some(parent) {
            return Err(Errno::SRCH.into());
        }
        Ok(())
    };
    // SAFETY: the closure makes plain system calls and allocates nothing, all that is allowed after
    // fork in a process with several threads. The standard library runs it after the change of
    // user, which would clear the death signal.
    unsafe { command.pre_exec(ask) };
}

/// How long a process left behind may take to obey the death signal before it is killed.
const PATIENCE_WITH_ORPHANS: Duration = Duration::from_secs(3);
/// After SIGKILL a process is gone in milliseconds; longer means it hangs in the kernel.
const PATIENCE_WITH_THE_KERNEL: Duration = Duration::from_secs(10);

/// Waits until nothing that an earlier start left behind works in `folder` any more, and helps
/// along if need be.
///
/// PostgreSQL and Redis both make their data folder their working directory, and so do all
/// processes they fork; a zombie has none. Call it only while holding the lock of the data folder:
/// then whoever works there is an orphan.
pub(crate) fn clear_of_orphans(folder: &Path) -> Result<()> {
    let began = Instant::now();
    let mut killed = false;
    loop {
        let orphans = working_in(folder);
        let Some(first) = orphans.first() else {
            return Ok(());
        };
        let waited = began.elapsed();
        if waited > PATIENCE_WITH_ORPHANS + PATIENCE_WITH_THE_KERNEL {
            let detail = format!(
                "process {first} of an earlier start still works in {} and cannot be ended",
                folder.display()
            );
            return Err(Error::Io {
                doing: detail,
                source: io::ErrorKind::TimedOut.into(),
            });
        }
        if waited > PATIENCE_WITH_ORPHANS && !killed {
            killed = true;
            for orphan in orphans {
                // It may have gone by itself just now.
                let _ = rustix::process::kill_process(orphan, Signal::KILL);
            }
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn working_in(folder: &Path) -> Vec<Pid> {
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
        assert_eq!(account(line, "postgres"), Some(expected));
        assert_eq!(account(line, "post"), None);
    }

    #[test]
    fn an_orphan_that_does_not_obey_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let mut orphan = Command::new("sleep")
            .arg("60")
            .current_dir(folder.path())
            .spawn()
            .unwrap();
        clear_of_orphans(&folder.path().canonicalize().unwrap()).unwrap();
        assert!(!orphan.wait().unwrap().success());
    }
}
