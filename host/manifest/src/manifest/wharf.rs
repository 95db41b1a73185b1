//! `tool.wharf`: the settings only this host knows. Spin ignores them, so the manifest stays one for both.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::document::{Table, Text, Value};
use crate::faults;
use crate::networks::Networks;
use crate::template::Template;

use super::host_value::{BadHostValue, HostValue};
use super::{Reading, RedisTrigger, tool_wharf};

/// `[application.tool.wharf]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WharfApplication {
    /// A folder in which each folder is a schema with a login role of its own.
    pub migrations: Option<PathBuf>,
    /// Paths that answer in Prometheus' text format.
    pub metrics: Vec<String>,
    /// Where a variable gets its value from when nobody gave one.
    pub variables: BTreeMap<String, HostValue>,
    pub cron: Vec<Cron>,
    /// Networks whose machines are believed when they say for whom they ask.
    pub trusted_proxies: Vec<Template>,
    pub problems: Vec<ProblemMembers>,
}

/// What the host's own refusals say besides RFC 9457's members, for clients that read others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemMembers {
    /// Each with all below it.
    paths: Vec<String>,
    /// Of refusals with this status; `None` is any.
    status: Option<u16>,
    pub members: BTreeMap<String, ProblemMember>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemMember {
    /// What this member of RFC 9457 says.
    Like(String),
    Number(u64),
    Members(BTreeMap<String, ProblemMember>),
}

/// What every refusal of the host says.
const OF_PROBLEMS: [&str; 6] = ["type", "title", "status", "detail", "code", "request_id"];

/// A tick: delivered to the components whose Redis trigger has this channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    pub when: When,
    pub channel: String,
    pub payload: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    Every(Duration),
    /// Five to seven fields: seconds (if six), minute, hour, day, month, weekday, year (if seven).
    Schedule(String),
}

/// `[component.<id>.tool.wharf]`: how much of the machine a component may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WharfComponent {
    /// Requests an instance answers before it is replaced; sooner if it has taken a lot of memory.
    pub requests_per_instance: u32,
    /// Requests an instance answers at once. More than one are streamed to it even if it could take them whole.
    pub concurrent_requests: u32,
    /// How long an instance is kept that has nothing to do.
    pub idle_timeout: Duration,
    /// Instances at once; who comes then waits, and is refused in the end.
    pub max_instances: u32,
    pub request_timeout: Duration,
    /// Of one instance.
    pub memory_bytes: usize,
    /// Of one request.
    pub body_limit_bytes: u64,
    /// What `*` in `allowed_outbound_hosts` lets through must be public.
    pub block_private_networks: bool,
    /// A message like one that already waits is not delivered again: for messages that only wake.
    pub merge_equal_messages: bool,
    pub postgres: PostgresLimits,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresLimits {
    /// Connections of the component to one address.
    pub connections: u32,
    /// How long a request waits for one.
    pub wait: Duration,
    /// Zero is no limit.
    pub statement_timeout: Duration,
}

/// One request at a time: as fast, and one that traps takes no other with it. Instances are kept longer than
/// Spin keeps them (128 requests, 1 s): what one has made and learned (its router, whom it verified) is worth as
/// much as the request itself.
impl Default for WharfComponent {
    fn default() -> WharfComponent {
        WharfComponent {
            requests_per_instance: 4096,
            concurrent_requests: 1,
            idle_timeout: Duration::from_secs(10),
            max_instances: 64,
            request_timeout: Duration::from_secs(30),
            memory_bytes: 128 << 20,
            body_limit_bytes: 1 << 20,
            block_private_networks: false,
            merge_equal_messages: false,
            postgres: PostgresLimits::default(),
        }
    }
}

impl Default for PostgresLimits {
    fn default() -> PostgresLimits {
        PostgresLimits {
            connections: 16,
            wait: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(10),
        }
    }
}

/// Longer than anybody waits: a typing error.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;

