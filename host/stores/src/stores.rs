//! Starting and stopping what the application needs, and where it then is.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::child::Child;
use crate::home::{Home, Quarters};
use crate::log_file::LogFile;
use crate::ports::{self, Ports};
use crate::postgres::{self, Postgres};
use crate::redis::{self, Redis};
use crate::{Error, Result, Values, programs, s3};

/// Which stores, and where they keep what they keep.
#[derive(Debug, Clone)]
pub struct Options {
    /// Everything embedded lives here (or is pointed to from here), generated values too.
    pub data_dir: PathBuf,
    pub postgres: Wanted<String>,
    pub redis: Wanted<String>,
    pub s3: Wanted<S3Address>,
    /// `false` for tests: nothing is forced to disk, so a power cut may lose everything; a killed
    /// process loses nothing.
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

/// Stores that run. Dropping it stops them too, blocking while they shut down; `stop` waits without
/// blocking.
// The order of the fields is the order of stopping.
#[derive(Debug)]
pub struct Stores {
    _s3: Option<s3::Server>,
    _children: Vec<Child>,
    addresses: Addresses,
    /// Held until everything is gone that works in it.
    _home: Option<Home>,
}

impl Stores {
    /// Starts everything wanted, all at once, and returns when all of it answers. When one does not
    /// come up, the others are stopped again.
    pub async fn start(
        options: Options,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<Self> {
        let starting = tokio::task::spawn_blocking(move || start(&options, &progress));
        starting.await.unwrap_or_else(|panic| {
            Err(Error::Io {
                doing: "starting the stores".to_owned(),
                source: panic.into(),
            })
        })
    }

    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Stops everything started here and waits until it is gone.
    pub async fn stop(self) {
        // A panic in there has been printed; stopping goes on regardless.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Deletes a data folder with everything embedded stores kept, wherever they kept it. Refused
    /// while they run.
    pub fn discard(data_dir: &Path) -> Result<()> {
        Home::take(data_dir)?.discard()
    }
}

fn start(options: &Options, progress: &(impl Fn(Progress) + Sync)) -> Result<Stores> {
    if !options.embeds_anything() {
        let addresses = Addresses {
            postgres_url: options.postgres.external(),
            redis_url: options.redis.external(),
            s3: options.s3.external(),
        };
        return Ok(Stores {
            _s3: None,
            _children: Vec::new(),
            addresses,
            _home: None,
        });
    }
    let home = Home::take(&options.data_dir)?;
    let start = Start {
        values: Values::open(&options.data_dir)?,
        quarters: home.quarters()?,
        ports: Mutex::new(Ports::open(home.join("ports.json"))?),
        home: &home,
        durable: options.durable,
        progress,
    };
    let (postgres, redis, s3) = thread::scope(|scope| {
        let postgres = scope.spawn(|| start.postgres(&options.postgres));
        let redis = scope.spawn(|| start.redis(&options.redis));
        let s3 = start.s3(&options.s3);
        (joined(postgres), joined(redis), s3)
    });
    let ((postgres, postgres_url), (redis, redis_url), (s3, s3_address)) = (postgres?, redis?, s3?);
    Ok(Stores {
        _s3: s3,
        _children: [postgres, redis].into_iter().flatten().collect(),
        addresses: Addresses {
            postgres_url,
            redis_url,
            s3: s3_address,
        },
        _home: Some(home),
    })
}

/// A panic goes on where it would have without the thread.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

impl Options {
    fn embeds_anything(&self) -> bool {
        self.postgres.is_embedded() || self.redis.is_embedded() || self.s3.is_embedded()
    }
}

impl<Address: Clone> Wanted<Address> {
    fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded)
    }

    fn external(&self) -> Option<Address> {
        match self {
            Self::External(address) => Some(address.clone()),
            Self::No | Self::Embedded => None,
        }
    }
}

/// What starting the embedded stores takes.
struct Start<'a, P> {
    home: &'a Home,
    values: Values,
    quarters: Quarters,
    ports: Mutex<Ports>,
    durable: bool,
    progress: &'a P,
}

/// What runs here for a store, if anything does, and where the store is, if it was wanted.
type Started<Running, Address> = (Option<Running>, Option<Address>);

