//! The data folder: locks it for one host, and finds the folders of the child processes.
//!
//! ```text
//! .wharf/
//!   lock            locked while stores run; contains the process id
//!   values.json     generated values               (values)
//!   ports.json      the ports used last            (ports)
//!   log/            the output of the children     (log_file)
//!   postgres/ redis/ s3/
//!   elsewhere       the path of postgres/ and redis/ if they are outside this folder
//! ```
//!
//! PostgreSQL refuses to run as root. The children of a root host therefore run as another user, who
//! cannot reach a data folder inside a private home such as `/root`. Their files are then in a folder
//! of their own in `/var/lib/wharf`, and `elsewhere` contains its path. The name of that folder is
//! random, not derived from the data folder: a data folder that was deleted and created again must
//! not find the files and passwords of the old one.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::process::{self, User};
use crate::random::random_text;
use crate::{postgres, private_file};

/// Where the folders outside of data folders are.
const OUTSIDE: &str = "/var/lib/wharf";
/// The file in such a folder that contains the path of its data folder.
const LABEL: &str = "belongs-to";

/// A data folder, locked until this is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    folder: PathBuf,
    /// The kernel releases the lock when the process ends, however it ends.
    lock: File,
}

/// The folders of the child processes and the user they run as; `None` means the user of this
/// process.
#[derive(Debug, Clone)]
pub(crate) struct ChildSetup {
    pub(crate) postgres: PathBuf,
    pub(crate) redis: PathBuf,
    pub(crate) user: Option<User>,
}

impl Drop for DataFolder {
    /// Closing is not enough: a child that another thread starts at this moment has a copy of the file until it executes
    /// its program.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

impl DataFolder {
    /// Locks the data folder, which is created if it is missing. Fails while another host uses it.
    pub(crate) fn lock(data_dir: &Path) -> Result<Self> {
        let doing = || {
            Error::io(format!(
                "cannot use {} as the data folder",
                data_dir.display()
            ))
        };
        fs::create_dir_all(data_dir).map_err(doing())?;
        // Compared with working directories of processes, which are canonical.
        let folder = data_dir.canonicalize().map_err(doing())?;
        let path = folder.join("lock");
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path);
        let mut lock = lock.map_err(doing())?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let pid = lock
                    .read_to_string(&mut pid)
                    .ok()
                    .and_then(|_| pid.trim().parse().ok());
                return Err(Error::InUse {
                    data_dir: data_dir.to_owned(),
                    pid,
                });
            }
            Err(TryLockError::Error(error)) => return Err(doing()(error)),
        }
        lock.set_len(0).map_err(doing())?;
        writeln!(lock, "{}", std::process::id()).map_err(doing())?;
        Ok(Self { folder, lock })
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Finds the folders of the children, or chooses them at the first start.
    pub(crate) fn child_setup(&self) -> Result<ChildSetup> {
        let parent = match self.outside_folder()? {
            Some(folder) => self.check_outside_folder(folder)?,
            None if self.join("postgres").exists() || self.join("redis").exists() => {
                self.folder.clone()
            }
            None if process::is_root() && !User::unprivileged().can_reach(&self.folder) => {
                self.create_outside_folder()?
            }
            None => self.folder.clone(),
        };
        let setup = ChildSetup {
            postgres: parent.join("postgres"),
            redis: parent.join("redis"),
            user: None,
        };
        let user = match process::is_root() {
            false => None,
            true => Some(setup.user_for_root()?),
        };
        Ok(ChildSetup { user, ..setup })
    }

    /// Deletes the data folder and the folder outside of it.
    pub(crate) fn delete(self) -> Result<()> {
        if let Some(outside) = self.outside_folder()?.filter(|folder| folder.exists()) {
            remove(&outside)?;
        }
        remove(&self.folder)
    }

    /// The path in `elsewhere`, if there is one.
    fn outside_folder(&self) -> Result<Option<PathBuf>> {
        let pointer = self.join("elsewhere");
        let text = private_file::read(&pointer)
            .map_err(Error::io(format!("cannot read {}", pointer.display())))?;
        Ok(text.map(|path| PathBuf::from(path.trim_end())))
    }

    /// Fails if the folder is missing: with a new, empty one the application would seem to have lost
    /// its data.
    fn check_outside_folder(&self, folder: PathBuf) -> Result<PathBuf> {
        if folder.exists() {
            self.write_label(&folder)?;
            return Ok(folder);
        }
        Err(Error::NoValue(format!(
            "the databases of {} are in {}, which is missing: restore it, or delete {} to start empty",
            self.folder.display(),
            folder.display(),
            self.join("elsewhere").display()
        )))
    }

    fn create_outside_folder(&self) -> Result<PathBuf> {
        let folder = Path::new(OUTSIDE).join(random_text(12)?);
        let doing = || {
            let folder = folder.display();
            Error::io(format!(
                "cannot create {folder}: choose a --data-dir outside private homes"
            ))
        };
        fs::create_dir_all(&folder).map_err(doing())?;
        for path in [Path::new(OUTSIDE), &folder] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(doing())?;
        }
        self.write_label(&folder)?;
        let pointer = format!("{}\n", folder.display());
        private_file::write(&self.join("elsewhere"), &pointer).map_err(doing())?;
        Ok(folder)
    }

    /// Writes the path of the data folder into the folder, for `find_abandoned_folders` and for
    /// administrators. Repeated at every start, because the data folder may have been moved.
    fn write_label(&self, folder: &Path) -> Result<()> {
        let label = folder.join(LABEL);
        let doing = || Error::io(format!("cannot write {}", label.display()));
        let text = format!("{}\n", self.folder.display());
        if private_file::read(&label).map_err(doing())?.as_ref() == Some(&text) {
            return Ok(());
        }
        private_file::write(&label, &text).map_err(doing())
    }
}

/// Folders in `/var/lib/wharf` whose data folder is missing or does not refer to them. They are not
/// deleted automatically: the data folder may be on a disk that is not mounted.
pub fn find_abandoned_folders() -> Vec<PathBuf> {
    let folders = fs::read_dir(OUTSIDE).into_iter().flatten().flatten();
    folders
        .map(|folder| folder.path())
        .filter(|folder| !is_in_use(folder))
        .collect()
}

fn is_in_use(folder: &Path) -> bool {
    let read = |path: &Path| {
        private_file::read(path)
            .ok()
            .flatten()
            .map(|path| PathBuf::from(path.trim_end()))
    };
    let data_dir = read(&folder.join(LABEL));
    let pointer = data_dir.and_then(|data_dir| read(&data_dir.join("elsewhere")));
    pointer.as_deref() == Some(folder)
}

impl ChildSetup {
    /// The owner of existing files, which PostgreSQL requires; else an unprivileged user.
    fn user_for_root(&self) -> Result<User> {
        let data = postgres::data(&self.postgres);
        match [data, self.redis.clone()]
            .iter()
            .find(|folder| folder.exists())
        {
            Some(folder) => {
                let owner = User::owning(folder);
                let owner = owner.map_err(Error::io(format!(
                    "cannot read the owner of {}",
                    folder.display()
                )))?;
                Ok(if owner.uid == 0 {
                    User::unprivileged()
                } else {
                    owner
                })
            }
            None => Ok(User::unprivileged()),
        }
    }
}

fn remove(folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder).map_err(Error::io(format!("cannot delete {}", folder.display())))
}
