//! Lists of other functions, which give them in parts.

use std::fmt;

use axum::http::{HeaderMap, header};
use kit::web::Schema;
use serde::Deserialize;

use crate::words::query;

/// Rows of a page, where a section does not say otherwise.
pub const ROWS: usize = 50;
/// Asks for so many.
pub const LIMIT: (&str, &str) = ("limit", "50");

/// Where a list goes on, in the words of its function. The address of the next page carries it there and back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Schema)]
pub struct Part {
    pub after: Option<String>,
    pub before: Option<String>,
    pub offset: Option<String>,
}

impl Part {
    fn before(id: impl ToString) -> Self {
        Self {
            before: Some(id.to_string()),
            ..Self::default()
        }
    }

    /// The query of this part of a list that is filtered.
    pub fn query<'a>(&'a self, filters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let bounds = given([
            ("after", &self.after),
            ("before", &self.before),
            ("offset", &self.offset),
        ]);
        query(filters.into_iter().chain(bounds))
    }

    /// The part that a `Link` header names as the next one.
    fn next_of(headers: &HeaderMap) -> Option<Self> {
        let link = headers.get(header::LINK)?.to_str().ok()?;
        let link = link.contains("rel=\"next\"").then_some(link)?;
        let (asked, _) = link.split_once('?')?.1.split_once('>')?;
        let bound = |name: &str| {
            let mut pairs = form_urlencoded::parse(asked.as_bytes());
            pairs.find(|it| it.0 == name).map(|it| it.1.into_owned())
        };
        Some(Self {
            after: bound("after"),
            before: bound("before"),
            offset: bound("offset"),
        })
    }
}

/// The query of a list without filters.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.query([]))
    }
}

/// Parts of a query; what is not given is empty, and left out.
pub fn given<'a, const N: usize>(
    parts: [(&'a str, &'a Option<String>); N],
) -> [(&'a str, &'a str); N] {
    parts.map(|(name, it)| (name, it.as_deref().unwrap_or_default()))
}

/// What comes after a full page of rows, newest first, of a list that does not say itself whether it goes on.
pub fn earlier<T, I: ToString>(rows: &[T], full: usize, id: impl Fn(&T) -> I) -> Option<Part> {
    let last = rows.last().filter(|_| rows.len() >= full)?;
    Some(Part::before(id(last)))
}

/// Rows of a list, and where it goes on.
#[derive(Debug)]
pub struct Listed<T> {
    pub rows: Vec<T>,
    pub next: Option<Part>,
}

impl<T> Listed<T> {
    pub const EMPTY: Self = Self {
        rows: Vec::new(),
        next: None,
    };

    pub fn new(rows: Vec<T>, headers: &HeaderMap) -> Self {
        Self {
            rows,
            next: Part::next_of(headers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_where_its_function_says() {
        let link = "</payments?customer_id=7&limit=50&offset=50>; rel=\"next\"";
        let headers = HeaderMap::from_iter([(header::LINK, link.parse().unwrap())]);
        let next = Listed::new(vec![1], &headers).next.unwrap();
        assert_eq!(next.to_string(), "offset=50");
        assert_eq!(
            next.query([("status", "open"), ("kind", "")]),
            "status=open&offset=50"
        );
        assert_eq!(Listed::new(vec![1], &HeaderMap::new()).next, None);
    }

    #[test]
    fn a_full_page_goes_on_before_its_last_row() {
        let next = earlier(&[9, 7], 2, |it| *it).unwrap();
        assert_eq!(next.to_string(), "before=7");
        assert_eq!(earlier(&[9], 2, |it| *it), None);
    }
}
