//! Commands that use stores: `up`, `services`, `migrate`, `keys`, with embedded and with external stores.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Output, Stdio};

use stage::{Host, wharf};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};
use wharf_stores::{Options, Stores, Wanted};

const SHOP: &str = r#"
[application.tool.wharf]
migrations = "migrations"
[application.tool.wharf.variables]
till_url = "postgres:till"
postgres_host = "postgres-host"
redis_url = "redis"
till_redis_url = "redis:till"
redis_origin = "redis-origin"
password = "random:20"
key = "ed25519:private"
keys = "ed25519:jwks"
[application.tool.wharf.redis_logins]
till = "~till:* +get"
[variables]
till_url = { required = true }
postgres_host = { required = true }
redis_url = { required = true }
till_redis_url = { required = true }
redis_origin = { required = true }
password = { required = true }
key = { required = true }
keys = { required = true }
[[trigger.http]]
route = "/..."
component = "acts"
[component.acts]
source = "{guests}/guest_acts.wasm"
allowed_outbound_hosts = ["{{ redis_origin }}"]
[component.acts.variables]
till_url = "{{ till_url }}"
postgres_host = "{{ postgres_host }}"
redis_url = "{{ redis_url }}"
till_redis_url = "{{ till_redis_url }}"
password = "{{ password }}"
key = "{{ key }}"
keys = "{{ keys }}"
"#;

fn shop() -> TempDir {
    let folder = stage::folder(SHOP);
    // When started as root, PostgreSQL runs as another user, who needs access.
    allow_access(folder.path());
    let till = folder.path().join("migrations/till");
    fs::create_dir_all(&till).unwrap();
    fs::write(till.join("0001_sale.sql"), "CREATE TABLE sale (id int)").unwrap();
    folder
}

fn allow_access(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
}

fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = wharf(folder).args(args).output().unwrap();
    (
        status.code(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn variable(host: &Host, name: &str) -> String {
    host.get(&format!("/variable?{name}")).await.text()
}

/// Starts `wharf services` and waits until the stores run.
fn start_services(folder: &Path) -> Child {
    let mut services = wharf(folder)
        .args(["services", "--volatile"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(services.stdout.take().unwrap()).lines();
    let ready = said
        .map_while(Result::ok)
        .find(|line| line.contains("Ctrl-C"));
    assert!(ready.is_some(), "{:?}", services.wait());
    services
}

fn terminate(child: &Child) {
    let pid = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn services_write_an_env_file_for_spin_and_remove_it_when_stopped() {
    let folder = shop();
    let dotenv = folder.path().join(".env");
    let mut running = start_services(folder.path());
    let url = env_file_value(&dotenv, "SPIN_VARIABLE_TILL_URL");
    connect(&url)
        .await
        .query("SELECT * FROM sale", &[])
        .await
        .unwrap();
    let redis = env_file_value(&dotenv, "SPIN_VARIABLE_TILL_REDIS_URL");
    assert!(redis.starts_with("redis://wharf_till:"), "{redis}");
    terminate(&running);
    assert!(running.wait().unwrap().success());
    assert!(!dotenv.exists());
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());

    fs::write(&dotenv, "SPIN_VARIABLE_PASSWORD=mine\n").unwrap();
    let (code, _, said) = run(folder.path(), &["services"]);
    assert_eq!(code, Some(2));
    assert!(said.contains(".env was not written by"), "{said}");
    assert_eq!(
        fs::read_to_string(&dotenv).unwrap(),
        "SPIN_VARIABLE_PASSWORD=mine\n"
    );
}

fn env_file_value(file: &Path, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim_matches(['=', '"']).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_env_file_of_killed_services_is_ignored() {
    let folder = shop();
    let dotenv = folder.path().join(".env");
    let mut running = start_services(folder.path());
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(dotenv.exists());

    let host = Host::start_in(folder, &["--volatile"]);
    let url = variable(&host, "till_url").await;
    connect(&url)
        .await
        .query("SELECT * FROM sale", &[])
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_prints_progress_and_the_second_has_none() {
    let folder = shop();
    // Without the cache that the tests share.
    fs::remove_file(folder.path().join(".wharf/cache")).unwrap();
    let mut host = Host::start_in(folder, &["--volatile"]);
    let said = host.said();
    for line in [
        "PostgreSQL: making its files",
        "PostgreSQL: ready at ",
        "Redis: ready at ",
        "acts: compiled after ",
        "migration till/0001_sale.sql",
    ] {
        assert!(said.contains(line), "{line}\nnot in\n{said}");
    }
    let password = variable(&host, "password").await;
    host.signal(libc::SIGTERM);
    assert!(host.ended().await.success());

    let host = host.start_again(&["--volatile"]);
    let said = host.said();
    for line in ["making", "compiled", "migration"] {
        assert!(!said.contains(line), "{line}\nin\n{said}");
    }
    assert_eq!(variable(&host, "password").await, password);
    let (code, shown, _) = run(host.folder.path(), &["keys", "--secrets"]);
    assert_eq!(code, Some(0));
    assert!(
        shown.contains(&format!("password = {password}\n")),
        "{shown}"
    );
}

#[test]
fn migrations_are_applied_once() {
    let folder = shop();
    let (code, applied, said) = run(folder.path(), &["migrate"]);
    assert_eq!(
        (code, applied.as_str()),
        (Some(0), "till/0001_sale.sql\n"),
        "{said}"
    );
    let (code, applied, said) = run(folder.path(), &["migrate"]);
    assert_eq!((code, applied.as_str()), (Some(0), ""));
    assert!(said.contains("the database is up to date"), "{said}");
}

#[test]
fn keys_are_shown_and_rotated_and_showing_passwords_generates_none() {
    let folder = shop();
    let ids = |args: &[&str]| -> Vec<String> {
        let (code, shown, said) = run(folder.path(), args);
        assert_eq!(code, Some(0), "{said}");
        let jwks: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let keys = jwks["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].to_string()).collect()
    };
    let first = ids(&["keys"]);
    // The output has only the keys: no password was generated.
    assert_eq!(ids(&["keys", "--secrets"]), first);
    let rotated = ids(&["keys", "--rotate"]);
    assert_eq!((rotated.len(), &rotated[1]), (2, &first[0]));
}

/// Stores outside of the host under test.
async fn start_external_stores() -> (Stores, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    allow_access(folder.path());
    let options = Options {
        data_dir: folder.path().to_owned(),
        postgres: Wanted::Embedded,
        redis: Wanted::Embedded,
        redis_logins: BTreeMap::new(),
        s3: Wanted::No,
        s3_keys: BTreeMap::new(),
        durable: false,
    };
    (Stores::start(options, |_| {}).await.unwrap(), folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_share_a_database_have_the_same_secrets_or_do_not_start() {
    let (stores, _folder) = start_external_stores().await;
    let addresses = stores.addresses().clone();
    let postgres = addresses.postgres_url.unwrap();
    let redis = addresses.redis_url.unwrap();
    let home = shop();
    let in_home = |args: &[&str]| run(home.path(), args);

    let up = ["up", "--listen", "127.0.0.1:0", "--redis-url", &redis];
    let (code, _, said) = in_home(&[&up[..], &["--postgres-url", &postgres]].concat());
    assert_eq!(code, Some(2));
    assert!(
        said.contains("no value for key, keys, password, till_url.")
            && said.contains("wharf keys --variables"),
        "{said}"
    );
    let (code, _, said) = in_home(&["migrate", "--postgres-url", &postgres]);
    assert_eq!(code, Some(2));
    assert!(said.contains("no value for till_url."), "{said}");

    let file = home.path().join("variables.toml");
    fs::write(&file, "password = \"chosen\"\n").unwrap();
    let keys = [
        "keys",
        "--variables",
        "variables.toml",
        "--postgres-url",
        &postgres,
    ];
    let (code, _, said) = in_home(&keys);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("variables.toml: key, keys, postgres_host, till_url"),
        "{said}"
    );
    let made = fs::read_to_string(&file).unwrap();
    let (_, _, said) = in_home(&keys);
    assert!(said.contains("variables.toml is complete"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), made);

    let given = format!("@{}", file.display());
    let migrate = ["migrate", "--postgres-url", &postgres, "--variable", &given];
    let (code, applied, said) = in_home(&migrate);
    assert_eq!(
        (code, applied.as_str()),
        (Some(0), "till/0001_sale.sql\n"),
        "{said}"
    );

    // Serving does not need the owner of the database.
    // One address of Redis for all, as a flag or as a variable: logins have that one, too.
    let as_variable = format!("redis_url={redis}");
    let hosts = [
        ["--redis-url", redis.as_str()],
        ["--variable", as_variable.as_str()],
    ]
    .map(|[flag, value]| Host::start_in(shop(), &[flag, value, "--variable", &given]));
    for host in &hosts {
        assert_eq!(variable(host, "till_redis_url").await, redis);
    }
    for name in ["till_url", "password", "key", "keys"] {
        let [one, other] = &hosts;
        assert_eq!(variable(one, name).await, variable(other, name).await);
    }
    assert_eq!(variable(&hosts[0], "password").await, "chosen");
    let url = variable(&hosts[0], "till_url").await;
    connect(&url)
        .await
        .query("SELECT * FROM sale", &[])
        .await
        .unwrap();
    assert!(!hosts[0].folder.path().join(".wharf/values.json").exists());
    stores.stop().await;
}

const PHOTOS: &str = r#"
[application.tool.wharf.variables]
s3_endpoint = "s3:endpoint"
s3_bucket = "s3:bucket"
s3_access_key = "s3:access_key"
s3_secret_key = "s3:secret_key"
till_access_key = "s3:access_key:till"
till_secret_key = "s3:secret_key:till"
stock_access_key = "s3:access_key:stock"
stock_secret_key = "s3:secret_key:stock"
[application.tool.wharf.s3_keys]
till = "till/*"
stock = "stock/*"
[variables]
s3_endpoint = { default = "" }
s3_bucket = { default = "photos" }
s3_access_key = { default = "" }
s3_secret_key = { default = "" }
till_access_key = { required = true }
till_secret_key = { required = true }
stock_access_key = { required = true }
stock_secret_key = { required = true }
[[trigger.http]]
route = "/..."
component = "acts"
[component.acts]
source = "{guests}/guest_acts.wasm"
[component.acts.variables]
s3_endpoint = "{{ s3_endpoint }}"
s3_bucket = "{{ s3_bucket }}"
s3_access_key = "{{ s3_access_key }}"
till_access_key = "{{ till_access_key }}"
till_secret_key = "{{ till_secret_key }}"
stock_access_key = "{{ stock_access_key }}"
stock_secret_key = "{{ stock_secret_key }}"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_function_has_its_own_key_of_s3_or_the_one_that_was_given_for_all() {
    let host = Host::start(PHOTOS);
    assert!(host.said().contains("S3: ready at "), "{}", host.said());
    let mut keys = BTreeSet::new();
    for name in ["s3_access_key", "till_access_key", "stock_access_key"] {
        let key = variable(&host, name).await;
        assert_eq!(key.len(), 20, "{name}: {key}");
        keys.insert(key);
    }
    assert_eq!(keys.len(), 3);

    let own = [
        "--variable=till_access_key=till",
        "--variable=till_secret_key=till's secret",
    ];
    let flags = [
        "--s3-endpoint=http://s3.example",
        "--s3-bucket=photos",
        "--s3-access-key=shared",
        "--s3-secret-key=secret",
    ];
    let variables = [
        "--variable=s3_endpoint=http://s3.example",
        "--variable=s3_access_key=shared",
        "--variable=s3_secret_key=secret",
    ];
    for given in [&flags[..], &variables] {
        let host = Host::start_with(PHOTOS, &[given, &own].concat());
        for (name, value) in [
            ("s3_endpoint", "http://s3.example"),
            ("s3_bucket", "photos"),
            ("till_access_key", "till"),
            ("till_secret_key", "till's secret"),
            ("stock_access_key", "shared"),
            ("stock_secret_key", "secret"),
        ] {
            assert_eq!(variable(&host, name).await, value, "{name} of {given:?}");
        }
        assert!(!host.said().contains("S3: "), "{}", host.said());
    }

    // No function gets the key of another.
    let folder = stage::folder(PHOTOS);
    let up = ["up", "--listen", "127.0.0.1:0", variables[0]];
    let (code, _, said) = run(folder.path(), &[&up[..], &own].concat());
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("`stock_access_key`") && said.contains("`stock_secret_key`"),
        "{said}"
    );
    assert!(!said.contains("`s3_access_key`"), "{said}");
}

#[test]
fn half_a_key_of_s3_is_refused() {
    for (given, missing) in [
        ("till_access_key=till", "till_secret_key"),
        ("till_secret_key=secret", "till_access_key"),
        ("s3_access_key=shared", "s3_secret_key"),
    ] {
        let folder = stage::folder(PHOTOS);
        let up = ["up", "--listen", "127.0.0.1:0", "--variable", given];
        // The other half is neither that of the embedded S3 nor that of a key for all.
        let flags = [
            "--s3-endpoint=http://s3.example",
            "--s3-bucket=photos",
            "--s3-access-key=flag",
            "--s3-secret-key=flag",
        ];
        for flags in [&[][..], &flags[..]] {
            let (code, _, said) = run(folder.path(), &[&up[..], flags].concat());
            assert_eq!(code, Some(2), "{given}: {said}");
            assert!(said.contains(&format!("no value for {missing}:")), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_half_of_a_given_key_is_published() {
    let (home, mine) = (shop(), tempfile::tempdir().unwrap());
    let made = wharf_stores::Values::open(mine.path()).unwrap();
    let jwks = made.jwks().unwrap();
    let source = "ed25519:private".parse().unwrap();
    let addresses = wharf_stores::Addresses::default();
    let key = made.resolve("key", &source, &addresses, "").unwrap();
    let host = Host::start_in(home, &["--volatile", "--variable", &format!("key={key}")]);
    assert_eq!(variable(&host, "keys").await, jwks);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_requires_tls_is_migrated() {
    let (stores, _folder) = start_external_stores().await;
    let postgres = stores.addresses().postgres_url.clone().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().pem();
    let owner = connect(&postgres).await;
    // The server writes the files, because it must own them.
    for (file, text) in [
        ("server.crt", certificate),
        ("server.key", key.serialize_pem()),
        (
            "pg_hba.conf",
            "hostssl all all all scram-sha-256\n".to_owned(),
        ),
    ] {
        let write = format!(
            "COPY (SELECT unnest(string_to_array('{text}', E'\\n'))) TO PROGRAM 'umask 077; cat > {file}'"
        );
        owner.batch_execute(&write).await.unwrap();
    }
    owner
        .batch_execute("ALTER SYSTEM SET ssl = on")
        .await
        .unwrap();
    owner
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .unwrap();
    stage::until("TLS is required", async || {
        tokio_postgres::connect(&postgres, NoTls).await.is_err()
    })
    .await;

    let home = shop();
    let migrate = |mode: &str| {
        let url = format!("{postgres}?sslmode={mode}");
        let till = "till_url=postgres://wharf_till:secret@db/app";
        run(
            home.path(),
            &["migrate", "--postgres-url", &url, "--variable", till],
        )
    };
    for mode in ["disable", "verify-full"] {
        let (code, _, said) = migrate(mode);
        assert_eq!(code, Some(3), "{mode}: {said}");
        assert!(
            said.contains("cannot connect to postgres://127.0.0.1:"),
            "{said}"
        );
    }
    let (code, applied, said) = migrate("require");
    assert_eq!(
        (code, applied.as_str()),
        (Some(0), "till/0001_sale.sql\n"),
        "{said}"
    );
    drop(owner);
    stores.stop().await;
}
