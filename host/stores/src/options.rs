//! Which stores to start, where they run afterwards, and what is reported meanwhile.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The stores to start, and where they keep their files.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder: the files of embedded stores (or a pointer to them) and generated values.
    pub data_dir: PathBuf,
    pub postgres: Wanted<String>,
    pub redis: Wanted<String>,
    /// The logins of an embedded Redis beside its owner's, each with the rules of its ACL.
    pub redis_logins: BTreeMap<String, String>,
    pub s3: Wanted<S3Address>,
    /// The keys of an embedded S3 beside its owner's, each with the prefix of the objects that it reaches.
    pub s3_keys: BTreeMap<String, String>,
    /// `false` for tests: nothing is synced to disk. A power cut may then lose everything; a killed
    /// process still loses nothing.
    pub durable: bool,
}

/// How to provide one store.
#[derive(Debug, Clone)]
pub enum Wanted<Address> {
    /// Not at all: the application does not use it.
    No,
    /// Started by this host.
    Embedded,
    /// A running one at this address.
    External(Address),
}

/// The addresses of the stores; `None` for a store that was not wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// With the owner of the database as the user: for migrations, never for a component.
    pub postgres_url: Option<String>,
    pub redis_url: Option<String>,
    /// The address of an embedded Redis for each of its logins.
    pub redis_logins: BTreeMap<String, String>,
    pub s3: Option<S3Address>,
    /// The address of an embedded S3 with each of these keys.
    pub s3_keys: BTreeMap<String, S3Address>,
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

/// A step of starting the stores. `Display` is a line for the terminal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Progress {
    /// The files of the store are created, at its first start.
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

impl Options {
    pub(crate) fn embeds_any_store(&self) -> bool {
        self.postgres.is_embedded() || self.redis.is_embedded() || self.s3.is_embedded()
    }
}

impl<Address: Clone> Wanted<Address> {
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded)
    }

    /// The address of an external store.
    pub(crate) fn external(&self) -> Option<Address> {
        match self {
            Self::External(address) => Some(address.clone()),
            Self::No | Self::Embedded => None,
        }
    }
}
