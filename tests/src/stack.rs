//! The platform, running: one `wharf up` of the real spin.toml, with stores of its own that are thrown
//! away afterwards.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::ops::Deref;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use wharf_stores::{Stores, Wanted};

use crate::background::runtime;
use crate::cable::Cable;
use crate::folder::Folder;
use crate::process;
use crate::request::Request;

/// A cold start on a machine that is busy with other tests.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// The first admin's, on every stack here.
pub(crate) const ADMIN_PASSWORD: &str = "Harbour-Master-1";

/// How a stack is started: what is not said is as for anybody who runs `wharf up`.
#[derive(Clone)]
pub struct Options {
    manifest: PathBuf,
    /// Stands below the manifest.
    addition: String,
    arguments: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            manifest: repository().join("spin.toml"),
            addition: String::new(),
            arguments: Vec::new(),
        }
    }
}

impl Options {
    pub fn variable(self, name: &str, value: &str) -> Self {
        self.argument("--variable")
            .argument(&format!("{name}={value}"))
    }

    /// With more in the manifest than there is: another function, another setting.
    pub fn manifest(mut self, addition: &str) -> Self {
        self.addition.push_str(addition);
        self
    }

    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    pub fn start(self) -> Stack {
        Stack::run(self, None)
    }

    /// With PostgreSQL and Redis at the far end of a [`Cable`] each.
    pub fn start_cabled(mut self) -> Stack {
        let outside = Outboard::start();
        let variables = format!("@{}", outside.variables(&self.manifest).display());
        let arguments = [
            ["--postgres-url", &outside.postgres.1],
            ["--redis-url", &outside.redis.1],
            ["--variable", &variables],
        ];
        // Of a variable given twice the last one counts: what the test says.
        let arguments = arguments.into_iter().flatten().map(str::to_owned);
        self.arguments.splice(0..0, arguments);
        Stack::run(self, Some(outside))
    }
}

/// Stores that run beside the host instead of below it, each at the far end of a cable.
struct Outboard {
    /// The cable, and the address by which the host finds what is behind it.
    postgres: (Cable, String),
    redis: (Cable, String),
    /// The addresses without the cables.
    direct: [String; 2],
    // Stopped before their folder goes.
    _stores: Stores,
    folder: Folder,
}

impl Outboard {
    fn start() -> Self {
        let folder = Folder::new("stores");
        let options = wharf_stores::Options {
            data_dir: folder.path().to_owned(),
            postgres: Wanted::Embedded,
            redis: Wanted::Embedded,
            s3: Wanted::No,
            durable: false,
        };
        let stores = runtime().block_on(Stores::start(options, |_| {}));
        let stores = stores.unwrap_or_else(|error| panic!("{error}"));
        let addresses = stores.addresses().clone();
        let direct =
            [addresses.postgres_url, addresses.redis_url].map(|it| it.expect("it was wanted"));
        let [postgres, redis] = [&direct[0], &direct[1]].map(|url| {
            let far = address_in(url);
            let cable = Cable::to(far);
            let near = url.replace(&far.to_string(), &cable.near().to_string());
            (cable, near)
        });
        Self {
            postgres,
            redis,
            direct,
            _stores: stores,
            folder,
        }
    }

    /// What all hosts on these stores are given alike, as an operator makes it.
    fn variables(&self, manifest: &Path) -> PathBuf {
        let file = self.folder.path().join("variables.toml");
        let chosen = format!("admin_password = \"{ADMIN_PASSWORD}\"\n");
        fs::write(&file, chosen).expect("to write variables");
        let made = Command::new(wharf())
            .arg("keys")
            .arg("--variables")
            .arg(&file)
            .args(["--postgres-url", &self.postgres.1, "--from"])
            .arg(manifest)
            .status()
            .expect("wharf runs");
        assert!(made.success(), "wharf keys: {made}");
        file
    }
}

/// Where the host says that it listens.
fn address_said(said: &Value) -> SocketAddr {
    said["base_url"]
        .as_str()
        .and_then(|it| it.strip_prefix("http://"))
        .and_then(|it| it.parse().ok())
        .unwrap_or_else(|| panic!("no base_url in {said}"))
}

/// Where the server of `scheme://user:password@host:port/path` is.
fn address_in(url: &str) -> SocketAddr {
    let host = url.rsplit('@').next().and_then(|it| it.split('/').next());
    host.and_then(|it| it.parse().ok())
        .unwrap_or_else(|| panic!("no host:port in {url}"))
}

pub struct Stack {
    options: Options,
    host: Child,
    at: SocketAddr,
    postgres_url: String,
    redis_url: String,
    /// What the host has said so far that belongs to an earlier life.
    log_from: u64,
    outboard: Option<Outboard>,
    // Dropped last: the host works in it.
    folder: Folder,
}

/// The shared stack, as one test uses it: shows what the host said meanwhile when the test fails.
pub struct Borrowed {
    stack: &'static Stack,
    log_from: u64,
}

