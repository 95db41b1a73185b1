//! What can go wrong, as sentences an operator can act on. Exit codes and colours are the caller's.

use std::io;
use std::path::PathBuf;

use crate::Store;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program that has to be on this machine is not.
    #[error(
        "{what} is not installed: run `{command}` (as root), or give the address of a running one"
    )]
    NotInstalled { what: String, command: String },

    #[error("another wharf{} is using {data_dir}: stop it, or choose another --data-dir", by(.pid))]
    InUse { data_dir: PathBuf, pid: Option<u32> },

    /// A store does not come up; `detail` ends with the last lines of its log.
    #[error("{store} did not start: {detail}")]
    NotStarted { store: Store, detail: String },

    #[error("{doing}: {source}")]
    Io { doing: String, source: io::Error },

    #[error("{doing}: {}", database_cause(.source))]
    Database {
        doing: String,
        source: tokio_postgres::Error,
    },

    /// The migrations folder or one of its files is not as it has to be.
    #[error("{0}")]
    Migration(String),

    /// A value cannot be had: nothing kept, nothing given.
    #[error("{0}")]
    NoValue(String),
}

impl Error {
    /// Turns an I/O error into one that says what was being done, for `map_err`.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// The same for an error of the database.
    pub(crate) fn database(doing: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Database { doing, source }
    }
}

fn by(pid: &Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// tokio-postgres prints "db error" and hides what the server said in the source.
fn database_cause(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => {
            let detail = said
                .detail()
                .map_or_else(String::new, |detail| format!(" ({detail})"));
            format!("{}{detail}", said.message())
        }
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
