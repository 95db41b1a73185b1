//! Tickets.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::json;

use super::zones::{Quote, buy_ticket, find_quote, pay_at_price};
use super::{Amount, ROWS, Refusal, Zones};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::Moment;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/cars/tickets", list_tickets, |it| it)
        .get("/cars/tickets/{id}", show, |it| it)
        .post("/cars/tickets/{id}/pay", send_payment, |it| it)
        .post("/cars/tickets/{id}/extend", extend, |it| it)
        .post("/cars/tickets/{id}/end", end, |it| it)
        .post("/cars/tickets/{id}/remove", remove, |it| it)
}

#[derive(Debug, Deserialize)]
pub struct Ticket {
    pub id: i64,
    pub plate: String,
    #[serde(default)]
    pub other_plates: Vec<String>,
    start_date: Moment,
    end_date: Moment,
    pub price: Amount,
    currency: String,
    pub paid: bool,
    zone_id: i64,
    extends: Option<i64>,
}

impl Ticket {
    fn plates(&self) -> String {
        let others = self.other_plates.iter().map(String::as_str);
        let plates: Vec<_> = std::iter::once(&*self.plate).chain(others).collect();
        plates.join(", ")
    }

    /// A ticket that was ended before its start is over, too.
    fn is_over(&self) -> bool {
        self.end_date.0 <= self.start_date.0.max(kit::now())
    }

    /// What is left of its time.
    fn state(&self) -> String {
        let now = kit::now();
        if self.is_over() {
            return match self.paid {
                true => "over".to_owned(),
                false => "was not paid".to_owned(),
            };
        }
        if !self.paid {
            return "not paid, so not valid".to_owned();
        }
        if self.start_date.0 > now {
            return format!(
                "starts in {}",
                duration(self.start_date.0.duration_since(now))
            );
        }
        format!("{} left", duration(self.end_date.0.duration_since(now)))
    }
}

/// Days, hours and minutes; a minute that has begun counts.
fn duration(of: jiff::SignedDuration) -> String {
    let minutes = (of.as_secs() + 59) / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    match parts.is_empty() {
        true => "0 min".to_owned(),
        false => parts.join(" "),
    }
}

#[derive(Deserialize, Schema)]
struct Asked {
    /// `true`: only those that are paid and not over.
    valid_only: Option<String>,
}

#[derive(Template)]
#[template(path = "fines/tickets.html")]
struct Tickets {
    tickets: Vec<Ticket>,
    zones: Zones,
    valid_only: bool,
    next: Option<String>,
}

async fn list_tickets(
    visitor: Visitor,
    Query(asked): Query<Asked>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let valid_only = asked.valid_only.as_deref() == Some("true");
    let filter = ("valid_only", if valid_only { "true" } else { "" });
    let asked = part.query([("limit", &*ROWS.to_string()), filter]);
    let path = format!("/api/v1/users/me/tickets?{asked}");
    let list = visitor.list::<Ticket>("fines", &path).await?;
    let zones = Zones::find(&visitor, list.rows.iter().map(|it| it.zone_id)).await?;
    let content = Tickets {
        tickets: list.rows,
        zones,
        valid_only,
        next: list.next.map(|it| it.query([filter])),
    };
    page("Your tickets", &visitor.me, &content)
}

#[derive(Template)]
#[template(path = "fines/ticket.html")]
struct TicketPage {
    ticket: Ticket,
    zones: Zones,
    form: Fields,
    /// The price of an extension, when it was asked for.
    quote: Option<Quote>,
    refusal: Option<Refusal>,
}

impl TicketPage {
    fn refunds_early_end(&self) -> bool {
        let zone = self.zones.get(&self.ticket.zone_id);
        zone.is_some_and(|it| it.rules.control.refund_early_end)
    }
}

#[derive(Deserialize, Schema)]
struct Longer {
    /// By how many minutes the ticket is to be extended.
    minutes: Option<String>,
}

async fn show(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(longer): Query<Longer>,
) -> Result<Response, Problem> {
    show_ticket(&visitor, id, longer.minutes.as_deref(), None).await
}

pub async fn show_ticket(
    visitor: &Visitor,
    id: i64,
    minutes: Option<&str>,
    refusal: Option<Error>,
) -> Result<Response, Problem> {
    let ticket = find_ticket(visitor, id).await?;
    let zones = Zones::find(visitor, std::iter::once(ticket.zone_id)).await?;
    let form = Fields::fresh().with_some("minutes", minutes);
    let asked = match form.optional("minutes") {
        None => Ok(None),
        Some(_) => {
            let longer = longer(&ticket, &form);
            find_quote(visitor, ticket.zone_id, &longer).await.map(Some)
        }
    };
    let (quote, unfit) = match asked {
        Ok(quote) => (quote, None),
        Err(unfit) => (None, Some(unfit)),
    };
    let content = TicketPage {
        ticket,
        zones,
        form,
        quote,
        refusal: refusal.or(unfit).map(Refusal::of).transpose()?,
    };
    let title = format!("Ticket {id}");
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

async fn find_ticket(visitor: &Visitor, id: i64) -> Result<Ticket, Error> {
    visitor.get("fines", &format!("/api/v1/tickets/{id}")).await
}

/// The form of a ticket that begins at the end of this one, which extends it.
fn longer(ticket: &Ticket, form: &Fields) -> Fields {
    form.clone()
        .with("plate", &ticket.plate)
        .with("others", ticket.other_plates.join(","))
        .with("start", ticket.end_date.0)
}

/// Pays from the wallet.
pub async fn pay(visitor: &Visitor, id: i64, key: &str) -> Result<(), Error> {
    let path = format!("/api/v1/tickets/{id}/pay");
    visitor
        .change_once(Method::POST, "fines", &path, key, &json!({}))
        .await
}

async fn send_payment(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    done(&visitor, id, pay(&visitor, id, form.text("key")).await).await
}

async fn done(visitor: &Visitor, id: i64, outcome: Result<(), Error>) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/cars/tickets/{id}"))),
        Err(refusal) => show_ticket(visitor, id, None, Some(refusal)).await,
    }
}

async fn extend(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let ticket = find_ticket(&visitor, id).await?;
    let longer = longer(&ticket, &form);
    match buy_ticket(&visitor, ticket.zone_id, &longer).await {
        Ok(bought) => pay_at_price(&visitor, &bought, &form).await,
        Err(refusal) => show_ticket(&visitor, id, form.optional("minutes"), Some(refusal)).await,
    }
}

async fn end(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let path = format!("/api/v1/tickets/{id}/end");
    let ended = visitor.act(Method::POST, "fines", &path).await;
    done(&visitor, id, ended).await
}

async fn remove(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let path = format!("/api/v1/tickets/{id}");
    match visitor.act(Method::DELETE, "fines", &path).await {
        Ok(()) => Ok(go_to("/cars/tickets")),
        Err(refusal) => show_ticket(&visitor, id, None, Some(refusal)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_names_what_it_has() {
        let text = |seconds| duration(jiff::SignedDuration::from_secs(seconds));
        assert_eq!(text(0), "0 min");
        assert_eq!(text(61), "2 min");
        assert_eq!(text(3_600), "1 h");
        assert_eq!(text(90_061), "1 d 1 h 2 min");
    }
}