impl Stack {
    /// The one that all tests of a program share. Nobody may break it.
    pub fn shared() -> Borrowed {
        static SHARED: OnceLock<Stack> = OnceLock::new();
        let stack = SHARED.get_or_init(Self::start);
        Borrowed {
            stack,
            log_from: stack.log_length(),
        }
    }

    /// One to break, as `wharf up` starts it.
    pub fn start() -> Self {
        Options::default().start()
    }

    fn run(options: Options, outboard: Option<Outboard>) -> Self {
        let folder = Folder::new("stack");
        lay_out(folder.path(), &options);
        let (host, said) = launch(&options, folder.path(), "127.0.0.1:0");
        let url = |store: &str| {
            said["stores"][store]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let [postgres_url, redis_url] = match &outboard {
            Some(outboard) => outboard.direct.clone(),
            None => [url("postgres_url"), url("redis_url")],
        };
        Self {
            options,
            host,
            at: address_said(&said),
            postgres_url,
            redis_url,
            log_from: 0,
            outboard,
            folder,
        }
    }

    /// A second host on the same stores and with the same secrets, as behind a load balancer. For a
    /// stack that was started cabled: other stores belong to their host.
    pub fn beside(&self) -> Self {
        assert!(
            self.outboard.is_some(),
            "the stores belong to the first host"
        );
        let folder = Folder::new("stack");
        lay_out(folder.path(), &self.options);
        let (host, said) = launch(&self.options, folder.path(), "127.0.0.1:0");
        Self {
            options: self.options.clone(),
            host,
            at: address_said(&said),
            postgres_url: self.postgres_url.clone(),
            redis_url: self.redis_url.clone(),
            log_from: 0,
            outboard: None,
            folder,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.at
    }

    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.at, method, path)
    }

    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    /// The database as its owner, past every component and every cable.
    pub fn sql(&self) -> postgres::Client {
        postgres::Client::connect(&self.postgres_url, postgres::NoTls).expect("PostgreSQL")
    }

    pub(crate) fn postgres_address(&self) -> SocketAddr {
        address_in(&self.postgres_url)
    }

    /// Redis, past every cable.
    pub fn redis(&self) -> redis::Connection {
        let client = redis::Client::open(self.redis_url.as_str()).expect("an address of Redis");
        client.get_connection().expect("Redis")
    }

    /// Hears what is published on `channel` from now on.
    pub fn listen(&self, channel: &str) -> Listening {
        let mut connection = self.redis();
        connection
            .send_packed_command(&redis::cmd("SUBSCRIBE").arg(channel).get_packed_command())
            .expect("to subscribe");
        let confirmed = connection.recv_response().expect("a confirmation");
        assert!(
            format!("{confirmed:?}").contains("subscribe"),
            "{confirmed:?}"
        );
        Listening {
            connection,
            channel: channel.to_owned(),
        }
    }

    /// The line to PostgreSQL of a stack that was started cabled.
    pub fn postgres_cable(&self) -> &Cable {
        &self.outboard.as_ref().expect("a cabled stack").postgres.0
    }

    /// The line to Redis of a stack that was started cabled.
    pub fn redis_cable(&self) -> &Cable {
        &self.outboard.as_ref().expect("a cabled stack").redis.0
    }

    pub fn pid(&self) -> u32 {
        self.host.id()
    }

    /// Where the host keeps everything.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// As a power cut for the host: `kill -9`.
    pub fn kill(&mut self) {
        self.host.kill().expect("to kill the host");
        self.host.wait().expect("the host is our child");
    }

    /// The same while others still talk to it; [`Stack::kill`] waits for the end.
    pub fn signal_kill(&self) {
        self.signal(Signal::KILL);
    }

    /// As an operator would end it; how it ended, or nothing when it did not within `patience`.
    pub fn stop(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        let began = Instant::now();
        while began.elapsed() < patience {
            if let Some(status) = self.host.try_wait().expect("the host is our child") {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(10));
        }
        None
    }

    /// The host stands still, as on a machine that is out of memory, until [`Stack::resume`].
    pub fn suspend(&self) {
        self.signal(Signal::STOP);
    }

    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.host.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), signal).expect("to signal the host");
    }

    /// The same host again, on the same address and the same data.
    pub fn start_again(&mut self) {
        self.log_from = self.log_length();
        let (host, said) = launch(&self.options, self.folder.path(), &self.at.to_string());
        self.host = host;
        if self.outboard.is_none() {
            let url = |store: &str| {
                said["stores"][store]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            (self.postgres_url, self.redis_url) = (url("postgres_url"), url("redis_url"));
        }
    }

    /// What the host and the components said since it was last started.
    pub fn log(&self) -> String {
        log_of(self.folder.path(), self.log_from)
    }

    fn log_length(&self) -> u64 {
        fs::metadata(self.folder.path().join("host.log")).map_or(0, |it| it.len())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if thread::panicking() {
            show(&self.log());
        }
        // Its children die with it.
        let _ = self.host.kill();
        let _ = self.host.wait();
    }
}

