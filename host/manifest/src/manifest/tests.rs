//! Whole manifests: their meaning, and the messages for faulty ones.

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

const TERRIBLE: &str = r#"spin_manifest_version = 2
name = "shop"

[application]
nmae = "shop"
[application.trigger.http]
base = "/shop"
[application.trigger.redis]
adress = "redis://x"
[application.tool.whraf]
[application.tool.wharf]
migrations = "migrations"
metrics = ["metrics"]
metric = true
trusted_proxies = ["nginx", "{{ nginx }}"]
problems = [{ paths = ["cart"], status = 200, members = { message = "details", text = true } }, { membres = {} }]
[application.tool.wharf.variables]
database_ulr = "postgres:payments"
database_url = "postgres:payment"
redis_url = "reddis"
password = "random:3"
[[application.tool.wharf.cron]]
every = "1"
channel = 7
[[application.tool.wharf.cron]]
schedule = "* * *"
every = "1s"

[variables]
database_url = { required = true, secert = true }
redis_url = {}
password = { default = "x", required = true }
API-Key = { default = 1 }

[[trigger.http]]
route = "/cart/.../x"
component = "crat"

[[trigger.http]]
route = { private = false }
component = "cart"
static_response = { status_code = 99, headers = { "bad name" = "x" } }

[[trigger.http]]
executor = { type = "wagi" }

[[trigger.http]]
rout = "/x"
component = { source = "missing.wasm", sauce = "x" }

[[trigger.redis]]
component = "cart"
channel = "{{ chanel"

[[trigger.cron]]
component = "cart"

[component.Cart_2]
source = { url = "https://example.com/x.wasm", digest = "sha256:00" }

[component.cart]
source = "nowhere.wasm"
variables = { url = "{{ database_uri }}", "BAD" = "x" }
environment = { LANG = 3 }
files = ["assets", "nothing.txt", "..", { source = "gone", destination = "/x", mode = 1 }]
allowed_outbound_hosts = ["*", "http://x/y", "htp://{{ redis_uri }}", "tcp://db"]
key_value_stores = ["my store"]
sqlite_databases = ["default"]
build = { comand = "make", workdir = "gone" }
dependencies_inherit_configuration = true

[component.cart.dependencies]
"wharf:payments/ledger" = { path = "gone.wasm", inherit_configuration = ["variable"] }
"wharf:payments" = { component = "lost", export = "x" }
"remote:one/x" = ">=1.0.0"
"Bad_Name" = { path = "cart.wasm", component = "cart" }

[component.cart.tool.wharf]
memory_mb = 100000
concurent_requests = 1
postgres = { wait = 5 }
"#;

