//! The platform, running: `wharf up` of the real spin.toml with stores that are thrown away afterwards.

use std::net::{SocketAddr, ToSocketAddrs};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use std::{env, fs};

use rustix::process::Signal;
use serde_json::Value;
use wharf_launch::{
    Log, Server, built_wharf, launch, link_application, link_cache, repository, up,
};
use wharf_stores::S3Address;

use crate::cable::Cable;
use crate::failure::note_use;
use crate::folder::Folder;
use crate::listening::Listening;
use crate::options::Options;
use crate::request::Request;
use crate::stores::{Beside, Prepared, address_in};
use crate::times::measure;
use crate::user::User;
use crate::wait::eventually;

/// Long enough for a cold start, which compiles every component on a machine that is busy with other tests.
pub(crate) const STARTS_WITHIN: Duration = Duration::from_secs(300);

/// The first admin's, on every stack here.
pub(crate) const ADMIN_PASSWORD: &str = "Harbour-Master-1";

pub struct Stack {
    options: Options,
    address: SocketAddr,
    /// `None` for a stack that `infra/up` runs.
    host: Option<Server>,
    log: Log,
    pub(crate) admin_password: String,
    postgres_url: String,
    redis_url: String,
    /// The stores, unless they are the host's own.
    stores: Option<Arc<Beside>>,
    /// Signed in once for all tests.
    /// The admin, and when they signed in.
    pub(crate) admin: Mutex<Option<(Instant, User)>>,
    /// The data folder of the host.
    data: PathBuf,
    // Dropped last: the host works in it.
    folder: Folder,
}

/// The stack that all tests of a program share.
pub struct Shared(&'static Stack);

impl Deref for Shared {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        self.0
    }
}

impl Stack {
    /// The stack that all tests of a program share. No test may break it.
    pub fn shared() -> Shared {
        static SHARED: OnceLock<Stack> = OnceLock::new();
        let stack = SHARED.get_or_init(|| match env::var("TEST_STACK") {
            Ok(url) => Self::attach(&url),
            Err(_) => Options::default().start_embedded(),
        });
        note_use(&stack.log.from_now());
        Shared(stack)
    }

    /// A stack that a test may break. Its stores outlive its host.
    pub fn start() -> Self {
        Options::default().start()
    }

    pub(crate) fn embedding_stores(options: Options) -> Self {
        // Waits until the components are compiled, so that two hosts do not compile the same.
        Prepared::once();
        let folder = lay_out(&options);
        let host = start_host(&options, None, &folder, "127.0.0.1:0");
        Self {
            postgres_url: host.store_url("postgres_url"),
            redis_url: host.store_url("redis_url"),
            options,
            address: host.address(),
            log: host.log().clone(),
            host: Some(host),
            admin_password: ADMIN_PASSWORD.to_owned(),
            stores: None,
            admin: Mutex::default(),
            data: folder.path().join("data"),
            folder,
        }
    }

    pub(crate) fn beside_stores(options: Options, stores: Arc<Beside>) -> Self {
        let folder = lay_out(&options);
        let host = start_host(&options, Some(&stores), &folder, "127.0.0.1:0");
        Self {
            postgres_url: stores.postgres_url.clone(),
            redis_url: stores.redis_url.clone(),
            options,
            address: host.address(),
            log: host.log().clone(),
            host: Some(host),
            admin_password: ADMIN_PASSWORD.to_owned(),
            stores: Some(stores),
            admin: Mutex::default(),
            data: folder.path().join("data"),
            folder,
        }
    }

    /// The stack that `infra/up` runs at that URL, with its data folder in the clone.
    fn attach(url: &str) -> Self {
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let address = host
            .to_socket_addrs()
            .ok()
            .and_then(|mut it| it.find(SocketAddr::is_ipv4));
        let data = repository().join(".wharf");
        let read = |file: &str, name: &str| kept(&data, file, name);
        let (postgres, redis) = (
            read("values.json", "postgres"),
            read("values.json", "redis"),
        );
        Self {
            options: Options::default(),
            address: address.unwrap_or_else(|| panic!("no address: {url}")),
            host: None,
            log: Log::new(&data.join("host.log")),
            admin_password: read("values.json", "random:admin_password"),
            postgres_url: format!(
                "postgres://wharf:{postgres}@127.0.0.1:{}/wharf",
                read("ports.json", "PostgreSQL")
            ),
            redis_url: format!(
                "redis://default:{redis}@127.0.0.1:{}",
                read("ports.json", "Redis")
            ),
            stores: None,
            admin: Mutex::default(),
            data,
            folder: Folder::new("attached"),
        }
    }

