//! The embedded PostgreSQL: making its files once, and running it as a child.
//!
//! Settings here are those that follow from being embedded; what an application needs is written in
//! its migrations.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::child::Program;
use crate::log_file::LogFile;
use crate::process::{self, User};
use crate::programs::PostgresPrograms;
use crate::{Error, Result, Store, kept};

/// The superuser of the cluster and the database it owns.
pub(crate) const OWNER: &str = "wharf";

/// Ten components with a pool of sixteen, and room for tools.
const CONNECTIONS: u32 = 200;

pub(crate) struct Postgres {
    pub(crate) programs: PostgresPrograms,
    /// Holds the cluster and nothing else.
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

/// The major version that made the cluster below `folder`; `None` when there is none yet.
pub(crate) fn cluster_version(folder: &Path) -> Result<Option<u32>> {
    let file = data(folder).join("PG_VERSION");
    let text = kept::read(&file).map_err(Error::io(format!("cannot read {}", file.display())))?;
    match text.map(|text| text.trim().parse()) {
        None => Ok(None),
        Some(Ok(version)) => Ok(Some(version)),
        Some(Err(_)) => Err(Error::NotStarted {
            store: Store::Postgres,
            detail: format!("{} names no version: the files are damaged", file.display()),
        }),
    }
}

impl Postgres {
    /// Makes the cluster, with `password` for its superuser. An interrupted attempt leaves nothing
    /// that a later start takes for a good cluster: the files get their name when they are
    /// complete.
    pub(crate) fn make_cluster(&self, password: &str) -> Result<()> {
        let unfinished = self.folder.join("data.init");
        process::clear_of_orphans(&unfinished)?;
        let doing = || Error::io(format!("cannot make {}", unfinished.display()));
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(doing())?;
        }
        self.make_folder().map_err(doing())?;
        let password_file = self.folder.join("password");
        kept::write(&password_file, password).map_err(doing())?;
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
        // Sorted by code point, which is fast and the same everywhere; but É is known to be the
        // upper case of é.
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
            // One sync of the file system instead of a thousand of files.
            let folder = File::open(&unfinished).map_err(doing())?;
            rustix::fs::syncfs(&folder).map_err(|error| doing()(error.into()))?;
        }
        fs::rename(&unfinished, data(&self.folder)).map_err(doing())?;
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(doing())
    }

    fn make_folder(&self) -> std::io::Result<()> {
        kept::make_private_folder(&self.folder)?;
        match &self.user {
            Some(user) => chown(&self.folder, Some(user.uid), Some(user.gid)),
            None => Ok(()),
        }
    }

    /// A program that runs for a moment; nothing of it has to be saved when we die.
    fn tool(&self, program: &str) -> Command {
        process::command(
            &self.programs.folder.join(program),
            self.user.as_ref(),
            Signal::KILL,
        )
    }
}

/// Runs a tool to its end. The single-user server reports errors without failing, so those are
/// looked for.
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
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() && !said.contains("ERROR:") && !said.contains("FATAL:") {
        return Ok(());
    }
    let detail = format!("{program}: {}\n{}", output.status, said.trim_end());
    Err(Error::NotStarted {
        store: Store::Postgres,
        detail,
    })
}

impl Program for Postgres {
    const STORE: Store = Store::Postgres;

    // "Fast": ends sessions, writes a checkpoint. Then "immediate".
    const FAREWELLS: &'static [(Signal, Duration)] = &[
        (Signal::INT, Duration::from_secs(10)),
        (Signal::QUIT, Duration::from_secs(5)),
    ];

    fn command(&mut self) -> Result<Command> {
        let data = data(&self.folder);
        clear_stale_lock(&self.folder)?;
        let log = self
            .log
            .begin()
            .map_err(Error::io("cannot open the log of PostgreSQL"))?;
        // SIGQUIT ends it at once, without a checkpoint: the next start replays the log, nothing is
        // lost.
        let program = self.programs.folder.join("postgres");
        let mut command = process::command(&program, self.user.as_ref(), Signal::QUIT);
        command
            .arg("-D")
            .arg(&data)
            .arg("-p")
            .arg(self.port.to_string());
        for setting in [
            "listen_addresses=127.0.0.1",
            // A socket in the file system would need a short path that everybody can reach.
            "unix_socket_directories=",
            &format!("max_connections={CONNECTIONS}"),
            "logging_collector=off",
            "timezone=UTC",
            "log_timezone=UTC",
            // Recovery syncs the file system once instead of opening every file: 0.6 s instead of
            // 5.
            "recovery_init_sync_method=syncfs",
            // Compiling a query takes longer than most of ours run.
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

    /// The postmaster says so itself, in the eighth line of its lock file; asking over the network
    /// would take longer and might reach somebody else's server.
    fn answers(&self, pid: u32) -> bool {
        let lock =
            fs::read_to_string(data(&self.folder).join("postmaster.pid")).unwrap_or_default();
        let mut lines = lock.lines().map(str::trim);
        lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready")
    }

    fn complaint(&self) -> String {
        self.log.complaint()
    }
}

/// Removes the lock file of a postmaster that was killed. PostgreSQL itself mistakes a zombie that
/// nobody reaps, or a stranger that got the same process id, for a running postmaster, and refuses
/// to start.
///
/// Removing it is safe only when no process of the old cluster is left, backends included, so that
/// is waited for.
pub(crate) fn clear_stale_lock(folder: &Path) -> Result<()> {
    let data = data(folder);
    let lock = data.join("postmaster.pid");
    if !lock.exists() {
        return Ok(());
    }
    process::clear_of_orphans(&data)?;
    kept::remove(&lock).map_err(Error::io(format!("cannot remove {}", lock.display())))
}
