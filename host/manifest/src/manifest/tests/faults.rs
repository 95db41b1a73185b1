//! What is refused, and where its fault stands.

use super::*;

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
            "[application.tool.wharf.redis_logins]\ncart = \"~cart:* +get nopass\"",
            "`nopass` is no right in Redis: write ~KEYS, %R~KEYS, &CHANNELS, +COMMAND",
        ),
        (
            "[application.tool.wharf.redis_logins]\ncart = \"~cart\\\"\"",
            "`~cart\"` is no right in Redis",
        ),
        (
            "[application.tool.wharf.redis_logins]\n\"the cart\" = \"~cart:*\"",
            "invalid name of a login",
        ),
        (
            "[variables]\na = { default = \"\" }\n[application.tool.wharf]\nvariables = { a = \"redis:card\" }\nredis_logins = { cart = \"~cart:*\" }",
            "there is no `card` in `redis_logins`; did you mean `cart`?",
        ),
        (
            "[application.tool.wharf.s3_keys]\ncart = \"carts*\"",
            "`carts*` is no prefix of objects in S3: write PREFIX/*",
        ),
        (
            "[application.tool.wharf.s3_keys]\ncart = \"*\"",
            "`*` is no prefix of objects in S3",
        ),
        (
            "[application.tool.wharf.s3_keys]\n\"the cart\" = \"carts/*\"",
            "invalid name of a key",
        ),
        (
            "[variables]\na = { default = \"\" }\n[application.tool.wharf]\nvariables = { a = \"s3:access_key:card\" }\ns3_keys = { cart = \"carts/*\" }",
            "there is no `card` in `s3_keys`; did you mean `cart`?",
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
fn all_faults_of_a_manifest_are_reported_at_once() {
    let folder = Folder::of(TERRIBLE, FILES);
    let faults = folder.load(None).map(|_| ()).unwrap_err();
    insta::assert_snapshot!("a_terrible_manifest", folder.report(faults));
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
