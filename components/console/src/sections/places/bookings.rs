//! Who booked a place, and what drivers owe its owner.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::web::{Path, Problem, Query, Schema};
use serde::Deserialize;

use super::super::bookings::{Booking, STATES, send_cancel};
use super::super::parking::{Place, find_rules_if_any};
use super::find_own_if_any;
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::{again, form_page, go_to, page};
use crate::visitor::Visitor;

#[derive(Deserialize, Schema)]
pub struct Asked {
    status: Option<String>,
    /// Dates and times at the place.
    from: Option<String>,
    to: Option<String>,
}

impl Asked {
    fn form(&self) -> Fields {
        Fields::default()
            .with_some("status", self.status.as_ref())
            .with_some("from", self.from.as_ref())
            .with_some("to", self.to.as_ref())
    }
}

#[derive(Template)]
#[template(path = "places/bookings.html")]
struct List<'a> {
    id: i64,
    /// None when it was removed since.
    place: Option<Place>,
    zone: &'a TimeZone,
    zone_name: &'a str,
    form: Fields,
    bookings: Vec<Booking>,
    next: Option<String>,
    refusal: Option<String>,
}

pub async fn list_bookings(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(asked): Query<Asked>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let place = find_own_if_any(&visitor, id).await?;
    let rules = find_rules_if_any(&visitor, id).await?;
    let (zone, form) = (rules.zone(), asked.form());
    let found = match search(id, &form, &zone, &part) {
        Ok(search) => {
            visitor
                .list("bookings", &format!("/booking?{search}"))
                .await
        }
        Err(refusal) => Err(refusal),
    };
    let title = match &place {
        Some(place) => format!("Bookings of {}", place.name),
        None => format!("Bookings of place {id}"),
    };
    let mut content = List {
        id,
        place,
        zone: &zone,
        zone_name: &rules.time_zone,
        form,
        bookings: Vec::new(),
        next: None,
        refusal: None,
    };
    match found {
        Ok(found) => {
            content.bookings = found.rows;
            let filters = ["status", "from", "to"].map(|it| (it, content.form.text(it)));
            content.next = found.next.map(|it| it.query(filters));
            page(&title, &visitor.me, &content)
        }
        // Whose place it is, is not a matter of what was filled in.
        Err(refusal) if refusal.is("forbidden") || refusal.is("unknown-place") => {
            Err(refusal.into())
        }
        Err(refusal) => {
            content.refusal = Some(refusal.into_text()?);
            again(&title, &visitor.me, &content)
        }
    }
}

fn search(place: i64, form: &Fields, zone: &TimeZone, part: &Part) -> Result<String, Error> {
    let moment = |name: &str| {
        let moment = form.moment(name, zone)?;
        Ok::<_, Error>(moment.map(|it| it.to_string()).unwrap_or_default())
    };
    Ok(part.query([
        ("parking_place_id", &*place.to_string()),
        ("status", form.text("status")),
        ("date_from", &*moment("from")?),
        ("date_to", &*moment("to")?),
        LIMIT,
    ]))
}

#[derive(Template)]
#[template(path = "places/booking.html")]
struct BookingPage<'a> {
    booking: Booking,
    /// None when it was removed since.
    place: Option<Place>,
    zone: &'a TimeZone,
    zone_name: &'a str,
    refusal: Option<String>,
}

pub async fn show_booking(
    visitor: Visitor,
    Path((place, booking)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    show(&visitor, place, booking, None).await
}

async fn show(
    visitor: &Visitor,
    place: i64,
    id: i64,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let booking: Booking = visitor.get("bookings", &format!("/booking/{id}")).await?;
    if booking.user_id == visitor.me.user_id || booking.parking_place_id != place {
        return Ok(go_to(&format!("/bookings/{id}")));
    }
    let place = find_own_if_any(visitor, place).await?;
    let rules = find_rules_if_any(visitor, booking.parking_place_id).await?;
    let zone = rules.zone();
    let content = BookingPage {
        booking,
        place,
        zone: &zone,
        zone_name: &rules.time_zone,
        refusal,
    };
    let title = format!("Booking {id}");
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

pub async fn cancel_booking(
    visitor: Visitor,
    Path((place, booking)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    let canceled = send_cancel(&visitor, booking).await;
    done(&visitor, place, booking, canceled).await
}

pub async fn waive_overstay(
    visitor: Visitor,
    Path((place, booking)): Path<(i64, i64)>,
) -> Result<Response, Problem> {
    let path = format!("/booking/{booking}/overstay");
    let waived = visitor.act(Method::DELETE, "bookings", &path).await;
    done(&visitor, place, booking, waived).await
}

async fn done(
    visitor: &Visitor,
    place: i64,
    booking: i64,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/places/{place}/bookings/{booking}"))),
        Err(refusal) => show(visitor, place, booking, Some(refusal.into_text()?)).await,
    }
}

#[derive(Template)]
#[template(path = "places/owing.html")]
struct Owing {
    bookings: Vec<Booking>,
    next: Option<Part>,
}

/// Of all places, for admins.
pub async fn list_owing(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let path = format!("/booking/overstays?{}", part.query([LIMIT]));
    let found = visitor.list("bookings", &path).await?;
    let content = Owing {
        bookings: found.rows,
        next: found.next,
    };
    page("Overstays that are owed", &visitor.me, &content)
}