impl WharfComponent {
    pub(super) fn read(component: &Table) -> WharfComponent {
        let default = WharfComponent::default();
        let Some(table) = tool_wharf(component) else {
            return default;
        };
        let postgres = table.table("postgres", "`postgres` of tool.wharf");
        let limits = WharfComponent {
            requests_per_instance: count(
                &table,
                "requests_per_instance",
                default.requests_per_instance,
            ),
            concurrent_requests: count(&table, "concurrent_requests", default.concurrent_requests),
            idle_timeout: milliseconds(
                &table,
                "idle_timeout_ms",
                0..=LONGEST_MS,
                default.idle_timeout,
            ),
            max_instances: count(&table, "max_instances", default.max_instances),
            request_timeout: milliseconds(
                &table,
                "request_timeout_ms",
                1..=LONGEST_MS,
                default.request_timeout,
            ),
            // A 32-bit memory has no more than 4 GB.
            memory_bytes: table
                .number("memory_mb", 1..=4096)
                .and_then(|mb| usize::try_from(mb << 20).ok())
                .unwrap_or(default.memory_bytes),
            body_limit_bytes: table
                .number("body_limit_kb", 1..=1 << 22)
                .map_or(default.body_limit_bytes, |kb| kb << 10),
            block_private_networks: table
                .flag("block_private_networks")
                .unwrap_or(default.block_private_networks),
            merge_equal_messages: table
                .flag("merge_equal_messages")
                .unwrap_or(default.merge_equal_messages),
            postgres: postgres.map(PostgresLimits::read).unwrap_or_default(),
        };
        table.no_other_keys();
        limits
    }
}

impl PostgresLimits {
    fn read(table: Table) -> PostgresLimits {
        let default = PostgresLimits::default();
        let limits = PostgresLimits {
            connections: count(&table, "connections", default.connections),
            wait: milliseconds(&table, "wait_ms", 0..=LONGEST_MS, default.wait),
            statement_timeout: milliseconds(
                &table,
                "statement_timeout_ms",
                0..=LONGEST_MS,
                default.statement_timeout,
            ),
        };
        table.no_other_keys();
        limits
    }
}

fn count(table: &Table, key: &'static str, default: u32) -> u32 {
    let number = table.number(key, 1..=1_000_000);
    number
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(default)
}

fn milliseconds(
    table: &Table,
    key: &'static str,
    range: RangeInclusive<u64>,
    default: Duration,
) -> Duration {
    table
        .number(key, range)
        .map_or(default, Duration::from_millis)
}

impl Default for WharfApplication {
    fn default() -> WharfApplication {
        WharfApplication {
            migrations: None,
            metrics: vec!["/metrics".to_owned()],
            variables: BTreeMap::new(),
            cron: Vec::new(),
            trusted_proxies: Vec::new(),
            problems: Vec::new(),
        }
    }
}

