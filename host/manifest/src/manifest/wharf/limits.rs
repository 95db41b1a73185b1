//! `[component.<id>.tool.wharf]`: the limits of a component.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::document::Table;

use super::super::context::tool_wharf;

/// `[component.<id>.tool.wharf]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WharfComponent {
    /// Requests that an instance serves before it is replaced. An instance that uses much memory is replaced earlier.
    pub requests_per_instance: u32,
    /// Requests that an instance serves at the same time. If more than one, requests are streamed through `wasi:http` even
    /// if the component exports `wharf:http`.
    pub concurrent_requests: u32,
    /// How long an idle instance is kept.
    pub idle_timeout: Duration,
    /// Instances at the same time. Further requests wait, and are refused if none becomes free.
    pub max_instances: u32,
    pub request_timeout: Duration,
    /// The memory limit of one instance.
    pub memory_bytes: usize,
    /// The largest request body.
    pub body_limit_bytes: u64,
    /// Request bodies that are received or wait for an instance, together. One client may have a quarter.
    pub pending_bodies_bytes: usize,
    /// Answers that the host holds for the component, together: rows, replies of Redis. Two of the largest results that Spin
    /// buffers.
    pub held_answers_bytes: usize,
    /// Messages that wait for the component: some hundred thousand small ones. Further ones are dropped and counted.
    pub waiting_messages_bytes: usize,
    /// Hosts that only `*` in `allowed_outbound_hosts` grants must have public addresses.
    pub block_private_networks: bool,
    /// Drops a message if an equal one is already waiting. For messages that are only wake-ups.
    pub merge_equal_messages: bool,
    /// Variables of the component that only its dependencies read: each reads those that its own entry in the manifest has. Spin
    /// hands all variables to the component and to its dependencies.
    pub dependency_variables: BTreeSet<String>,
    /// Outgoing connections of all kinds at the same time: to databases, Redis, brokers and HTTP servers, and sockets.
    pub outbound_connections: u32,
    pub postgres: PostgresLimits,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresLimits {
    /// Connections of the component to one database URL.
    pub connections: u32,
    /// How long a request waits for a connection.
    pub wait: Duration,
    /// Zero means no limit.
    pub statement_timeout: Duration,
}

/// One request at a time is as fast as several, and a trap then ends one request only. Instances live longer than in Spin
/// (128 requests, 1 s), because building the state of an instance (router, verified tokens) costs as much as a request.
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
            pending_bodies_bytes: 128 << 20,
            held_answers_bytes: 256 << 20,
            waiting_messages_bytes: 64 << 20,
            block_private_networks: false,
            merge_equal_messages: false,
            dependency_variables: BTreeSet::new(),
            outbound_connections: 128,
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

/// A longer time is a typing error.
pub(super) const MAX_MS: u64 = 24 * 60 * 60 * 1000;

impl WharfComponent {
    pub(in crate::manifest) fn read(component: &Table) -> WharfComponent {
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
            idle_timeout: milliseconds(&table, "idle_timeout_ms", 0..=MAX_MS, default.idle_timeout),
            max_instances: count(&table, "max_instances", default.max_instances),
            request_timeout: milliseconds(
                &table,
                "request_timeout_ms",
                1..=MAX_MS,
                default.request_timeout,
            ),
            memory_bytes: megabytes(&table, "memory_mb", default.memory_bytes),
            body_limit_bytes: table
                .number("body_limit_kb", 1..=1 << 22)
                .map_or(default.body_limit_bytes, |kb| kb << 10),
            pending_bodies_bytes: megabytes(
                &table,
                "pending_bodies_mb",
                default.pending_bodies_bytes,
            ),
            held_answers_bytes: megabytes(&table, "held_answers_mb", default.held_answers_bytes),
            waiting_messages_bytes: megabytes(
                &table,
                "waiting_messages_mb",
                default.waiting_messages_bytes,
            ),
            block_private_networks: table
                .flag("block_private_networks")
                .unwrap_or(default.block_private_networks),
            merge_equal_messages: table
                .flag("merge_equal_messages")
                .unwrap_or(default.merge_equal_messages),
            dependency_variables: dependency_variables(component, &table),
            outbound_connections: count(
                &table,
                "outbound_connections",
                default.outbound_connections,
            ),
            postgres: postgres.map(PostgresLimits::read).unwrap_or_default(),
        };
        table.refuse_unknown_keys();
        limits
    }
}

impl PostgresLimits {
    fn read(table: Table) -> PostgresLimits {
        let default = PostgresLimits::default();
        let limits = PostgresLimits {
            connections: count(&table, "connections", default.connections),
            wait: milliseconds(&table, "wait_ms", 0..=MAX_MS, default.wait),
            statement_timeout: milliseconds(
                &table,
                "statement_timeout_ms",
                0..=MAX_MS,
                default.statement_timeout,
            ),
        };
        table.refuse_unknown_keys();
        limits
    }
}

fn dependency_variables(component: &Table, table: &Table) -> BTreeSet<String> {
    let names = table.texts("dependency_variables");
    if names.is_empty() {
        return BTreeSet::new();
    }
    let variables = component.table("variables", "`variables`");
    for name in &names {
        if !variables.as_ref().is_some_and(|it| it.has(name)) {
            name.fault(format!("the component has no variable `{}`", &**name), None);
        }
    }
    names.iter().map(|name| name.to_string()).collect()
}

pub(super) fn count(table: &Table, key: &'static str, default: u32) -> u32 {
    let number = table.number(key, 1..=1_000_000);
    number
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(default)
}

/// 4 GiB at most, as much as a 32-bit memory has.
fn megabytes(table: &Table, key: &'static str, default: usize) -> usize {
    let number = table.number(key, 1..=4096);
    number
        .and_then(|mb| usize::try_from(mb << 20).ok())
        .unwrap_or(default)
}

pub(super) fn milliseconds(
    table: &Table,
    key: &'static str,
    range: RangeInclusive<u64>,
    default: Duration,
) -> Duration {
    table
        .number(key, range)
        .map_or(default, Duration::from_millis)
}
