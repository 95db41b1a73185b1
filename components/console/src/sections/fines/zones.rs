//! Zones, their prices, and buying a ticket.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cars::{Car, find_cars};
use super::tickets::{Ticket, pay, show_ticket};
use super::{Amount, ROWS};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{form_page, go_to, page};
use crate::visitor::{Anyone, Client, Me, Visitor};
use crate::words::{self, Cents, Moment, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/cars/zones", list_zones, |it| it)
        .get("/cars/zones/{id}", show_zone, |it| it)
        .post("/cars/zones/{id}", buy, |it| it)
}

#[derive(Debug, Deserialize)]
pub struct Zone {
    pub id: i64,
    pub name: String,
    pub available: bool,
    price_offset: Decimal,
    price_lin: Decimal,
    price_exp: Decimal,
    pub currency: String,
    pub rules: Rules,
}

#[derive(Debug, Deserialize)]
pub struct Rules {
    pricing: Pricing,
    pub control: Control,
    pub fines: Schedule,
}

#[derive(Debug, Deserialize)]
struct Pricing {
    timezone: Option<String>,
    free_minutes: i64,
    max_stay_minutes: Option<i64>,
    daily_maximum: Option<Cents>,
    rates: Vec<Rate>,
    holidays: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Rate {
    days: Vec<String>,
    from: String,
    to: String,
    percent: i64,
}

#[derive(Debug, Deserialize)]
pub struct Control {
    grace_minutes: i64,
    capacity: Option<i64>,
    pub refund_early_end: bool,
}

#[derive(Debug, Deserialize)]
pub struct Schedule {
    discounts: Vec<Step>,
    surcharges: Vec<Step>,
    appeal_days: i64,
    pub plan_parts: i64,
}

#[derive(Debug, Deserialize)]
struct Step {
    days: i64,
    percent: i64,
}

impl Zone {
    pub fn zone(&self) -> TimeZone {
        let name = self.rules.pricing.timezone.as_deref();
        name.and_then(words::zone).unwrap_or(TimeZone::UTC)
    }

    fn zone_name(&self) -> &str {
        self.rules.pricing.timezone.as_deref().unwrap_or("UTC")
    }

