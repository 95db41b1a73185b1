//! What has to run to be measured: stores that are thrown away, the host, the native server.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use wharf_stores::{Options, Stores, Wanted, add_variables};

use crate::events::Messenger;
use crate::load::Target;
use crate::token::Keys;

/// A cold start compiles every component.
const STARTS_WITHIN: Duration = Duration::from_secs(300);
const STOPS_WITHIN: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manifest {
    Bench,
    Product,
    /// The product without what goes on behind requests: no tick, nobody who hears Redis.
    Quiet,
}

pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// The host and every function, as they are shipped.
pub fn build(wharf: &Path) -> Result<()> {
    // --workspace: as infra/up builds it, so that neither builds anew what the other did.
    let mut cargo = Blocking::new("cargo");
    cargo.args([
        "build",
        "--release",
        "--locked",
        "--workspace",
        "--bin",
        "wharf",
    ]);
    let builds = ["spin.toml", "infra/bench/spin.toml"].map(|manifest| {
        let mut build = Blocking::new(wharf);
        build.args(["build", "--from", manifest]);
        build
    });
    for mut command in [cargo].into_iter().chain(builds) {
        let status = command.current_dir(repository()).status()?;
        ensure!(status.success(), "{command:?}: {status}");
    }
    Ok(())
}

/// The stores, which every server here shares, and what it takes to start one.
pub struct Stage {
    pub keys: Keys,
    /// As the owner of the databases.
    pub bench_url: String,
    pub product_url: String,
    pub redis_url: String,
    /// Whom notices are brought to.
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
            s3: Wanted::No,
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
        // Compiled once for all runs; a cold start is measured elsewhere.
        let cache = repository().join("target/wharf-bench-cache");
        for folder in [&cache, &stage.data_dir()] {
            std::fs::create_dir_all(folder)?;
        }
        symlink(cache, stage.data_dir().join("cache"))?;
        write_quiet(&stage.manifest(Manifest::Quiet))?;
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

    /// What the hosts on the shared stores are given alike.
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
        let mut command = self.up(manifest, &self.data_dir());
        let postgres = match manifest {
            Manifest::Bench => &self.bench_url,
            Manifest::Product | Manifest::Quiet => &self.product_url,
        };
        // What is made for one manifest is there for the next: roles belong to the whole server.
        let variables = self.variables();
        let keys = Command::new(&self.wharf)
            .args(["keys", "--postgres-url", postgres, "--from"])
            .arg(self.manifest(manifest))
            .arg("--variables")
            .arg(&variables)
            .stderr(Stdio::null())
            .status()
            .await?;
        ensure!(keys.success(), "wharf keys: {keys}");
        command
            .args(["--postgres-url", postgres, "--redis-url", &self.redis_url])
            .args(["--variable", &format!("@{}", variables.display())]);
        Server::start(command).await
    }

    /// The host with the product's manifest and stores of its own, in that folder.
    pub async fn host_alone(&self, folder: &str) -> Result<Server> {
        Server::start(self.up(Manifest::Product, &self.folder.path().join(folder))).await
    }

    fn up(&self, manifest: Manifest, data_dir: &Path) -> Command {
        let mut command = mortal(&self.wharf);
        command
            .args([
                "up",
                "--format",
                "json",
                "--quiet",
                "--listen",
                "127.0.0.1:0",
                "--from",
            ])
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
        let mut command = mortal(&std::env::current_exe()?);
        command
            .args([
                "native",
                "--bench-url",
                &self.bench_url,
                "--product-url",
                &self.product_url,
            ])
            .args(["--redis-url", &self.redis_url, "--jwks", &self.keys.jwks]);
        Server::start(command).await
    }

    /// Bytes of what is shipped.
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
pub struct Server {
    pub at: std::net::SocketAddr,
    pub pid: u32,
    /// Where its stores are, if it has its own.
    child: Child,
}

impl Server {
    /// Starts it and waits for the line of JSON that says where it serves.
    async fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("its stdout is piped")?).lines();
        let line = timeout(STARTS_WITHIN, lines.next_line()).await??;
        let Some(line) = line else {
            bail!("{command:?}: {}", child.wait().await?)
        };
        // What follows is read too, so that the pipe never fills.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let said: Value = serde_json::from_str(&line)?;
        let url = said
            .get("base_url")
            .and_then(Value::as_str)
            .context("base_url")?;
        let at = url.trim_start_matches("http://").parse()?;
        Ok(Self {
            at,
            pid: child.id().context("it runs")?,
            child,
        })
    }

    pub fn target(&self) -> Target {
        Target {
            at: self.at,
            pid: self.pid,
        }
    }

    pub async fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.pid)
            .ok()
            .and_then(Pid::from_raw)
            .context("a process id")?;
        kill_process(pid, Signal::TERM)?;
        timeout(STOPS_WITHIN, self.child.wait()).await??;
        Ok(())
    }
}

/// The product's manifest without the parts that listen, among links to what it names.
fn write_quiet(path: &Path) -> Result<()> {
    let folder = path.parent().context("a folder")?;
    std::fs::create_dir(folder)?;
    for named in ["target", "migrations"] {
        symlink(repository().join(named), folder.join(named))?;
    }
    let listens = |part: &&str| {
        ["[[trigger.redis]]", "[[application.tool.wharf.cron]]"]
            .iter()
            .any(|it| part.contains(it))
    };
    let whole = std::fs::read_to_string(repository().join("spin.toml"))?;
    let parts: Vec<_> = whole.split("\n\n").filter(|part| !listens(part)).collect();
    std::fs::write(path, parts.join("\n\n"))?;
    Ok(())
}

/// Whoever is started here does not outlive the benchmark.
fn mortal(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .current_dir(repository());
    command
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
