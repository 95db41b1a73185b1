//! The data folder: one host at a time, and a place for the files of the children that their user
//! can reach.
//!
//! ```text
//! .wharf/
//!   lock            held while stores run; holds the process id
//!   values.json     generated values          (values)
//!   ports.json      the ports used last       (ports)
//!   log/            what the children say     (log_file)
//!   postgres/ redis/ s3/
//!   elsewhere       where postgres/ and redis/ are when they are not here
//! ```
//!
//! PostgreSQL refuses to run as root, so as root the children run as another user, who cannot enter
//! a data folder below a private home such as `/root`. Opening that home to the user, or running
//! the children with root's rights under a false name, would be worse than keeping their files
//! elsewhere: they go to a folder of their own in `/var/lib/wharf`, and `elsewhere` holds its path.
//! The folder has a random name, not one made from the data folder's: a data folder that was
//! deleted and made anew must not meet the files, and the passwords, of the old one.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::process::{self, User};
use crate::values::random_text;
use crate::{Error, Result, kept, postgres};

const ELSEWHERE: &str = "/var/lib/wharf";
/// The file in such a folder that holds the path of the data folder it belongs to.
const LABEL: &str = "belongs-to";

/// A data folder that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    folder: PathBuf,
    /// The kernel lets go of it when the process ends, however it ends.
    _lock: File,
}

/// Where the children keep their files, and who they run as; `None` is whoever we are.
#[derive(Debug, Clone)]
pub(crate) struct Quarters {
    pub(crate) postgres: PathBuf,
    pub(crate) redis: PathBuf,
    pub(crate) user: Option<User>,
}

impl Home {
    /// Takes the data folder, which is made if need be. Refused while another host has it.
    pub(crate) fn take(data_dir: &Path) -> Result<Self> {
        let doing = || Error::io(format!("cannot use {} as data folder", data_dir.display()));
        fs::create_dir_all(data_dir).map_err(doing())?;
        // The working directories of processes are compared with it.
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
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Finds the quarters of the children, or chooses them at the first start.
    pub(crate) fn quarters(&self) -> Result<Quarters> {
        let at = match self.elsewhere()? {
            Some(elsewhere) => self.return_to(elsewhere)?,
            None if self.join("postgres").exists() || self.join("redis").exists() => {
                self.folder.clone()
            }
            None if process::is_root() && !User::unprivileged().reaches(&self.folder) => {
                self.choose_elsewhere()?
            }
            None => self.folder.clone(),
        };
        let quarters = Quarters {
            postgres: at.join("postgres"),
            redis: at.join("redis"),
            user: None,
        };
        let user = match process::is_root() {
            false => None,
            true => Some(quarters.user_for_root()?),
        };
        Ok(Quarters { user, ..quarters })
    }

    /// Deletes everything that was ever kept here.
    pub(crate) fn discard(self) -> Result<()> {
        if let Some(elsewhere) = self.elsewhere()?.filter(|elsewhere| elsewhere.exists()) {
            remove(&elsewhere)?;
        }
        remove(&self.folder)
    }

    fn elsewhere(&self) -> Result<Option<PathBuf>> {
        let pointer = self.join("elsewhere");
        let text = kept::read(&pointer)
            .map_err(Error::io(format!("cannot read {}", pointer.display())))?;
        Ok(text.map(|path| PathBuf::from(path.trim_end())))
    }

    /// The place chosen at the first start. Started empty somewhere else, the application would seem
    /// to have lost everything, so its absence is told.
    fn return_to(&self, elsewhere: PathBuf) -> Result<PathBuf> {
        if elsewhere.exists() {
            self.label(&elsewhere)?;
            return Ok(elsewhere);
        }
        Err(Error::NoValue(format!(
            "what the databases of {} held was kept in {}, which is gone: bring it back, or delete {} to \
             start empty",
            self.folder.display(),
            elsewhere.display(),
            self.join("elsewhere").display()
        )))
    }

    fn choose_elsewhere(&self) -> Result<PathBuf> {
        let folder = Path::new(ELSEWHERE).join(random_text(12)?);
        let doing = || {
            let folder = folder.display();
            Error::io(format!(
                "cannot make {folder}: choose a --data-dir outside private homes"
            ))
        };
        fs::create_dir_all(&folder).map_err(doing())?;
        for passed_through in [Path::new(ELSEWHERE), &folder] {
            fs::set_permissions(passed_through, Permissions::from_mode(0o755)).map_err(doing())?;
        }
        self.label(&folder)?;
        let pointer = format!("{}\n", folder.display());
        kept::write(&self.join("elsewhere"), &pointer).map_err(doing())?;
        Ok(folder)
    }

    /// Says whose the folder is, for `left_over` and for people who find it and wonder. A data folder
    /// may have been moved since it was said.
    fn label(&self, elsewhere: &Path) -> Result<()> {
        let label = elsewhere.join(LABEL);
        let doing = || Error::io(format!("cannot write {}", label.display()));
        let text = format!("{}\n", self.folder.display());
        if kept::read(&label).map_err(doing())?.as_ref() == Some(&text) {
            return Ok(());
        }
        kept::write(&label, &text).map_err(doing())
    }
}

/// Folders in `/var/lib/wharf` whose data folder is gone, or knows nothing of them. Nothing deletes
/// them by itself: the data folder may be on a disk that is not mounted just now.
pub fn left_over() -> Vec<PathBuf> {
    let folders = fs::read_dir(ELSEWHERE).into_iter().flatten().flatten();
    folders
        .map(|folder| folder.path())
        .filter(|folder| !is_pointed_to(folder))
        .collect()
}

fn is_pointed_to(folder: &Path) -> bool {
    let read = |path: &Path| {
        kept::read(path)
            .ok()
            .flatten()
            .map(|path| PathBuf::from(path.trim_end()))
    };
    let data_dir = read(&folder.join(LABEL));
    let pointer = data_dir.and_then(|data_dir| read(&data_dir.join("elsewhere")));
    pointer.as_deref() == Some(folder)
}

impl Quarters {
    /// Files made by an earlier start keep their owner; PostgreSQL insists on it.
    fn user_for_root(&self) -> Result<User> {
        let data = postgres::data(&self.postgres);
        match [data, self.redis.clone()]
            .iter()
            .find(|folder| folder.exists())
        {
            Some(folder) => {
                let owner = User::owning(folder);
                let owner =
                    owner.map_err(Error::io(format!("cannot look at {}", folder.display())))?;
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
    fs::remove_dir_all(folder).map_err(Error::io(format!("cannot remove {}", folder.display())))
}
