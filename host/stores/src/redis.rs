//! The embedded Redis as a child process. Its append-only file keeps acknowledged writes after a
//! crash of Redis. Its logins are written anew at each start, with the rights that the application's manifest gives them.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use sha2::{Digest as _, Sha256};

use crate::child::Program;
use crate::error::{Error, Result};
use crate::log_file::LogFile;
use crate::migrations::hex;
use crate::options::Store;
use crate::private_file;
use crate::process::{self, User};

pub(crate) struct Redis {
    pub(crate) program: PathBuf,
    /// Contains the files of Redis only.
    pub(crate) folder: PathBuf,
    pub(crate) user: Option<User>,
    pub(crate) port: u16,
    /// Of the login `default`, which may do everything.
    pub(crate) password: String,
    pub(crate) logins: Vec<Login>,
    pub(crate) durable: bool,
    pub(crate) log: LogFile,
}

#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) rules: String,
}

impl Redis {
    /// Writes the settings to a file, because one is a password and all users of the machine can see
    /// the arguments of a process.
    fn write_settings(&self) -> std::io::Result<PathBuf> {
        private_file::create_folder(&self.folder)?;
        let settings = self.folder.join("redis.conf");
        let mut text = format!(
            "bind 127.0.0.1\n\
             port {port}\n\
             requirepass {password}\n\
             dir {folder}\n\
             pidfile {pid_file}\n\
             daemonize no\n\
             save \"\"\n\
             appendonly yes\n\
             appendfsync {sync}\n",
            port = self.port,
            password = self.password,
            folder = quote(&self.folder),
            pid_file = quote(&pid_file(&self.folder)),
            sync = if self.durable { "everysec" } else { "no" },
        );
        for login in &self.logins {
            // A hash, because Redis prints a line that it refuses.
            let password = hex(&Sha256::digest(&login.password));
            let _ = writeln!(text, "user {} on #{password} {}", login.name, login.rules);
        }
        private_file::write(&settings, &text)?;
        if let Some(user) = &self.user {
            for path in [&self.folder, &settings] {
                chown(path, Some(user.uid), Some(user.gid))?;
            }
        }
        Ok(settings)
    }

    fn ping(&self) -> std::io::Result<bool> {
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        server.set_read_timeout(Some(Duration::from_secs(1)))?;
        server.write_all(format!("AUTH {}\r\nPING\r\n", self.password).as_bytes())?;
        // Redis answers -LOADING while it reads its files. Another server on the port does not know the
        // password.
        let expected = b"+OK\r\n+PONG\r\n";
        let mut answer = [0; 12];
        server.read_exact(&mut answer)?;
        Ok(&answer == expected)
    }
}

/// Removes the pid file that a killed Redis left. First waits for the end of that process: two Redis
/// processes would corrupt the append-only file.
pub(crate) fn clear_stale_pid_file(folder: &Path) -> Result<()> {
    let pid_file = pid_file(folder);
    if !pid_file.exists() {
        return Ok(());
    }
    process::end_orphans(folder)?;
    private_file::remove(&pid_file)
        .map_err(Error::io(format!("cannot remove {}", pid_file.display())))
}

fn pid_file(folder: &Path) -> PathBuf {
    folder.join("redis.pid")
}

/// Quotes a path for the configuration file of Redis.
fn quote(path: &Path) -> String {
    format!(
        "\"{}\"",
        path.display()
            .to_string()
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
    )
}

impl Program for Redis {
    const STORE: Store = Store::Redis;

    const STOP_SIGNALS: &'static [(Signal, Duration)] = &[(Signal::TERM, Duration::from_secs(10))];

    fn command(&mut self) -> Result<Command> {
        let doing = || Error::io(format!("cannot create {}", self.folder.display()));
        clear_stale_pid_file(&self.folder)?;
        let settings = self.write_settings().map_err(doing())?;
        let opening = || Error::io("cannot open the log of Redis");
        let log = self.log.begin_start().map_err(opening())?;
        // Redis writes faults of its settings to stderr, as a rule of a login that it does not know.
        let faults = log.try_clone().map_err(opening())?;
        let mut command = process::command(&self.program, self.user.as_ref(), Signal::TERM);
        command.arg(settings).stdout(log).stderr(faults);
        Ok(command)
    }

    fn is_ready(&self, _pid: u32) -> bool {
        self.ping().unwrap_or(false)
    }

    fn log_tail(&self) -> String {
        self.log.tail()
    }
}
