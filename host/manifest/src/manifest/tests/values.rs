//! Variables, hosts and what the host itself takes from a manifest.

use super::*;

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
g = { default = "" }
h = { default = "" }
[application.tool.wharf]
migrations = "migrations"
[application.tool.wharf.variables]
a = "postgres:signin"
b = "postgres-host"
c = "s3:secret_key"
d = "random:32"
e = "ed25519:jwks"
f = "listen"
g = "redis:cart"
h = "s3:access_key:cart"
[application.tool.wharf.redis_logins]
cart = """
    %R~session:*
    ~cart:* +get +set"""
[application.tool.wharf.s3_keys]
cart = "carts/*"
"#,
    );
    assert_eq!(
        manifest.wharf.redis_logins["cart"],
        "%R~session:* ~cart:* +get +set"
    );
    assert_eq!(manifest.wharf.s3_keys["cart"], "carts/");
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
            HostValue::RedisLogin {
                login: "cart".to_owned()
            },
            HostValue::S3Key {
                key: "cart".to_owned(),
                part: S3Part::AccessKey
            },
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
