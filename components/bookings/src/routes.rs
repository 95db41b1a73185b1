//! The HTTP face of bookings.

mod bookings;
mod places;

use kit::identity::Clock;
use kit::web::{Dialect, NoContent, Problem, Routes, Schema};
use serde::Serialize;

use crate::error::Error;
use crate::saga;

pub fn routes() -> Routes {
    Routes::new("Parking places", Dialect::Parking)
        .get("/parking", places::search_places, |it| {
            it.summary("Search parking places")
                .note("Nothing found is an empty list. Without `limit` and `offset` everything is answered, up to 5000 places. With `date_from` and `date_to` only places with room for the whole window are listed; with `latitude` and `longitude` the nearest come first.")
                .refuses([Error::MISSING_FIELD, Error::INVALID_DATES, Error::INVALID_PLACE])
        })
        .post("/parking", places::create_place, |it| {
            it.summary("Offer a parking place").refuses([Error::INVALID_PLACE])
        })
        .get("/parking/{parking_id}", places::show_place, |it| {
            it.summary("Show a parking place").refuses([Error::UNKNOWN_PLACE])
        })
        .put("/parking/{parking_id}", places::change_place, |it| {
            it.summary("Change a parking place")
                .note("Bookings keep the rate at which they were made.")
                .refuses([
                    Error::INVALID_PLACE,
                    Error::UNKNOWN_PLACE,
                    Error::FORBIDDEN,
                    Error::BOOKED_BEYOND,
                ])
        })
        .delete("/parking/{parking_id}", places::remove_place, |it| {
            it.summary("Remove a parking place")
                .note("A place with bookings that are not over cannot be removed (409).")
                .refuses([Error::UNKNOWN_PLACE, Error::FORBIDDEN, Error::STILL_BOOKED])
        })
        .about("Bookings")
        .get("/booking", bookings::list_bookings, |it| {
            it.summary("List bookings")
                .note("A driver's own; for owners those of one of their places (`parking_place_id`); any for admins. The newest first; without `limit` and `offset` everything, up to 5000 bookings.")
                .refuses([
                    Error::FORBIDDEN,
                    Error::UNKNOWN_PLACE,
                    Error::NOT_A_TIMESTAMP,
                ])
        })
        .post("/booking", bookings::create_booking, |it| {
            it.summary("Book a place")
                .note("Takes the place, pays for it from the driver's wallet and answers once it is confirmed. Without the money nothing is booked.")
                .refuses(taking())
        })
        .post("/booking/quote", bookings::quote_booking, |it| {
            it.summary("Quote a booking")
                .note("What it would cost, and whether there is room. Nothing is kept.")
                .refuses(quoting())
        })
        .get("/booking/quote", bookings::quote_booking_by_query, |it| {
            it.summary("Quote a booking by link").refuses(quoting())
        })
        .get("/booking/refunds", bookings::list_waiting_refunds, |it| {
            it.summary("List refunds that wait")
                .note("What is owed back and could not be paid yet, the oldest first.")
        })
        .get("/booking/{booking_id}", bookings::show_booking, |it| {
            it.summary("Show a booking")
                .note("To its driver, the owner of its place, or an admin.")
                .refuses([Error::UNKNOWN_BOOKING, Error::FORBIDDEN])
        })
        .put("/booking/{booking_id}", bookings::change_booking, |it| {
            it.summary("Cancel a booking")
                .note("The status is all that is read of the body: `Canceled` cancels the booking and gives its price back. `Confirmed` is handled automatically by payment service.")
                .refuses([
                    Error::UNKNOWN_BOOKING,
                    Error::FORBIDDEN,
                    Error::BOOKING_OVER,
                    Error::CONFIRMED_BY_PAYMENT,
                    Error::NOT_BACK,
                ])
        })
        .delete("/booking/{booking_id}", bookings::delete_booking, |it| {
            it.summary("Cancel and hide a booking")
                .note("Its price is given back, and it answers 404 from then on. One that is over stays: it is a record of what was paid (409).")
                .refuses([
                    Error::UNKNOWN_BOOKING,
                    Error::FORBIDDEN,
                    Error::BOOKING_OVER,
                ])
        })
        .put("/booking/{booking_id}/end", bookings::move_booking_end, |it| {
            it.summary("Move the end of a booking")
                .note("The difference is charged or given back.")
                .refuses(taking())
                .refuses([
                    Error::UNKNOWN_BOOKING,
                    Error::FORBIDDEN,
                    Error::NOT_CONFIRMED,
                    Error::BOOKING_OVER,
                    Error::BOOKING_BUSY,
                ])
        })
        .about("Operation")
        .post("/booking/tick", tick, |it| {
            it.summary("Sweep bookings")
                .note("Does what the host's tick does, on platforms that have none.")
        })
}

fn quoting() -> [Problem; 3] {
    [
        Error::MISSING_FIELD,
        Error::INVALID_DATES,
        Error::UNKNOWN_PLACE,
    ]
}

/// The refusals of what takes room and costs money.
fn taking() -> Vec<Problem> {
    let mut refusals = quoting().to_vec();
    refusals.extend([
        Error::OWN_PLACE,
        Error::TOO_SHORT,
        Error::NO_AVAILABILITY,
        Error::PRICE_CHANGED,
        Error::INSUFFICIENT_FUNDS,
        Error::PAYMENT_REFUSED,
        Error::PAID_TOO_LATE,
        Error::PAYMENT_UNAVAILABLE,
        Error::BOOKING_CANCELED,
    ]);
    refusals
}

/// The old clients' word for a deletion.
#[derive(Serialize, Schema)]
pub struct Done {
    status: &'static str,
    message: &'static str,
}

impl Done {
    fn that(message: &'static str) -> Self {
        Self {
            status: "success",
            message,
        }
    }
}

async fn tick(_: Clock) -> Result<NoContent, Problem> {
    saga::sweep().await?;
    Ok(NoContent)
}
