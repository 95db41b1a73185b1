//! A process that serves, from the command that starts it to its end.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::spawn::spawn;
use crate::{Failure, Log, Result, repository};

/// The host, as `infra/up` and `infra/test` build it.
pub fn built_wharf() -> PathBuf {
    repository().join("target/release/wharf")
}

/// The host's command line, without what a developer set for a host of their own.
pub fn wharf(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["SPIN_", "WHARF_", "RUST_", "RUNTIME_CONFIG_FILE"]
            .iter()
            .any(|ours| text.starts_with(ours))
        {
            command.env_remove(&name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// `wharf up` as [`launch`] wants it.
pub fn up(program: &Path, listen: &str) -> Command {
    let mut command = wharf(program);
    command.args(["up", "--format", "json", "--listen", listen]);
    command
}

/// A child that serves. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    /// The addresses of its stores; null when it wrote none.
    stores: Value,
    log: Log,
}

/// Starts a program and waits for the line of JSON with a `base_url` by which it says that it serves. Its
/// standard error is appended to `log`.
pub fn launch(mut command: Command, log: &Log, within: Duration) -> Result<Server> {
    let log = log.from_now();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log.append()?);
    let folder = command.get_current_dir().map(Path::to_owned);
    let program = command.get_program().display().to_string();
    let mut child = spawn(command).map_err(Failure::doing(&program))?;
    let announced = child
        .stdout
        .take()
        .ok_or_else(|| "its standard output is not piped".to_owned())
        .and_then(|stdout| first_line(stdout, within))
        .and_then(|announcement| {
            let stores = read_stores(&announcement, folder.as_deref())?;
            Ok((read_address(&announcement)?, stores))
        });
    match announced {
        Ok((address, stores)) => Ok(Server {
            child,
            address,
            stores,
            log,
        }),
        Err(why) => {
            let ended = child.try_wait().ok().flatten();
            let _ = child.kill();
            let _ = child.wait();
            let how = ended.map_or_else(String::new, |status| format!(" ({status})"));
            Err(Failure::new(format!(
                "{program} does not serve: {why}{how}\n{}",
                log.last_lines()
            )))
        }
    }
}

/// Reads on afterwards, so that the pipe never fills.
fn first_line(stdout: ChildStdout, within: Duration) -> std::result::Result<Value, String> {
    let (line, first) = mpsc::channel();
    thread::spawn(move || {
        for text in BufReader::new(stdout).lines().map_while(|it| it.ok()) {
            let _ = line.send(text);
        }
    });
    let text = first
        .recv_timeout(within)
        .map_err(|_| format!("no line within {within:?}, or it ended"))?;
    serde_json::from_str(&text).map_err(|error| format!("`{text}`: {error}"))
}

fn read_address(announcement: &Value) -> std::result::Result<SocketAddr, String> {
    let url = announcement.get("base_url").and_then(Value::as_str);
    url.and_then(|it| it.strip_prefix("http://")?.parse().ok())
        .ok_or_else(|| format!("no base_url in {announcement}"))
}

/// The addresses of the stores, from the file that the announcement names. Its path starts in the folder of the process.
fn read_stores(announcement: &Value, folder: Option<&Path>) -> std::result::Result<Value, String> {
    let Some(file) = announcement.get("stores_file").and_then(Value::as_str) else {
        return Ok(Value::Null);
    };
    let path = folder.unwrap_or(Path::new("")).join(file);
    let text = fs::read_to_string(&path);
    let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

impl Server {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of a store that the host started, empty when it started none.
    pub fn store_url(&self, store: &str) -> String {
        let url = self.stores.get(store).and_then(Value::as_str);
        url.unwrap_or_default().to_owned()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said since it was started.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The most memory it ever had.
    pub fn peak_kilobytes(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.pid());
        let status = fs::read_to_string(&path).map_err(Failure::doing(&path))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|it| it.trim().trim_end_matches(" kB").parse().ok())
            .ok_or_else(|| Failure::new(format!("no VmHWM in {path}")))
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Failure::new("no process id"))?;
        kill_process(pid, signal).map_err(Failure::doing(format!("signal {}", self.pid())))
    }

    /// How it ended, if it has.
    pub fn status(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().map_err(Failure::doing("wait"))
    }

    /// `kill -9`, waiting for the end.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().map_err(Failure::doing("kill"))?;
        self.child.wait().map_err(Failure::doing("wait"))?;
        Ok(())
    }

    /// As an operator ends it; how it ended, or nothing when it did not in time.
    pub fn stop(&mut self, within: Duration) -> Result<Option<ExitStatus>> {
        self.signal(Signal::TERM)?;
        let deadline = Instant::now() + within;
        loop {
            match self.status()? {
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
                ended => return Ok(ended),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