    /// A second host on the same stores and with the same secrets, as behind a load balancer.
    pub fn start_second(&self) -> Self {
        Self::beside_stores(self.options.clone(), Arc::clone(self.stores()))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn request(&self, method: &str, path: &str) -> Request {
        note_use(&self.log);
        Request::new(self.address(), method, path).described()
    }

    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    /// The database as its owner, past every component and every cable.
    pub fn sql(&self) -> postgres::Client {
        self.sql_hearing(|_| ())
    }

    /// As `sql`; `hear` gets the notices of PostgreSQL.
    pub fn sql_hearing(
        &self,
        hear: impl Fn(postgres::error::DbError) + Send + Sync + 'static,
    ) -> postgres::Client {
        note_use(&self.log);
        let mut config: postgres::Config = self.postgres_url.parse().unwrap();
        config.notice_callback(hear);
        config.connect(postgres::NoTls).expect("PostgreSQL")
    }

    /// Redis, past every cable.
    pub fn redis(&self) -> redis::Connection {
        let client = redis::Client::open(self.redis_url.as_str()).expect("an address of Redis");
        client.get_connection().expect("Redis")
    }

    /// Redis with the login of a function of a host that started it itself.
    pub fn redis_as(&self, login: &str) -> redis::Connection {
        let password = kept(&self.data, "values.json", &format!("redis:{login}"));
        let server = address_in(&self.redis_url);
        let client = redis::Client::open(format!("redis://wharf_{login}:{password}@{server}"));
        let client = client.expect("an address of Redis");
        client.get_connection().expect("Redis")
    }

    /// S3 with the key of a function of a host that started it itself.
    pub fn s3_as(&self, key: &str) -> S3Address {
        let half = |half: &str| kept(&self.data, "values.json", &format!("s3:{half}:{key}"));
        S3Address {
            endpoint: format!("http://127.0.0.1:{}", kept(&self.data, "ports.json", "S3")),
            access_key: half("access_key"),
            secret_key: half("secret_key"),
            bucket: "wharf".to_owned(),
            region: "us-east-1".to_owned(),
        }
    }

    /// The commands that Redis has refused since it started, because a login has no right to them.
    pub fn redis_refusals(&self) -> Vec<String> {
        let log: Vec<redis::Value> = redis::cmd("ACL")
            .arg("LOG")
            .query(&mut self.redis())
            .expect("the log of refusals");
        let refusals = log.iter().map(|it| format!("{it:?}"));
        // The client library sets its name with this command, and works without it.
        refusals
            .filter(|it| !it.contains("client|setinfo"))
            .collect()
    }

    /// Hears what is published on `channel` from now on.
    pub fn listen(&self, channel: &str) -> Listening {
        Listening::start(self.redis(), channel)
    }

    /// The line to PostgreSQL of a stack that was started cabled.
    pub fn postgres_cable(&self) -> &Cable {
        &self.stores().cables().postgres
    }

    /// The line to Redis of a stack that was started cabled.
    pub fn redis_cable(&self) -> &Cable {
        &self.stores().cables().redis
    }

    fn stores(&self) -> &Arc<Beside> {
        self.stores.as_ref().expect("stores beside the host")
    }

    /// Whether no test chose the keys that sign tokens.
    pub(crate) fn has_own_keys(&self) -> bool {
        !self.options.arguments.iter().any(|it| it.contains("jwt_"))
    }

    /// The key that signs tokens, from where the operator keeps it.
    pub fn private_key(&self) -> String {
        match &self.stores {
            Some(stores) => stores.private_key(),
            None => kept(&self.data, "values.json", "ed25519"),
        }
    }

    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// Kills the host (`kill -9`), as a power cut would.
    pub fn kill(&mut self) {
        self.host_mut().kill().expect("to kill the host");
    }

    /// Kills the host while other threads still use it, and does not wait for its end, as [`Stack::kill`] does.
    pub fn signal_kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Stops the host as an operator does. Returns its exit status, or `None` when it did not end in time.
    pub fn stop(&mut self, within: Duration) -> Option<ExitStatus> {
        self.host_mut().stop(within).expect("to stop the host")
    }

    /// Suspends the host until [`Stack::resume`], as on a machine that is out of memory.
    pub fn suspend(&self) {
        self.signal(Signal::STOP);
        let threads = format!("/proc/{}/task", self.host().pid());
        eventually("every thread stands still", Duration::from_secs(30), || {
            let threads = fs::read_dir(&threads).expect("the threads of the host");
            threads.flatten().all(|thread| {
                // `pid (name) state …`; a thread that is gone has no file.
                let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
                stat.rsplit(") ")
                    .next()
                    .is_none_or(|it| it.is_empty() || it.starts_with('T'))
            })
        });
    }

    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        self.host().signal(signal).expect("to signal the host");
    }

