//! The HTTP face of bookings.

mod bookings;
mod places;

use axum::Router;
use axum::routing::{get, post, put};
use kit::{Dialect, speaking};

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
        .route("/booking/{booking_id}/end", put(bookings::move_booking_end));
    speaking(Dialect::Parking, routes)
}
