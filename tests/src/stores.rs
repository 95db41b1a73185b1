//! Stores that run beside a host instead of below it.
//!
//! Making a PostgreSQL cluster and migrating it takes seconds, so it is done once for all tests: each stack
//! gets a copy of its files.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use wharf_launch::{Log, built_wharf, launch, link_application, link_cache, up, wharf};
use wharf_manifest::manifest::load;
use wharf_stores::{Stores, Wanted, add_variables};

use crate::background::runtime;
use crate::cable::Cable;
use crate::folder::Folder;
use crate::options::Options;
use crate::stack::{ADMIN_PASSWORD, STARTS_WITHIN, cache};
use crate::times::measure;

pub(crate) struct Beside {
    cables: Option<Cables>,
    /// As the owner of the database, past every cable.
    pub(crate) postgres_url: String,
    pub(crate) redis_url: String,
    // Stopped before their folder goes.
    stores: Stores,
    folder: Folder,
}

pub(crate) struct Cables {
    pub(crate) postgres: Cable,
    pub(crate) redis: Cable,
}

impl Beside {
    /// Stores in which every migration is applied and nothing else has happened.
    pub(crate) fn start(is_cabled: bool) -> Self {
        let prepared = Prepared::once();
        measure("start of stores", || Self::copy(prepared, is_cabled))
    }

    fn copy(prepared: &Prepared, is_cabled: bool) -> Self {
        let folder = Folder::new("stores");
        let copied = Command::new("cp")
            .args(["--archive", "--reflink=auto"])
            .args(["postgres", "values.json"].map(|it| prepared.folder.path().join(it)))
            .arg(folder.path())
            .status();
        assert!(copied.expect("cp runs").success(), "cp fails");
        let (stores, postgres_url, redis_url) = start_stores(folder.path());
        let cables = is_cabled.then(|| Cables {
            postgres: Cable::to(address_in(&postgres_url)),
            redis: Cable::to(address_in(&redis_url)),
        });
        let beside = Self {
            cables,
            postgres_url,
            redis_url,
            stores,
            folder,
        };
        let [there, here] = [
            &prepared.postgres.to_string(),
            &address_in(&beside.near_postgres_url()).to_string(),
        ];
        let variables = prepared.variables.replace(there, here);
        fs::write(beside.variables_file(), variables).expect("to write variables");
        add_variables(&beside.variables_file(), &beside.redis_variables())
            .expect("to add variables");
        beside
    }

    /// The arguments that tell a host of them.
    pub(crate) fn arguments(&self) -> Vec<String> {
        arguments(
            &self.near_postgres_url(),
            &self.near_redis_url(),
            &self.variables_file(),
        )
    }

    /// The key that signs tokens.
    pub(crate) fn private_key(&self) -> String {
        let text = fs::read_to_string(self.variables_file()).expect("the variables");
        let variables: toml::Table = text.parse().expect("variables are TOML");
        let key = variables["jwt_private_key"].as_str();
        key.expect("a text").to_owned()
    }

    pub(crate) fn cables(&self) -> &Cables {
        self.cables.as_ref().expect("a cabled stack")
    }

    fn near_postgres_url(&self) -> String {
        let cable = self.cables.as_ref().map(|it| &it.postgres);
        near(&self.postgres_url, cable)
    }

    fn near_redis_url(&self) -> String {
        let cable = self.cables.as_ref().map(|it| &it.redis);
        near(&self.redis_url, cable)
    }

    /// The address of Redis for every function, as an operator with logins set up writes it.
    fn redis_variables(&self) -> BTreeMap<String, String> {
        let cable = self.cables.as_ref().map(|it| &it.redis);
        let logins = self.stores.addresses().redis_logins.iter();
        logins
            .map(|(login, url)| (format!("{login}_redis_url"), near(url, cable)))
            .collect()
    }

    /// The file of variables that every host on these stores is given.
    fn variables_file(&self) -> PathBuf {
        self.folder.path().join("variables.toml")
    }
}

