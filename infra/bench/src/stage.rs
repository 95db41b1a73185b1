//! The processes of a measurement: throw-away stores, the host, the native server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::task::spawn_blocking;
use wharf_launch::{Log, launch, link_application, link_cache, remove_listeners, repository, up};
use wharf_stores::{Options, Stores, Wanted, add_variables};

use crate::events::Messenger;
use crate::load::Target;
use crate::token::Keys;

/// A cold start compiles every component.
const STARTS_WITHIN: Duration = Duration::from_secs(300);
const STOPS_WITHIN: Duration = Duration::from_secs(20);

/// Compiled once for all runs; a cold start is measured elsewhere.
const CACHE: &str = "target/wharf-bench-cache";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manifest {
    Bench,
    Product,
    /// The product without work behind requests: no tick and no Redis subscription.
    Quiet,
}

pub fn build_host() -> Result<()> {
    // --workspace: as infra/up builds it, so that neither builds anew what the other did.
    let words = "build --release --locked --workspace --bin wharf";
    run(Command::new("cargo").args(words.split(' ')))
}

pub fn build_functions(wharf: &Path) -> Result<()> {
    for manifest in ["spin.toml", "infra/bench/spin.toml"] {
        run(Command::new(wharf).args(["build", "--from", manifest]))?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.current_dir(repository()).status()?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

/// The stores that all servers here share, and the settings to start a server.
pub struct Stage {
    pub keys: Keys,
    /// As the owner of the databases.
    pub bench_url: String,
    pub product_url: String,
    pub redis_url: String,
    /// The receiver of notices.
    pub messenger: Messenger,
    wharf: PathBuf,
    // Stopped before their folder goes.
    _stores: Stores,
    folder: tempfile::TempDir,
}

impl Stage {
    pub async fn set(wharf: PathBuf, durable: bool) -> Result<Self> {
        ensure!(wharf.exists(), "{} is not built", wharf.display());
        let folder = tempfile::tempdir()?;
        let options = Options {
            data_dir: folder.path().join("stores"),
            postgres: Wanted::Embedded,
            redis: Wanted::Embedded,
            redis_logins: BTreeMap::new(),
            s3: Wanted::No,
            s3_keys: BTreeMap::new(),
            durable,
        };
        let stores = Stores::start(options, |_| {}).await?;
        let addresses = stores.addresses().clone();
        let product_url = addresses.postgres_url.context("PostgreSQL")?;
        sql(&product_url, "CREATE DATABASE bench").await?;
        let (server, _) = product_url
            .rsplit_once('/')
            .context("the URL of a database")?;
        let stage = Self {
            keys: Keys::new()?,
            messenger: Messenger::start().await?,
            bench_url: format!("{server}/bench"),
            redis_url: addresses.redis_url.context("Redis")?,
            product_url,
            wharf,
            _stores: stores,
            folder,
        };
        link_cache(&stage.data_dir(), &repository().join(CACHE))?;
        let quiet = stage.folder.path().join("quiet");
        link_application(&stage.manifest(Manifest::Product), &quiet, |it| {
            remove_listeners(&it)
        })?;
        let keys = [
            ("jwt_public_keys", &stage.keys.jwks),
            ("jwt_private_key", &stage.keys.private),
            ("telegram_url", &stage.messenger.url),
            ("telegram_token", &"bench".to_owned()),
        ];
        let keys = keys.map(|(name, key)| (name.to_owned(), key.clone()));
        add_variables(&stage.variables(), &keys.into())?;
        Ok(stage)
    }

    /// The arguments of every host on the shared stores.
    fn variables(&self) -> PathBuf {
        self.folder.path().join("variables.toml")
    }

    fn data_dir(&self) -> PathBuf {
        self.folder.path().join("host")
    }

    fn manifest(&self, manifest: Manifest) -> PathBuf {
        match manifest {
            Manifest::Bench => repository().join("infra/bench/spin.toml"),
            Manifest::Product => repository().join("spin.toml"),
            Manifest::Quiet => self.folder.path().join("quiet/spin.toml"),
        }
    }

    /// The host with one of the manifests, on the shared stores.
    pub async fn host(&self, manifest: Manifest) -> Result<Server> {
        self.launch(self.host_command(manifest)?).await
    }

    /// The launch of `host`.
    pub fn host_command(&self, manifest: Manifest) -> Result<Command> {
        self.command_in(&self.data_dir(), manifest)
    }

    /// A second host beside the one of the quiet product.
    pub async fn second_host(&self) -> Result<Server> {
        let data_dir = self.folder.path().join("second");
        link_cache(&data_dir, &repository().join(CACHE))?;
        let command = self.command_in(&data_dir, Manifest::Quiet)?;
        self.launch(command).await
    }

    fn command_in(&self, data_dir: &Path, manifest: Manifest) -> Result<Command> {
        let mut command = self.up(manifest, data_dir);
        let postgres = match manifest {
            Manifest::Bench => &self.bench_url,
            Manifest::Product | Manifest::Quiet => &self.product_url,
        };
        // Roles belong to the whole server, so those of one manifest exist for the next.
        let variables = self.variables();
        let keys = wharf_launch::wharf(&self.wharf)
            .args(["keys", "--postgres-url", postgres, "--from"])
            .arg(self.manifest(manifest))
            .arg("--variables")
            .arg(&variables)
            .stderr(Stdio::null())
            .status()?;
        ensure!(keys.success(), "wharf keys: {keys}");
        command
            .args(["--postgres-url", postgres, "--redis-url", &self.redis_url])
            .args(["--variable", &format!("@{}", variables.display())]);
        Ok(command)
    }

    /// The host with the product's manifest and stores of its own, in that folder.
    pub async fn host_alone(&self, folder: &str) -> Result<Server> {
        let data_dir = self.folder.path().join(folder);
        self.launch(self.up(Manifest::Product, &data_dir)).await
    }

    /// Leaves the compiled components in that folder.
    pub fn compile_ahead(&self, folder: &str) -> Result<()> {
        link_cache(&self.folder.path().join(folder), &repository().join(CACHE)).map_err(Into::into)
    }

    fn up(&self, manifest: Manifest, data_dir: &Path) -> Command {
        let mut command = up(&self.wharf, "127.0.0.1:0");
        command
            .args(["--quiet", "--from"])
            .arg(self.manifest(manifest))
            .arg("--data-dir")
            .arg(data_dir)
            .args(["--variable", &format!("jwt_public_keys={}", self.keys.jwks)]);
        if manifest != Manifest::Bench {
            command.args([
                "--variable",
                &format!("jwt_private_key={}", self.keys.private),
            ]);
        }
        command
    }

    pub async fn native(&self) -> Result<Server> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([
                "native",
                "--bench-url",
                &self.bench_url,
                "--product-url",
                &self.product_url,
            ])
            .args(["--redis-url", &self.redis_url, "--jwks", &self.keys.jwks]);
        self.launch(command).await
    }

    /// The client's own thread is free meanwhile.
    pub async fn launch(&self, mut command: Command) -> Result<Server> {
        command.current_dir(repository());
        let log = Log::new(&self.folder.path().join("servers.log"));
        let server = spawn_blocking(move || launch(command, &log, STARTS_WITHIN)).await??;
        Ok(Server(server))
    }

    /// The size of the shipped files in bytes.
    pub fn sizes(&self) -> Result<Vec<(String, u64)>> {
        let mut sizes = vec![("wharf".to_owned(), self.wharf.metadata()?.len())];
        let components = repository().join("target/wasm32-wasip2/release");
        for entry in std::fs::read_dir(components)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".wasm") {
                sizes.push((name, entry.metadata()?.len()));
            }
        }
        sizes.sort();
        Ok(sizes)
    }
}

/// A process that serves.
pub struct Server(wharf_launch::Server);

impl Server {
    pub fn target(&self) -> Target {
        Target {
            at: self.0.address(),
            pid: self.0.pid(),
        }
    }

    pub async fn stop(mut self) -> Result<()> {
        let ended = spawn_blocking(move || self.0.stop(STOPS_WITHIN)).await??;
        ensure!(ended.is_some(), "a server does not end");
        Ok(())
    }
}

/// Runs statements past every server.
pub async fn sql(url: &str, statements: &str) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    client.batch_execute(statements).await?;
    drop(client);
    connection.await??;
    Ok(())
}
