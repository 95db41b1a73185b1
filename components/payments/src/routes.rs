//! The HTTP face of payments: one table per dialect, over the same ledger.

mod accounts;
pub mod payments;
mod wallet;

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};

use crate::statement::Statement;

pub fn router() -> Router {
    let payments = accounts::router().merge(payments::router());
    Router::new()
        .merge(wallet::router())
        // The old proxy's prefix leads to the same handlers.
        .nest("/api/payments", payments.clone())
        .nest("/payments", payments)
}

/// A statement for a spreadsheet: `rest` is the query of what follows, when there is more.
fn csv(statement: &Statement, rest: Option<String>) -> Response {
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"statement.csv\"",
        ),
    ];
    let mut response = (headers, statement.to_csv()).into_response();
    let link = rest.and_then(|it| format!("<?{it}>; rel=\"next\"").parse().ok());
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}
