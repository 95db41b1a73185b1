//! Finding a place to park, and booking it.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::{Number, json};
use uuid::Uuid;

use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part, given};
use crate::page::{again, form_page, go_to, page};
use crate::visitor::{Anyone, Client, Me, Visitor};
use crate::words::{self, Cents, Moment, query};

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
    pub owner_id: Uuid,
    pub latitude: Option<Number>,
    pub longitude: Option<Number>,
}

/// The types of places, as bookings and as people call them.
pub const TYPES: [(&str, &str); 4] = [
    ("outdoor", "Outdoor"),
    ("covered", "Covered"),
    ("underground", "Underground"),
    ("multi-level", "Multi-level"),
];

impl Place {
    pub fn type_name(&self) -> &str {
        let found = TYPES.iter().find(|it| it.0 == self.parking_type);
        found.map_or(&*self.parking_type, |it| it.1)
    }
}

#[derive(Debug, Deserialize)]
pub struct Rules {
    pub time_zone: String,
    pub opening_hours: Option<Vec<Opening>>,
    pub blackouts: Vec<Blackout>,
    pub refund_policy: Option<RefundPolicy>,
    pub overstay: Option<Overstay>,
}

#[derive(Debug, Deserialize)]
pub struct Opening {
    pub days: Vec<String>,
    pub from: String,
    pub to: String,
}

/// A time in which the place is closed.
#[derive(Debug, Deserialize)]
pub struct Blackout {
    pub from: Moment,
    pub to: Moment,
}

#[derive(Debug, Deserialize)]
pub struct RefundPolicy {
    pub free_hours: i64,
    pub least_percent: i64,
}

/// What it costs that a car leaves late.
#[derive(Debug, Deserialize)]
pub struct Overstay {
    pub grace_minutes: i64,
    pub per: String,
    pub rate_percent: i64,
    pub max_cost: Cents,
}

impl std::fmt::Display for Overstay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "each {} that has begun costs {} % of the hourly rate, at most {} USD; {} minutes are free",
            self.per, self.rate_percent, self.max_cost, self.grace_minutes
        )
    }
}

impl Rules {
    pub fn zone(&self) -> TimeZone {
        words::zone(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    pub fn cancellation(&self) -> String {
        cancellation(self.refund_policy.as_ref())
    }

    /// When it is closed, from now on.
    pub fn closures(&self) -> impl Iterator<Item = String> {
        let (now, zone) = (kit::now(), self.zone());
        let ahead = self.blackouts.iter().filter(move |it| it.to.0 > now);
        ahead.map(move |it| format!("{} to {}", it.from.at(&zone), it.to.at(&zone)))
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
    parking_type: Option<String>,
    lowest: Option<String>,
    highest: Option<String>,
}

impl Asked {
    fn is_type(&self, wanted: &str) -> bool {
        self.parking_type.as_deref() == Some(wanted)
    }

    fn has_window(&self) -> bool {
        self.from.is_some() && self.to.is_some()
    }

    fn window(&self) -> String {
        query(given([("from", &self.from), ("to", &self.to)]))
    }

    /// The search as the form holds it.
    fn filters(&self) -> [(&str, &str); 7] {
        given([
            ("city", &self.city),
            ("name", &self.name),
            ("from", &self.from),
            ("to", &self.to),
            ("parking_type", &self.parking_type),
            ("lowest", &self.lowest),
            ("highest", &self.highest),
        ])
    }

    /// The search that bookings is asked for.
    fn search(&self, part: &Part) -> Result<String, Error> {
        let form = Fields::default()
            .with_some("from", self.from.as_ref())
            .with_some("to", self.to.as_ref())
            .with_some("lowest", self.lowest.as_ref())
            .with_some("highest", self.highest.as_ref());
        let rate = |name: &str| {
            let rate = form.cents(name)?;
            Ok::<_, Error>(rate.map(|it| it.to_string()).unwrap_or_default())
        };
        let moment = |name: &str| {
            let moment = form.moment(name, &TimeZone::UTC)?;
            Ok::<_, Error>(moment.map(|it| it.to_string()).unwrap_or_default())
        };
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        Ok(part.query([
            ("city", &*text(&self.city)),
            ("name", &*text(&self.name)),
            ("date_from", &*moment("from")?),
            ("date_to", &*moment("to")?),
            ("parking_type", &*text(&self.parking_type)),
            ("lowest_rate", &*rate("lowest")?),
            ("highest_rate", &*rate("highest")?),
            LIMIT,
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

async fn search_places(
    anyone: Anyone,
    Query(asked): Query<Asked>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let found = match asked.search(&part) {
        Ok(search) => anyone.list("bookings", &format!("/parking?{search}")).await,
        Err(refusal) => Err(refusal),
    };
    let title = "Find a place to park";
    match found {
        Ok(found) => {
            let next = found.next.map(|it| it.query(asked.filters()));
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
    form_page(&content.place.name, me, &content, content.refusal.is_some())
}

/// A place, unless it was removed.
pub async fn find_place(client: &Client, id: i64) -> Result<Option<Place>, Error> {
    match client.get("bookings", &format!("/parking/{id}")).await {
        Err(refusal) if refusal.is("unknown-place") => Ok(None),
        found => found.map(Some),
    }
}

/// The rules of a place; of one that was removed, those that hold without any.
pub async fn find_rules_if_any(client: &Client, place: i64) -> Result<Rules, Error> {
    match find_rules(client, place).await {
        Err(refusal) if refusal.is("unknown-place") => Ok(Rules {
            time_zone: "UTC".to_owned(),
            opening_hours: None,
            blackouts: Vec::new(),
            refund_policy: None,
            overstay: None,
        }),
        found => found,
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
