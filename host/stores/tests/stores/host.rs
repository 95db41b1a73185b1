//! A host process for tests to kill: it runs this test program once more.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, io, thread};

use wharf_stores::{Addresses, Options, S3Address, Wanted};

use crate::data_folder::start;

pub struct Host {
    process: Child,
    addresses: Addresses,
}

const DATA_FOLDER: &str = "WHARF_STORES_TEST_HOST_OF";
/// The stores to start: p, r, s.
const STORES: &str = "WHARF_STORES_TEST_HOST_STARTS";
/// The prefix of lines with addresses.
const PREFIX: &str = "host: ";

impl Host {
    /// Starts the embedded stores of `options`, never durable.
    pub fn start(options: &Options) -> Self {
        let mut stores = String::new();
        stores.extend(matches!(options.postgres, Wanted::Embedded).then_some('p'));
        stores.extend(matches!(options.redis, Wanted::Embedded).then_some('r'));
        stores.extend(matches!(options.s3, Wanted::Embedded).then_some('s'));
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "host::run_as_host_until_killed", "--nocapture"])
            .env(DATA_FOLDER, &options.data_dir)
            .env(STORES, stores)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map(|line| line.unwrap());
        let mut next = || {
            let line = lines
                .by_ref()
                .find_map(|line| {
                    line.split_once(PREFIX)
                        .map(|(_, address)| address.to_owned())
                })
                .unwrap();
            (!line.is_empty()).then_some(line)
        };
        let (postgres_url, redis_url) = (next(), next());
        let s3 = next().map(|endpoint| S3Address {
            endpoint,
            access_key: next().unwrap(),
            secret_key: next().unwrap(),
            bucket: next().unwrap(),
            region: next().unwrap(),
        });
        Self {
            process,
            addresses: Addresses {
                postgres_url,
                redis_url,
                redis_logins: BTreeMap::new(),
                s3,
                s3_keys: BTreeMap::new(),
            },
        }
    }

    pub fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    /// As `kill -9` does.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Has no effect on a process that `kill` has waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The process of `Host`. As an ordinary test it does nothing.
#[tokio::test]
async fn run_as_host_until_killed() {
    let Ok(data_dir) = env::var(DATA_FOLDER) else {
        return;
    };
    let stores = env::var(STORES).unwrap();
    let wanted = |letter| {
        if stores.contains(letter) {
            Wanted::Embedded
        } else {
            Wanted::No
        }
    };
    let s3 = if stores.contains('s') {
        Wanted::Embedded
    } else {
        Wanted::No
    };
    let options = Options {
        data_dir: data_dir.into(),
        postgres: wanted('p'),
        redis: wanted('r'),
        redis_logins: BTreeMap::new(),
        s3,
        s3_keys: BTreeMap::new(),
        durable: false,
    };
    let stores = start(options).await;
    let Addresses {
        postgres_url,
        redis_url,
        redis_logins: _,
        s3,
        s3_keys: _,
    } = stores.addresses().clone();
    let s3 = s3.map(|s3| {
        [
            s3.endpoint,
            s3.access_key,
            s3.secret_key,
            s3.bucket,
            s3.region,
        ]
        .join(&format!("\n{PREFIX}"))
    });
    for address in [postgres_url, redis_url, s3] {
        println!("{PREFIX}{}", address.unwrap_or_default());
    }
    io::stdout().flush().unwrap();
    thread::sleep(Duration::from_secs(60));
}
