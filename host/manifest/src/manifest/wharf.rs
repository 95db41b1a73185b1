//! `tool.wharf`: settings of this host. Spin ignores them, so both run the same manifest.

mod connections;
mod cors;
mod cron;
mod limits;
mod metrics_access;
mod problems;

pub use connections::ConnectionLimits;
pub use cors::{CorsSettings, parse_origins};
pub use cron::{Cron, When};
pub use limits::{PostgresLimits, WharfComponent};
pub use metrics_access::MetricsAccess;
pub use problems::{ProblemMember, ProblemMembers};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::document::{Table, Text};
use crate::faults;
use crate::networks::Networks;
use crate::template::Template;

use super::context::{Context, read_paths, tool_wharf};
use super::host_value::{BadHostValue, EVERY_SCHEMA, HostValue, is_schema_name};
use super::trigger::RedisTrigger;

/// `[application.tool.wharf]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WharfApplication {
    /// The folder of migrations. Each folder in it is a schema with its own login role.
    pub migrations: Option<PathBuf>,
    /// Paths of metrics in the text format of Prometheus.
    pub metrics: Vec<String>,
    pub metrics_access: Option<MetricsAccess>,
    /// Whether every response carries the request's id as `x-request-id`.
    pub request_id_header: bool,
    /// Whether a statement that asks for its request finds it in the settings `wharf.request_id` and `wharf.traceparent`.
    pub request_id_in_sql: bool,
    /// A JWKS: the host checks the signatures of bearer tokens with its Ed25519 keys and tells components that have
    /// `wharf:http`.
    pub bearer_keys: Option<Template>,
    pub cors: CorsSettings,
    pub connections: ConnectionLimits,
    /// The size that the file of each key-value store may grow to.
    pub key_value_limit_bytes: u64,
    /// The size that each SQLite database may grow to.
    pub sqlite_limit_bytes: u64,
    /// Beginnings of paths; what follows them is a secret and is not logged.
    pub secret_paths: Vec<String>,
    /// Sources of variables for which no value was given.
    pub variables: BTreeMap<String, HostValue>,
    /// What each login of the embedded Redis may do, as rules of its ACL. Login `till` has the name `wharf_till` there.
    pub redis_logins: BTreeMap<String, String>,
    /// What the keys of the objects begin with that each access key of the embedded S3 reaches.
    pub s3_keys: BTreeMap<String, String>,
    pub cron: Vec<Cron>,
    /// Networks of proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<Template>,
    pub problems: Vec<ProblemMembers>,
}

impl Default for WharfApplication {
    fn default() -> WharfApplication {
        WharfApplication {
            migrations: None,
            metrics: vec!["/metrics".to_owned()],
            metrics_access: None,
            request_id_header: false,
            request_id_in_sql: false,
            bearer_keys: None,
            cors: CorsSettings::default(),
            connections: ConnectionLimits::default(),
            key_value_limit_bytes: 1 << 30,
            sqlite_limit_bytes: 1 << 30,
            secret_paths: Vec::new(),
            variables: BTreeMap::new(),
            redis_logins: BTreeMap::new(),
            s3_keys: BTreeMap::new(),
            cron: Vec::new(),
            trusted_proxies: Vec::new(),
            problems: Vec::new(),
        }
    }
}

impl WharfApplication {
    pub(super) fn read(
        context: &Context,
        application: &Table,
        redis: &[RedisTrigger],
    ) -> Option<WharfApplication> {
        let default = WharfApplication::default();
        let Some(table) = tool_wharf(application) else {
            return Some(default);
        };
        let migrations = table.text("migrations");
        let schemas = migrations
            .as_ref()
            .map(|migrations| read_schemas(context, migrations));
        let metrics = table.get("metrics").map(|paths| read_paths(&paths.texts()));
        let secret_paths = table
            .get("secret_paths")
            .map(|paths| read_paths(&paths.texts()));
        let redis_logins = table.read_each("redis_logins", |name, rules| {
            let rules = read_redis_rules(&name, &rules.text()?)?;
            Some((name.to_string(), rules))
        });
        let redis_logins: BTreeMap<_, _> = redis_logins.into_iter().collect();
        let s3_keys = table.read_each("s3_keys", |name, objects| {
            let prefix = read_s3_prefix(&name, &objects.text()?)?;
            Some((name.to_string(), prefix))
        });
        let s3_keys: BTreeMap<_, _> = s3_keys.into_iter().collect();
        let variables = table.read_each("variables", |name, value| {
            if !context.variables.contains_key(&*name) {
                name.fault_unknown(
                    "there is no variable",
                    context.variables.keys().map(String::as_str),
                );
            }
            let schemas = schemas.as_deref().unwrap_or_default();
            let value = read_host_value(&value.text()?, schemas, &redis_logins, &s3_keys)?;
            Some((name.to_string(), value))
        });
        let cron = table
            .get("cron")
            .and_then(|cron| cron.list())
            .unwrap_or_default();
        let cron = cron.iter().filter_map(|value| {
            Cron::read(&value.table("[[application.tool.wharf.cron]]")?, redis)
        });
        let trusted_proxies = table.texts("trusted_proxies");
        let trusted_proxies = trusted_proxies
            .iter()
            .filter_map(|networks| read_networks(context, networks));
        let problems = table.get("problems").and_then(|problems| problems.list());
        let problems = problems.unwrap_or_default();
        let problems = problems.iter().filter_map(|value| {
            ProblemMembers::read(&value.table("[[application.tool.wharf.problems]]")?)
        });
        let settings = WharfApplication {
            migrations: migrations.map(|migrations| context.path(&migrations)),
            metrics: metrics.unwrap_or(default.metrics),
            metrics_access: table
                .table("metrics_access", "`metrics_access` of tool.wharf")
                .map(|table| MetricsAccess::read(context, &table)),
            request_id_header: table
                .flag("request_id_header")
                .unwrap_or(default.request_id_header),
            request_id_in_sql: table
                .flag("request_id_in_sql")
                .unwrap_or(default.request_id_in_sql),
            bearer_keys: table
                .text("bearer_keys")
                .and_then(|keys| context.template(&keys)),
            cors: table
                .table("cors", "`cors` of tool.wharf")
                .map_or(default.cors, |table| CorsSettings::read(context, &table)),
            connections: table
                .table("connections", "`connections` of tool.wharf")
                .map_or(default.connections, |table| ConnectionLimits::read(&table)),
            key_value_limit_bytes: table
                .number("key_value_limit_mb", 1..=1 << 20)
                .map_or(default.key_value_limit_bytes, |mb| mb << 20),
            sqlite_limit_bytes: table
                .number("sqlite_limit_mb", 1..=1 << 20)
                .map_or(default.sqlite_limit_bytes, |mb| mb << 20),
            secret_paths: secret_paths.unwrap_or_default(),
            variables: variables.into_iter().collect(),
            redis_logins,
            s3_keys,
            cron: cron.collect(),
            trusted_proxies: trusted_proxies.collect(),
            problems: problems.collect(),
        };
        table.refuse_unknown_keys();
        Some(settings)
    }
}

