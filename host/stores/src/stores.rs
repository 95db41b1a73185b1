//! Starts and stops the stores.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use crate::child::Child;
use crate::data_folder::{ChildSetup, DataFolder};
use crate::error::{Error, Result};
use crate::log_file::LogFile;
use crate::options::{Addresses, Options, Progress, S3Address, Store, Wanted};
use crate::ports::{self, Ports};
use crate::postgres::{self, Postgres};
use crate::redis::{self, Redis};
use crate::values::Values;
use crate::{programs, s3};

/// Running stores. `stop` stops them; dropping does the same, but blocks until they have shut down.
// The order of the fields is the order of stopping.
#[derive(Debug)]
pub struct Stores {
    _s3: Option<s3::Server>,
    _children: Vec<Child>,
    addresses: Addresses,
    /// Locked until all processes that use it have ended.
    _data_folder: Option<DataFolder>,
}

impl Stores {
    /// Starts the wanted stores at the same time, and returns when all are ready. If one fails to
    /// start, the others are stopped.
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

    /// Stops the embedded stores and waits until they have ended.
    pub async fn stop(self) {
        // A panic in there was printed already.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// Deletes a data folder with all files of its stores, including those outside the folder. Refused
    /// while the stores run.
    pub fn discard(data_dir: &Path) -> Result<()> {
        DataFolder::lock(data_dir)?.delete()
    }
}

fn start(options: &Options, progress: &(impl Fn(Progress) + Sync)) -> Result<Stores> {
    if !options.embeds_any_store() {
        let addresses = Addresses {
            postgres_url: options.postgres.external(),
            redis_url: options.redis.external(),
            redis_logins: BTreeMap::new(),
            s3: options.s3.external(),
            s3_keys: BTreeMap::new(),
        };
        return Ok(Stores {
            _s3: None,
            _children: Vec::new(),
            addresses,
            _data_folder: None,
        });
    }
    let data_folder = DataFolder::lock(&options.data_dir)?;
    let start = Start {
        values: Values::open(&options.data_dir)?,
        child_setup: data_folder.child_setup()?,
        ports: Mutex::new(Ports::open(data_folder.join("ports.json"))?),
        data_folder: &data_folder,
        durable: options.durable,
        progress,
    };
    let (postgres, redis, s3) = thread::scope(|scope| {
        let postgres = scope.spawn(|| start.postgres(&options.postgres));
        let redis = scope.spawn(|| start.redis(&options.redis, &options.redis_logins));
        let s3 = start.s3(&options.s3, &options.s3_keys);
        (join(postgres), join(redis), s3)
    });
    let ((postgres, postgres_url), (redis, redis_addresses), (s3, s3_addresses)) =
        (postgres?, redis?, s3?);
    let (redis_url, redis_logins) = redis_addresses.unzip();
    let (s3_address, s3_keys) = s3_addresses.unzip();
    Ok(Stores {
        _s3: s3,
        _children: [postgres, redis].into_iter().flatten().collect(),
        addresses: Addresses {
            postgres_url,
            redis_url,
            redis_logins: redis_logins.unwrap_or_default(),
            s3: s3_address,
            s3_keys: s3_keys.unwrap_or_default(),
        },
        _data_folder: Some(data_folder),
    })
}

/// Waits for the thread and propagates its panic.
fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The data for starting the embedded stores.
struct Start<'a, P> {
    data_folder: &'a DataFolder,
    values: Values,
    child_setup: ChildSetup,
    ports: Mutex<Ports>,
    durable: bool,
    progress: &'a P,
}

/// The running store, if it is embedded, and its address, if it was wanted.
type Started<Running, Address> = (Option<Running>, Option<Address>);

/// The address with the owner's login, and those with logins that have fewer rights.
type WithLogins<Address> = (Address, BTreeMap<String, Address>);

