//! What a driver booked.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::parking::{Place, RefundPolicy, cancellation, find_rules};
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{again, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/bookings", list_bookings, |it| it)
        .get("/bookings/{id}", show_booking, |it| it)
        .post("/bookings/{id}/end", move_end, |it| it)
        .post("/bookings/{id}/cancel", cancel, |it| it)
}

#[derive(Debug, Deserialize)]
struct Booking {
    booking_id: i64,
    parking_place_id: i64,
    date_from: Moment,
    date_to: Moment,
    status: String,
    full_cost: Cents,
    kept_cost: Option<Cents>,
    overstay_owed: Option<Cents>,
    plate: Option<String>,
    checked_in_at: Option<Moment>,
    checked_out_at: Option<Moment>,
    refund_policy: Option<RefundPolicy>,
}

#[derive(Deserialize, Schema)]
struct Part {
    /// The booking after which the list goes on.
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "bookings/list.html")]
struct List {
    bookings: Vec<Booking>,
    next: Option<String>,
}

async fn list_bookings(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let after = part.after.unwrap_or_default();
    let part = query([("limit", "50"), ("after", &*after)]);
    let list = visitor
        .list("bookings", &format!("/booking?{part}"))
        .await?;
    let content = List {
        bookings: list.rows,
        next: list.next,
    };
    page("Your bookings", Some(&visitor.me), &content)
}

#[derive(Template)]
#[template(path = "bookings/booking.html")]
struct BookingPage<'a> {
    booking: Booking,
    place: Place,
    zone: &'a TimeZone,
    zone_name: &'a str,
    /// Whether it can still be moved and canceled.
    can_change: bool,
    cancellation: String,
    form: Fields,
    refusal: Option<String>,
}

async fn show_booking(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    show(&visitor, id, None).await
}

async fn show(visitor: &Visitor, id: i64, refusal: Option<String>) -> Result<Response, Problem> {
    let booking: Booking = visitor.get("bookings", &format!("/booking/{id}")).await?;
    let place_id = booking.parking_place_id;
    let place = visitor
        .get("bookings", &format!("/parking/{place_id}"))
        .await?;
    let rules = find_rules(visitor, place_id).await?;
    let zone = rules.zone();
    let content = BookingPage {
        can_change: booking.status != "Canceled" && booking.date_to.0 > kit::now(),
        cancellation: format!("It {}.", cancellation(booking.refund_policy.as_ref())),
        form: Fields::fresh().with("to", booking.date_to.field(&zone)),
        zone: &zone,
        zone_name: &rules.time_zone,
        booking,
        place,
        refusal,
    };
    let title = format!("Booking {id}");
    match content.refusal {
        None => page(&title, Some(&visitor.me), &content),
        Some(_) => again(&title, Some(&visitor.me), &content),
    }
}

async fn move_end(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    done(&visitor, id, send_end(&visitor, id, &form).await).await
}

async fn send_end(visitor: &Visitor, id: i64, form: &Fields) -> Result<(), Error> {
    let booking: Booking = visitor.get("bookings", &format!("/booking/{id}")).await?;
    let rules = find_rules(visitor, booking.parking_place_id).await?;
    let Some(to) = form.moment("to", &rules.zone())? else {
        return Err(Error::refused("Say to when."));
    };
    let (path, key) = (format!("/booking/{id}/end"), form.text("key"));
    let body = json!({ "date_to": to });
    visitor
        .send::<Value>(Method::PUT, "bookings", &path, key, &body)
        .await
        .map(drop)
}

async fn cancel(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    // After a DELETE old clients find the booking no more; people want to see what became of it.
    let body = json!({ "status": "Canceled" });
    let path = format!("/booking/{id}");
    let canceled = visitor
        .send::<Value>(Method::PUT, "bookings", &path, "", &body)
        .await;
    done(&visitor, id, canceled.map(drop)).await
}

async fn done(visitor: &Visitor, id: i64, outcome: Result<(), Error>) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/bookings/{id}"))),
        Err(refusal) => show(visitor, id, Some(refusal.into_text()?)).await,
    }
}
