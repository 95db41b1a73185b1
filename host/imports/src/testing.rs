//! Real stores for the tests of this crate: they start on free ports and are gone when the test process is.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wharf_manifest::egress::{AllowedHosts, BlockedNetworks};

use crate::egress::Egress;

/// PostgreSQL refuses to run as root; this user exists everywhere and owns nothing.
const NOBODY: u32 = 65534;
/// Starts its arguments, stops them when told to or when its parent dies, then removes the folder `$0`. A server stops at
/// SIGINT even with clients, but one that a shell started in the background ignores it until it has begun to serve.
const KEEPER: &str = r#"
    "$@" >"$0/log" 2>&1 &
    pid=$!
    trap 'kill -INT $pid; kill -TERM $pid' TERM
    wait $pid
    wait $pid
    rm -rf "$0"
"#;

/// Below the range the system hands out by itself, so that nobody gets it in the meantime.
pub fn free_port() -> u16 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = LAST.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + (std::process::id().wrapping_mul(97) + count) % 12_000;
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// A component that may go anywhere on this machine.
pub fn anywhere() -> Arc<Egress> {
    let allowed = AllowedHosts::parse(&["*://*:*".to_owned()]).unwrap();
    Arc::new(Egress::new(
        allowed,
        BlockedNetworks::default(),
        Arc::new(|_| ()),
    ))
}

