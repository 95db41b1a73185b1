//! How much of a list is answered. Clients of the replaced system ask for no page and show what they get, so they get
//! everything up to a bound; clients that ask for pages get pages.

use kit::web::Schema;
pub use kit::web::{Listed as Rows, Next, Part, page_rows};
use serde::Deserialize;

use crate::error::Error;

/// Rows of an answer to a client that asks for no page: thousands, and still a body of a few megabytes.
const MAX_ROWS: i64 = 5_000;

// A description here would hide the fields from the description of the API.
#[derive(Clone, Copy, Debug, Deserialize, Schema)]
#[serde(transparent)]
pub struct Paging(kit::web::Paging);

impl Paging {
    pub fn part(self) -> Result<Part, Error> {
        self.0.part_or(MAX_ROWS).ok_or(Error::TooFar)
    }
}
