//! All pages.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use kit::web::{Dialect, Routes};

use crate::page;
use crate::sections;

pub fn routes() -> Routes {
    let pages = Routes::new("Console", Dialect::Plain)
        .and(sections::session::routes())
        .and(sections::parking::routes())
        .and(sections::bookings::routes())
        .and(sections::account::routes())
        .and(sections::places::routes())
        .and(sections::wallet::routes())
        .and(sections::fines::routes())
        .and(sections::control::routes())
        .and(sections::shops::routes())
        .and(sections::kitchen::routes())
        .and(sections::packs::routes())
        .and(sections::people::routes())
        .and(sections::treasury::routes())
        .and(sections::operations::routes())
        .no_store()
        .get("/style.css", show_style, |it| it);
    Routes::of([])
        .below(page::PREFIX, pages)
        .refusal_page(page::refused)
}

async fn show_style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=300"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, include_str!("pages/style.css")).into_response()
}
