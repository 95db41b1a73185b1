//! The embedded PostgreSQL: creates the cluster once, and runs the server as a child process.
//!
//! The settings here are those of an embedded server. The application's settings are in its
//! migrations.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::child::Program;
use crate::error::{Error, Result};
use crate::log_file::LogFile;
use crate::options::Store;
use crate::private_file;
use crate::process::{self, User};
use crate::programs::PostgresPrograms;

/// The superuser of the cluster and the database it owns.
pub(crate) const OWNER: &str = "wharf";

/// Not all pools can be full at once: when the server has no connection left, they close those that they do not use.
const MAX_CONNECTIONS: u32 = 200;

pub(crate) struct Postgres {
    pub(crate) programs: PostgresPrograms,
    /// Contains the cluster only.
    pub(crate) folder: PathBuf,
    pub(crate) user: Option<User>,
    pub(crate) port: u16,
    pub(crate) durable: bool,
    pub(crate) log: LogFile,
}

/// The cluster below `folder`.
pub(crate) fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// The major version of the cluster below `folder`; `None` if there is no cluster yet.
pub(crate) fn cluster_version(folder: &Path) -> Result<Option<u32>> {
    let file = data(folder).join("PG_VERSION");
    let text =
        private_file::read(&file).map_err(Error::io(format!("cannot read {}", file.display())))?;
    match text.map(|text| text.trim().parse()) {
        None => Ok(None),
        Some(Ok(version)) => Ok(Some(version)),
        Some(Err(_)) => Err(Error::NotStarted {
            store: Store::Postgres,
            detail: format!(
                "{} contains no version: the files are damaged",
                file.display()
            ),
        }),
    }
}

impl Postgres {
    /// Creates the cluster, with `password` for its superuser. The folder gets its final name when it
    /// is complete, so a later start does not use the rest of an interrupted attempt.
    pub(crate) fn create_cluster(&self, password: &str) -> Result<()> {
        let unfinished = self.folder.join("data.init");
        process::end_orphans(&unfinished)?;
        let doing = || Error::io(format!("cannot create {}", unfinished.display()));
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(doing())?;
        }
        self.create_folder().map_err(doing())?;
        let password_file = self.folder.join("password");
        private_file::write(&password_file, password).map_err(doing())?;
        if let Some(user) = &self.user {
            chown(&password_file, Some(user.uid), Some(user.gid)).map_err(doing())?;
        }

        let mut initdb = self.tool("initdb");
        initdb.args([
            "--username",
            OWNER,
            "--auth",
            "scram-sha-256",
            "--encoding",
            "UTF8",
        ]);
        // Collation by code point is fast and the same on all systems. The ctype is for case mapping of
        // non-ASCII letters (é, É).
        initdb.args(["--locale", "C", "--lc-ctype", "C.UTF-8"]);
        initdb.args(["--no-sync", "--no-instructions"]);
        initdb
            .arg("--pwfile")
            .arg(&password_file)
            .arg("--pgdata")
            .arg(&unfinished);
        let made = run(initdb, "");
        fs::remove_file(&password_file).map_err(doing())?;
        made?;

        let mut single_user = self.tool("postgres");
        single_user
            .args(["--single", "-F", "-D"])
            .arg(&unfinished)
            .arg("postgres");
        run(single_user, &format!("CREATE DATABASE {OWNER}\n"))?;

        if self.durable {
            // One sync of the file system instead of one for each of a thousand files.
            let folder = File::open(&unfinished).map_err(doing())?;
            rustix::fs::syncfs(&folder).map_err(|error| doing()(error.into()))?;
        }
        fs::rename(&unfinished, data(&self.folder)).map_err(doing())?;
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(doing())
    }

    fn create_folder(&self) -> std::io::Result<()> {
        private_file::create_folder(&self.folder)?;
        match &self.user {
            Some(user) => chown(&self.folder, Some(user.uid), Some(user.gid)),
            None => Ok(()),
        }
    }

    /// A short-lived program. SIGKILL as its parent-death signal: an interrupted attempt is repeated.
    fn tool(&self, program: &str) -> Command {
        process::command(
            &self.programs.folder.join(program),
            self.user.as_ref(),
            Signal::KILL,
        )
    }
}

/// Runs a tool to its end. The single-user server exits with success after an error, so its output
/// is checked too.
fn run(mut command: Command, input: &str) -> Result<()> {
    let program = command.get_program().display().to_string();
    let doing = || Error::io(format!("cannot run {program}"));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn().map_err(doing())?;
    if let Some(mut stdin) = process.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(doing())?;
    }
    let output = process.wait_with_output().map_err(doing())?;
    let messages = String::from_utf8_lossy(&output.stderr);
    if output.status.success() && !messages.contains("ERROR:") && !messages.contains("FATAL:") {
        return Ok(());
    }
    let detail = format!("{program}: {}\n{}", output.status, messages.trim_end());
    Err(Error::NotStarted {
        store: Store::Postgres,
        detail,
    })
}

impl Program for Postgres {
    const STORE: Store = Store::Postgres;

    // A fast shutdown (ends sessions, writes a checkpoint), then an immediate one.
    const STOP_SIGNALS: &'static [(Signal, Duration)] = &[
        (Signal::INT, Duration::from_secs(10)),
        (Signal::QUIT, Duration::from_secs(5)),
    ];

    fn command(&mut self) -> Result<Command> {
        let data = data(&self.folder);
        clear_stale_lock(&self.folder)?;
        let log = self
            .log
            .begin_start()
            .map_err(Error::io("cannot open the log of PostgreSQL"))?;
        // SIGQUIT is an immediate shutdown without a checkpoint. Nothing is lost: the next start replays
        // the write-ahead log.
        let program = self.programs.folder.join("postgres");
        let mut command = process::command(&program, self.user.as_ref(), Signal::QUIT);
        command
            .arg("-D")
            .arg(&data)
            .arg("-p")
            .arg(self.port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            // No Unix socket: its path must be short and reachable for all users.
            "unix_socket_directories=",
            &format!("max_connections={MAX_CONNECTIONS}"),
            "logging_collector=off",
            "timezone=UTC",
            "log_timezone=UTC",
            // Recovery syncs the file system once instead of every file: 0.6 s instead of 5 s.
            "recovery_init_sync_method=syncfs",
            // Compiling a query takes longer than running a typical one.
            "jit=off",
        ] {
            command.arg("-c").arg(setting);
        }
        if !self.durable {
            command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        command.stdout(Stdio::null()).stderr(log);
        Ok(command)
    }

    /// Reads the status that the postmaster writes into the eighth line of its lock file. A connection
    /// would take longer and could reach another server.
    fn is_ready(&self, pid: u32) -> bool {
        let lock =
            fs::read_to_string(data(&self.folder).join("postmaster.pid")).unwrap_or_default();
        let mut lines = lock.lines().map(str::trim);
        lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready")
    }

    fn log_tail(&self) -> String {
        self.log.tail()
    }
}

/// Removes the lock file of a postmaster that was killed. PostgreSQL itself would refuse to start if
/// the process id in it belongs to a zombie or to another process by now.
///
/// First waits for the end of all old processes, including backends: only then is it safe.
pub(crate) fn clear_stale_lock(folder: &Path) -> Result<()> {
    let data = data(folder);
    let lock = data.join("postmaster.pid");
    if !lock.exists() {
        return Ok(());
    }
    process::end_orphans(&data)?;
    private_file::remove(&lock).map_err(Error::io(format!("cannot remove {}", lock.display())))
}
