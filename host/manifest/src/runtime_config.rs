//! `runtime-config.toml`: the operator's settings, in Spin's format.
//!
//! Settings that this host does not support are refused, so that none is silently without effect.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::document::{Document, Table, Value};
use crate::egress::BlockedNetworks;
use crate::faults::{Fault, Faults};
use crate::names;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeConfig {
    pub variables_providers: Vec<VariablesProvider>,
    pub key_value_stores: BTreeMap<String, KeyValueStore>,
    pub sqlite_databases: BTreeMap<String, SqliteDatabase>,
    pub blocked_networks: BlockedNetworks,
    /// Outgoing connections of all components together.
    pub max_total_connections: Option<usize>,
}

/// A source of variables. The first provider that has a value wins.
#[derive(Clone, PartialEq, Eq)]
pub enum VariablesProvider {
    Static {
        values: BTreeMap<String, String>,
    },
    /// Reads `<prefix>_<NAME>`. The path is relative to the working directory.
    Environment {
        prefix: Option<String>,
        dotenv_path: Option<PathBuf>,
    },
}

#[derive(Clone, PartialEq, Eq)]
pub enum KeyValueStore {
    Redis {
        url: String,
    },
    /// Kept by the host; without a path the host chooses one.
    Embedded {
        path: Option<PathBuf>,
    },
}

/// A file of this host; without a path the host chooses one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqliteDatabase {
    pub path: Option<PathBuf>,
    /// Whether guests may attach any file that the host can open.
    pub allow_attach_file: bool,
}

impl RuntimeConfig {
    pub fn load(path: &Path) -> Result<RuntimeConfig, Faults> {
        let text = std::fs::read_to_string(path)
            .map_err(|why| Fault::of_file(path, format!("cannot be read: {why}")))?;
        let document = Document::new(path, &text);
        let entries = document.parse()?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let config = RuntimeConfig::read(&document.root(&entries), folder);
        let (config, _) = document.finish(Some(config))?;
        Ok(config)
    }

    fn read(root: &Table, folder: &Path) -> RuntimeConfig {
        let mut providers = read_providers(root, "variables_provider");
        providers.extend(read_providers(root, "config_provider"));
        let stores = root.read_each("key_value_store", |label, value| {
            if let Err(why) = names::check_label(&label) {
                label.fault(format!("invalid label `{}`: {why}", &*label), None);
            }
            Some((label.to_string(), KeyValueStore::read(&value, folder)?))
        });
        let databases = root.read_each("sqlite_database", |label, value| {
            if let Err(why) = names::check_label(&label) {
                label.fault(format!("invalid label `{}`: {why}", &*label), None);
            }
            Some((label.to_string(), SqliteDatabase::read(&value, folder)?))
        });
        let (blocked_networks, max_total_connections) = read_networking(root);
        let config = RuntimeConfig {
            variables_providers: providers,
            key_value_stores: stores.into_iter().collect(),
            sqlite_databases: databases.into_iter().collect(),
            blocked_networks,
            max_total_connections,
        };
        for (key, why) in [
            ("state_dir", "this host uses `--data-dir` instead"),
            ("log_dir", "this host logs to standard error: redirect it"),
            (
                "max_instance_memory",
                "this host limits memory per component: `memory_mb` in its tool.wharf",
            ),
            ("llm_compute", "this host has no AI models"),
            (
                "client_tls",
                "this host does not support client certificates",
            ),
            (
                "outbound_pg",
                "this host limits connections per component: `postgres.connections` in its tool.wharf",
            ),
            (
                "outbound_redis",
                "the instances of a component share one connection to Redis",
            ),
            (
                "outbound_http",
                "each component has its own pool of HTTP connections",
            ),
            ("outbound_mysql", "this host does not speak MySQL"),
            (
                "outbound_mqtt",
                "each component has its own limit of MQTT connections",
            ),
        ] {
            root.refuse(key, why);
        }
        root.refuse_unknown_keys();
        config
    }
}

fn read_providers(root: &Table, key: &'static str) -> Vec<VariablesProvider> {
    let providers = root
        .get(key)
        .and_then(|providers| providers.list())
        .unwrap_or_default();
    providers
        .iter()
        .filter_map(VariablesProvider::read)
        .collect()
}

impl VariablesProvider {
    fn read(value: &Value) -> Option<VariablesProvider> {
        let table = value.table("[[variables_provider]]")?;
        let kind = table.require_text("type")?;
        let provider = match &*kind {
            "static" => {
                table.require("values");
                let values = table.read_each("values", |name, value| {
                    Some((name.to_string(), value.text()?.to_string()))
                });
                VariablesProvider::Static {
                    values: values.into_iter().collect(),
                }
            }
            "env" => VariablesProvider::Environment {
                prefix: table.text("prefix").map(|prefix| prefix.to_string()),
                dotenv_path: table.text("dotenv_path").map(|path| PathBuf::from(&*path)),
            },
            "vault" | "azure_key_vault" => {
                kind.fault(
                    format!("the variables provider `{}` is not supported", &*kind),
                    Some("use the environment or --variable".to_owned()),
                );
                return None;
            }
            _ => {
                kind.fault_unknown("there is no variables provider", ["static", "env"]);
                return None;
            }
        };
        table.refuse_unknown_keys();
        Some(provider)
    }
}

