//! Which part of a list is wanted, for lists that go on after a row: a page costs the same wherever it begins. Clients of the
//! replaced systems leave rows out instead, or ask for no page and show what they get.

use std::fmt::Display;
use std::str::FromStr;

use axum::http::Uri;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::reply::Listed;
use super::schema::Schema;

/// Rows of a page when the client says only where it begins, and at most.
const PAGE_ROWS: i64 = 100;

/// Rows that a page may leave out, since the store reads each of them.
const MAX_OFFSET: i64 = 5_000;

/// A page begins `after` a row, or leaves `offset` rows out, which some clients call `skip`. `Key` says where in the order of
/// the list a row is.
#[derive(Clone, Copy, Debug, Deserialize, Schema)]
#[serde(bound(deserialize = "Key: FromStr, Key::Err: Display"))]
pub struct Paging<Key = i64> {
    /// Rows of a page; never more than 100.
    #[serde(default, deserialize_with = "parsed")]
    #[schemars(with = "Option<i64>", range(min = 1, max = 100), example = 20)]
    limit: Option<i64>,
    /// The row after which the page begins, as a `Link` names it.
    #[serde(default, deserialize_with = "parsed")]
    #[schemars(with = "Option<Key>")]
    after: Option<Key>,
    /// Rows to leave out, at most 5000: a page far into the list begins `after` a row. `skip` means the same.
    #[serde(default, alias = "skip", deserialize_with = "parsed")]
    #[schemars(with = "Option<i64>", range(min = 0, max = 5000), example = 0)]
    offset: Option<i64>,
}

/// The values of a query are text.
fn parsed<'de, T, D>(value: D) -> Result<Option<T>, D::Error>
where
    T: FromStr,
    T::Err: Display,
    D: Deserializer<'de>,
{
    let text = String::deserialize(value)?;
    text.parse().map(Some).map_err(D::Error::custom)
}

/// Rows of a page when the client asks for so many.
pub fn page_rows(limit: Option<i64>) -> i64 {
    limit.unwrap_or(PAGE_ROWS).clamp(1, PAGE_ROWS)
}

/// The rows of a list that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<Key = i64> {
    pub after: Option<Key>,
    pub limit: i64,
    pub offset: i64,
}

impl<Key> Paging<Key> {
    /// `rows` when the client asks for no page, and a page otherwise. Absent when the client leaves out more rows than it may.
    pub fn part_or(self, rows: i64) -> Option<Part<Key>> {
        let limit = match (self.limit, &self.after, self.offset) {
            (None, None, None) => rows,
            (limit, ..) => page_rows(limit.or(Some(rows))),
        };
        let offset = self.offset.unwrap_or(0).max(0);
        (offset <= MAX_OFFSET).then_some(Part {
            after: self.after,
            limit,
            offset,
        })
    }
}

/// Where a list goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next<Key = i64> {
    /// The row after which it does.
    pub after: Key,
    /// Rows to leave out there.
    pub offset: i64,
}

impl<T> Listed<T> {
    /// The rows of a part of the list at `uri`, and where it goes on.
    pub fn of<Key: Display>(uri: &Uri, limit: i64, rows: Vec<T>, next: Option<Next<Key>>) -> Self {
        let next = next.map(|it| following(uri, limit, &it));
        Self::new(rows, next)
    }

    /// A list that goes on when there are as many rows as were asked for.
    pub fn full_of<Key: Display>(
        uri: &Uri,
        limit: i64,
        rows: Vec<T>,
        key: impl Fn(&T) -> Key,
    ) -> Self {
        let is_full = i64::try_from(rows.len()).is_ok_and(|it| it >= limit);
        let next = rows.last().filter(|_| is_full).map(|it| Next {
            after: key(it),
            offset: 0,
        });
        Self::of(uri, limit, rows, next)
    }
}

/// The page that follows.
fn following<Key: Display>(uri: &Uri, limit: i64, next: &Next<Key>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn part(query: &str, rows: i64) -> Option<Part> {
        serde_urlencoded::from_str::<Paging>(query)
            .unwrap()
            .part_or(rows)
    }

    #[test]
    fn the_whole_part_is_answered_unless_a_page_is_asked_for() {
        let of = |query: &str| part(query, 5_000).map(|it| (it.limit, it.offset));
        assert_eq!(of(""), Some((5_000, 0)));
        assert_eq!(of("offset=7"), Some((100, 7)));
        assert_eq!(of("after=7"), Some((100, 0)));
        assert_eq!(of("limit=1000"), Some((100, 0)));
        assert_eq!(of("limit=0&skip=-1"), Some((1, 0)));
        assert_eq!(of("skip=5000"), Some((100, 5_000)));
        assert_eq!(of("offset=5001"), None);
        let next = part("after=7", 50).unwrap();
        assert_eq!((next.after, next.limit), (Some(7), 50));
        assert!(serde_urlencoded::from_str::<Paging>("after=seven").is_err());
    }

    #[test]
    fn a_list_goes_on_when_its_part_is_full() {
        let next = |rows: &[i64]| {
            let uri = "/booking".parse().unwrap();
            Listed::full_of(&uri, 2, rows.to_vec(), |it| *it).next
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