impl Deref for Borrowed {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        self.stack
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if thread::panicking() {
            show(&log_of(self.stack.folder.path(), self.log_from));
        }
    }
}

/// Goes with the output of the test that failed.
fn show(log: &str) {
    const LAST: usize = 120;
    let lines: Vec<_> = log.lines().collect();
    eprintln!("--- what the host said meanwhile");
    for line in &lines[lines.len().saturating_sub(LAST)..] {
        eprintln!("{line}");
    }
    eprintln!("---");
}

/// A Redis channel, being listened to.
pub struct Listening {
    connection: redis::Connection,
    channel: String,
}

impl Listening {
    /// The next message, if one comes in time.
    pub fn next(&mut self, within: Duration) -> Option<String> {
        self.connection
            .set_read_timeout(Some(within))
            .expect("a timeout");
        let pushed = self.connection.recv_response().ok()?;
        let (kind, channel, payload): (String, String, String) =
            redis::from_redis_value(pushed).expect("a message of text");
        assert_eq!((kind.as_str(), &channel), ("message", &self.channel));
        Some(payload)
    }

    /// The next message for which `is_it` holds; others pass by.
    pub fn find(&mut self, within: Duration, is_it: impl Fn(&str) -> bool) -> Option<String> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.next(left.max(Duration::from_millis(1)))?;
            if is_it(&message) {
                return Some(message);
            }
        }
    }
}

/// The clone these tests were built in.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the repository")
}

/// A folder that looks to the host like the clone, but for what a developer's own runs left there:
/// an `.env` would lead the tests to the developer's stores.
fn lay_out(folder: &Path, options: &Options) {
    let (app, data) = (folder.join("app"), folder.join("data"));
    fs::create_dir(&app).expect("a folder");
    fs::create_dir(&data).expect("a folder");
    let manifest = &options.manifest;
    let original = manifest.parent().expect("a manifest is in a folder");
    for entry in fs::read_dir(original)
        .expect("the manifest's folder")
        .flatten()
    {
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with('.') {
            symlink(entry.path(), app.join(name)).expect("a link");
        }
    }
    if !options.addition.is_empty() {
        let whole = fs::read_to_string(manifest).expect("the manifest") + &options.addition;
        let name = manifest.file_name().expect("a manifest is a file");
        fs::remove_file(app.join(name)).expect("to remove the link");
        fs::write(app.join(name), whole).expect("to write the manifest");
    }
    // Compiled once for all stacks.
    let cache = repository().join("target/wharf-tests-cache");
    fs::create_dir_all(&cache).expect("a folder");
    symlink(cache, data.join("cache")).expect("a link");
}

fn wharf() -> PathBuf {
    let program = repository().join("target/release/wharf");
    assert!(
        program.exists(),
        "{} is not built: run infra/test",
        program.display()
    );
    program
}

/// Starts the host and waits for the line that says it serves.
fn launch(options: &Options, folder: &Path, listen: &str) -> (Child, Value) {
    // Two stacks that start at once would only wait for each other's compiling.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();

    let name = options.manifest.file_name().expect("a manifest is a file");
    let log_from = fs::metadata(folder.join("host.log")).map_or(0, |it| it.len());
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("host.log"))
        .expect("a log");
    let mut command = process::mortal(&wharf());
    command
        .args([
            "up",
            "--format",
            "json",
            "--listen",
            listen,
            "--volatile",
            "--from",
        ])
        .arg(folder.join("app").join(name))
        .arg("--data-dir")
        .arg(folder.join("data"))
        .args(["--variable", &format!("admin_password={ADMIN_PASSWORD}")])
        .args(&options.arguments)
        .env_clear()
        .envs(
            ["PATH", "LD_LIBRARY_PATH"]
                .iter()
                .filter_map(|it| Some((it, std::env::var_os(it)?))),
        )
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    let mut host = process::spawn(command);
    let stdout = host.stdout.take().expect("its stdout is piped");
    match first_line(stdout) {
        Some(said) => (host, said),
        None => {
            let _ = host.kill();
            let how = host.wait();
            show(&log_of(folder, log_from));
            panic!("wharf up does not serve: {how:?}");
        }
    }
}

/// The line, unless it ends or takes too long first. What follows is read too, so that the pipe never fills.
fn first_line(stdout: ChildStdout) -> Option<Value> {
    let (said, heard) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = said.send(line);
        }
    });
    let line = heard.recv_timeout(STARTS_WITHIN).ok()?;
    serde_json::from_str(&line).ok()
}

fn log_of(folder: &Path, from: u64) -> String {
    let mut text = Vec::new();
    if let Ok(mut file) = File::open(folder.join("host.log")) {
        let _ = file.seek(SeekFrom::Start(from));
        let _ = file.read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}
