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

/// A statement for a spreadsheet.
fn csv(statement: &Statement) -> Response {
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"statement.csv\"",
        ),
    ];
    (headers, statement.to_csv()).into_response()
}
