//! Whole manifests: their meaning, and the messages for faulty ones.

mod faults;
mod forms;
mod values;

use super::*;
use crate::variables::Variables;
use std::time::Duration;

/// A temporary folder with a manifest and other files.
struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    fn of(manifest: &str, files: &[&str]) -> Folder {
        let folder = Folder {
            dir: tempfile::tempdir().unwrap(),
        };
        folder.write("spin.toml", manifest);
        for file in files {
            folder.write(file, "");
        }
        folder
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.dir.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn load(&self, profile: Option<&str>) -> Result<Manifest, Faults> {
        load(self.dir.path(), profile)
    }

    /// The message without the path of the temporary folder.
    fn report(&self, faults: impl ToString) -> String {
        let dir = self.dir.path().display().to_string();
        faults
            .to_string()
            .replace(&format!("{dir}/"), "")
            .replace(&dir, ".")
    }
}

const FILES: &[&str] = &[
    "cart.wasm",
    "ledger.wasm",
    "assets/logo.svg",
    "migrations/payments/0001_start.sql",
    "migrations/signin/0001_start.sql",
];

/// A minimal manifest, followed by `more`.
fn app(more: &str) -> Folder {
    let manifest = format!("spin_manifest_version = 2\n[application]\nname = \"shop\"\n{more}");
    Folder::of(&manifest, FILES)
}

fn loaded(more: &str) -> Manifest {
    let folder = app(more);
    folder
        .load(None)
        .unwrap_or_else(|faults| panic!("{}\n{more}", folder.report(faults)))
}

/// The messages and hints for a faulty manifest.
fn faults_of(more: &str) -> Vec<String> {
    let folder = app(more);
    let faults = folder.load(None).map(|_| ()).expect_err(more);
    let messages = faults.iter().map(|fault| match &fault.hint {
        Some(hint) => format!("{}; {hint}", fault.message),
        None => fault.message.clone(),
    });
    messages.map(|message| folder.report(message)).collect()
}

fn warnings_of(more: &str) -> Vec<String> {
    let manifest = loaded(more);
    manifest
        .warnings
        .iter()
        .map(|warning| warning.message.clone())
        .collect()
}

const CART: &str = "[component.cart]\nsource = \"cart.wasm\"\n";

#[test]
fn a_whole_manifest_is_read() {
    let folder = Folder::of(
        r#"
spin_manifest_version = 2

[application]
name = "shop"
version = "1.2.3"
description = "Sells things"
authors = ["A <a@example.com>"]
targets = ["spin-up:4.1"]

[application.trigger.redis]
address = "redis://{{ redis_host }}"

[application.tool.other]
anything = ["goes", 1]

[application.tool.wharf]
migrations = "migrations"
metrics = ["/metrics", "/cart/metrics"]
secret_paths = ["/cart/links/"]
trusted_proxies = ["10.0.0.0/8 ::1", "{{ redis_host }}"]

[[application.tool.wharf.problems]]
paths = ["/cart", "/carts"]
members = { message = "detail", "status code" = "status" }

[[application.tool.wharf.problems]]
paths = ["/rpc"]
status = 404
members = { error = { code = 40, message = "detail" } }

[application.tool.wharf.variables]
database_url = "postgres:payments"
redis_host = "redis-host"
key = "ed25519:private"
password = "random:24"

[[application.tool.wharf.cron]]
every = "500ms"
channel = "tick"

[[application.tool.wharf.cron]]
schedule = "0 */5 * * * *"
channel = "tick"
payload = "five"

[variables]
redis_host = { default = "127.0.0.1:6379", description = "host:port" }
database_url = { required = true, secret = true }
key = { required = true, secret = true }
password = { default = "secret", secret = true }

[[trigger.http]]
route = "/cart/..."
component = "cart"
executor = { type = "http" }

[[trigger.http]]
id = "robots"
route = "/robots.txt"
static_response = { status_code = 203, headers = { content-type = "text/plain" }, body = "no" }

[[trigger.http]]
route = { private = true }
component = "ledger"

[[trigger.redis]]
component = "cart"
channel = "tick"

[[trigger.redis]]
component = "cart"
channel = "{{ redis_host }}-news"
address = "redis://elsewhere"

[component.cart]
source = "cart.wasm"
description = "The cart"
variables = { url = "x-{{ database_url }}", plain = "text" }
environment = { LANG = "pt_BR" }
files = ["assets/**/*", { source = "assets", destination = "/public" }]
exclude_files = ["assets/*.tmp"]
allowed_outbound_hosts = ["redis://{{ redis_host }}", "http://*.spin.internal", "postgres://db.example"]
key_value_stores = ["default", "my_store"]

[component.cart.build]
command = ["make one", "make two"]
workdir = "assets"
watch = ["src/**/*.rs"]

[component.cart.dependencies]
"wharf:payments/ledger@1.0.0" = { path = "ledger.wasm", inherit_configuration = ["variables", "allowed_outbound_hosts"] }
"wharf:other" = { component = "ledger" }

[component.cart.tool.wharf]
requests_per_instance = 1000
concurrent_requests = 1
idle_timeout_ms = 2000
max_instances = 8
request_timeout_ms = 5000
memory_mb = 64
body_limit_kb = 16
pending_bodies_mb = 32
held_answers_mb = 16
waiting_messages_mb = 8
postgres = { connections = 4, wait_ms = 100 }

[component.ledger]
source = "ledger.wasm"
"#,
        FILES,
    );
    let manifest = folder
        .load(None)
        .unwrap_or_else(|faults| panic!("{}", folder.report(faults)));
    assert!(manifest.warnings.is_empty(), "{:?}", manifest.warnings);
    insta::assert_snapshot!("a_whole_manifest", folder.report(format!("{manifest:#?}")));

    let triggered: Vec<&str> = manifest
        .triggered()
        .map(|component| component.id.as_str())
        .collect();
    assert_eq!(triggered, ["cart", "ledger"]);
}

#[test]
fn a_component_has_no_grants_by_default() {
    let manifest = loaded(CART);
    let cart = &manifest.components["cart"];
    assert!(
        cart.allowed_outbound_hosts.is_empty()
            && cart.files.is_empty()
            && cart.environment.is_empty()
    );
    assert!(
        cart.variables.is_empty()
            && cart.key_value_stores.is_empty()
            && cart.dependencies.is_empty()
    );
    assert_eq!(cart.wharf, WharfComponent::default());
    assert_eq!(cart.wharf.request_timeout, Duration::from_secs(30));
    assert_eq!(cart.wharf.postgres.connections, 16);
    assert_eq!(manifest.wharf, WharfApplication::default());
    assert_eq!(manifest.wharf.metrics, ["/metrics"]);
    assert_eq!(manifest.triggered().count(), 0);
}

#[test]
fn members_of_problems_apply_to_a_path_and_the_paths_below() {
    let manifest = loaded(
        r#"
[[application.tool.wharf.problems]]
paths = ["/user", "/payment/"]
status = 404
members = {}
"#,
    );
    let members = &manifest.wharf.problems[0];
    for (path, status, applies) in [
        ("/payment", 404, true),
        ("/payment/", 404, true),
        ("/payment/balance", 404, true),
        ("/payments", 404, false),
        ("/", 404, false),
        ("/payment", 503, false),
    ] {
        assert_eq!(members.apply_to(path, status), applies, "{status} {path}");
    }
}
