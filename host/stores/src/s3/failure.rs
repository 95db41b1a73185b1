//! The reasons why a request fails: the client's mistake, or a failure of the disk.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use hyper::StatusCode;
use s3s::{S3Error, S3ErrorCode};

#[derive(Debug)]
pub(crate) enum Failure {
    /// The client's mistake; nothing was changed.
    Refused(S3Error),
    /// The server cannot read or write its files.
    Broken(Broken),
}

/// Can be cloned, because a failed commit fails all its changes.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    cause: Arc<dyn StdError + Send + Sync>,
    is_disk_full: bool,
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
            is_disk_full: is_full(&error),
            cause: Arc::new(error),
        }
    }
}

impl From<redb::Error> for Broken {
    fn from(error: redb::Error) -> Self {
        let is_disk_full = matches!(&error, redb::Error::Io(error) if is_full(error));
        Self {
            is_disk_full,
            cause: Arc::new(error),
        }
    }
}

/// redb has an error type for each step.
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

fn is_full(error: &io::Error) -> bool {
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
                is_disk_full: true, ..
            }) => {
                let mut error = S3Error::new(S3ErrorCode::Custom("InsufficientStorage".into()));
                error.set_status_code(StatusCode::INSUFFICIENT_STORAGE);
                error.set_message("There is not enough space for this object.");
                error
            }
            Failure::Broken(broken) => {
                // The cause may contain paths: it goes to the log only.
                tracing::error!("S3 cannot read or write its files: {broken}");
                S3Error::new(S3ErrorCode::InternalError)
            }
        }
    }
}
