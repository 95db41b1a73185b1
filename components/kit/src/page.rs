//! Which part of a list is wanted.

use serde::Deserialize;

/// `limit` with `offset`, or with `skip` as some clients call it. Never more than 100 rows:
/// a page is read into one instance's memory.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Page {
    limit: Option<i64>,
    #[serde(alias = "skip")]
    offset: Option<i64>,
}

const LONGEST: i64 = 100;

impl Page {
    /// The limit asked for, `default` when none was, within `1..=100`.
    pub fn limit(&self, default: i64) -> i64 {
        self.limit.unwrap_or(default).clamp(1, LONGEST)
    }

    pub fn offset(&self) -> i64 {
        self.offset.unwrap_or(0).max(0)
    }
}
