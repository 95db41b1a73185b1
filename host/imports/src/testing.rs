//! Real stores for the tests of this crate. They listen on free ports and stop with the test process.

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

use crate::budget::Budget;
use crate::egress::Egress;

/// The user `nobody`: PostgreSQL refuses to run as root.
const UNPRIVILEGED: u32 = 65534;
/// Runs its arguments until it gets SIGTERM or its parent dies, then removes the folder `$0`. SIGINT stops PostgreSQL even
/// while clients are connected, but a server started in the background by a shell ignores it until it serves.
const SUPERVISOR: &str = r#"
    "$@" >"$0/log" 2>&1 &
    pid=$!
    trap 'kill -INT $pid; kill -TERM $pid' TERM
    wait $pid
    wait $pid
    rm -rf "$0"
"#;

/// A port below the ephemeral range, so that no outgoing connection takes it before the server does.
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

/// Grants every destination, within the limits of a component.
pub fn allow_all() -> Arc<Egress> {
    let allowed = AllowedHosts::parse(&["*://*:*".to_owned()]).unwrap();
    let egress = Egress::new(allowed, BlockedNetworks::default(), Arc::new(|_| ()));
    Arc::new(egress.with_budget(Budget::new(128, 256 << 20, None)))
}

/// Polls until `check` is true. Panics after a deadline.
pub async fn wait_until(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !check().await {
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Retries until it succeeds, because connecting may time out while other tests keep the machine busy. Panics after a
/// deadline.
pub async fn retry<T, E: std::fmt::Debug>(mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => assert!(
                Instant::now() < deadline,
                "retried until the deadline: {error:?}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A store as a child process.
pub struct Server {
    pub port: u16,
    supervisor: u32,
    ended: mpsc::Receiver<()>,
}

impl Server {
    /// Runs `program` in the folder, which is removed afterwards.
    fn start(folder: &Path, port: u16, program: &[String], is_ready: fn(u16) -> bool) -> Server {
        let mut command = Command::new("setpriv");
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            chown(folder, Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        command
            .args(["--pdeathsig", "TERM", "sh", "-c", SUPERVISOR])
            .arg(folder)
            .args(program)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir(folder);
        let (started, pid) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        // `--pdeathsig` fires when the thread that spawned the child ends, so this thread waits for the child.
        thread::spawn(move || {
            let mut child = command.spawn().unwrap();
            started.send(child.id()).unwrap();
            child.wait().unwrap();
            drop(end);
        });
        let supervisor = pid.recv().unwrap();
        let server = Server {
            port,
            supervisor,
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
        let stop = format!("kill -TERM {}", self.supervisor);
        Command::new("sh").args(["-c", &stop]).status().unwrap();
        // The channel closes when the child has ended.
        assert!(self.ended.recv().is_err());
    }
}

/// Creates an empty temporary folder.
pub fn make_folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("wharf-{name}-{}-{count}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).unwrap();
    folder
}

fn find_postgres_program(name: &str) -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = versions.map(|entry| entry.unwrap().path().join("bin").join(name));
    let newest = newest.filter(|path| path.exists()).max();
    newest.map_or(name.to_owned(), |path| path.display().to_string())
}

/// Starts a PostgreSQL whose superuser `postgres` needs no password. `settings` are `name=value`.
pub fn start_postgres(port: u16, settings: &[&str]) -> Server {
    let folder = make_folder("postgres");
    start_postgres_in(&folder, port, settings)
}

fn start_postgres_in(folder: &Path, port: u16, settings: &[&str]) -> Server {
    let data = folder.join("data").display().to_string();
    let (initdb, postgres) = (
        find_postgres_program("initdb"),
        find_postgres_program("postgres"),
    );
    let settings: String = settings.iter().map(|s| format!(" -c {s}")).collect();
    let script = format!(
        "{initdb} --no-sync -A trust -U postgres -E UTF8 -D {data} && exec {postgres} -D {data} -p {port} \
         -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c log_min_messages=warning{settings}"
    );
    let program = ["sh".to_owned(), "-c".to_owned(), script];
    Server::start(folder, port, &program, |port| {
        // The server accepts connections before it can answer them.
        let mut probe = Command::new(find_postgres_program("pg_isready"));
        let port = port.to_string();
        let probe = probe.args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
        probe.unwrap().success()
    })
}

/// Starts a PostgreSQL with TLS. The certificate and its key are PEM.
pub fn start_postgres_with_tls(certificate: &str, key: &str) -> Server {
    let folder = make_folder("postgres-tls");
    let certificate_file = folder.join("server.crt");
    let key_file = folder.join("server.key");
    fs::write(&certificate_file, certificate).unwrap();
    fs::write(&key_file, key).unwrap();
    // PostgreSQL refuses a key file that other users can read or that its own user does not own.
    Command::new("chmod")
        .arg("600")
        .arg(&key_file)
        .status()
        .unwrap();
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        chown(&key_file, Some(UNPRIVILEGED), Some(UNPRIVILEGED)).unwrap();
    }
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificate_file.display()),
        format!("ssl_key_file={}", key_file.display()),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    start_postgres_in(&folder, free_port(), &settings)
}

/// The port of the PostgreSQL that tests share. Each test uses tables of its own.
pub fn shared_postgres() -> u16 {
    static SERVER: OnceLock<u16> = OnceLock::new();
    *SERVER.get_or_init(|| {
        let server = start_postgres(free_port(), &["max_connections=200"]);
        let port = server.port;
        std::mem::forget(server);
        port
    })
}

pub fn start_redis(port: u16) -> Server {
    let folder = make_folder("redis");
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

/// The port of the Redis that tests share. Each test uses keys of its own.
pub fn shared_redis() -> u16 {
    static SERVER: OnceLock<u16> = OnceLock::new();
    *SERVER.get_or_init(|| {
        let server = start_redis(free_port());
        let port = server.port;
        std::mem::forget(server);
        port
    })
}

/// Forwards between clients and a server and counts connections and round trips. Muted, it reads but forwards nothing.
#[derive(Clone)]
pub struct Proxy {
    pub port: u16,
    state: Arc<ProxyState>,
}

#[derive(Default)]
struct ProxyState {
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
            state: Arc::default(),
        };
        let state = Arc::clone(&proxy.state);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                state.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(forward(client, server, Arc::clone(&state)));
            }
        });
        proxy
    }

    pub fn mute(&self, is_mute: bool) {
        self.state.is_mute.store(is_mute, Ordering::Relaxed);
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// How often a client sent data after the server had.
    pub fn round_trips(&self) -> usize {
        self.state.round_trips.load(Ordering::Relaxed)
    }
}

async fn forward(mut client: tokio::net::TcpStream, server: u16, state: Arc<ProxyState>) {
    let Ok(mut server) = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else {
        return;
    };
    let (mut asked, mut answered) = ([0; 16384], [0; 16384]);
    let mut server_sent = true;
    let is_mute = || state.is_mute.load(Ordering::Relaxed);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(read @ 1..) = read else { return };
                if is_mute() {
                    continue;
                }
                if std::mem::replace(&mut server_sent, false) {
                    state.round_trips.fetch_add(1, Ordering::Relaxed);
                }
                server.write_all(&asked[..read]).await.unwrap();
            }
            read = server.read(&mut answered) => {
                let Ok(read @ 1..) = read else { return };
                if is_mute() {
                    continue;
                }
                server_sent = true;
                client.write_all(&answered[..read]).await.unwrap();
            }
        }
    }
}
