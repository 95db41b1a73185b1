//! Where PostgreSQL and Redis are on this machine, or the sentence that says how to get them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, Result, Store};

/// The oldest PostgreSQL that has what we set (`recovery_init_sync_method`).
const OLDEST_POSTGRES: u32 = 14;

/// A PostgreSQL installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostgresPrograms {
    pub(crate) folder: PathBuf,
    pub(crate) version: u32,
}

/// The newest PostgreSQL here, or the one of `cluster_version` for files that an older one made.
pub(crate) fn postgres(cluster_version: Option<u32>) -> Result<PostgresPrograms> {
    let mut found = installed_postgres();
    match cluster_version {
        Some(version) => {
            let newest = found.iter().map(|programs| programs.version).max();
            let same = found
                .into_iter()
                .find(|programs| programs.version == version);
            same.ok_or_else(|| match newest {
                Some(newest) => Error::NotInstalled {
                    what: format!("PostgreSQL {version}, which made the files here ({newest} cannot read them),"),
                    command: format!("apt-get install -y postgresql-{version}"),
                },
                None => not_installed_postgres(),
            })
        }
        None => {
            found.retain(|programs| programs.version >= OLDEST_POSTGRES);
            found
                .into_iter()
                .max_by_key(|programs| programs.version)
                .ok_or_else(not_installed_postgres)
        }
    }
}

impl Store {
    /// The program that an embedded store of this kind runs, or how to get it; `None` for the one that
    /// runs in this process.
    pub fn program(self) -> Result<Option<PathBuf>> {
        match self {
            Self::Postgres => Ok(Some(postgres(None)?.folder.join("postgres"))),
            Self::Redis => Ok(Some(redis()?)),
            Self::S3 => Ok(None),
        }
    }
}

/// Redis or Valkey, its continuation under another name.
pub(crate) fn redis() -> Result<PathBuf> {
    ["redis-server", "valkey-server"]
        .into_iter()
        .find_map(on_path)
        .ok_or_else(|| Error::NotInstalled {
            what: "Redis".to_owned(),
            command: "apt-get install -y redis-server".to_owned(),
        })
}

fn not_installed_postgres() -> Error {
    Error::NotInstalled {
        what: format!("PostgreSQL ({OLDEST_POSTGRES} or newer)"),
        command: "apt-get install -y postgresql".to_owned(),
    }
}

/// Distributions keep several versions side by side, off the PATH, in folders that name the
/// version.
fn installed_postgres() -> Vec<PostgresPrograms> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<_> = versions
        .filter_map(|folder| {
            let version = folder.file_name().to_str()?.parse().ok()?;
            Some(PostgresPrograms {
                folder: folder.path().join("bin"),
                version,
            })
        })
        .filter(|programs| is_complete(&programs.folder))
        .collect();
    found.extend(postgres_on_path());
    found
}

fn postgres_on_path() -> Option<PostgresPrograms> {
    let program = on_path("postgres")?;
    let folder = program
        .parent()
        .filter(|folder| is_complete(folder))?
        .to_owned();
    let said = Command::new(&program).arg("--version").output().ok()?;
    let version = version_in(&String::from_utf8_lossy(&said.stdout))?;
    Some(PostgresPrograms { folder, version })
}

fn is_complete(folder: &Path) -> bool {
    ["postgres", "initdb"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`
fn version_in(said: &str) -> Option<u32> {
    said.split_whitespace()
        .nth(2)?
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // A service manager may leave the administrator's folders out.
    let usual = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(usual)
        .map(|folder| folder.join(program))
        .find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_postgres_says() {
        assert_eq!(
            version_in("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(version_in("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(version_in("something else"), None);
    }

    #[test]
    fn files_of_a_postgres_that_is_not_here_name_the_package_to_install() {
        let sentence = postgres(Some(9)).unwrap_err().to_string();
        assert!(
            sentence.contains("apt-get install -y postgresql-9"),
            "{sentence}"
        );
    }
}
