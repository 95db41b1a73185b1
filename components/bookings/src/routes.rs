//! The HTTP face of bookings.

mod bookings;
mod places;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use kit::{Clock, Dialect, Problem, speaking};

use crate::saga;

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
