//! A data folder for one test, and what tests ask of stores in it.

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

/// Deleted, with everything kept elsewhere on its behalf, when the test is over. Stop the stores
/// before.
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

    /// PostgreSQL alone, without waiting for the disk.
    pub fn postgres(&self) -> Options {
        Options {
            data_dir: self.0.clone(),
            postgres: Wanted::Embedded,
            redis: Wanted::No,
            s3: Wanted::No,
            durable: false,
        }
    }

    /// Redis alone, without waiting for the disk.
    pub fn redis(&self) -> Options {
        Options {
            postgres: Wanted::No,
            redis: Wanted::Embedded,
            ..self.postgres()
        }
    }

    /// Where the children keep their files.
    pub fn quarters(&self) -> PathBuf {
        match fs::read_to_string(self.0.join("elsewhere")) {
            Ok(elsewhere) => PathBuf::from(elsewhere.trim()),
            Err(_) => self.0.clone(),
        }
    }

    pub fn postmaster(&self) -> Option<u32> {
        let lock = fs::read_to_string(self.quarters().join("postgres/data/postmaster.pid")).ok()?;
        lock.lines().next()?.parse().ok()
    }

    pub fn redis_pid(&self) -> Option<u32> {
        fs::read_to_string(self.quarters().join("redis/redis.pid"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        if self.0.exists() {
            let discarded = Stores::discard(&self.0);
            assert!(discarded.is_ok() || thread::panicking(), "{discarded:?}");
        }
    }
}

/// One PostgreSQL for all tests that run at the same time and only want databases; the last one
/// stops it.
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
            // On a thread of its own, because the test waits inside a runtime already.
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

    /// The address of a new, empty database.
    pub async fn database(&self) -> String {
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

    /// The address of a database as role `wharf_<schema>`.
    pub fn as_role(&self, database_url: &str, schema: &str) -> String {
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
        // Before the folder goes.
        self.stores.take();
    }
}

/// A migrations folder with these files.
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

/// A session on the database, as soon as it takes one.
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

pub async fn owner(stores: &Stores) -> Client {
    connect(stores.addresses().postgres_url.as_ref().unwrap()).await
}

/// The answer of Redis to one command, sent as a line.
pub fn redis(stores: &Stores, command: &str) -> String {
    let url = url::Url::parse(stores.addresses().redis_url.as_ref().unwrap()).unwrap();
    let said = Command::new("redis-cli")
        .args([
            "-h",
            url.host_str().unwrap(),
            "-p",
            &url.port().unwrap().to_string(),
        ])
        .args(["--no-auth-warning", "-a", url.password().unwrap()])
        .args(command.split(' '))
        .output()
        .unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

pub fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// Waits until `fact` holds.
pub async fn eventually(what: &str, mut fact: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !fact() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
