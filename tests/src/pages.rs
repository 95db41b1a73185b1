//! The cost of a statement in pages of the database, which a busy machine does not change.

use postgres::GenericClient;
use serde_json::Value;

/// Runs a statement; returns how many pages of the database PostgreSQL read for it.
pub fn pages_read(sql: &mut impl GenericClient, statement: &str) -> i64 {
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}");
    let plan: Value = sql.query_one(&explain, &[]).unwrap().get(0);
    let count = |name: &str| plan[0]["Plan"][name].as_i64().unwrap();
    count("Shared Hit Blocks") + count("Shared Read Blocks")
}