/// Polls until it is true; a test that waits in vain fails here.
pub async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !check().await {
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The same, for what may fail while the machine is busy with other tests, like connecting in time.
pub async fn at_last<T, E: std::fmt::Debug>(mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => assert!(Instant::now() < deadline, "in vain: {error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A store as a child process.
pub struct Server {
    pub port: u16,
    keeper: u32,
    ended: mpsc::Receiver<()>,
}

impl Server {
    /// `programs` run in the folder, which is removed afterwards.
    fn start(folder: &Path, port: u16, program: &[String], is_ready: fn(u16) -> bool) -> Server {
        let mut command = Command::new("setpriv");
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        command
            .args(["--pdeathsig", "TERM", "sh", "-c", KEEPER])
            .arg(folder)
            .args(program)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir(folder);
        let (started, pid) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        // The signal comes when the thread that started the child ends, so this one lives as long as the child.
        thread::spawn(move || {
            let mut child = command.spawn().unwrap();
            started.send(child.id()).unwrap();
            child.wait().unwrap();
            drop(end);
        });
        let keeper = pid.recv().unwrap();
        let server = Server {
            port,
            keeper,
            ended,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_ready(port) {
            assert!(Instant::now() < deadline, "{program:?} is not ready");
            thread::sleep(Duration::from_millis(10));
        }
        server
    }

    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stop = format!("kill -TERM {}", self.keeper);
        Command::new("sh").args(["-c", &stop]).status().unwrap();
        // An error is the end of the thread that waited for the child.
        assert!(self.ended.recv().is_err());
    }
}

/// An empty folder of the test's own.
pub fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("wharf-{name}-{}-{count}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).unwrap();
    folder
}

fn postgres_program(name: &str) -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = versions.map(|entry| entry.unwrap().path().join("bin").join(name));
    let newest = newest.filter(|path| path.exists()).max();
    newest.map_or(name.to_owned(), |path| path.display().to_string())
}

/// A PostgreSQL of its own, where anybody on this machine is the superuser `postgres`. `settings` are `name=value`.
pub fn start_postgres(port: u16, settings: &[&str]) -> Server {
    let folder = folder("postgres");
    start_postgres_in(&folder, port, settings)
}

fn start_postgres_in(folder: &Path, port: u16, settings: &[&str]) -> Server {
    let data = folder.join("data").display().to_string();
    let (initdb, postgres) = (postgres_program("initdb"), postgres_program("postgres"));
    let settings: String = settings.iter().map(|s| format!(" -c {s}")).collect();
    let script = format!(
        "{initdb} --no-sync -A trust -U postgres -E UTF8 -D {data} && exec {postgres} -D {data} -p {port} \
         -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c log_min_messages=warning{settings}"
    );
    let program = ["sh".to_owned(), "-c".to_owned(), script];
    Server::start(folder, port, &program, |port| {
        // It takes connections before it answers them.
        let mut ask = Command::new(postgres_program("pg_isready"));
        let port = port.to_string();
        let ask = ask.args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
        ask.unwrap().success()
    })
}

/// A PostgreSQL that also speaks TLS with this certificate, given as PEM texts.
pub fn start_postgres_with_tls(certificate: &str, key: &str) -> Server {
    let folder = folder("postgres-tls");
    let certificate_file = folder.join("server.crt");
    let key_file = folder.join("server.key");
    fs::write(&certificate_file, certificate).unwrap();
    fs::write(&key_file, key).unwrap();
    // Its owner must be who runs the server, and nobody else may read it.
    Command::new("chmod")
        .arg("600")
        .arg(&key_file)
        .status()
        .unwrap();
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        chown(&key_file, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificate_file.display()),
        format!("ssl_key_file={}", key_file.display()),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    start_postgres_in(&folder, free_port(), &settings)
}

/// The one PostgreSQL that tests share. Each uses tables of its own name.
pub fn postgres() -> u16 {
    static SERVER: OnceLock<u16> = OnceLock::new();
    *SERVER.get_or_init(|| {
        let server = start_postgres(free_port(), &["max_connections=200"]);
        let port = server.port;
        std::mem::forget(server);
        port
    })
}

pub fn start_redis(port: u16) -> Server {
    let folder = folder("redis");
    let program = [
        "redis-server",
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--port",
    ];
    let mut program: Vec<String> = program.map(str::to_owned).to_vec();
    program.push(port.to_string());
    Server::start(&folder, port, &program, |port| {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    })
}

/// The one Redis that tests share. Each uses keys of its own name.
pub fn redis() -> u16 {
    static SERVER: OnceLock<u16> = OnceLock::new();
    *SERVER.get_or_init(|| {
        let server = start_redis(free_port());
        let port = server.port;
        std::mem::forget(server);
        port
    })
}

/// Stands between a client and a server and counts what passes. Muted it takes whatever either says and passes nothing on.
#[derive(Clone)]
pub struct Proxy {
    pub port: u16,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    round_trips: AtomicUsize,
    is_mute: AtomicBool,
}

impl Proxy {
    pub async fn to(server: u16) -> Proxy {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.unwrap();
        let proxy = Proxy {
            port: listener.local_addr().unwrap().port(),
            counts: Arc::default(),
        };
        let counts = Arc::clone(&proxy.counts);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                counts.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(pass(client, server, Arc::clone(&counts)));
            }
        });
        proxy
    }

    pub fn mute(&self, is_mute: bool) {
        self.counts.is_mute.store(is_mute, Ordering::Relaxed);
    }

    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// How often a client spoke after its server had.
    pub fn round_trips(&self) -> usize {
        self.counts.round_trips.load(Ordering::Relaxed)
    }
}

async fn pass(mut client: tokio::net::TcpStream, server: u16, counts: Arc<Counts>) {
    let Ok(mut server) = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else {
        return;
    };
    let (mut asked, mut answered) = ([0; 16384], [0; 16384]);
    let mut server_spoke = true;
    let is_mute = || counts.is_mute.load(Ordering::Relaxed);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(read @ 1..) = read else { return };
                if is_mute() {
                    continue;
                }
                if std::mem::replace(&mut server_spoke, false) {
                    counts.round_trips.fetch_add(1, Ordering::Relaxed);
                }
                server.write_all(&asked[..read]).await.unwrap();
            }
            read = server.read(&mut answered) => {
                let Ok(read @ 1..) = read else { return };
                if is_mute() {
                    continue;
                }
                server_spoke = true;
                client.write_all(&answered[..read]).await.unwrap();
            }
        }
    }
}