impl KeyValueStore {
    fn read(value: &Value, folder: &Path) -> Option<KeyValueStore> {
        let table = value.table("[key_value_store.…]")?;
        let kind = table.require_text("type")?;
        let store = match &*kind {
            "redis" => KeyValueStore::Redis {
                url: table.require_text("url")?.to_string(),
            },
            "spin" => KeyValueStore::Embedded {
                path: table.text("path").map(|path| folder.join(&*path)),
            },
            _ => {
                kind.fault_unknown("there is no key-value store of type", ["redis", "spin"]);
                return None;
            }
        };
        table.refuse_unknown_keys();
        Some(store)
    }
}

impl SqliteDatabase {
    fn read(value: &Value, folder: &Path) -> Option<SqliteDatabase> {
        let table = value.table("[sqlite_database.…]")?;
        let kind = table.require_text("type")?;
        match &*kind {
            "spin" => {}
            "libsql" => {
                kind.fault(
                    "databases behind libSQL are not supported",
                    Some("use the type \"spin\", a file of this host".to_owned()),
                );
                return None;
            }
            _ => {
                kind.fault_unknown("there is no SQLite database of type", ["spin"]);
                return None;
            }
        }
        let database = SqliteDatabase {
            path: table.text("path").map(|path| folder.join(&*path)),
            allow_attach_file: table.flag("allow_attach_file").unwrap_or_default(),
        };
        table.refuse_unknown_keys();
        Some(database)
    }
}

fn read_networking(root: &Table) -> (BlockedNetworks, Option<usize>) {
    let mut blocked = BlockedNetworks::default();
    let mut max_total_connections = None;
    if let Some(table) = root.table("outbound_networking", "[outbound_networking]") {
        for network in table.texts("block_networks") {
            if let Err(why) = blocked.block(&network) {
                network.fault(why, None);
            }
        }
        max_total_connections = table
            .number("max_total_connections", 1..=1_000_000)
            .and_then(|max| usize::try_from(max).ok());
        table.refuse(
            "max_socket_connections",
            "this host limits the open sockets of an instance",
        );
        table.refuse_unknown_keys();
    }
    (blocked, max_total_connections)
}

/// Shows names only: values may be secrets.
impl fmt::Debug for VariablesProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VariablesProvider::Static { values } => f.debug_set().entries(values.keys()).finish(),
            VariablesProvider::Environment {
                prefix,
                dotenv_path,
            } => {
                write!(
                    f,
                    "{}_* and {dotenv_path:?}",
                    prefix.as_deref().unwrap_or("SPIN_VARIABLE")
                )
            }
        }
    }
}

/// Hides the URL: it may hold a password.
impl fmt::Debug for KeyValueStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyValueStore::Redis { .. } => f.write_str("Redis"),
            KeyValueStore::Embedded { path } => write!(f, "Embedded({path:?})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn load(text: &str) -> Result<RuntimeConfig, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("runtime-config.toml");
        std::fs::write(&file, text).unwrap();
        let folder = format!("{}/", dir.path().display());
        RuntimeConfig::load(&file).map_err(|faults| faults.to_string().replace(&folder, ""))
    }

    #[test]
    fn supported_settings_are_read() {
        let config = load(
            r#"
[[variables_provider]]
type = "static"
values = { key = "hunter2" }

[[variables_provider]]
type = "env"
prefix = "SHOP"
dotenv_path = "shop.env"

[key_value_store.default]
type = "redis"
url = "redis://:hunter2@cache"

[key_value_store.my_store]
type = "spin"
path = "kv/store"

[key_value_store.other]
type = "spin"

[sqlite_database.default]
type = "spin"
path = "db/default.db"
allow_attach_file = true

[outbound_networking]
block_networks = ["10.0.0.0/8", "private"]
max_total_connections = 500
"#,
        )
        .unwrap();
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        assert!(config.blocked_networks.is_blocked(loopback));
        assert_eq!(config.max_total_connections, Some(500));
        let values = [("key".to_owned(), "hunter2".to_owned())].into();
        assert_eq!(
            config.variables_providers,
            [
                VariablesProvider::Static { values },
                VariablesProvider::Environment {
                    prefix: Some("SHOP".to_owned()),
                    dotenv_path: Some("shop.env".into()),
                },
            ]
        );
        let KeyValueStore::Embedded { path: Some(path) } = &config.key_value_stores["my_store"]
        else {
            panic!("{config:?}");
        };
        assert!(
            path.is_absolute() && path.ends_with("kv/store"),
            "relative to the file: {path:?}"
        );
        assert_eq!(
            config.key_value_stores["other"],
            KeyValueStore::Embedded { path: None }
        );
        let database = &config.sqlite_databases["default"];
        assert!(database.path.as_ref().unwrap().ends_with("db/default.db"));
        assert!(database.allow_attach_file);
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(load(""), Ok(RuntimeConfig::default()));
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let report = load(
            r#"
state_dir = "x"
log_dri = "x"
log_dir = "logs"

[[variables_provider]]
type = "vault"
url = "https://vault"

[[variables_provider]]
type = "statik"

[[config_provider]]
type = "static"
values = { key = 1 }
prefix = "X"

[key_value_store."bad label"]
type = "redis"

[key_value_store.cloud]
type = "azure_cosmos"

[outbound_networking]
block_networks = ["10.0.0.1", 7]
max_socket_connections = 5

[outbound_pg]
max_connections = 10

[outbound_http]
connection_pooling = true

[sqlite_database.default]
type = "libsql"
url = "https://db"
"#,
        )
        .unwrap_err();
        insta::assert_snapshot!("a_terrible_runtime_config", report);
    }
}
