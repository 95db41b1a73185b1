//! Why a command failed, and the exit code for it.

use std::fmt;
use std::process::ExitCode;

use wharf_manifest::faults::Faults;

pub enum Failure {
    /// An error in what the user wrote: the command line, the manifest, another file.
    Usage(String),
    Store(wharf_stores::Error),
    /// An external store cannot be reached.
    Unreachable(String),
    Build(String),
    Other(anyhow::Error),
}

pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Other(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
            Self::Store(_) | Self::Unreachable(_) => ExitCode::from(3),
            Self::Build(_) => ExitCode::from(4),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Unreachable(text) | Self::Build(text) => f.write_str(text),
            Self::Store(cause) => write!(f, "{cause}"),
            Self::Other(cause) => write!(f, "{cause:#}"),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(cause: anyhow::Error) -> Self {
        Self::Other(cause)
    }
}

impl From<wasmtime::Error> for Failure {
    fn from(cause: wasmtime::Error) -> Self {
        Self::Other(cause.into())
    }
}

impl From<wharf_stores::Error> for Failure {
    fn from(cause: wharf_stores::Error) -> Self {
        match cause {
            wharf_stores::Error::Migration(fault) | wharf_stores::Error::NoValue(fault) => {
                Self::Usage(fault)
            }
            cause => Self::Store(cause),
        }
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self::Usage(faults.to_string())
    }
}