#[test]
fn all_faults_of_a_manifest_are_reported_at_once() {
    let folder = Folder::of(TERRIBLE, FILES);
    let faults = folder.load(None).map(|_| ()).unwrap_err();
    insta::assert_snapshot!("a_terrible_manifest", folder.report(faults));
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

#[test]
fn triggers_without_an_id_get_the_same_id_as_in_spin() {
    let manifest = loaded(
        r#"
[[trigger.http]]
route = "/a"
component = "cart"
[[trigger.http]]
route = "/b"
component = "cart"
[[trigger.http]]
id = "http-trigger1"
route = "/c"
component = "cart"
[[trigger.http]]
route = "/d"
component = { source = "cart.wasm" }
[[trigger.redis]]
channel = "x"
component = "cart"
[[trigger.redis]]
channel = "y"
component = "cart"
[component.cart]
source = "cart.wasm"
"#,
    );
    let http: Vec<&str> = manifest
        .http
        .iter()
        .map(|trigger| trigger.id.as_str())
        .collect();
    assert_eq!(
        http,
        [
            "cart-http-trigger",
            "http-trigger2",
            "http-trigger1",
            "http-trigger3"
        ]
    );
    let redis: Vec<&str> = manifest
        .redis
        .iter()
        .map(|trigger| trigger.id.as_str())
        .collect();
    assert_eq!(redis, ["cart-redis-trigger", "redis-trigger1"]);
}

#[test]
fn components_inside_triggers_become_ordinary_components() {
    let manifest = loaded(
        r#"
[[trigger.http]]
id = "front"
route = "/a"
component = { source = "cart.wasm", allowed_outbound_hosts = ["http://inline-component1.spin.internal"] }
[[trigger.http]]
id = "Bad_Id"
route = "/b"
component = { source = "ledger.wasm" }
[[trigger.http]]
id = "many"
route = "/c"
component = { source = "cart.wasm" }
components = { extra = [{ source = "cart.wasm" }, "cart"], one = "cart" }
[component.cart]
source = "cart.wasm"
"#,
    );
    let ids: Vec<&str> = manifest.components.keys().map(String::as_str).collect();
    let expected = [
        "cart",
        "front-component",
        "inline-component1",
        "inline-component2",
        "inline-component3",
    ];
    assert_eq!(ids, expected);
    let answers: Vec<_> = manifest
        .http
        .iter()
        .filter_map(|trigger| trigger.answer.component())
        .collect();
    assert_eq!(
        answers,
        ["front-component", "inline-component1", "inline-component2"]
    );
    let messages: Vec<_> = manifest
        .warnings
        .iter()
        .map(|warning| &*warning.message)
        .collect();
    assert_eq!(messages, ["`components` has no effect on http triggers"]);
}

#[test]
fn a_profile_replaces_the_settings_it_names() {
    let folder = app(r#"
[component.cart]
source = "cart.wasm"
environment = { LANG = "pt", LEVEL = "info" }
[component.cart.build]
command = "make"
[component.cart.dependencies]
"a:b/c" = { path = "ledger.wasm" }
"a:b/d" = { path = "ledger.wasm" }
[component.cart.profile.debug]
source = "cart-debug.wasm"
environment = { LEVEL = "debug" }
build.command = ["make debug"]
dependencies = { "a:b/c" = { path = "cart.wasm", inherit_configuration = true } }
[component.cart.profile.other]
[component.plain]
source = "cart.wasm"
"#);
    let cart = |profile| {
        folder
            .load(profile)
            .map(|mut manifest| manifest.components.remove("cart").unwrap())
    };
    let release = cart(None).unwrap();
    assert!(release.source.ends_with("cart.wasm"));
    assert_eq!(release.environment["LEVEL"], "info");

    let debug = cart(Some("debug")).unwrap();
    assert!(
        debug.source.ends_with("cart-debug.wasm"),
        "{:?}",
        debug.source
    );
    assert_eq!(
        (&*debug.environment["LANG"], &*debug.environment["LEVEL"]),
        ("pt", "debug")
    );
    assert_eq!(debug.build.unwrap().commands, ["make debug"]);
    let replaced = debug
        .dependencies
        .iter()
        .find(|dependency| dependency.name.to_string() == "a:b/c")
        .unwrap();
    assert!(replaced.source.ends_with("cart.wasm"));
    assert_eq!(replaced.inherits, Configuration::ALL.into());
    assert_eq!(debug.dependencies.len(), 2);

    let faults = cart(Some("deubg")).unwrap_err();
    let report = folder.report(faults);
    assert_eq!(
        report,
        "spin.toml: no component has a profile `deubg`; did you mean `debug`?"
    );
}

#[test]
fn a_profile_may_have_the_only_build() {
    let folder =
        app("[component.cart]\nsource = \"cart.wasm\"\nprofile.debug.build.command = \"make\"");
    let manifest = folder.load(Some("debug")).unwrap();
    assert_eq!(
        manifest.components["cart"].build.as_ref().unwrap().commands,
        ["make"]
    );
    assert_eq!(folder.load(None).unwrap().components["cart"].build, None);
}

#[test]
fn a_dependency_may_be_built_by_the_same_manifest() {
    let manifest = loaded(
        r#"
[component.cart]
source = "cart.wasm"
dependencies_inherit_configuration = true
[component.cart.dependencies]
"wharf:payments/ledger" = { path = "built.wasm" }
ledger = { component = "payments", export = "wharf:payments/ledger" }
[component.payments]
source = "built.wasm"
build.command = "make"
"#,
    );
    let dependencies = &manifest.components["cart"].dependencies;
    assert_eq!(dependencies.len(), 2);
    assert!(
        dependencies
            .iter()
            .all(|one| one.source.ends_with("built.wasm"))
    );
    assert!(
        dependencies
            .iter()
            .all(|one| one.inherits == Configuration::ALL.into())
    );
    assert_eq!(
        dependencies[1].export.as_deref(),
        Some("wharf:payments/ledger")
    );
}

#[test]
fn contradictions_are_refused() {
    for (more, expected) in [
        (
            "spin_manifest = 1",
            "unknown key `spin_manifest` in [application]; known here: ",
        ),
        (
            "[trigger]\nhttp = 3",
            "`http` must be a list, not an integer",
        ),
        (
            "[[trigger.htpp]]\nroute = \"/\"",
            "the trigger `htpp` is not supported; did you mean `http`?",
        ),
        (
            "[[trigger.mqtt]]\ncomponent = \"x\"",
            "the trigger `mqtt` is not supported; the supported triggers are http and redis",
        ),
        (
            "[[trigger.cron]]\ncomponent = \"x\"",
            "the trigger `cron` is not supported; use [[application.tool.wharf.cron]] and a [[trigger.redis]] with its channel",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"",
            "[[trigger.http]] needs `component` or `static_response`",
        ),
        (
            "[[trigger.http]]\nstatic_response = {}",
            "[[trigger.http]] needs `route`",
        ),
        (
            "[[trigger.redis]]\ncomponent = \"cart\"\n[component.cart]\nsource = \"cart.wasm\"",
            "[[trigger.redis]] needs `channel`",
        ),
        (
            "[[trigger.redis]]\nchannel = \"x\"",
            "[[trigger.redis]] needs `component`",
        ),
        (
            "[[trigger.http]]\nid = \"a\"\nroute = \"/\"\nstatic_response = {}\n[[trigger.http]]\nid = \"a\"\nroute = \"/x\"\nstatic_response = {}",
            "another trigger has the same id `a`",
        ),
        (
            "[[trigger.http]]\nroute = \"/\"\nstatic_response = {}\ndependencies.middleware = []",
            "middleware is not supported: a trigger cannot have dependencies",
        ),
        (
            "[component.cart]\nsource = { package = \"a:b\", version = \"1\" }",
            "components from a registry are not supported; download",
        ),
        (
            "[component.cart]\nsource = \"gone.wasm\"",
            "there is no file gone.wasm; if a command builds it, set `build.command`",
        ),
        (
            "[component.cart]\nsource = \"cart.wasm\"\nai_models = [\"llama\"]",
            "this host has no AI models",
        ),
        (
            "[component.cart]\nsource = \"cart.wasm\"\nfiles = [{ source = \"assets\", destination = \"../up\" }]",
            "a destination must not contain `..`",
        ),
        (
            "[component.cart]\nsource = \"cart.wasm\"\nvariables = { a = \"{{ b }}\" }",
            "there is no variable `b` in [variables]",
        ),
        (
            "[variables]\nport = { default = \"ten\" }\n[component.cart]\nsource = \"cart.wasm\"\nallowed_outbound_hosts = [\"http://x:{{ port }}\"]",
            "with the default values this is \"http://x:ten\": Invalid allowed host port \"ten\": port \"ten\" is not a number",
        ),
        (
            "[component.cart]\nsource = \"cart.wasm\"\n[component.cart.dependencies]\n\"a:b/c\" = { component = \"rich\" }\n[component.rich]\nsource = \"cart.wasm\"\nenvironment = { A = \"b\" }\nkey_value_stores = [\"default\"]",
            "`rich` cannot be a dependency of `cart`: its own grants (environment, key_value_stores) would not apply; use path = \"cart.wasm\" with inherit_configuration",
        ),
        (
            "[component.cart]\nsource = \"cart.wasm\"\n[component.cart.dependencies]\n\"a:b/c@1.0.0\" = { path = \"cart.wasm\" }\n\"a:b\" = { path = \"cart.wasm\" }",
            "`a:b` and `a:b/c@1.0.0` match the same import",
        ),
        (
            "[component.cart]\nsource = \"cart.wasm\"\n[component.cart.dependencies]\n\"a:b/c\" = { path = \"gone.wasm\" }",
            "there is no file gone.wasm, and no component of this manifest builds it",
        ),
    ] {
        let messages = faults_of(more);
        assert_eq!(messages.len(), 1, "{more}\n{messages:?}");
        assert!(messages[0].starts_with(expected), "{more}\n{messages:?}");
    }
}

/// The same application, with tables and lists in TOML's inline and in its long form.
const INLINE: &str = r#"
[trigger]
http = [
  { route = "/cart/...", component = "cart" },
  { route = "/robots.txt", static_response = { body = "no" } },
  { route = { private = true }, component = { source = "ledger.wasm" } },
]
redis = [ { channel = "tick", component = "cart" } ]

[component]
cart = { source = "cart.wasm", build = { command = "make" }, tool.wharf = { memory_mb = 64, postgres.connections = 4 } }
ledger.source = "ledger.wasm"
ledger.tool.wharf.memory_mb = 32
"#;
const LONG: &str = r#"
[[trigger.http]]
route = "/cart/..."
component = "cart"
[[trigger.http]]
route = "/robots.txt"
[trigger.http.static_response]
body = "no"
[[trigger.http]]
[trigger.http.route]
private = true
[trigger.http.component]
source = "ledger.wasm"
[[trigger.redis]]
channel = "tick"
component = "cart"
[component.cart]
source = "cart.wasm"
[component.cart.build]
command = "make"
[component.cart.tool.wharf]
memory_mb = 64
[component.cart.tool.wharf.postgres]
connections = 4
[component.ledger]
source = "ledger.wasm"
[component.ledger.tool.wharf]
memory_mb = 32
"#;

#[test]
fn inline_tables_and_dotted_keys_mean_the_same_as_tables() {
    let folder = app(INLINE);
    let inline = folder
        .load(None)
        .unwrap_or_else(|faults| panic!("{}", folder.report(faults)));
    let inline = folder.report(format!("{inline:?}"));
    let folder = app(LONG);
    let long = folder.load(None).unwrap();
    assert_eq!(inline, folder.report(format!("{long:?}")));
}

#[test]
fn a_fault_in_an_inline_table_or_a_dotted_key_has_its_line() {
    let folder = app(r#"[trigger]
http = [
  { route = "/a", component = "crat" },
  { rout = "/b", component = "cart" },
  { component = "cart" },
  7,
]
redis = [ { channel = 7, component = "cart" }, { channel = "x" } ]
[component]
cart = { source = "cart.wasm", tool.wharf = { memory_mb = 0 } }
ledger.source = "ledger.wasm"
ledger.tool.wharf.memory_mb = 0
other.description = "no source"
plain = 7
[component.parent.build]
command = "make"
[variables]
port.secret = true
"#);
    let faults = folder.load(None).map(|_| ()).unwrap_err();
    insta::assert_snapshot!("inline_faults", folder.report(faults));
}

#[test]
fn other_versions_of_the_manifest_are_refused() {
    let folder = Folder::of(
        "spin_manifest_version = 1\n[application]\nname = \"x\"",
        &[],
    );
    let report = folder.report(folder.load(None).map(|_| ()).unwrap_err());
    assert!(
        report.starts_with("spin.toml:1:25: manifest version 1 is not supported"),
        "{report}"
    );

    let report = load(Path::new("/nowhere/spin.toml"), None)
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(
        report.starts_with("/nowhere/spin.toml: cannot be read: "),
        "{report}"
    );
}

#[test]
fn a_probable_mistake_is_a_warning() {
    for (more, expected) in [
        (
            "[[trigger.http]]\nroute = \"/a\"\nstatic_response = {}\n[[trigger.http]]\nroute = \"/a\"\nstatic_response = {}",
            "this route is never used: another trigger has the same route",
        ),
        (
            "[[trigger.http]]\nroute = \"/.well-known/spin/health\"\nstatic_response = {}",
            "the host answers paths under /.well-known/spin/ itself: this trigger never runs",
        ),
        (
            "[component.cart]\nsource = \"cart.wasm\"\nallowed_outbound_hosts = [\"http://ledgr.spin.internal\"]",
            "there is no component `ledgr` to call",
        ),
        (
            "[component.cart]\nsource = \"cart.wasm\"\nallowed_http_hosts = [\"example.com\"]",
            "`allowed_http_hosts` is deprecated",
        ),
        (
            "[variables]\na = { default = \"\" }\n[component.cart]\nsource = \"cart.wasm\"\nenvironment = { A = \"{{ a }}\" }",
            "`environment` has no templates: the component gets this text unchanged",
        ),
        (
            "[application.tool.warf]\nx = 1",
            "settings of the tool `warf` are ignored",
        ),
        (
            "[[application.tool.wharf.cron]]\nevery = \"1s\"\nchannel = \"tick\"",
            "no [[trigger.redis]] has the channel `tick`",
        ),
    ] {
        assert_eq!(warnings_of(more), [expected], "{more}");
    }
}

#[test]
fn allowed_http_hosts_are_translated() {
    let hosts = |list: &str| -> Vec<String> {
        let manifest = loaded(&format!("{CART}allowed_http_hosts = {list}"));
        let hosts = manifest.components["cart"].allowed_outbound_hosts.iter();
        hosts.map(|host| host.source().to_owned()).collect()
    };
    assert_eq!(
        hosts("[\"example.com:8080\"]"),
        ["http://example.com:8080", "https://example.com:8080"]
    );
    assert_eq!(
        hosts("[\"https://example.com/\", \"self\"]"),
        ["http://example.com", "https://example.com", "http://self"]
    );
    assert_eq!(
        hosts("[\"insecure:allow-all\"]"),
        ["http://*:*", "https://*:*", "http://self"]
    );
    let manifest = format!("{CART}allowed_http_hosts = [\"ftp://example.com\", \"example.com/x\"]");
    assert_eq!(faults_of(&manifest).len(), 2);
}

#[test]
fn grants_contain_the_values_of_variables() {
    let manifest = loaded(
        r#"
[variables]
db = { required = true }
api = { default = "" }
[component.cart]
source = "cart.wasm"
allowed_outbound_hosts = ["postgres://{{ db }}", "https://{{ api }}", "{{ api }}", "http://*.spin.internal"]
[component.ledger]
source = "ledger.wasm"
"#,
    );
    let cart = &manifest.components["cart"];
    let allowed = |db: &str| {
        let variables = Variables::resolve(&manifest.variables, &Default::default(), |name| {
            (name == "db").then(|| db.to_owned())
        });
        variables.unwrap().allowed_hosts(&manifest, cart)
    };
    let hosts = allowed("db.example:5433").unwrap();
    assert_eq!(hosts.check("postgres", "db.example", 5433), Ok(()));
    assert!(hosts.check("postgres", "db.example", 5432).is_err());
    assert_eq!(hosts.check("http", "ledger.spin.internal", 80), Ok(()));
    assert!(hosts.check("http", "elsewhere.spin.internal", 80).is_err());
    let faults = allowed("db example").unwrap_err();
    assert!(
        faults[0]
            .starts_with("allowed_outbound_hosts \"postgres://db example\": Invalid allowed host"),
        "{faults:?}"
    );
}

#[test]
fn sources_of_host_values_are_read() {
    let manifest = loaded(
        r#"
[variables]
a = { default = "" }
b = { default = "" }
c = { default = "" }
d = { default = "" }
e = { default = "" }
f = { default = "" }
[application.tool.wharf]
migrations = "migrations"
[application.tool.wharf.variables]
a = "postgres:signin"
b = "postgres-host"
c = "s3:secret_key"
d = "random:32"
e = "ed25519:jwks"
f = "listen"
"#,
    );
    let values: Vec<HostValue> = manifest.wharf.variables.into_values().collect();
    assert_eq!(
        values,
        [
            HostValue::Postgres {
                schema: "signin".to_owned()
            },
            HostValue::PostgresHost,
            HostValue::S3(S3Part::SecretKey),
            HostValue::Random { length: 32 },
            HostValue::Ed25519Jwks,
            HostValue::Listen,
        ]
    );
}

#[test]
fn a_secret_default_is_not_shown() {
    let manifest = loaded(
        "[variables]\nkey = { default = \"hunter2\", secret = true }\nhost = { default = \"db\" }",
    );
    let shown = format!("{manifest:?}");
    assert!(
        !shown.contains("hunter2") && shown.contains("db"),
        "{shown}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_manifest_is_refused_without_a_panic(from in 0..TERRIBLE.len(), length in 0..40_usize, by in "[\\[\\]{}=\"é\n.]{0,2}") {
        let kept = |range| TERRIBLE.get(range).unwrap_or_default();
        let to = (from + length).min(TERRIBLE.len());
        let folder = Folder::of(&format!("{}{by}{}", kept(0..from), kept(to..TERRIBLE.len())), &[]);
        let faults = folder.load(None).map(|_| ()).unwrap_err();
        proptest::prop_assert!(!folder.report(faults).is_empty());
    }
}