    fn host(&self) -> &Server {
        self.host.as_ref().expect("a host of its own")
    }

    fn host_mut(&mut self) -> &mut Server {
        self.host.as_mut().expect("a host of its own")
    }

    /// The same host again, on the same address and the same data.
    pub fn start_again(&mut self) {
        let listen = self.address.to_string();
        let stores = self.stores.as_deref();
        let host = start_host(&self.options, stores, &self.folder, &listen);
        if self.stores.is_none() {
            self.postgres_url = host.store_url("postgres_url");
            self.redis_url = host.store_url("redis_url");
        }
        self.log = host.log().clone();
        self.host = Some(host);
    }

    /// The log of the host and the components since the last start.
    pub fn log(&self) -> String {
        self.log.read()
    }
}

/// The folder of compiled components that all hosts of the tests share.
pub(crate) fn cache() -> PathBuf {
    repository().join("target/wharf-tests/cache")
}

/// A value that the host keeps in a file of its data folder.
fn kept(data: &Path, file: &str, name: &str) -> String {
    let text = fs::read_to_string(data.join(file)).unwrap_or_default();
    let kept: Value = serde_json::from_str(&text).unwrap_or_default();
    match &kept[name] {
        Value::Null => panic!(
            "no {name} in {}/{file}: is infra/up running?",
            data.display()
        ),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Another S3 server than the host's own, from `http://KEY:SECRET@host:port/bucket`.
fn s3_arguments(url: &str) -> [String; 4] {
    let parts = || {
        let (keys, at) = url.strip_prefix("http://")?.split_once('@')?;
        let ((key, secret), (host, bucket)) = (keys.split_once(':')?, at.split_once('/')?);
        Some([
            format!("--s3-endpoint=http://{host}"),
            format!("--s3-bucket={bucket}"),
            format!("--s3-access-key={key}"),
            format!("--s3-secret-key={secret}"),
        ])
    };
    parts().unwrap_or_else(|| panic!("TEST_S3 is http://KEY:SECRET@host:port/bucket"))
}

fn lay_out(options: &Options) -> Folder {
    let folder = Folder::new("stack");
    let app = folder.path().join("app");
    link_application(&options.manifest, &app, |it| options.edit_manifest(&it))
        .and_then(|()| link_cache(&folder.path().join("data"), &cache()))
        .unwrap_or_else(|failure| panic!("{failure}"));
    folder
}

fn start_host(options: &Options, stores: Option<&Beside>, folder: &Folder, listen: &str) -> Server {
    let name = options.manifest.file_name().expect("a manifest is a file");
    let mut command = up(&built_wharf(), listen);
    command
        .arg("--volatile")
        .arg("--from")
        .arg(folder.path().join("app").join(name))
        .arg("--data-dir")
        .arg(folder.path().join("data"))
        .current_dir(folder.path());
    match stores {
        // The last value of a variable counts, so the test's comes last.
        Some(stores) => command.args(stores.arguments()),
        None => command.args(["--variable", &format!("admin_password={ADMIN_PASSWORD}")]),
    };
    if let Ok(url) = env::var("TEST_S3")
        && !options.arguments.iter().any(|it| it == "--s3-endpoint")
    {
        command.args(s3_arguments(&url));
    }
    command.args(&options.arguments);
    if env::var_os("TEST_AS_SPIN").is_some() {
        command.arg("--as-spin");
    }
    let log = Log::new(&folder.path().join("host.log"));
    let host = measure("start of a host", || launch(command, &log, STARTS_WITHIN));
    host.unwrap_or_else(|failure| panic!("{failure}"))
}
