//! The HTTP face of bookings.

mod bookings;
mod covers;
mod gate;
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
                .note("Nothing found is an empty list. Without `limit`, `after` and `offset` everything is answered, up to 5000 places; with a window up to 1000, whose bookings are counted, and with other filters those among the first 20 000. With `date_from` and `date_to` only places with room for the whole window are listed; with `latitude` and `longitude` the nearest come first. A page looks at a bounded number of places, so that it may be shorter than `limit`, or empty: the list goes on as long as there is a `Link`. By distance the list ends: the nearest 500 places are looked at (of `city`, when it is given; 5000 without a page), or all that fit `owner_id` or `name` when those are at most 1000 (10000).")
                .refuses([
                    Error::MISSING_FIELD,
                    Error::INVALID_DATES,
                    Error::INVALID_PLACE,
                    Error::TOO_FAR,
                    Error::TOO_MANY_SEARCHES,
                ])
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
                    Error::PLACE_CROWDED,
                ])
        })
        .delete("/parking/{parking_id}", places::remove_place, |it| {
            it.summary("Remove a parking place")
                .note("A place with bookings that are not over cannot be removed (409). What was booked there stays known to its drivers and its owner.")
                .refuses([
                    Error::UNKNOWN_PLACE,
                    Error::FORBIDDEN,
                    Error::STILL_BOOKED,
                    Error::PLACE_CROWDED,
                ])
        })
        .get("/parking/{parking_id}/rules", places::show_rules, |it| {
            it.summary("Show the rules of a parking place")
                .note("When cars come and go, what a driver gets back who cancels, and what leaving late costs.")
                .refuses([Error::UNKNOWN_PLACE])
        })
        .put("/parking/{parking_id}/rules", places::set_rules, |it| {
            it.summary("Lay the rules of a parking place down")
                .note("Its time zone, opening hours, blackouts, refund policy and overstay, all of them at once. Bookings that were made before stay as they are.")
                .refuses([
                    Error::INVALID_RULES,
                    Error::UNKNOWN_PLACE,
                    Error::FORBIDDEN,
                    Error::PLACE_CROWDED,
                ])
        })
        .post("/parking/{parking_id}/check-in", gate::check_in, |it| {
            it.summary("Let a car in")
                .note("For the owner of the place, or a gate with a token of theirs. Answers the booking of the car that holds now, with the time at which it came. A car that is inside already changes nothing; it may leave and come again until its booking ends.")
                .refuses([
                    Error::UNKNOWN_PLACE,
                    Error::FORBIDDEN,
                    Error::NO_CAR_BOOKING,
                    Error::NOT_YET,
                    Error::PLACE_CROWDED,
                ])
        })
        .post("/parking/{parking_id}/check-out", gate::check_out, |it| {
            it.summary("Let a car out")
                .note("Answers the booking by which the car came, with the time at which it left. A car that leaves after the end of its booking, and later than the grace of its `overstay_rule`, owes `overstay_cost`: it is taken from the driver's wallet, once, and what the wallet lacks is `overstay_owed` until it is there. A car that is booked again from then on has stayed for the next booking. What was kept of later bookings of the car that were canceled counts towards `overstay_cost`. Repeated within ten minutes, it changes nothing.")
                .refuses([
                    Error::UNKNOWN_PLACE,
                    Error::FORBIDDEN,
                    Error::NOT_INSIDE,
                    Error::PLACE_CROWDED,
                ])
        })
        .about("Bookings")
        .get("/booking", bookings::list_bookings, |it| {
            it.summary("List bookings")
                .note("A driver's own; for owners those of one of their places (`parking_place_id`); any for admins. The newest first; without `limit`, `after` and `offset` everything, up to 5000 bookings.")
                .refuses([
                    Error::FORBIDDEN,
                    Error::UNKNOWN_PLACE,
                    Error::NOT_A_TIMESTAMP,
                    Error::TOO_FAR,
                ])
        })
        .post("/booking", bookings::create_booking, |it| {
            it.summary("Book a place")
                .note("Takes the place, pays for it from the driver's wallet and answers once it is confirmed. Without the money nothing is booked; a driver whose last booking was not paid does not even wait for the place.")
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
        .get("/booking/overstays", bookings::list_owing, |it| {
            it.summary("List overstays that are owed")
                .note("Bookings whose drivers still owe `overstay_owed`, the oldest first. It is asked for again after ever longer pauses, a day at most, until it is paid or waived (`DELETE /booking/{booking_id}/overstay`).")
        })
        .get("/booking/{booking_id}", bookings::show_booking, |it| {
            it.summary("Show a booking")
                .note("To its driver, the owner of its place, or an admin.")
                .refuses([Error::UNKNOWN_BOOKING, Error::FORBIDDEN])
        })
        .put("/booking/{booking_id}", bookings::change_booking, |it| {
            it.summary("Cancel a booking")
                .note("The status is all that is read of the body: `Canceled` cancels the booking and gives its price back, until its end; of a booking with a `refund_policy` its driver gets back what that says, and `kept_cost` is what the owner keeps. The time that a car stood there, from its check-in to its check-out, is not given back to its driver. A driver whose car is inside moves the end instead. `Confirmed` is handled automatically by payment service.")
                .refuses([
                    Error::UNKNOWN_BOOKING,
                    Error::FORBIDDEN,
                    Error::BOOKING_OVER,
                    Error::CAR_INSIDE,
                    Error::CONFIRMED_BY_PAYMENT,
                    Error::NOT_BACK,
                    Error::PLACE_CROWDED,
                ])
        })
        .delete("/booking/{booking_id}", bookings::delete_booking, |it| {
            it.summary("Cancel and hide a booking")
                .note("Its price is given back as when it is canceled, and it answers 404 from then on. One that is over stays: it is a record of what was paid (409).")
                .refuses([
                    Error::UNKNOWN_BOOKING,
                    Error::FORBIDDEN,
                    Error::BOOKING_OVER,
                    Error::CAR_INSIDE,
                    Error::PLACE_CROWDED,
                ])
        })
        .put("/booking/{booking_id}/end", bookings::move_booking_end, |it| {
            it.summary("Move the end of a booking")
                .note("The difference is charged or given back.")
                .refuses(taking())
                .refuses(moving())
        })
        .put("/booking/{booking_id}/start", bookings::move_booking_start, |it| {
            it.summary("Move the start of a booking")
                .note("Until it begins. The difference is charged or given back.")
                .refuses(taking())
                .refuses(moving())
                .refuses([Error::BOOKING_BEGUN])
        })
        .put("/booking/{booking_id}/plate", gate::set_plate, |it| {
            it.summary("Name the car of a booking")
                .note("Its plate, by which the gate knows it. While the car is inside it is no other one.")
                .refuses([
                    Error::UNKNOWN_BOOKING,
                    Error::FORBIDDEN,
                    Error::NOT_CONFIRMED,
                    Error::BOOKING_OVER,
                    Error::CAR_INSIDE,
                    Error::PLACE_CROWDED,
                ])
        })
        .delete("/booking/{booking_id}/overstay", gate::waive_overstay, |it| {
            it.summary("Waive an overstay")
                .note("For the owner of the place: nothing of it is owed any more, and what was paid of it goes back.")
                .refuses([
                    Error::UNKNOWN_BOOKING,
                    Error::FORBIDDEN,
                    Error::PLACE_CROWDED,
                ])
        })
        .about("Operation")
        .post("/booking/tick", tick, |it| {
            it.summary("Sweep bookings")
                .note("Does what the host's tick does, on platforms that have none.")
        })
}

/// All routes of the component: the public ones, and those that only other functions reach.
pub fn served() -> Routes {
    let asked_by_functions = Routes::new("Covers", Dialect::Parking)
        .get("/covers", covers::list_covers_within, |it| {
            it.summary("List the cars that stand by a booking on a part of the map")
        })
        .get("/covers/{plate}", covers::list_covers, |it| {
            it.summary("List the bookings that cover a car")
        });
    Routes::of([routes(), asked_by_functions])
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
        Error::PLACE_CLOSED,
        Error::PLACE_CROWDED,
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

/// The refusals of a change of a booking's window.
fn moving() -> [Problem; 6] {
    [
        Error::UNKNOWN_BOOKING,
        Error::FORBIDDEN,
        Error::NOT_CONFIRMED,
        Error::BOOKING_OVER,
        Error::BOOKING_BUSY,
        Error::KEPT_BY_RULES,
    ]
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
