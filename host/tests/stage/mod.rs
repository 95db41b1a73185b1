//! The stage for the host's tests: the real binary, real components, a folder and a port of their own.
#![allow(dead_code, reason = "each test uses some of it")]

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use wharf_launch::{Log, Server};

/// Cold, it compiles the guests that it runs.
const STARTS_WITHIN: Duration = Duration::from_secs(120);

/// Where the test guests are, built once.
pub fn guests() -> &'static Path {
    static GUESTS: OnceLock<PathBuf> = OnceLock::new();
    GUESTS.get_or_init(|| {
        let target = target().join("guests");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--quiet", "--target", "wasm32-wasip2"])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guests"))
            .env("CARGO_TARGET_DIR", &target)
            .env_remove("RUSTFLAGS")
            // With it, as `infra/test --times` runs tests, cargo would build all of them anew.
            .env_remove("RUSTC_BOOTSTRAP")
            .status()
            .unwrap();
        assert!(built.success(), "the test guests do not build");
        target.join("wasm32-wasip2/release")
    })
}

/// The folder cargo builds into.
fn target() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_wharf"))
        .parent()
        .and_then(Path::parent)
        .unwrap()
}

/// A folder with a manifest. `{guests}` in it is where the guests are.
pub fn folder(manifest: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(
        "spin_manifest_version = 2\n[application]\nname = \"stage\"\nversion = \"1.0.0\"\n{manifest}"
    );
    let manifest = manifest.replace("{guests}", guests().to_str().unwrap());
    fs::write(folder.path().join("spin.toml"), manifest).unwrap();
    // What one test compiled no other compiles again.
    let cache = target().join("guests/compiled");
    wharf_launch::link_cache(&folder.path().join(".wharf"), &cache).unwrap();
    folder
}

/// The address of a database with the table `sale`, which has one row, and of a Redis, as the variables `till_url` and
/// `redis_url`.
const TILL: &str = r#"
[application.tool.wharf]
migrations = "migrations"
[application.tool.wharf.variables]
till_url = "postgres:till"
redis_url = "redis"
[variables]
till_url = { required = true }
redis_url = { required = true }
"#;

/// Starts the stores of `TILL` and the components of the manifest.
pub fn start_with_till(manifest: &str) -> Host {
    let folder = folder(&format!("{TILL}{manifest}"));
    // When started as root, PostgreSQL runs as another user, who needs access.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let till = folder.path().join("migrations/till");
    fs::create_dir_all(&till).unwrap();
    let table = "CREATE TABLE sale (id int PRIMARY KEY); INSERT INTO sale VALUES (1)";
    fs::write(till.join("0001_sale.sql"), table).unwrap();
    Host::start_in(folder, &["--volatile"])
}

pub fn wharf(folder: &Path) -> Command {
    let mut command = wharf_launch::wharf(Path::new(env!("CARGO_BIN_EXE_wharf")));
    command.current_dir(folder);
    command
}

/// A host that serves.
pub struct Host {
    pub folder: TempDir,
    pub base_url: String,
    server: Server,
}

impl Host {
    pub fn start(manifest: &str) -> Self {
        Self::start_with(manifest, &[])
    }

    pub fn start_with(manifest: &str, args: &[&str]) -> Self {
        Self::start_in(folder(manifest), args)
    }

    /// A host that has ended, once more in its folder.
    pub fn start_again(mut self, args: &[&str]) -> Self {
        let elsewhere = tempfile::tempdir().unwrap();
        let folder = std::mem::replace(&mut self.folder, elsewhere);
        Self::start_in(folder, args)
    }

    pub fn start_in(folder: TempDir, args: &[&str]) -> Self {
        let mut command = wharf_launch::up(Path::new(env!("CARGO_BIN_EXE_wharf")), "127.0.0.1:0");
        command.args(args).current_dir(folder.path());
        let log = Log::new(&folder.path().join("stderr.txt"));
        let server = wharf_launch::launch(command, &log, STARTS_WITHIN);
        let server = server.unwrap_or_else(|failure| panic!("{failure}"));
        Self {
            folder,
            base_url: format!("http://{}", server.address()),
            server,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What the host and its components printed so far.
    pub fn said(&self) -> String {
        self.server.log().read()
    }

    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(".wharf/logs").join(name)).unwrap_or_default()
    }

    pub fn signal(&self, signal: libc::c_int) {
        let signal = Signal::from_named_raw(signal).unwrap();
        self.server.signal(signal).unwrap();
    }

    /// The most memory it ever had.
    pub fn peak_kilobytes(&self) -> u64 {
        self.server.peak_kilobytes().unwrap()
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.server.status().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the host does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(self.url(path)).body(Bytes::new()).unwrap())
            .await
    }

    pub async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send(Request::post(self.url(path)).body(body.into()).unwrap())
            .await
    }

    pub async fn send(&self, request: Request<Bytes>) -> Answer {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer: Response<_> = client.request(request.map(Full::new)).await.unwrap();
        let (head, body) = answer.into_parts();
        Answer {
            head,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// The value of a metric, 0 if it was never counted.
    pub async fn metric(&self, series: &str) -> f64 {
        let text = self.get("/metrics").await.text();
        let line = text.lines().find_map(|line| {
            line.strip_prefix(series)?
                .strip_prefix(' ')
                .map(str::to_owned)
        });
        line.map_or(0.0, |value| value.parse().unwrap())
    }
}

#[derive(Debug)]
pub struct Answer {
    pub head: hyper::http::response::Parts,
    pub body: Bytes,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    pub fn header(&self, name: &str) -> &str {
        self.head
            .headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of a refusal of the host, which is a whole problem with this request's id.
    pub fn refusal(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status());
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        for member in ["type", "title", "detail"] {
            assert!(problem[member].is_string(), "{problem}");
        }
        problem["code"].as_str().unwrap().to_owned()
    }
}

/// Waits until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The time that a request of another client takes: the longest of a hundred but one.
pub async fn p99(mut request: impl AsyncFnMut()) -> Duration {
    let mut times = Vec::new();
    for _ in 0..100 {
        let asked = Instant::now();
        request().await;
        times.push(asked.elapsed());
    }
    times.sort_unstable();
    times[98]
}

/// A port that is free right now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
