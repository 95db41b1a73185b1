//! The HTTP face of the front door.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use kit::web::{Dialect, Json, Operation, Path, Routes};

use crate::file::{Asset, DOCS, EVENTS, HTML, PAGE_HEADERS, description};
use crate::home::{ABOUT, About, PAGE};
use crate::preference::prefers_html;

pub fn routes() -> Routes {
    Routes::new("Front door", Dialect::Plain)
        .get("/", show_home, |it| {
            it.summary("Show what is here")
                .note("A page for browsers; JSON for clients that do not prefer `text/html`.")
                .returns::<About>(200)
                .returns_media(200, "text/html")
                .returns_header(200, "Vary", "`Accept`")
        })
        .get("/openapi.json", show_description, |it| {
            cached(it.summary("Get the API description"))
                .note("OpenAPI 3.1. `x-dialect` names the replaced system whose clients an operation serves, `x-instead` the operation that new clients use, `x-roles` the roles of which one is needed, `x-codes` the codes of refusals, `x-component` the function.")
                .returns_media(200, "application/json")
        })
        .get("/events.json", show_events, |it| {
            cached(it.summary("Get the catalogue of events"))
                .note("Every kind of event: what it says and since which version, which functions emit it, which hear it and on which lane. Events of one aggregate arrive in order, each at least once.")
                .returns_media(200, "application/json")
        })
        .get("/docs", show_docs, |it| {
            cached(it.summary("Show the documentation"))
                .note("A page that shows every operation and lets you try it. It loads nothing from other servers.")
                .returns_media(200, "text/html")
        })
        .get("/docs/{file}", show_asset, |it| {
            cached(it.summary("Get a file of the documentation"))
                .returns_media(200, "text/css")
                .returns_media(200, "text/javascript")
                .returns_media(200, "image/svg+xml")
        })
}

/// What all embedded files have in common.
fn cached(operation: Operation) -> Operation {
    operation
        .header(
            "If-None-Match",
            false,
            "The `ETag` of the copy that the client has.",
        )
        .returns_nothing(304)
        .returns_header(200, "ETag", "Changes with the content")
}

async fn show_home(headers: HeaderMap) -> Response {
    let vary = [(header::VARY, "Accept")];
    if prefers_html(&headers) {
        let media_type = [(header::CONTENT_TYPE, HTML)];
        (vary, PAGE_HEADERS, media_type, PAGE.as_str()).into_response()
    } else {
        (vary, Json(ABOUT)).into_response()
    }
}

async fn show_description(headers: HeaderMap) -> Response {
    description(&headers)
}

async fn show_events(headers: HeaderMap) -> Response {
    EVENTS.answer(&headers)
}

async fn show_docs(headers: HeaderMap) -> Response {
    (PAGE_HEADERS, DOCS.answer(&headers)).into_response()
}

async fn show_asset(Path(asset): Path<Asset>, headers: HeaderMap) -> Response {
    asset.file().answer(&headers)
}
