//! Finding a place to park, and booking it.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::json;

use crate::error::Error;
use crate::fields::Fields;
use crate::page::{again, go_to, page};
use crate::visitor::{Anyone, Client, Me, Visitor};
use crate::words::{Cents, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/parking", search_places, |it| it)
        .get("/parking/{id}", show_place, |it| it)
        .post("/parking/{id}", book, |it| it)
}

#[derive(Debug, Deserialize)]
pub struct Place {
    pub id: i64,
    pub name: String,
    pub city: String,
    pub address: String,
    pub parking_type: String,
    pub hourly_rate: Cents,
    pub capacity: i64,
    pub free: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub struct Rules {
    pub time_zone: String,
    opening_hours: Option<Vec<Opening>>,
    refund_policy: Option<RefundPolicy>,
}

#[derive(Debug, Deserialize)]
struct Opening {
    days: Vec<String>,
    from: String,
    to: String,
}

#[derive(Debug, Deserialize)]
pub struct RefundPolicy {
    free_hours: i64,
    least_percent: i64,
}

impl Rules {
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    fn cancellation(&self) -> String {
        cancellation(self.refund_policy.as_ref())
    }
}

impl std::fmt::Display for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}–{}", self.days.join(", "), self.from, self.to)
    }
}

/// What a driver gets back who cancels.
pub fn cancellation(policy: Option<&RefundPolicy>) -> String {
    match policy {
        None => "gives all money back that was not used".to_owned(),
        Some(it) => format!(
            "is free until {} hours before the start; later at least {} % are kept",
            it.free_hours, it.least_percent
        ),
    }
}

#[derive(Deserialize, Schema)]
struct Asked {
    city: Option<String>,
    name: Option<String>,
    from: Option<String>,
    to: Option<String>,
    after: Option<String>,
    offset: Option<String>,
}

impl Asked {
    fn has_window(&self) -> bool {
        self.from.is_some() && self.to.is_some()
    }

    fn window(&self) -> String {
        let part = |it: &Option<String>| it.clone().unwrap_or_default();
        query([("from", &*part(&self.from)), ("to", &*part(&self.to))])
    }

    /// The search that bookings is asked for.
    fn search(&self) -> Result<String, Error> {
        let form = Fields::default()
            .with_some("from", self.from.as_ref())
            .with_some("to", self.to.as_ref());
        let moment = |name: &str| {
            let moment = form.moment(name, &TimeZone::UTC)?;
            Ok::<_, Error>(moment.map(|it| it.to_string()).unwrap_or_default())
        };
        let part = |it: &Option<String>| it.clone().unwrap_or_default();
        Ok(query([
            ("city", &*part(&self.city)),
            ("name", &*part(&self.name)),
            ("date_from", &*moment("from")?),
            ("date_to", &*moment("to")?),
            ("after", &*part(&self.after)),
            ("offset", &*part(&self.offset)),
            ("limit", "50"),
        ]))
    }
}

#[derive(Template)]
#[template(path = "parking/search.html")]
struct Search {
    asked: Asked,
    places: Vec<Place>,
    next: Option<String>,
    refusal: Option<String>,
}

async fn search_places(anyone: Anyone, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let found = match asked.search() {
        Ok(search) => anyone.list("bookings", &format!("/parking?{search}")).await,
        Err(refusal) => Err(refusal),
    };
    let title = "Find a place to park";
    match found {
        Ok(found) => {
            let next = found.next.map(|it| next_search(&asked, &it));
            let content = Search {
                asked,
                places: found.rows,
                next,
                refusal: None,
            };
            page(title, anyone.me.as_ref(), &content)
        }
        Err(refusal) => {
            let content = Search {
                refusal: Some(refusal.into_text()?),
                asked,
                places: Vec::new(),
                next: None,
            };
            again(title, anyone.me.as_ref(), &content)
        }
    }
}

/// The same search, from where the list of bookings goes on.
fn next_search(asked: &Asked, next: &str) -> String {
    let mut on = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("city", &asked.city),
        ("name", &asked.name),
        ("from", &asked.from),
        ("to", &asked.to),
    ] {
        if let Some(value) = value {
            on.append_pair(name, value);
        }
    }
    let goes_on = form_urlencoded::parse(next.as_bytes());
    on.extend_pairs(goes_on.filter(|(name, _)| name == "after" || name == "offset"));
    on.finish()
}

