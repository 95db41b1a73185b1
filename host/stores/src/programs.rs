//! Finds the programs of PostgreSQL and Redis, or reports how to install them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::options::Store;

/// The first version with the setting `recovery_init_sync_method`.
const MIN_POSTGRES: u32 = 14;

/// A PostgreSQL installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostgresPrograms {
    pub(crate) folder: PathBuf,
    pub(crate) version: u32,
}

/// Finds the newest PostgreSQL, or the one of `cluster_version` for an existing cluster.
pub(crate) fn find_postgres(cluster_version: Option<u32>) -> Result<PostgresPrograms> {
    let mut found = list_postgres();
    match cluster_version {
        Some(version) => {
            let newest = found.iter().map(|programs| programs.version).max();
            let same = found
                .into_iter()
                .find(|programs| programs.version == version);
            same.ok_or_else(|| match newest {
                Some(newest) => Error::NotInstalled {
                    what: format!(
                        "PostgreSQL {version}, which created the files ({newest} cannot read them),"
                    ),
                    command: format!("apt-get install -y postgresql-{version}"),
                },
                None => postgres_not_installed(),
            })
        }
        None => {
            found.retain(|programs| programs.version >= MIN_POSTGRES);
            found
                .into_iter()
                .max_by_key(|programs| programs.version)
                .ok_or_else(postgres_not_installed)
        }
    }
}

impl Store {
    /// The program that runs as the embedded store, or an error that says how to install it. `None`
    /// for S3, which runs in this process.
    pub fn program(self) -> Result<Option<PathBuf>> {
        match self {
            Self::Postgres => Ok(Some(find_postgres(None)?.folder.join("postgres"))),
            Self::Redis => Ok(Some(find_redis()?)),
            Self::S3 => Ok(None),
        }
    }
}

/// Finds Redis or its fork Valkey.
pub(crate) fn find_redis() -> Result<PathBuf> {
    ["redis-server", "valkey-server"]
        .into_iter()
        .find_map(find_on_path)
        .ok_or_else(|| Error::NotInstalled {
            what: "Redis".to_owned(),
            command: "apt-get install -y redis-server".to_owned(),
        })
}

/// The first version whose logins may have keys that they only read (`%R~`).
pub const MIN_REDIS_FOR_LOGINS: u32 = 7;

/// The major version of a Redis or Valkey; `None` if it does not say.
pub fn redis_version(program: &Path) -> Option<u32> {
    let output = Command::new(program).arg("--version").output().ok()?;
    parse_redis_version(&String::from_utf8_lossy(&output.stdout))
}

fn postgres_not_installed() -> Error {
    Error::NotInstalled {
        what: format!("PostgreSQL ({MIN_POSTGRES} or newer)"),
        command: "apt-get install -y postgresql".to_owned(),
    }
}

/// Lists the installed versions. Debian has several side by side, outside of PATH, in folders named
/// by the version.
fn list_postgres() -> Vec<PostgresPrograms> {
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
    let program = find_on_path("postgres")?;
    let folder = program
        .parent()
        .filter(|folder| is_complete(folder))?
        .to_owned();
    let output = Command::new(&program).arg("--version").output().ok()?;
    let version = parse_version(&String::from_utf8_lossy(&output.stdout))?;
    Some(PostgresPrograms { folder, version })
}

fn is_complete(folder: &Path) -> bool {
    ["postgres", "initdb"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_version(text: &str) -> Option<u32> {
    text.split_whitespace()
        .nth(2)?
        .split(|letter: char| !letter.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// The major version in `Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0`.
fn parse_redis_version(text: &str) -> Option<u32> {
    let mut words = text.split_whitespace();
    let version = words.find_map(|word| word.strip_prefix("v="))?;
    version.split('.').next()?.parse().ok()
}

fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // A service manager may omit some of these folders from PATH.
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
    fn the_version_is_read_from_the_output_of_postgres() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn the_version_is_read_from_the_output_of_redis_and_valkey() {
        for (text, version) in [
            ("Redis server v=6.0.16 sha=00000000:0 bits=64\n", Some(6)),
            ("Valkey server v=8.1.0 sha=00000000:1 bits=64\n", Some(8)),
            ("something else", None),
        ] {
            assert_eq!(parse_redis_version(text), version, "{text}");
        }
    }

    #[test]
    fn the_error_for_files_of_another_version_names_the_package_to_install() {
        let message = find_postgres(Some(9)).unwrap_err().to_string();
        assert!(
            message.contains("apt-get install -y postgresql-9"),
            "{message}"
        );
    }
}
