//! What a driver booked.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::parking::{
    Place, RefundPolicy, cancellation, find_place, find_rules, find_rules_if_any,
};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/bookings", list_bookings, |it| it)
        .get("/bookings/{id}", show_booking, |it| it)
        .post("/bookings/{id}/start", move_start, |it| it)
        .post("/bookings/{id}/end", move_end, |it| it)
        .post("/bookings/{id}/plate", set_plate, |it| it)
        .post("/bookings/{id}/cancel", cancel, |it| it)
}

#[derive(Debug, Deserialize)]
pub struct Booking {
    pub booking_id: i64,
    pub parking_place_id: i64,
    pub user_id: Uuid,
    pub date_from: Moment,
    pub date_to: Moment,
    pub status: String,
    pub full_cost: Cents,
    pub kept_cost: Option<Cents>,
    pub overstay_cost: Option<Cents>,
    pub overstay_owed: Option<Cents>,
    pub plate: Option<String>,
    pub checked_in_at: Option<Moment>,
    pub checked_out_at: Option<Moment>,
    pub refund_policy: Option<RefundPolicy>,
}

/// The states of a booking.
pub const STATES: [&str; 3] = ["Waiting", "Confirmed", "Canceled"];

impl Booking {
    /// Whether it can still be moved and canceled.
    pub fn is_open(&self) -> bool {
        self.status != "Canceled" && self.date_to.0 > kit::now()
    }

    /// Whether its time has begun and has not ended.
    pub fn is_now(&self) -> bool {
        self.date_from.0 <= kit::now() && self.is_open()
    }

    /// What of the price is the owner's, as far as it is known now.
    pub fn earned(&self) -> Cents {
        match (&*self.status, self.kept_cost) {
            ("Confirmed", _) => self.full_cost,
            (_, kept) => kept.unwrap_or(Cents(0)),
        }
    }

    pub const fn is_inside(&self) -> bool {
        self.checked_in_at.is_some() && self.checked_out_at.is_none()
    }

    /// What the gate saw of the car.
    pub fn presence(&self) -> &'static str {
        let is_over = self.date_to.0 <= kit::now();
        match (self.checked_in_at, self.checked_out_at) {
            (Some(_), None) if is_over => "inside, and late",
            (Some(_), None) => "inside",
            (Some(_), Some(_)) => "left",
            (None, _) if is_over => "did not come",
            (None, _) => "has not come",
        }
    }
}

#[derive(Deserialize, Schema)]
struct Wanted {
    status: Option<String>,
}

#[derive(Template)]
#[template(path = "bookings/list.html")]
struct List {
    status: String,
    bookings: Vec<Booking>,
    next: Option<String>,
}

async fn list_bookings(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let status = wanted.status.unwrap_or_default();
    let asked = part.query([LIMIT, ("status", &*status)]);
    let list = visitor
        .list("bookings", &format!("/booking?{asked}"))
        .await?;
    let content = List {
        next: list.next.map(|it| it.query([("status", &*status)])),
        status,
        bookings: list.rows,
    };
    page("Your bookings", &visitor.me, &content)
}

#[derive(Template)]
#[template(path = "bookings/booking.html")]
struct BookingPage<'a> {
    booking: Booking,
    /// None when it was removed since.
    place: Option<Place>,
    zone: &'a TimeZone,
    zone_name: &'a str,
    /// Whether its start can still be moved.
    has_begun: bool,
    cancellation: String,
    form: Fields,
    refusal: Option<String>,
}

async fn show_booking(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    show(&visitor, id, &Fields::default(), None).await
}

/// `filled` is the form that was refused.
async fn show(
    visitor: &Visitor,
    id: i64,
    filled: &Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let booking: Booking = visitor.get("bookings", &format!("/booking/{id}")).await?;
    let place_id = booking.parking_place_id;
    let place = find_place(visitor, place_id).await?;
    let rules = find_rules_if_any(visitor, place_id).await?;
    let zone = rules.zone();
    let content = BookingPage {
        has_begun: booking.date_from.0 <= kit::now(),
        cancellation: format!("It {}.", cancellation(booking.refund_policy.as_ref())),
        form: Fields::fresh()
            .with_some("from", filled.optional("from"))
            .with("from", booking.date_from.field(&zone))
            .with_some("to", filled.optional("to"))
            .with("to", booking.date_to.field(&zone))
            .with_some("plate", filled.optional("plate"))
            .with_some("plate", booking.plate.as_ref()),
        zone: &zone,
        zone_name: &rules.time_zone,
        booking,
        place,
        refusal,
    };
    let title = format!("Booking {id}");
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

async fn move_start(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let moved = send_bound(&visitor, id, "start", "from", &form).await;
    done(&visitor, id, &form, moved).await
}

async fn move_end(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let moved = send_bound(&visitor, id, "end", "to", &form).await;
    done(&visitor, id, &form, moved).await
}

/// Moves the start or the end to the moment in that field.
async fn send_bound(
    visitor: &Visitor,
    id: i64,
    bound: &str,
    field: &str,
    form: &Fields,
) -> Result<(), Error> {
    let booking: Booking = visitor.get("bookings", &format!("/booking/{id}")).await?;
    let rules = find_rules(visitor, booking.parking_place_id).await?;
    let Some(moment) = form.moment(field, &rules.zone())? else {
        return Err(Error::refused("Say when."));
    };
    let (path, key) = (format!("/booking/{id}/{bound}"), form.text("key"));
    let body = json!({ format!("date_{field}"): moment });
    visitor
        .change_once(Method::PUT, "bookings", &path, key, &body)
        .await
}

async fn set_plate(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let body = json!({ "plate": form.text("plate") });
    let path = format!("/booking/{id}/plate");
    let set = visitor.change(Method::PUT, "bookings", &path, &body).await;
    done(&visitor, id, &form, set).await
}

async fn cancel(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let canceled = send_cancel(&visitor, id).await;
    done(&visitor, id, &Fields::default(), canceled).await
}

pub async fn send_cancel(visitor: &Visitor, id: i64) -> Result<(), Error> {
    // After a DELETE old clients find the booking no more; people want to see what became of it.
    let body = json!({ "status": "Canceled" });
    let path = format!("/booking/{id}");
    visitor.change(Method::PUT, "bookings", &path, &body).await
}

async fn done(
    visitor: &Visitor,
    id: i64,
    form: &Fields,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/bookings/{id}"))),
        Err(refusal) => show(visitor, id, form, Some(refusal.into_text()?)).await,
    }
}
