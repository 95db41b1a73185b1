//! The gate of a place: cars come and leave by their plates.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use kit::web::{Path, Problem, Query, Schema};
use serde::Deserialize;
use serde_json::json;

use super::super::bookings::Booking;
use super::super::parking::{Place, find_rules};
use super::find_own;
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{form_page, go_to};
use crate::visitor::Visitor;

/// Bookings that ended or begin within a day are shown: those cars may be inside, or come next.
const AROUND_NOW: SignedDuration = SignedDuration::from_hours(24);

#[derive(Deserialize, Schema)]
pub struct Asked {
    /// The booking of the car that passed last.
    passed: Option<i64>,
}

#[derive(Template)]
#[template(path = "places/gate.html")]
struct Gate<'a> {
    place: Place,
    zone: &'a TimeZone,
    bookings: Vec<Booking>,
    next: Option<Part>,
    passed: Option<Booking>,
    form: Fields,
    refusal: Option<String>,
}

pub async fn show_gate(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(asked): Query<Asked>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    show(&visitor, id, asked.passed, &part, Fields::fresh(), None).await
}

async fn show(
    visitor: &Visitor,
    id: i64,
    passed: Option<i64>,
    part: &Part,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let place = find_own(visitor, id).await?;
    let zone = find_rules(visitor, id).await?.zone();
    let now = kit::now();
    let search = part.query([
        ("parking_place_id", &*id.to_string()),
        ("status", "Confirmed"),
        ("date_from", &*(now - AROUND_NOW).to_string()),
        ("date_to", &*(now + AROUND_NOW).to_string()),
        ("limit", "100"),
    ]);
    let found = visitor
        .list("bookings", &format!("/booking?{search}"))
        .await?;
    let passed = match passed {
        Some(it) => Some(visitor.get("bookings", &format!("/booking/{it}")).await?),
        None => None,
    };
    let title = format!("Gate of {}", place.name);
    let content = Gate {
        place,
        zone: &zone,
        bookings: found.rows,
        next: found.next,
        passed,
        form,
        refusal,
    };
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

pub async fn pass_gate(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    match send_car(&visitor, id, &form).await {
        Ok(booking) => Ok(go_to(&format!("/places/{id}/gate?passed={booking}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(
                &visitor,
                id,
                None,
                &Part::default(),
                form.renewed(),
                refusal,
            )
            .await
        }
    }
}

/// Answers the booking by which the car passed.
async fn send_car(visitor: &Visitor, place: i64, form: &Fields) -> Result<i64, Error> {
    let way = match form.text("way") {
        "check-out" => "check-out",
        _ => "check-in",
    };
    let path = format!("/parking/{place}/{way}");
    let (key, body) = (form.text("key"), json!({ "plate": form.text("plate") }));
    let booking: Booking = visitor
        .send(Method::POST, "bookings", &path, key, &body)
        .await?;
    Ok(booking.booking_id)
}