/// The schemas: the folders in the folder of migrations.
fn read_schemas(context: &Context, migrations: &Text) -> Vec<String> {
    let folder = context.path(migrations);
    match list_folders(&folder) {
        Ok(schemas) => schemas,
        Err(why) => {
            migrations.fault(
                format!("the folder {} cannot be read: {why}", folder.display()),
                None,
            );
            Vec::new()
        }
    }
}

fn list_folders(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.retain(|name| name != EVERY_SCHEMA);
    names.sort();
    Ok(names)
}

/// Checks a list of networks. A text with variables is checked later, when their values are known.
fn read_networks(context: &Context, text: &Text) -> Option<Template> {
    let template = context.template(text)?;
    if template.is_literal()
        && let Err(why) = Networks::parse(text)
    {
        text.fault(why, None);
        return None;
    }
    Some(template)
}

/// Whether `of_what` may have this name.
fn check_name(name: &Text, of_what: &str) -> Option<()> {
    if is_schema_name(name) {
        return Some(());
    }
    let rule = "use a-z, 0-9 and _, start with a letter";
    name.fault(format!("invalid name of a {of_what}: {rule}"), None);
    None
}

/// The rules on one line. A rule that grants nothing, as `nopass`, is refused: the host alone sets who may log in.
fn read_redis_rules(name: &Text, rules: &Text) -> Option<String> {
    check_name(name, "login")?;
    let words: Vec<&str> = rules.split_whitespace().collect();
    if let Some(wrong) = words.iter().find(|word| !is_redis_rule(word)) {
        let fault =
            format!("`{wrong}` is no right in Redis: write ~KEYS, %R~KEYS, &CHANNELS, +COMMAND");
        rules.fault(fault, None);
        return None;
    }
    Some(words.join(" "))
}

/// Whether the word grants or revokes a right and needs no quoting in the configuration file of Redis.
fn is_redis_rule(word: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    word.starts_with(['~', '%', '&', '+', '-']) && word.bytes().all(is_plain)
}

/// The prefix in `PREFIX/*`.
fn read_s3_prefix(name: &Text, objects: &Text) -> Option<String> {
    check_name(name, "key")?;
    let prefix = objects.strip_suffix('*').filter(|it| is_s3_prefix(it));
    if prefix.is_none() {
        let given = &**objects;
        let fault = format!("`{given}` is no prefix of objects in S3: write PREFIX/*");
        objects.fault(fault, None);
    }
    prefix.map(str::to_owned)
}

/// Whether the text is a path of letters, digits, `-` and `_` that ends with `/`: `fines/` is no beginning of `fines-old/1`.
fn is_s3_prefix(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
    text.ends_with('/') && !text.starts_with('/') && text.chars().all(is_plain)
}

fn read_host_value(
    text: &Text,
    schemas: &[String],
    redis_logins: &BTreeMap<String, String>,
    s3_keys: &BTreeMap<String, String>,
) -> Option<HostValue> {
    match text.parse::<HostValue>() {
        Ok(HostValue::Postgres { schema }) if !schemas.contains(&schema) => {
            let hint = faults::suggest(&schema, schemas.iter().map(String::as_str));
            text.fault(
                format!("there is no schema `{schema}` in the folder of migrations"),
                hint,
            );
            None
        }
        Ok(HostValue::RedisLogin { login }) if !redis_logins.contains_key(&login) => {
            let hint = faults::suggest(&login, redis_logins.keys().map(String::as_str));
            text.fault(format!("there is no `{login}` in `redis_logins`"), hint);
            None
        }
        Ok(HostValue::S3Key { key, .. }) if !s3_keys.contains_key(&key) => {
            let hint = faults::suggest(&key, s3_keys.keys().map(String::as_str));
            text.fault(format!("there is no `{key}` in `s3_keys`"), hint);
            None
        }
        Ok(value) => Some(value),
        Err(BadHostValue::Unknown(_)) => {
            text.fault_unknown("there is no host value", HostValue::FORMS);
            None
        }
        Err(why) => {
            text.fault(why.to_string(), None);
            None
        }
    }
}
