//! How much of a list is answered. Clients of the replaced system ask for no page and show what they get, so they get
//! everything up to a bound; clients that ask for pages get pages.

use std::fmt::Display;

use axum::http::{HeaderName, Uri, header};
use axum::response::{IntoResponse, Response};
use kit::web::{Json, Operation, Output, Schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::Error;

/// Rows of an answer to a client that asks for no page: thousands, and still a body of a few megabytes.
const MAX_ROWS: i64 = 5_000;

/// Rows of a page when the client says only where it begins, and at most.
const PAGE_ROWS: i64 = 100;

/// Rows that a page may leave out, since the store looks at each of them.
const MAX_OFFSET: i64 = 5_000;

/// A page begins `after` a row, or leaves `offset` rows out, which some clients call `skip`.
#[derive(Clone, Copy, Debug, Deserialize, Schema)]
pub struct Paging {
    /// Rows of a page; never more than 100. Without it, `after` and `offset` everything is answered, up to 5000 rows.
    #[serde(default, deserialize_with = "number")]
    #[schemars(with = "Option<i64>", range(min = 1, max = 100), example = 20)]
    limit: Option<i64>,
    /// The id of the row after which the page begins, as a `Link` says it.
    #[serde(default, deserialize_with = "number")]
    #[schemars(with = "Option<i64>", example = 1)]
    after: Option<i64>,
    /// Rows to leave out, at most 5000: a page far into the list begins `after` a row. `skip` means the same.
    #[serde(default, alias = "skip", deserialize_with = "number")]
    #[schemars(with = "Option<i64>", range(min = 0, max = 5000), example = 0)]
    offset: Option<i64>,
}

/// Beside other fields of a query the values arrive as text.
fn number<'de, D: Deserializer<'de>>(value: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(value)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// Rows of a page when the client asks for so many.
pub fn page_rows(limit: Option<i64>) -> i64 {
    limit.unwrap_or(PAGE_ROWS).clamp(1, PAGE_ROWS)
}

/// The rows of a list that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub after: Option<i64>,
    pub limit: i64,
    pub offset: i64,
}

impl Paging {
    pub fn part(self) -> Result<Part, Error> {
        let limit = match (self.limit, self.after, self.offset) {
            (None, None, None) => MAX_ROWS,
            (limit, ..) => page_rows(limit),
        };
        let offset = self.offset.unwrap_or(0).max(0);
        if offset > MAX_OFFSET {
            return Err(Error::TooFar);
        }
        Ok(Part {
            after: self.after,
            limit,
            offset,
        })
    }
}

/// Where a list goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next<Id = i64> {
    /// The id of the row after which it does.
    pub after: Id,
    /// Rows to leave out there.
    pub offset: i64,
}

/// Rows of a list, with a `Link` to those that follow when there may be more.
#[derive(Debug)]
pub struct Rows<T> {
    rows: Vec<T>,
    next: Option<String>,
}

impl<T> Rows<T> {
    pub fn of<Id: Display>(uri: &Uri, limit: i64, rows: Vec<T>, next: Option<Next<Id>>) -> Self {
        let next = next.map(|it| following(uri, limit, &it));
        Self { rows, next }
    }

    /// A list that goes on when there are as many rows as were asked for; `id` says where in its order a row is.
    pub fn full_of<Id: Display>(
        uri: &Uri,
        limit: i64,
        rows: Vec<T>,
        id: impl Fn(&T) -> Id,
    ) -> Self {
        let is_full = i64::try_from(rows.len()).is_ok_and(|it| it >= limit);
        let next = rows.last().filter(|_| is_full).map(|it| Next {
            after: id(it),
            offset: 0,
        });
        Self::of(uri, limit, rows, next)
    }
}

/// The page that follows.
fn following<Id: Display>(uri: &Uri, limit: i64, next: &Next<Id>) -> String {
    let is_ours = |pair: &str| {
        ["limit", "after", "offset", "skip"].contains(&pair.split('=').next().unwrap_or(pair))
    };
    let mut query: Vec<_> = uri.query().unwrap_or_default().split('&').collect();
    query.retain(|it| !it.is_empty() && !is_ours(it));
    let mut page = format!("limit={}&after={}", limit.min(PAGE_ROWS), next.after);
    if next.offset > 0 {
        page.push_str(&format!("&offset={}", next.offset));
    }
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

    fn part(limit: Option<i64>, after: Option<i64>, offset: Option<i64>) -> Option<(i64, i64)> {
        let paging = Paging {
            limit,
            after,
            offset,
        };
        paging.part().ok().map(|it| (it.limit, it.offset))
    }

    #[test]
    fn everything_is_answered_unless_a_page_is_asked_for() {
        assert_eq!(part(None, None, None), Some((5_000, 0)));
        assert_eq!(part(None, None, Some(7)), Some((100, 7)));
        assert_eq!(part(None, Some(7), None), Some((100, 0)));
        assert_eq!(part(Some(1_000), None, None), Some((100, 0)));
        assert_eq!(part(Some(-1), None, Some(-1)), Some((1, 0)));
        assert_eq!(part(None, None, Some(5_000)), Some((100, 5_000)));
        assert_eq!(part(None, None, Some(5_001)), None);
    }

    #[test]
    fn a_list_goes_on_when_its_part_is_full() {
        let next = |rows: &[i64]| {
            Rows::full_of(&"/booking".parse().unwrap(), 2, rows.to_vec(), |it| *it).next
        };
        assert_eq!(next(&[7]), None);
        assert_eq!(next(&[7, 9]).as_deref(), Some("/booking?limit=2&after=9"));
    }

    #[test]
    fn what_follows_is_asked_for_in_pages() {
        let uri = "/parking?city=a%26b&limit=20&skip=3&after=5"
            .parse()
            .unwrap();
        for (limit, offset, next) in [
            (20, 0, "/parking?city=a%26b&limit=20&after=23"),
            (20, 4, "/parking?city=a%26b&limit=20&after=23&offset=4"),
            (5_000, 0, "/parking?city=a%26b&limit=100&after=23"),
        ] {
            let place = Next { after: 23, offset };
            assert_eq!(following(&uri, limit, &place), next);
        }
    }
}