#[derive(Debug, Deserialize)]
struct Quote {
    full_cost: Cents,
    currency: String,
    free: i64,
    available: bool,
}

#[derive(Template)]
#[template(path = "parking/place.html")]
struct PlacePage {
    place: Place,
    rules: Rules,
    form: Fields,
    quote: Option<Quote>,
    refusal: Option<String>,
}

#[derive(Deserialize, Schema)]
struct Window {
    from: Option<String>,
    to: Option<String>,
}

/// A place, and what it costs when a window is asked for.
async fn show_place(
    anyone: Anyone,
    Path(id): Path<i64>,
    Query(window): Query<Window>,
) -> Result<Response, Problem> {
    let form = Fields::fresh()
        .with_some("from", window.from)
        .with_some("to", window.to);
    let place = anyone.get("bookings", &format!("/parking/{id}")).await?;
    let rules = find_rules(&anyone, id).await?;
    let (quote, refusal) = match find_quote(&anyone, id, &rules, &form).await {
        Ok(quote) => (quote, None),
        Err(refusal) => (None, Some(refusal.into_text()?)),
    };
    show(
        anyone.me.as_ref(),
        PlacePage {
            place,
            rules,
            form,
            quote,
            refusal,
        },
    )
}

fn show(me: Option<&Me>, content: PlacePage) -> Result<Response, Problem> {
    match content.refusal {
        None => page(&content.place.name, me, &content),
        Some(_) => again(&content.place.name, me, &content),
    }
}

pub async fn find_rules(client: &Client, place: i64) -> Result<Rules, Error> {
    client
        .get("bookings", &format!("/parking/{place}/rules"))
        .await
}

/// The window of a form, in the time of the place.
fn window_of(rules: &Rules, form: &Fields) -> Result<Option<(String, String)>, Error> {
    let zone = rules.zone();
    let (from, to) = (form.moment("from", &zone)?, form.moment("to", &zone)?);
    Ok(from
        .zip(to)
        .map(|(from, to)| (from.to_string(), to.to_string())))
}

async fn find_quote(
    client: &Client,
    place: i64,
    rules: &Rules,
    form: &Fields,
) -> Result<Option<Quote>, Error> {
    let Some((from, to)) = window_of(rules, form)? else {
        return Ok(None);
    };
    let place = place.to_string();
    let asked = query([
        ("parking_place_id", &*place),
        ("date_from", &*from),
        ("date_to", &*to),
    ]);
    client
        .get("bookings", &format!("/booking/quote?{asked}"))
        .await
        .map(Some)
}

/// Books at the price that the page showed.
async fn book(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let rules = find_rules(&visitor, id).await?;
    match place_booking(&visitor, id, &rules, &form).await {
        Ok(booking) => Ok(go_to(&format!("/bookings/{booking}"))),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            let place = visitor.get("bookings", &format!("/parking/{id}")).await?;
            // Another try is another request.
            let form = Fields::fresh()
                .with("from", form.text("from"))
                .with("to", form.text("to"))
                .with("plate", form.text("plate"));
            let quote = find_quote(&visitor, id, &rules, &form)
                .await
                .unwrap_or(None);
            show(
                Some(&visitor.me),
                PlacePage {
                    place,
                    rules,
                    form,
                    quote,
                    refusal,
                },
            )
        }
    }
}

async fn place_booking(
    visitor: &Visitor,
    place: i64,
    rules: &Rules,
    form: &Fields,
) -> Result<i64, Error> {
    #[derive(Deserialize)]
    struct Booked {
        booking_id: i64,
    }
    let Some((from, to)) = window_of(rules, form)? else {
        return Err(Error::refused("Say from when and to when."));
    };
    let body = json!({
        "parking_place_id": place,
        "date_from": from,
        "date_to": to,
        "expected_cost": form.number("cost")?,
        "plate": form.optional("plate"),
    });
    let key = form.text("key");
    let booked: Booked = visitor
        .send(Method::POST, "bookings", "/booking", key, &body)
        .await?;
    Ok(booked.booking_id)
}
