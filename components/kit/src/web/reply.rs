//! Answers that say more than their body: what was created and where, which page follows.

use axum::http::{HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::body::Json;
use super::operation::{Operation, Output};
use super::page::Page;
use super::schema::Schema;

/// Something new, and the address at which it can be seen. Old clients expect another status than
/// 201: `Created<T, 200>`.
#[derive(Debug)]
pub struct Created<T, const STATUS: u16 = 201> {
    pub location: String,
    pub body: T,
}

impl<T, const STATUS: u16> Created<T, STATUS> {
    pub fn at(location: impl Into<String>, body: T) -> Self {
        Self {
            location: location.into(),
            body,
        }
    }

    pub(crate) fn status() -> StatusCode {
        StatusCode::from_u16(STATUS).unwrap_or(StatusCode::CREATED)
    }
}

impl<T: Serialize, const STATUS: u16> IntoResponse for Created<T, STATUS> {
    fn into_response(self) -> Response {
        let location = [(header::LOCATION, self.location)];
        (Self::status(), location, Json(self.body)).into_response()
    }
}

impl<T: Schema, const STATUS: u16> Output for Created<T, STATUS> {
    fn describe(operation: &mut Operation) {
        operation.add_answer::<T>(STATUS);
        operation.add_answer_header(STATUS, "Location", "Where it can be seen from now on");
    }
}

/// It was done, and there is nothing to say about it.
#[derive(Debug)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Output for NoContent {
    fn describe(operation: &mut Operation) {
        operation.add_empty_answer(204);
    }
}

/// A page of a list, with a `Link` to the next one when there may be one.
#[derive(Debug)]
pub struct Listed<T> {
    rows: Vec<T>,
    pub(super) next: Option<String>,
}

impl<T> Listed<T> {
    /// These rows, and the address of those that follow.
    pub(super) fn new(rows: Vec<T>, next: Option<String>) -> Self {
        Self { rows, next }
    }

    /// The same page with each row in another form.
    pub fn map<U>(self, form: impl FnMut(T) -> U) -> Listed<U> {
        Listed {
            rows: self.rows.into_iter().map(form).collect(),
            next: self.next,
        }
    }

    /// The rows of a page of the list at `uri`, whose limit is `default` when none was asked for.
    pub fn page(uri: &Uri, page: Page, default: i64, rows: Vec<T>) -> Self {
        let limit = page.limit(default);
        let is_full = i64::try_from(rows.len()).is_ok_and(|it| it >= limit);
        let next = is_full.then(|| from_offset(uri, page.offset().saturating_add(limit)));
        Self { rows, next }
    }
}

/// The same list from there on.
fn from_offset(uri: &Uri, offset: i64) -> String {
    let is_offset =
        |pair: &str| ["offset", "skip"].contains(&pair.split('=').next().unwrap_or(pair));
    let mut query: Vec<_> = uri.query().unwrap_or_default().split('&').collect();
    query.retain(|it| !it.is_empty() && !is_offset(it));
    let offset = format!("offset={offset}");
    query.push(&offset);
    format!("{}?{}", uri.path(), query.join("&"))
}

impl<T: Serialize> IntoResponse for Listed<T> {
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

impl<T: Schema> Output for Listed<T> {
    fn describe(operation: &mut Operation) {
        operation.add_answer::<Vec<T>>(200);
        operation.add_answer_header(
            200,
            "Link",
            "The next page, as `<…>; rel=\"next\"` (RFC 8288)",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_the_same_list_from_there_on() {
        for (uri, next) in [
            ("/parking", "/parking?offset=100"),
            (
                "/parking?city=a%26b&offset=7",
                "/parking?city=a%26b&offset=100",
            ),
            ("/booking?skip=7&&limit=9", "/booking?limit=9&offset=100"),
        ] {
            assert_eq!(from_offset(&uri.parse().unwrap(), 100), next);
        }
    }
}