impl WharfApplication {
    pub(super) fn read(
        reading: &Reading,
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
            .map(|migrations| read_schemas(reading, migrations));
        let metrics = table.get("metrics").map(|paths| read_paths(&paths.texts()));
        let variables = table.each("variables", |name, value| {
            if !reading.variables.contains_key(&*name) {
                name.unknown(
                    "there is no variable",
                    reading.variables.keys().map(String::as_str),
                );
            }
            let value = read_host_value(&value.text()?, schemas.as_deref().unwrap_or_default())?;
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
            .filter_map(|networks| read_networks(reading, networks));
        let problems = table.get("problems").and_then(|problems| problems.list());
        let problems = problems.unwrap_or_default();
        let problems = problems.iter().filter_map(|value| {
            ProblemMembers::read(&value.table("[[application.tool.wharf.problems]]")?)
        });
        let settings = WharfApplication {
            migrations: migrations.map(|migrations| reading.path(&migrations)),
            metrics: metrics.unwrap_or(default.metrics),
            variables: variables.into_iter().collect(),
            cron: cron.collect(),
            trusted_proxies: trusted_proxies.collect(),
            problems: problems.collect(),
        };
        table.no_other_keys();
        Some(settings)
    }
}

/// The folders in the folder of migrations.
fn read_schemas(reading: &Reading, migrations: &Text) -> Vec<String> {
    let folder = reading.path(migrations);
    match folders(&folder) {
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

fn folders(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}

fn read_paths(paths: &[Text]) -> Vec<String> {
    for path in paths.iter().filter(|path| !path.starts_with('/')) {
        path.fault("a path begins with `/`", None);
    }
    paths.iter().map(|path| path.to_string()).collect()
}

/// A text with variables is read when they have their values.
fn read_networks(reading: &Reading, text: &Text) -> Option<Template> {
    let template = reading.template(text)?;
    if template.is_literal()
        && let Err(why) = Networks::parse(text)
    {
        text.fault(why, None);
        return None;
    }
    Some(template)
}

impl ProblemMembers {
    fn read(table: &Table) -> Option<ProblemMembers> {
        let paths = table.require("paths").map(|paths| paths.texts());
        let status = table.number("status", 400..=599);
        let members = table.require("members");
        let members = members.and_then(|members| members.table("`members` of a problem"));
        table.no_other_keys();
        Some(ProblemMembers {
            paths: paths.map(|paths| read_paths(&paths))?,
            status: status.and_then(|status| u16::try_from(status).ok()),
            members: ProblemMember::read_all(&members?),
        })
    }

    pub fn concern(&self, path: &str, status: u16) -> bool {
        let paths = self.paths.iter().map(|own| own.trim_end_matches('/'));
        let mut below = paths.filter_map(|own| path.strip_prefix(own));
        below.any(|rest| rest.is_empty() || rest.starts_with('/'))
            && self.status.is_none_or(|only| only == status)
    }
}

impl ProblemMember {
    fn read_all(table: &Table) -> BTreeMap<String, ProblemMember> {
        let entries = table.entries().into_iter();
        let members = entries
            .filter_map(|(name, value)| Some((name.to_string(), ProblemMember::read(&value)?)));
        members.collect()
    }

    fn read(value: &Value) -> Option<ProblemMember> {
        if value.is_table() {
            let table = value.table("a member of a problem")?;
            return Some(ProblemMember::Members(ProblemMember::read_all(&table)));
        }
        if !value.is_text() {
            return value
                .number(0..=u64::from(u32::MAX))
                .map(ProblemMember::Number);
        }
        let text = value.text()?;
        if !OF_PROBLEMS.contains(&&*text) {
            text.unknown("the host's refusals have no member", OF_PROBLEMS);
        }
        Some(ProblemMember::Like(text.to_string()))
    }
}

fn read_host_value(text: &Text, schemas: &[String]) -> Option<HostValue> {
    match text.parse::<HostValue>() {
        Ok(HostValue::Postgres { schema }) if !schemas.contains(&schema) => {
            let hint = faults::suggestion(&schema, schemas.iter().map(String::as_str));
            text.fault(
                format!("there is no schema `{schema}` in the folder of migrations"),
                hint,
            );
            None
        }
        Ok(value) => Some(value),
        Err(BadHostValue::Unknown(_)) => {
            text.unknown("this host has no value", HostValue::FORMS);
            None
        }
        Err(why) => {
            text.fault(why.to_string(), None);
            None
        }
    }
}

impl Cron {
    fn read(table: &Table, redis: &[RedisTrigger]) -> Option<Cron> {
        let when = match (table.text("every"), table.text("schedule")) {
            (Some(every), None) => read_every(&every),
            (None, Some(schedule)) => read_schedule(&schedule),
            (None, None) | (Some(_), Some(_)) => {
                table.fault(
                    "a cron needs `every` or `schedule`, and only one of them",
                    None,
                );
                None
            }
        };
        let channel = table.require_text("channel");
        if let Some(channel) = &channel {
            warn_of_deaf_channel(channel, redis);
        }
        let payload = table.string("payload");
        table.no_other_keys();
        Some(Cron {
            when: when?,
            channel: channel?.to_string(),
            payload,
        })
    }
}

fn read_every(text: &Text) -> Option<When> {
    let every = parse_duration(text).filter(|every| !every.is_zero());
    if every.is_none() {
        text.fault(
            "a duration is a number and a unit: 500ms, 1s, 5m, 2h, 1d",
            None,
        );
    }
    every.map(When::Every)
}

fn parse_duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit)?;
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

fn read_schedule(text: &Text) -> Option<When> {
    if !(5..=7).contains(&text.split_whitespace().count()) {
        text.fault(
            "a schedule has five to seven fields: `0 */5 * * * *` is every five minutes",
            None,
        );
        return None;
    }
    Some(When::Schedule(text.to_string()))
}

fn warn_of_deaf_channel(channel: &Text, redis: &[RedisTrigger]) {
    let literal: Vec<&str> = redis
        .iter()
        .map(|trigger| trigger.channel.source())
        .collect();
    // A channel made of variables may turn out to be this one.
    let heard =
        redis.iter().any(|trigger| !trigger.channel.is_literal()) || literal.contains(&&**channel);
    if !heard {
        let hint = faults::suggestion(channel, literal.iter().copied());
        channel.warn(
            format!("no [[trigger.redis]] has the channel `{}`", &**channel),
            hint,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("1s", Some(1_000)),
            ("5m", Some(300_000)),
            ("2h", Some(7_200_000)),
            ("1d", Some(86_400_000)),
            ("1", None),
            ("s", None),
            ("", None),
            ("1.5s", None),
            ("-1s", None),
            ("1 s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(
                parse_duration(text),
                expected.map(Duration::from_millis),
                "{text}"
            );
        }
    }
}
