//! Pages of lists of transfers, the newest first. A page goes on `before` a row; clients of the replaced systems leave
//! `offset` rows out instead.

use axum::http::Uri;
use kit::web::{Listed, Schema};
use serde::Deserialize;

use crate::error::Error;

/// Rows of a page at most.
const PAGE_ROWS: i64 = 100;

/// Rows that a page may leave out, since the store reads each of them.
const MAX_OFFSET: i64 = 5_000;

#[derive(Clone, Copy, Debug, Deserialize, Schema)]
pub struct Paging {
    /// Rows of a page; never more than 100.
    #[schemars(range(min = 1, max = 100), example = 20)]
    limit: Option<i64>,
    /// The place in the list at which the page goes on, as a `Link` says it.
    before: Option<i64>,
    /// Rows to leave out, at most 5000: a page far into the list goes on `before` a row. `skip` means the same.
    #[serde(alias = "skip")]
    #[schemars(range(min = 0, max = 5000), example = 0)]
    offset: Option<i64>,
}

/// The rows of a list that are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub before: Option<i64>,
    pub limit: i64,
    pub offset: i64,
}

impl Paging {
    /// `rows` when the client asks for no page, and otherwise a page.
    pub fn part_or(self, rows: i64) -> Result<Part, Error> {
        let limit = match (self.limit, self.before, self.offset) {
            (None, None, None) => rows,
            (limit, ..) => limit.unwrap_or(rows).clamp(1, PAGE_ROWS),
        };
        let offset = self.offset.unwrap_or(0).max(0);
        if offset > MAX_OFFSET {
            return Err(Error::TooFar);
        }
        Ok(Part {
            before: self.before,
            limit,
            offset,
        })
    }
}

impl Part {
    /// These rows, with a `Link` to those before the `last` when there may be more.
    pub fn listed<T>(self, uri: &Uri, rows: Vec<T>, last: Option<i64>) -> Listed<T> {
        let is_full = i64::try_from(rows.len()).is_ok_and(|it| it >= self.limit);
        let next = last.filter(|_| is_full).map(|last| {
            let limit = self.limit.min(PAGE_ROWS);
            format!("{}?limit={limit}&before={last}", uri.path())
        });
        Listed::new(rows, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(limit: Option<i64>, before: Option<i64>, offset: Option<i64>) -> Option<(i64, i64)> {
        let paging = Paging {
            limit,
            before,
            offset,
        };
        let part = paging.part_or(5000).ok();
        part.map(|it| (it.limit, it.offset))
    }

    #[test]
    fn a_client_that_asks_for_no_page_gets_all_and_others_get_pages() {
        assert_eq!(part(None, None, None), Some((5000, 0)));
        assert_eq!(part(None, None, Some(-1)), Some((100, 0)));
        assert_eq!(part(None, Some(9), None), Some((100, 0)));
        assert_eq!(part(Some(0), None, None), Some((1, 0)));
        assert_eq!(part(Some(500), None, Some(5000)), Some((100, 5000)));
        assert_eq!(part(None, None, Some(5001)), None);
    }
}
