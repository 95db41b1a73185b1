//! Both servers as processes: started, watched, and gone when the benchmark is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::token::Keys;

/// A cold start compiles the component.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// Our host with the bench component, on stores of its own.
pub struct Wharf {
    process: Child,
    pub at: SocketAddr,
    pub stores: Stores,
    // Deleted after the process is gone.
    pub folder: Folder,
}

#[derive(Clone)]
pub struct Stores {
    pub postgres_url: String,
    pub redis_url: String,
}

pub struct Native {
    process: Child,
    pub at: SocketAddr,
}

impl Wharf {
    pub async fn start(keys: &Keys) -> Result<Self> {
        let folder = Folder::new("stores")?;
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut process = wharf_up(&folder, keys, anywhere)
            .spawn()
            .context("start wharf")?;
        let said: Value = serde_json::from_str(&first_line(&mut process).await?)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let stores = Stores {
            postgres_url: text(&said["stores"]["postgres_url"]),
            redis_url: text(&said["stores"]["redis_url"]),
        };
        let at = text(&said["base_url"]).replace("http://", "").parse()?;
        Ok(Self {
            process,
            at,
            stores,
            folder,
        })
    }

    pub fn pid(&self) -> u32 {
        self.process.id().unwrap_or_default()
    }

    pub fn memory(&self) -> Result<u64> {
        memory(self.pid())
    }
}

impl Native {
    /// On the database of `wharf`.
    pub async fn start(wharf: &Wharf, keys: &Keys) -> Result<Self> {
        let mut process = mortal(&std::env::current_exe()?)
            .arg("native")
            .args([
                "--postgres-url",
                &wharf.stores.postgres_url,
                "--jwks",
                &keys.jwks,
            ])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("start the native server")?;
        let at = first_line(&mut process).await?.parse()?;
        Ok(Self { process, at })
    }

    pub fn pid(&self) -> u32 {
        self.process.id().unwrap_or_default()
    }

    pub fn memory(&self) -> Result<u64> {
        memory(self.pid())
    }
}

/// `wharf up` with everything in `folder`, not started yet.
pub fn wharf_up(folder: &Folder, keys: &Keys, listen: SocketAddr) -> Command {
    let mut command = mortal(&repository().join("target/release/wharf"));
    command
        .args([
            "up",
            "--listen",
            &listen.to_string(),
            "--format",
            "json",
            "--quiet",
            "--volatile",
        ])
        .arg("--from")
        .arg(repository().join("infra/bench/spin.toml"))
        .arg("--data-dir")
        .arg(folder.path())
        .args(["--variable", &format!("jwt_public_keys={}", keys.jwks)])
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The kernel kills it when this process ends, however it ends. It follows the thread that started it,
/// which is the main one.
fn mortal(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

async fn first_line(process: &mut Child) -> Result<String> {
    let stdout = process.stdout.take().context("stdout is piped")?;
    let mut lines = BufReader::new(stdout).lines();
    let line = timeout(STARTS_WITHIN, lines.next_line())
        .await
        .context("it does not start")??;
    line.context("it ended before it served; what it said is above")
}

/// Processor time a process has used so far, by itself.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; fields are counted from behind it.
    let (_, fields) = stat.rsplit_once(')').context("no name in stat")?;
    let ticks = |at: usize| {
        fields
            .split_whitespace()
            .nth(at)
            .and_then(|it| it.parse::<u64>().ok())
    };
    let (user, system) = ticks(11).zip(ticks(12)).context("no times in stat")?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_millis((user + system) * 1000 / per_second))
}

/// Resident memory in bytes.
fn memory(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|it| it.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}

pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// A folder that is deleted when dropped. PostgreSQL's own user may enter it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("wharf-bench-{}-{name}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The stores die with their host, which takes them a moment.
        for _ in 0..50 {
            if std::fs::remove_dir_all(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
