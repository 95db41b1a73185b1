//! The platform, running: `wharf up` of the real spin.toml with stores that are thrown away afterwards.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use wharf_launch::{
    Log, Server, built_wharf, launch, link_application, link_cache, repository, up,
};

use crate::cable::Cable;
use crate::folder::Folder;
use crate::listening::Listening;
use crate::options::Options;
use crate::request::Request;
use crate::stores::Beside;
use crate::times::measure;
use crate::user::User;

/// A cold start compiles every component, on a machine that is busy with other tests.
pub(crate) const STARTS_WITHIN: Duration = Duration::from_secs(300);

/// The first admin's, on every stack here.
pub(crate) const ADMIN_PASSWORD: &str = "Harbour-Master-1";

pub struct Stack {
    options: Options,
    host: Server,
    postgres_url: String,
    redis_url: String,
    /// The stores, unless they are the host's own.
    stores: Option<Arc<Beside>>,
    /// Signed in once for all tests.
    pub(crate) admin: OnceLock<User>,
    // Dropped last: the host works in it.
    folder: Folder,
}

/// The shared stack, as one test uses it: shows what the host said meanwhile when the test fails.
pub struct Borrowed {
    stack: &'static Stack,
    log: Log,
}

impl Stack {
    /// The one that all tests of a program share. No test may break it.
    pub fn shared() -> Borrowed {
        static SHARED: OnceLock<Stack> = OnceLock::new();
        let stack = SHARED.get_or_init(|| Options::default().start_embedded());
        Borrowed {
            stack,
            log: stack.host.log().from_now(),
        }
    }

    /// One to break, with stores of its own that outlive it.
    pub fn start() -> Self {
        Options::default().start()
    }

    pub(crate) fn embedding_stores(options: Options) -> Self {
        let folder = lay_out(&options);
        let host = start_host(&options, None, &folder, "127.0.0.1:0");
        Self {
            postgres_url: host.store_url("postgres_url"),
            redis_url: host.store_url("redis_url"),
            options,
            host,
            stores: None,
            admin: OnceLock::new(),
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
            host,
            stores: Some(stores),
            admin: OnceLock::new(),
            folder,
        }
    }

    /// A second host on the same stores and with the same secrets, as behind a load balancer.
    pub fn start_second(&self) -> Self {
        Self::beside_stores(self.options.clone(), Arc::clone(self.stores()))
    }

    pub fn address(&self) -> SocketAddr {
        self.host.address()
    }

    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.address(), method, path)
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

    /// Redis, past every cable.
    pub fn redis(&self) -> redis::Connection {
        let client = redis::Client::open(self.redis_url.as_str()).expect("an address of Redis");
        client.get_connection().expect("Redis")
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

    /// Where the host keeps everything.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// As a power cut for the host: `kill -9`.
    pub fn kill(&mut self) {
        self.host.kill().expect("to kill the host");
    }

    /// The same while other threads still talk to it; [`Stack::kill`] waits for the end.
    pub fn signal_kill(&self) {
        self.signal(Signal::KILL);
    }

    /// As an operator ends it; how it ended, or nothing when it did not in time.
    pub fn stop(&mut self, within: Duration) -> Option<ExitStatus> {
        self.host.stop(within).expect("to stop the host")
    }

    /// The host stands still, as on a machine that is out of memory, until [`Stack::resume`].
    pub fn suspend(&self) {
        self.signal(Signal::STOP);
    }

    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        self.host.signal(signal).expect("to signal the host");
    }

    /// The same host again, on the same address and the same data.
    pub fn start_again(&mut self) {
        let listen = self.address().to_string();
        let stores = self.stores.as_deref();
        self.host = start_host(&self.options, stores, &self.folder, &listen);
        if self.stores.is_none() {
            self.postgres_url = self.host.store_url("postgres_url");
            self.redis_url = self.host.store_url("redis_url");
        }
    }

    /// What the host and the components said since it was last started.
    pub fn log(&self) -> String {
        self.host.log().read()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if thread::panicking() {
            show(self.host.log());
        }
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
            show(&self.log);
        }
    }
}

/// Goes with the output of the test that failed.
fn show(log: &Log) {
    eprintln!(
        "--- what the host said meanwhile\n{}\n---",
        log.last_lines()
    );
}

/// Where every host here takes compiled components from.
pub(crate) fn cache() -> PathBuf {
    repository().join("target/wharf-tests-cache")
}

fn lay_out(options: &Options) -> Folder {
    let folder = Folder::new("stack");
    let app = folder.path().join("app");
    link_application(&options.manifest, &app, |it| options.edit_manifest(it))
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
        // Of a variable given twice the last one counts: what the test says.
        Some(stores) => command.args(stores.arguments()),
        None => command.args(["--variable", &format!("admin_password={ADMIN_PASSWORD}")]),
    };
    command.args(&options.arguments);
    let log = Log::new(&folder.path().join("host.log"));
    let host = measure("start of a host", || launch(command, &log, STARTS_WITHIN));
    host.unwrap_or_else(|failure| panic!("{failure}"))
}