/// The files of stores that were migrated and stopped in order.
pub(crate) struct Prepared {
    folder: Folder,
    /// The former port of PostgreSQL: the variables name it.
    postgres: SocketAddr,
    /// The secrets, as an operator makes them.
    variables: String,
}

impl Prepared {
    pub(crate) fn once() -> &'static Self {
        static PREPARED: OnceLock<Prepared> = OnceLock::new();
        PREPARED.get_or_init(|| measure("preparation of stores", Self::make))
    }

    /// Starts a host that migrates the stores and compiles every component, for all later hosts.
    fn make() -> Self {
        let folder = Folder::new("prepared");
        let (stores, postgres_url, redis_url) = start_stores(folder.path());
        let variables = folder.path().join("variables.toml");
        let chosen = format!("admin_password = \"{ADMIN_PASSWORD}\"\n");
        fs::write(&variables, chosen).expect("to write variables");
        let options = Options::default();
        let made = wharf(&built_wharf())
            .args(["keys", "--postgres-url", &postgres_url, "--variables"])
            .arg(&variables)
            .arg("--from")
            .arg(&options.manifest)
            .output()
            .expect("wharf runs");
        assert!(made.status.success(), "wharf keys: {made:?}");
        let (app, data) = (folder.path().join("app"), folder.path().join("data"));
        let laid_out = link_application(&options.manifest, &app, |it| options.edit_manifest(&it))
            .and_then(|()| link_cache(&data, &cache()));
        laid_out.unwrap_or_else(|failure| panic!("{failure}"));
        let mut command = up(&built_wharf(), "127.0.0.1:0");
        command.arg("--from").arg(app.join("spin.toml"));
        command.arg("--data-dir").arg(&data);
        command.args(arguments(&postgres_url, &redis_url, &variables));
        let log = Log::new(&folder.path().join("host.log"));
        let host = launch(command, &log, STARTS_WITHIN);
        drop(host.unwrap_or_else(|failure| panic!("{failure}")));
        runtime().block_on(stores.stop());
        Self {
            postgres: address_in(&postgres_url),
            variables: fs::read_to_string(&variables).expect("the variables"),
            folder,
        }
    }
}

fn start_stores(folder: &Path) -> (Stores, String, String) {
    let manifest = load(&Options::default().manifest, None);
    let manifest = manifest.unwrap_or_else(|faults| panic!("{faults}"));
    let options = wharf_stores::Options {
        data_dir: folder.to_owned(),
        postgres: Wanted::Embedded,
        redis: Wanted::Embedded,
        redis_logins: manifest.wharf.redis_logins,
        s3: Wanted::No,
        s3_keys: BTreeMap::new(),
        durable: false,
    };
    let stores = runtime().block_on(Stores::start(options, |_| {}));
    let stores = stores.unwrap_or_else(|error| panic!("{error}"));
    let addresses = stores.addresses().clone();
    let [postgres_url, redis_url] =
        [addresses.postgres_url, addresses.redis_url].map(|it| it.expect("it was wanted"));
    (stores, postgres_url, redis_url)
}

fn arguments(postgres_url: &str, redis_url: &str, variables: &Path) -> Vec<String> {
    let variables = format!("@{}", variables.display());
    let arguments = [
        ["--postgres-url", postgres_url],
        ["--redis-url", redis_url],
        ["--variable", &variables],
    ];
    arguments.into_iter().flatten().map(str::to_owned).collect()
}

/// The URL of a store at the near end of its cable, if it has one.
fn near(url: &str, cable: Option<&Cable>) -> String {
    cable.map_or_else(
        || url.to_owned(),
        |it| url.replace(&address_in(url).to_string(), &it.near().to_string()),
    )
}

/// Where the server of `scheme://user:password@host:port/path` is.
pub(crate) fn address_in(url: &str) -> SocketAddr {
    let host = url.rsplit('@').next().and_then(|it| it.split('/').next());
    host.and_then(|it| it.parse().ok())
        .unwrap_or_else(|| panic!("no host:port in {url}"))
}