    /// The formula of its prices, as a sentence.
    fn price(&self) -> String {
        let (offset, lin) = (self.price_offset, self.price_lin);
        let currency = &self.currency;
        match (offset.is_zero(), self.price_exp == Decimal::ONE) {
            (true, true) => format!("{lin:.2} {currency} an hour"),
            (false, true) => {
                format!("{offset:.2} {currency} a ticket, and {lin:.2} {currency} an hour")
            }
            (_, false) => {
                let exp = self.price_exp.normalize();
                format!("{offset:.2} + ({lin:.2} × hours)^{exp} {currency}")
            }
        }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let days = self.days.join(", ");
        write!(f, "{days} {}–{}: {} %", self.from, self.to, self.percent)
    }
}

pub async fn find_zone(client: &Client, id: i64) -> Result<Zone, Error> {
    client.get("fines", &format!("/api/v1/zones/{id}")).await
}

#[derive(Deserialize, Schema)]
struct Asked {
    /// The car that a ticket is wanted for.
    plate: Option<String>,
}

#[derive(Template)]
#[template(path = "fines/zones.html")]
struct ZonesPage {
    zones: Vec<Zone>,
    next: Option<String>,
    plate: String,
    /// The query of a zone's page.
    wish: String,
}

/// Zones where tickets are sold, and those where none are sold now.
async fn list_zones(
    anyone: Anyone,
    Query(asked): Query<Asked>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let plate = asked.plate.unwrap_or_default();
    let path = format!(
        "/api/v1/zones?{}",
        part.query([("limit", &*ROWS.to_string())])
    );
    let list = anyone.list("fines", &path).await?;
    let content = ZonesPage {
        zones: list.rows,
        next: list.next.map(|it| it.query([("plate", &*plate)])),
        wish: query([("plate", &*plate)]),
        plate,
    };
    page("Zones and prices", anyone.me.as_ref(), &content)
}

#[derive(Debug, Deserialize)]
struct Occupancy {
    free: Option<i64>,
}

/// The price of a ticket, and the moment at which it starts.
#[derive(Debug, Deserialize)]
pub struct Quote {
    pub price: Amount,
    pub currency: String,
    pub end_date: Moment,
    extends: Option<i64>,
}

#[derive(Template)]
#[template(path = "fines/zone.html")]
struct ZonePage {
    zone: Zone,
    free: Option<i64>,
    cars: Vec<Car>,
    form: Fields,
    quote: Option<Quote>,
    /// The end of the ticket, in the time of the zone.
    end: String,
    refusal: Option<String>,
}

#[derive(Deserialize, Schema)]
struct Wish {
    plate: Option<String>,
    others: Option<String>,
    from: Option<String>,
    minutes: Option<String>,
}

/// A zone, and what a ticket costs when its time is said.
async fn show_zone(
    anyone: Anyone,
    Path(id): Path<i64>,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    let form = Fields::fresh()
        .with_some("plate", wish.plate)
        .with_some("others", wish.others)
        .with_some("from", wish.from)
        .with_some("minutes", wish.minutes);
    show(&anyone, anyone.me.as_ref(), id, form, None).await
}

async fn show(
    client: &Client,
    me: Option<&Me>,
    id: i64,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let zone = find_zone(client, id).await?;
    let path = format!("/api/v1/zones/{id}/occupancy");
    let occupancy: Occupancy = client.get("fines", &path).await?;
    let cars = match me {
        Some(_) => find_cars(client).await?,
        None => Vec::new(),
    };
    // The start that is priced is the one that is bought.
    let start = start_of(&zone, &form);
    let form = form.with_some("start", start.as_ref().ok());
    let (quote, unfit) = match start {
        Ok(_) if form.optional("minutes").is_none() => (None, None),
        Ok(_) => match find_quote(client, id, &form).await {
            Ok(quote) => (Some(quote), None),
            Err(unfit) => (None, Some(unfit.into_text()?)),
        },
        Err(unfit) => (None, Some(unfit.into_text()?)),
    };
    let at_zone = zone.zone();
    let content = ZonePage {
        end: quote
            .as_ref()
            .map(|it| it.end_date.at(&at_zone))
            .unwrap_or_default(),
        free: occupancy.free,
        zone,
        cars,
        form,
        quote,
        refusal: refusal.or(unfit),
    };
    form_page(&content.zone.name, me, &content, content.refusal.is_some())
}

/// When the ticket starts: now, when nothing else is said.
fn start_of(zone: &Zone, form: &Fields) -> Result<Timestamp, Error> {
    let said = form.moment("from", &zone.zone())?;
    Ok(said.unwrap_or_else(kit::now))
}

/// The ticket that a form asks for.
pub fn wanted(form: &Fields) -> Result<Value, Error> {
    let others = form.text("others").split([',', ';', '\n']);
    let others: Vec<_> = others.map(str::trim).filter(|it| !it.is_empty()).collect();
    let Some(minutes) = form.number("minutes")? else {
        return Err(Error::refused("Say for how many minutes."));
    };
    Ok(json!({
        "plate": form.text("plate"),
        "other_plates": others,
        "start_date": form.text("start"),
        "duration": minutes,
    }))
}

pub async fn find_quote(client: &Client, zone: i64, form: &Fields) -> Result<Quote, Error> {
    let path = format!("/api/v1/zones/{zone}/tickets/quote");
    client
        .send(Method::POST, "fines", &path, "", &wanted(form)?)
        .await
}

async fn buy(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    match buy_ticket(&visitor, id, &form).await {
        Ok(ticket) => pay_at_price(&visitor, &ticket, &form).await,
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            // Another try is another request.
            let form = Fields::fresh()
                .with("plate", form.text("plate"))
                .with("others", form.text("others"))
                .with("from", form.text("from"))
                .with("minutes", form.text("minutes"));
            show(&visitor, Some(&visitor.me), id, form, refusal).await
        }
    }
}

pub async fn buy_ticket(client: &Client, zone: i64, form: &Fields) -> Result<Ticket, Error> {
    let (path, key) = (format!("/api/v1/zones/{zone}/tickets"), form.text("key"));
    client
        .send(Method::POST, "fines", &path, key, &wanted(form)?)
        .await
}

/// Pays a ticket that was just bought, when its price is the one that the page showed. Otherwise its page tells the price.
pub async fn pay_at_price(
    visitor: &Visitor,
    ticket: &Ticket,
    form: &Fields,
) -> Result<Response, Problem> {
    let path = format!("/cars/tickets/{}", ticket.id);
    if ticket.paid || form.text("price") != ticket.price.to_string() {
        return Ok(go_to(&path));
    }
    match pay(visitor, ticket.id, &format!("{}-pay", form.text("key"))).await {
        Ok(()) => Ok(go_to(&path)),
        Err(refusal) if refusal.is("already-paid") => Ok(go_to(&path)),
        Err(refusal) => show_ticket(visitor, ticket.id, None, Some(refusal)).await,
    }
}
