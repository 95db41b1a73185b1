//! `spin:postgres`, of every version: SQL over a pool of the component's own.

use std::time::Duration;

/// How much of a database one component may take, per address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Connections open at once.
    pub connections: usize,
    /// How long a statement or a transaction may wait for one of them.
    pub wait: Duration,
    pub statement_timeout: Duration,
    /// How long an open transaction may do nothing. It holds locks others wait for.
    pub idle_in_transaction_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            connections: 16,
            wait: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(10),
        }
    }
}
