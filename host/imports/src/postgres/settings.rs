//! The limits that the operator sets.

use std::time::Duration;

/// Limits of one component towards one database address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Connections open at once.
    pub connections: usize,
    /// How long a statement or a transaction may wait for a connection.
    pub wait: Duration,
    /// A statement may wait for a lock for half of it.
    pub statement_timeout: Duration,
    /// How long an open transaction may be idle. It holds locks that other transactions wait for.
    pub idle_in_transaction_timeout: Duration,
    /// Whether a plain query that finds no row fails. In Spin 4.1 it never ends.
    pub refuses_empty_results: bool,
    /// Whether a statement that asks for its request finds it in the settings `wharf.request_id` and `wharf.traceparent`.
    pub names_requests: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            connections: 16,
            wait: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(10),
            refuses_empty_results: false,
            names_requests: false,
        }
    }
}
