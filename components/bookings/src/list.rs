//! How much of a list is answered. Clients of the replaced system ask for no page and show what they get, so they get
//! everything up to a bound; clients that ask for pages get pages.

use axum::http::{HeaderName, Uri, header};
use axum::response::{IntoResponse, Response};
use kit::web::{Json, Operation, Output, Schema};
use serde::{Deserialize, Deserializer, Serialize};

/// Rows of an answer to a client that asks for no page: thousands, and still a body of a few megabytes.
const MAX_ROWS: i64 = 5_000;

/// Rows of a page when the client says only where it begins, and at most.
const PAGE_ROWS: i64 = 100;

/// `limit` with `offset`, or with `skip` as some clients call it.
#[derive(Clone, Copy, Debug, Deserialize, Schema)]
pub struct Paging {
    /// Rows of a page; never more than 100. Without it and `offset` everything is answered, up to 5000 rows.
    #[serde(default, deserialize_with = "number")]
    #[schemars(with = "Option<i64>", range(min = 1, max = 100), example = 20)]
    limit: Option<i64>,
    /// Rows to leave out; `skip` means the same.
    #[serde(default, alias = "skip", deserialize_with = "number")]
    #[schemars(with = "Option<i64>", range(min = 0), example = 0)]
    offset: Option<i64>,
}

/// Beside other fields of a query the values arrive as text.
fn number<'de, D: Deserializer<'de>>(value: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(value)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// The rows of a list that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub limit: i64,
    pub offset: i64,
}

impl Paging {
    pub fn part(self) -> Part {
        let limit = match (self.limit, self.offset) {
            (None, None) => MAX_ROWS,
            (limit, _) => limit.unwrap_or(PAGE_ROWS).clamp(1, PAGE_ROWS),
        };
        Part {
            limit,
            offset: self.offset.unwrap_or(0).max(0),
        }
    }
}

/// Rows of a list, with a `Link` to those that follow when there may be more.
#[derive(Debug)]
pub struct Rows<T> {
    rows: Vec<T>,
    next: Option<String>,
}

impl<T> Rows<T> {
    pub fn of(uri: &Uri, part: Part, rows: Vec<T>) -> Self {
        let is_full = i64::try_from(rows.len()).is_ok_and(|it| it >= part.limit);
        let next = is_full.then(|| following(uri, part));
        Self { rows, next }
    }
}

/// The page that follows.
fn following(uri: &Uri, part: Part) -> String {
    let is_ours =
        |pair: &str| ["limit", "offset", "skip"].contains(&pair.split('=').next().unwrap_or(pair));
    let mut query: Vec<_> = uri.query().unwrap_or_default().split('&').collect();
    query.retain(|it| !it.is_empty() && !is_ours(it));
    let page = format!(
        "limit={}&offset={}",
        part.limit.min(PAGE_ROWS),
        part.offset.saturating_add(part.limit)
    );
    query.push(&page);
    format!("{}?{}", uri.path(), query.join("&"))
}

impl<T: Serialize> IntoResponse for Rows<T> {
    fn into_response(self) -> Response {
        let link: Option<[(HeaderName, String); 1]> = self
            .next
            .map(|it| [(header::LINK, format!("<{it}>; rel=\"next\""))]);
        match link {
            Some(link) => (link, Json(self.rows)).into_response(),
            None => Json(self.rows).into_response(),
        }
    }
}

impl<T: Schema> Output for Rows<T> {
    fn describe(operation: &mut Operation) {
        operation.add_answer::<Vec<T>>(200);
        operation.add_answer_header(
            200,
            "Link",
            "What follows, as `<…>; rel=\"next\"` (RFC 8288)",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(limit: Option<i64>, offset: Option<i64>) -> (i64, i64) {
        let part = Paging { limit, offset }.part();
        (part.limit, part.offset)
    }

    #[test]
    fn everything_is_answered_unless_a_page_is_asked_for() {
        assert_eq!(part(None, None), (5_000, 0));
        assert_eq!(part(None, Some(7)), (100, 7));
        assert_eq!(part(Some(1_000), None), (100, 0));
        assert_eq!(part(Some(-1), Some(-1)), (1, 0));
    }

    #[test]
    fn what_follows_is_asked_for_in_pages() {
        let uri = "/parking?city=a%26b&limit=20&skip=3".parse().unwrap();
        for (limit, offset, next) in [
            (20, 3, "/parking?city=a%26b&limit=20&offset=23"),
            (5_000, 0, "/parking?city=a%26b&limit=100&offset=5000"),
        ] {
            assert_eq!(following(&uri, Part { limit, offset }), next);
        }
    }
}
