//! The errors of this crate, with messages for the operator. Exit codes and colours are the caller's.

use std::io;
use std::path::PathBuf;

use crate::options::Store;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A required program is missing.
    #[error(
        "{what} is not installed: run `{command}` (as root), or give the address of a running one"
    )]
    NotInstalled { what: String, command: String },

    #[error("another wharf{} is using {data_dir}: stop it, or choose another --data-dir", in_parentheses(.pid))]
    InUse { data_dir: PathBuf, pid: Option<u32> },

    /// `detail` ends with the last lines of the store's log.
    #[error("{store} did not start: {detail}")]
    NotStarted { store: Store, detail: String },

    #[error("{doing}: {source}")]
    Io { doing: String, source: io::Error },

    #[error("{doing}: {}", database_cause(.source))]
    Database {
        doing: String,
        source: tokio_postgres::Error,
    },

    /// A fault of the migrations folder or of one of its files.
    #[error("{0}")]
    Migration(String),

    /// A value that is neither stored nor given, or cannot be derived.
    #[error("{0}")]
    NoValue(String),
}

impl Error {
    /// Adds the failed action to an I/O error, for `map_err`.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// Adds the failed action to a database error, for `map_err`.
    pub(crate) fn database(doing: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Database { doing, source }
    }
}

fn in_parentheses(pid: &Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// The message of the server, which tokio-postgres omits from its own ("db error").
fn database_cause(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(cause) => {
            let detail = cause
                .detail()
                .map_or_else(String::new, |detail| format!(" ({detail})"));
            format!("{}{detail}", cause.message())
        }
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
