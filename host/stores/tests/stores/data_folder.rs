//! Helpers: a data folder for one test, a shared server, and queries of stores.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};
use wharf_manifest::manifest::HostValue;
use wharf_stores::{Addresses, Migrations, Options, Stores, Values, Wanted};

/// A data folder that is deleted, with its files outside, at the end of the test. Stop the stores
/// first.
pub struct DataFolder(PathBuf);

impl DataFolder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(env::temp_dir().join(format!("wharf-stores-test-{}-{number}", process::id())))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// PostgreSQL only, not durable.
    pub fn postgres(&self) -> Options {
        Options {
            data_dir: self.0.clone(),
            postgres: Wanted::Embedded,
            redis: Wanted::No,
            redis_logins: BTreeMap::new(),
            s3: Wanted::No,
            s3_keys: BTreeMap::new(),
            durable: false,
        }
    }

    /// Redis only, not durable.
    pub fn redis(&self) -> Options {
        Options {
            postgres: Wanted::No,
            redis: Wanted::Embedded,
            ..self.postgres()
        }
    }

    /// The parent folder of the children's files.
    pub fn child_files(&self) -> PathBuf {
        match fs::read_to_string(self.0.join("elsewhere")) {
            Ok(elsewhere) => PathBuf::from(elsewhere.trim()),
            Err(_) => self.0.clone(),
        }
    }

    pub fn postmaster(&self) -> Option<u32> {
        let lock =
            fs::read_to_string(self.child_files().join("postgres/data/postmaster.pid")).ok()?;
        lock.lines().next()?.parse().ok()
    }

    pub fn redis_pid(&self) -> Option<u32> {
        fs::read_to_string(self.child_files().join("redis/redis.pid"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        if self.0.exists() {
            // A child of another test has every open file until it executes its program, the lock of this
            // folder among them.
            let deadline = Instant::now() + Duration::from_secs(5);
            let mut discarded = Stores::discard(&self.0);
            while discarded.is_err() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(20));
                discarded = Stores::discard(&self.0);
            }
            assert!(discarded.is_ok() || thread::panicking(), "{discarded:?}");
        }
    }
}

/// One PostgreSQL for all concurrent tests that only need databases. The last test stops it.
pub struct Server {
    stores: Option<Stores>,
    folder: DataFolder,
    databases: AtomicU32,
}

impl Server {
    pub fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let folder = DataFolder::new();
            // On its own thread, because the test already runs inside a runtime.
            let options = folder.postgres();
            let starting = thread::spawn(|| Runtime::new().unwrap().block_on(start(options)));
            let stores = Some(starting.join().unwrap());
            let server = Arc::new(Self {
                stores,
                folder,
                databases: AtomicU32::new(0),
            });
            *running = Arc::downgrade(&server);
            server
        })
    }

    pub fn owner_url(&self) -> &str {
        self.stores
            .as_ref()
            .unwrap()
            .addresses()
            .postgres_url
            .as_ref()
            .unwrap()
    }

    pub fn values(&self) -> Values {
        Values::open(self.folder.path()).unwrap()
    }

    /// Creates an empty database and returns its URL.
    pub async fn create_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let client = connect(self.owner_url()).await;
        client
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let mut url = url::Url::parse(self.owner_url()).unwrap();
        url.set_path(&name);
        url.into()
    }

    /// The URL of a database for role `wharf_<schema>`.
    pub fn url_for_role(&self, database_url: &str, schema: &str) -> String {
        let addresses = Addresses {
            postgres_url: Some(database_url.to_owned()),
            ..Addresses::default()
        };
        let source = HostValue::Postgres {
            schema: schema.to_owned(),
        };
        self.values()
            .resolve("url", &source, &addresses, "")
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Before the folder is deleted.
        self.stores.take();
    }
}

/// Creates a migrations folder with these files and reads it.
pub fn migrations(files: &[(&str, &str)]) -> (tempfile::TempDir, Migrations) {
    let folder = tempfile::tempdir().unwrap();
    for (file, sql) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, sql).unwrap();
    }
    let migrations = Migrations::read(folder.path()).unwrap();
    (folder, migrations)
}

pub async fn start(options: Options) -> Stores {
    Stores::start(options, |_| {}).await.unwrap()
}

/// Connects to a database; retries while it does not accept connections.
pub async fn connect(url: &str) -> Client {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match tokio_postgres::connect(url, NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return client;
            }
            Err(error) => assert!(Instant::now() < deadline, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn connect_as_owner(stores: &Stores) -> Client {
    connect(stores.addresses().postgres_url.as_ref().unwrap()).await
}

/// Sends one command to Redis and returns its answer.
pub fn ask_redis(stores: &Stores, command: &str) -> String {
    ask_redis_at(stores.addresses().redis_url.as_ref().unwrap(), command)
}

/// The same with the login in the address.
pub fn ask_redis_at(url: &str, command: &str) -> String {
    let output = Command::new("redis-cli")
        .args(["--no-auth-warning", "-u", url])
        .args(command.split(' '))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// Waits until the condition holds.
pub async fn wait_until(name: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting until {name}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
