//! Which part of a list is wanted.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::schema::Schema;

/// `limit` with `offset`, or with `skip` as some clients call it. Never more than 100 rows:
/// a page is read into one instance's memory.
#[derive(Clone, Copy, Debug, Deserialize, Schema)]
pub struct Page {
    /// Rows at most; never more than 100.
    #[serde(default, deserialize_with = "number")]
    #[schemars(with = "Option<i64>", range(min = 1, max = 100), example = 20)]
    limit: Option<i64>,
    /// Rows to leave out; `skip` means the same.
    #[serde(default, alias = "skip", deserialize_with = "number")]
    #[schemars(with = "Option<i64>", range(min = 0), example = 0)]
    offset: Option<i64>,
}

/// Flattened into a larger query, the values arrive as the text they were.
fn number<'de, D: Deserializer<'de>>(value: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Read(i64),
        Text(String),
    }
    match Number::deserialize(value)? {
        Number::Read(number) => Ok(Some(number)),
        Number::Text(text) => text.parse().map(Some).map_err(D::Error::custom),
    }
}

const LONGEST: i64 = 100;

impl Page {
    /// The first `limit` rows.
    pub fn first(limit: i64) -> Self {
        Self {
            limit: Some(limit),
            offset: None,
        }
    }

    /// The limit asked for, within `1..=100`; `default` when none was.
    pub fn limit(&self, default: i64) -> i64 {
        self.limit.map_or(default, |asked| asked.clamp(1, LONGEST))
    }

    pub fn offset(&self) -> i64 {
        self.offset.unwrap_or(0).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Flattened {
        #[serde(flatten)]
        page: Page,
    }

    #[test]
    fn a_page_is_read_alone_and_out_of_a_larger_query() {
        let alone: Page = serde_urlencoded::from_str("limit=7&skip=3").unwrap();
        assert_eq!((alone.limit(20), alone.offset()), (7, 3));
        let query = "limit=7&offset=3&city=Porto";
        let Flattened { page } = serde_urlencoded::from_str(query).unwrap();
        assert_eq!((page.limit(20), page.offset()), (7, 3));
        assert!(serde_urlencoded::from_str::<Flattened>("limit=seven").is_err());
    }

    #[test]
    fn a_page_that_is_asked_for_is_never_empty_or_endless() {
        let of = |query: &str| {
            let page: Page = serde_urlencoded::from_str(query).unwrap();
            page.limit(5_000)
        };
        assert_eq!((of(""), of("limit=0"), of("limit=1000")), (5_000, 1, 100));
    }
}
