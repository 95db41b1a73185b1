//! `[application.tool.wharf.connections]`: the limits of HTTP connections.

use std::time::Duration;

use crate::document::Table;

use super::limits::{MAX_MS, count, milliseconds};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Open connections. Half of the file descriptors of the process is an upper bound for this number.
    pub max: u32,
    /// Open connections of one client address. Over HTTP/2 as many responses may wait for the client to take them, too. Trusted
    /// proxies are exempt, since they carry many clients.
    pub max_per_client: u32,
    /// A connection without a request, and without the head of the next one, is closed after this time.
    pub idle_timeout: Duration,
    /// A client that sends nothing of the body it began, or takes nothing of its response, is given up after this time. Over
    /// HTTP/2 a response waits four times as long, and its stream alone is given up.
    pub stall_timeout: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> ConnectionLimits {
        ConnectionLimits {
            max: 16_384,
            max_per_client: 1024,
            idle_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(15),
        }
    }
}

impl ConnectionLimits {
    pub(super) fn read(table: &Table) -> ConnectionLimits {
        let default = ConnectionLimits::default();
        let limits = ConnectionLimits {
            max: count(table, "max", default.max),
            max_per_client: count(table, "max_per_client", default.max_per_client),
            idle_timeout: milliseconds(table, "idle_timeout_ms", 1..=MAX_MS, default.idle_timeout),
            stall_timeout: milliseconds(
                table,
                "stall_timeout_ms",
                1..=MAX_MS,
                default.stall_timeout,
            ),
        };
        table.refuse_unknown_keys();
        limits
    }
}
