//! The HTTP face of bookings.

mod bookings;
mod places;

use axum::Router;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use kit::{Clock, Dialect, Json, Page, Problem, speaking};
use serde::Serialize;

use crate::{saga, store};

pub fn router() -> Router {
    let routes = Router::new()
        .route(
            "/parking",
            get(places::search_places).post(places::create_place),
        )
        .route(
            "/parking/{parking_id}",
            get(places::show_place)
                .put(places::change_place)
                .delete(places::remove_place),
        )
        .route(
            "/booking",
            get(bookings::list_bookings).post(bookings::create_booking),
        )
        .route(
            "/booking/quote",
            post(bookings::quote_booking).get(bookings::quote_booking_by_query),
        )
        .route("/booking/refunds", get(bookings::list_owed_refunds))
        .route(
            "/booking/{booking_id}",
            get(bookings::show_booking)
                .put(bookings::change_booking)
                .delete(bookings::delete_booking),
        )
        .route("/booking/{booking_id}/end", put(bookings::move_booking_end))
        .route("/booking/tick", post(tick));
    speaking(Dialect::Parking, routes)
}

/// Does what the host's tick does, for platforms that have none.
async fn tick(_: Clock) -> Result<StatusCode, Problem> {
    saga::sweep().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A page of a list; a full one says where the next is.
fn paged<T: Serialize>(uri: &Uri, page: Page, rows: Vec<T>) -> Response {
    let limit = page.limit(store::PAGE);
    if i64::try_from(rows.len()).is_ok_and(|it| it < limit) {
        return Json(rows).into_response();
    }
    let next = page.offset().saturating_add(limit);
    let link = format!("<{}>; rel=\"next\"", from_offset(uri, next));
    ([(header::LINK, link)], Json(rows)).into_response()
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
