//! Parts of statements, as pages and as files.

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use kit::money::Currency;
use kit::web::Schema;
use serde::Deserialize;

use crate::statement::{Span, Statement};

/// Rows of a file: a program that reads it follows links, so a file holds as much as one answer may.
pub const FILE_ROWS: i64 = 100;

/// The part of a statement that is wanted.
#[derive(Deserialize, Schema)]
pub struct Slice {
    /// The currency of the wallet; USD when absent. Accounts have one currency.
    pub currency: Option<Currency>,
    /// The `next` of the page before.
    before: Option<i64>,
    /// From this moment on.
    from: Option<Timestamp>,
    /// Before this moment.
    to: Option<Timestamp>,
}

impl Slice {
    pub fn span(&self) -> Span {
        Span {
            before: self.before,
            from: self.from,
            to: self.to,
        }
    }

    /// A statement as a file, with a link to the file that follows when there is more.
    pub fn to_csv(&self, statement: &Statement, limit: i64) -> Response {
        let headers: [(HeaderName, &str); 2] = [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
            (
                header::CONTENT_DISPOSITION,
                "attachment; filename=\"statement.csv\"",
            ),
        ];
        let mut response = (headers, statement.to_csv()).into_response();
        let link = statement.next.and_then(|it| {
            format!("<?{}>; rel=\"next\"", self.after(it, limit))
                .parse()
                .ok()
        });
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }

    /// The query of the page that follows one that ends with `next`.
    fn after(&self, next: i64, limit: i64) -> String {
        let mut query = format!("before={next}&limit={limit}");
        let moments = [("from", self.from), ("to", self.to)];
        for (name, moment) in moments {
            if let Some(moment) = moment {
                query.push_str(&format!("&{name}={moment}"));
            }
        }
        if let Some(currency) = self.currency {
            query.push_str(&format!("&currency={}", currency.name()));
        }
        query
    }
}
