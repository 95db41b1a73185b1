//! Why a request is not fulfilled: it asks for something impossible, or the disk does not play
//! along.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use hyper::StatusCode;
use s3s::{S3Error, S3ErrorCode};

#[derive(Debug)]
pub(crate) enum Failure {
    /// The client's doing; nothing was changed.
    Refused(S3Error),
    /// Files cannot be read or written.
    Broken(Broken),
}

/// Shared, because one failed commit is the failure of all changes in it.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    cause: Arc<dyn StdError + Send + Sync>,
    disk_is_full: bool,
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(out),
            Self::Broken(broken) => broken.fmt(out),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(out)
    }
}

impl From<S3Error> for Failure {
    fn from(error: S3Error) -> Self {
        Self::Refused(error)
    }
}

impl From<S3ErrorCode> for Failure {
    fn from(code: S3ErrorCode) -> Self {
        Self::Refused(code.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(io::Error::from(error).into())
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self {
            disk_is_full: says_full(&error),
            cause: Arc::new(error),
        }
    }
}

impl From<redb::Error> for Broken {
    fn from(error: redb::Error) -> Self {
        let disk_is_full = matches!(&error, redb::Error::Io(error) if says_full(error));
        Self {
            disk_is_full,
            cause: Arc::new(error),
        }
    }
}

/// The index has an error type for each of its steps.
macro_rules! broken_index {
    ($($step:ty),+) => {$(
        impl From<$step> for Failure {
            fn from(error: $step) -> Self {
                Self::Broken(redb::Error::from(error).into())
            }
        }
    )+};
}
broken_index!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError
);

fn says_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

impl From<Failure> for S3Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            Failure::Broken(Broken {
                disk_is_full: true, ..
            }) => {
                let mut error = S3Error::new(S3ErrorCode::Custom("InsufficientStorage".into()));
                error.set_status_code(StatusCode::INSUFFICIENT_STORAGE);
                error.set_message("There is no space left for this.");
                error
            }
            Failure::Broken(broken) => {
                // The client learns nothing of files; the log learns everything.
                tracing::error!("S3 cannot read or write its files: {broken}");
                S3Error::new(S3ErrorCode::InternalError)
            }
        }
    }
}