impl<P: Fn(Progress) + Sync> Start<'_, P> {
    fn postgres(&self, wanted: &Wanted<String>) -> Result<Started<Child, String>> {
        if !wanted.is_embedded() {
            return Ok((None, wanted.external()));
        }
        let folder = &self.quarters.postgres;
        let cluster_version = postgres::cluster_version(folder)?;
        if cluster_version.is_some() && self.values.known(POSTGRES_PASSWORD)?.is_none() {
            return Err(Error::NoValue(format!(
                "the password of the PostgreSQL in {} is not in {} any more: bring that file back, or delete the folder \
                 to start empty",
                folder.display(),
                self.home.join("values.json").display()
            )));
        }
        let programs = programs::postgres(cluster_version)?;
        let password = self.values.password(POSTGRES_PASSWORD)?;
        let on = |port| -> Result<Postgres> {
            Ok(Postgres {
                programs: programs.clone(),
                folder: folder.clone(),
                user: self.quarters.user.clone(),
                port,
                durable: self.durable,
                log: self.log("postgres.log")?,
            })
        };
        if cluster_version.is_none() {
            (self.progress)(Progress::Making(Store::Postgres));
            on(0)?.make_cluster(&password)?;
        }
        postgres::clear_stale_lock(folder)?;
        let (child, port) = self.on_free_port(Store::Postgres, |port| Child::start(on(port)?))?;
        let owner = postgres::OWNER;
        let address = format!("postgres://{owner}:{password}@{LOCALHOST}:{port}/{owner}");
        Ok((Some(child), Some(address)))
    }

    fn redis(&self, wanted: &Wanted<String>) -> Result<Started<Child, String>> {
        if !wanted.is_embedded() {
            return Ok((None, wanted.external()));
        }
        let program = programs::redis()?;
        let password = self.values.password("redis")?;
        let folder = &self.quarters.redis;
        redis::clear_stale_pid_file(folder)?;
        let (child, port) = self.on_free_port(Store::Redis, |port| {
            Child::start(Redis {
                program: program.clone(),
                folder: folder.clone(),
                user: self.quarters.user.clone(),
                port,
                password: password.clone(),
                durable: self.durable,
                log: self.log("redis.log")?,
            })
        })?;
        let address = format!("redis://default:{password}@{LOCALHOST}:{port}");
        Ok((Some(child), Some(address)))
    }

    fn s3(&self, wanted: &Wanted<S3Address>) -> Result<Started<s3::Server, S3Address>> {
        if !wanted.is_embedded() {
            return Ok((None, wanted.external()));
        }
        let keys = self.values.s3_keys()?;
        let (access_key, secret_key) = keys.first().cloned().unwrap_or_default();
        let (server, port) = self.on_free_port(Store::S3, |port| {
            s3::Server::start(s3::Settings {
                folder: self.home.join("s3"),
                port,
                keys: keys.clone(),
                bucket: BUCKET.to_owned(),
                durable: self.durable,
            })
        })?;
        let address = S3Address {
            endpoint: format!("http://{LOCALHOST}:{port}"),
            access_key,
            secret_key,
            bucket: BUCKET.to_owned(),
            region: s3::REGION.to_owned(),
        };
        Ok((Some(server), Some(address)))
    }

    /// Starts a store on a port that is free, on another one when somebody was quicker.
    fn on_free_port<Running>(
        &self,
        store: Store,
        start: impl Fn(u16) -> Result<Running>,
    ) -> Result<(Running, u16)> {
        let began = Instant::now();
        (self.progress)(Progress::Starting(store));
        let mut tries = 0;
        loop {
            tries += 1;
            let port = self
                .ports
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .choose(store)?;
            match start(port) {
                Ok(running) => {
                    let at = (LOCALHOST, port).into();
                    (self.progress)(Progress::Ready {
                        store,
                        at,
                        took: began.elapsed(),
                    });
                    return Ok((running, port));
                }
                Err(_) if tries < PORT_TRIES && !ports::is_free(port) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn log(&self, name: &str) -> Result<LogFile> {
        LogFile::open(&self.home.join("log"), name)
            .map_err(Error::io("cannot make the folder of logs"))
    }
}

/// The one bucket of the embedded S3 server that is there from the start.
const BUCKET: &str = "wharf";

const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The name of the superuser's password among the kept values.
const POSTGRES_PASSWORD: &str = "postgres";

/// Losing the race for a port twice is bad luck.
const PORT_TRIES: u32 = 3;