impl<P: Fn(Progress) + Sync> Start<'_, P> {
    fn postgres(&self, wanted: &Wanted<String>) -> Result<Started<Child, String>> {
        if !wanted.is_embedded() {
            return Ok((None, wanted.external()));
        }
        let folder = &self.child_setup.postgres;
        let cluster_version = postgres::cluster_version(folder)?;
        if cluster_version.is_some() && self.values.get(POSTGRES_PASSWORD)?.is_none() {
            return Err(Error::NoValue(format!(
                "{1} no longer has the password of the PostgreSQL in {0}: restore that file, or delete the folder to \
                 start empty",
                folder.display(),
                self.data_folder.join("values.json").display()
            )));
        }
        let programs = programs::find_postgres(cluster_version)?;
        let password = self.values.password(POSTGRES_PASSWORD)?;
        let server = |port| -> Result<Postgres> {
            Ok(Postgres {
                programs: programs.clone(),
                folder: folder.clone(),
                user: self.child_setup.user.clone(),
                port,
                durable: self.durable,
                log: self.log("postgres.log")?,
            })
        };
        if cluster_version.is_none() {
            (self.progress)(Progress::Making(Store::Postgres));
            server(0)?.create_cluster(&password)?;
        }
        postgres::clear_stale_lock(folder)?;
        let (child, port) =
            self.start_on_free_port(Store::Postgres, |port| Child::start(server(port)?))?;
        let owner = postgres::OWNER;
        let address = format!("postgres://{owner}:{password}@{LOCALHOST}:{port}/{owner}");
        Ok((Some(child), Some(address)))
    }

    fn redis(
        &self,
        wanted: &Wanted<String>,
        rules: &BTreeMap<String, String>,
    ) -> Result<Started<Child, WithLogins<String>>> {
        if !wanted.is_embedded() {
            let address = wanted.external();
            return Ok((None, address.map(|address| (address, BTreeMap::new()))));
        }
        let program = programs::find_redis()?;
        let password = self.values.password("redis")?;
        let logins = rules.iter().map(|(name, rules)| -> Result<_> {
            Ok(redis::Login {
                name: format!("wharf_{name}"),
                password: self.values.password(&format!("redis:{name}"))?,
                rules: rules.clone(),
            })
        });
        let logins: Vec<redis::Login> = logins.collect::<Result<_>>()?;
        let folder = &self.child_setup.redis;
        redis::clear_stale_pid_file(folder)?;
        let (child, port) = self.start_on_free_port(Store::Redis, |port| {
            Child::start(Redis {
                program: program.clone(),
                folder: folder.clone(),
                user: self.child_setup.user.clone(),
                port,
                password: password.clone(),
                logins: logins.clone(),
                durable: self.durable,
                log: self.log("redis.log")?,
            })
        })?;
        let address =
            |user: &str, password: &str| format!("redis://{user}:{password}@{LOCALHOST}:{port}");
        let of_logins = rules
            .keys()
            .zip(&logins)
            .map(|(name, login)| (name.clone(), address(&login.name, &login.password)));
        let addresses = (address("default", &password), of_logins.collect());
        Ok((Some(child), Some(addresses)))
    }

    fn s3(
        &self,
        wanted: &Wanted<S3Address>,
        prefixes: &BTreeMap<String, String>,
    ) -> Result<Started<s3::Server, WithLogins<S3Address>>> {
        if !wanted.is_embedded() {
            let address = wanted.external();
            return Ok((None, address.map(|address| (address, BTreeMap::new()))));
        }
        let key = |(access_key, secret_key), prefix| s3::Key {
            access_key,
            secret_key,
            prefix,
        };
        let pairs = self.values.s3_keys()?;
        let owner = pairs.first().cloned().unwrap_or_default();
        let mut keys: Vec<s3::Key> = pairs.into_iter().map(|pair| key(pair, None)).collect();
        let mut named = BTreeMap::new();
        for (name, prefix) in prefixes {
            let pair = self.values.s3_key(name)?;
            keys.push(key(pair.clone(), Some(prefix.clone())));
            named.insert(name.clone(), pair);
        }
        let (server, port) = self.start_on_free_port(Store::S3, |port| {
            s3::Server::start(s3::Settings {
                folder: self.data_folder.join("s3"),
                port,
                keys: keys.clone(),
                bucket: BUCKET.to_owned(),
                durable: self.durable,
            })
        })?;
        let address = |(access_key, secret_key)| S3Address {
            endpoint: format!("http://{LOCALHOST}:{port}"),
            access_key,
            secret_key,
            bucket: BUCKET.to_owned(),
            region: s3::REGION.to_owned(),
        };
        let of_keys = named.into_iter().map(|(name, pair)| (name, address(pair)));
        let addresses = (address(owner), of_keys.collect());
        Ok((Some(server), Some(addresses)))
    }

    /// Starts a store on a free port, and on another one if a process takes the port meanwhile.
    fn start_on_free_port<Running>(
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
                Err(_) if tries < MAX_PORT_TRIES && !ports::is_free(port) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn log(&self, name: &str) -> Result<LogFile> {
        LogFile::open(&self.data_folder.join("log"), name)
            .map_err(Error::io("cannot create the folder of logs"))
    }
}

/// The bucket that the embedded S3 server creates at its start.
const BUCKET: &str = "wharf";

const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The name of the superuser's password in `values.json`.
const POSTGRES_PASSWORD: &str = "postgres";

/// Starts of a store on different ports. Losing the race for a port twice is rare.
const MAX_PORT_TRIES: u32 = 3;
