//! On the street: checking plates, and issuing fines.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::catalogue::{Violation, find_violations};
use super::{Amount, Desk, file, find_desk, zones};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Moment, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/control/zones/{id}/checks", list_checks, |it| it)
        .post("/control/zones/{id}/checks", check_plate, |it| it)
        .get("/control/zones/{id}/parked", list_parked, |it| it)
        .get("/control/zones/{id}/offline.json", save_plates, |it| it)
        .get("/control/zones/{id}/issue", show_issue, |it| it)
        .post("/control/zones/{id}/issue", issue, |it| it)
}

#[derive(Debug, Deserialize)]
struct PlateCheck {
    plate: String,
    checked_at: Moment,
    result: String,
    ticket_id: Option<i64>,
    valid_until: Option<Moment>,
    grace_minutes: i64,
    booking: Option<Booking>,
}

#[derive(Debug, Deserialize)]
struct Booking {
    booking_id: i64,
    place: String,
    until: Moment,
    in_zone: bool,
}

impl PlateCheck {
    fn is_covered(&self) -> bool {
        self.result == "valid" || self.result == "grace"
    }

    fn told(&self, zone: &TimeZone) -> String {
        let until = self.valid_until.map(|it| it.at(zone)).unwrap_or_default();
        match self.result.as_str() {
            "valid" => format!("is paid until {until}"),
            "grace" => {
                format!(
                    "was paid until {until}, and has {} minutes of grace",
                    self.grace_minutes
                )
            }
            "expired" => format!("was paid until {until}"),
            _ => "is not paid".to_owned(),
        }
    }

    fn covered_by(&self) -> String {
        match (&self.booking, self.ticket_id) {
            (_, Some(ticket)) => format!("ticket {ticket}"),
            (Some(booking), None) => booking.to_string(),
            (None, None) => String::new(),
        }
    }
}

impl std::fmt::Display for Booking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "booking {} of {}", self.booking_id, self.place)?;
        match self.in_zone {
            true => Ok(()),
            false => write!(f, ", which is not on the map, until {}", self.until),
        }
    }
}

#[derive(Deserialize, Schema)]
struct Checked {
    plate: Option<String>,
}

#[derive(Template)]
#[template(path = "control/checks.html")]
struct Checks {
    desk: Desk,
    time_zone: TimeZone,
    plate: String,
    checks: Vec<PlateCheck>,
    next: Option<String>,
    /// The query of a fine for that plate.
    fined: String,
}

async fn list_checks(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(wanted): Query<Checked>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let plate = wanted.plate.unwrap_or_default();
    let asked = part.query([("plate", &*plate), LIMIT]);
    let list = visitor
        .list("fines", &format!("/api/v1/zones/{id}/checks?{asked}"))
        .await?;
    let desk = find_desk(&visitor, id).await?;
    let content = Checks {
        time_zone: desk.zone.time_zone(),
        fined: query([("plate", &*plate)]),
        desk,
        next: list.next.map(|it| it.query([("plate", &*plate)])),
        plate,
        checks: list.rows,
    };
    let title = format!("Checks in {}", content.desk.zone.name);
    page(&title, &visitor.me, &content)
}

/// Leads to the checks of the plate, of which this is the newest.
async fn check_plate(
    visitor: Visitor,
    Path(id): Path<i64>,
    form: Fields,
) -> Result<Response, Problem> {
    let path = format!("/api/v1/zones/{id}/checks");
    let body = json!({ "plate": form.text("plate") });
    let checked = visitor
        .send::<PlateCheck>(Method::POST, "fines", &path, "", &body)
        .await;
    match checked {
        Ok(check) => {
            let plate = query([("plate", &*check.plate)]);
            Ok(go_to(&format!("/control/zones/{id}/checks?{plate}")))
        }
        Err(refusal) => zones::show(&visitor, id, form, Some(refusal.into_text()?)).await,
    }
}

#[derive(Debug, Deserialize)]
struct Ticket {
    id: i64,
    plate: String,
    #[serde(default)]
    other_plates: Vec<String>,
    start_date: Moment,
    end_date: Moment,
}

#[derive(Template)]
#[template(path = "control/parked.html")]
struct Parked {
    desk: Desk,
    time_zone: TimeZone,
    tickets: Vec<Ticket>,
    next: Option<Part>,
}

async fn list_parked(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let asked = part.query([("valid_only", "true"), LIMIT]);
    let list = visitor
        .list("fines", &format!("/api/v1/zones/{id}/tickets?{asked}"))
        .await?;
    let desk = find_desk(&visitor, id).await?;
    let content = Parked {
        time_zone: desk.zone.time_zone(),
        desk,
        tickets: list.rows,
        next: list.next,
    };
    let title = format!("Parked now in {}", content.desk.zone.name);
    page(&title, &visitor.me, &content)
}

async fn save_plates(visitor: Visitor, Path(id): Path<i64>) -> Result<Response, Problem> {
    let path = format!("/api/v1/zones/{id}/offline");
    let plates = visitor.call(Method::GET, "fines", &path).await?;
    Ok(file(
        plates,
        "application/json",
        &format!("zone-{id}-plates.json"),
    ))
}

#[derive(Deserialize, Schema)]
struct Fined {
    plate: Option<String>,
}

#[derive(Template)]
#[template(path = "control/issue.html")]
struct Issue {
    desk: Desk,
    /// Those in the currency of the zone.
    violations: Vec<Violation>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_issue(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(fined): Query<Fined>,
) -> Result<Response, Problem> {
    let form = Fields::fresh().with_some("plate", fined.plate);
    show_form(&visitor, id, form, None).await
}

async fn show_form(
    visitor: &Visitor,
    id: i64,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let desk = find_desk(visitor, id).await?;
    let mut violations = find_violations(visitor).await?;
    violations.retain(|it| it.currency == desk.zone.currency);
    let content = Issue {
        desk,
        violations,
        form,
        refusal,
    };
    let title = format!("Issue a fine in {}", content.desk.zone.name);
    form_page(&title, &visitor.me, &content, content.refusal.is_some())
}

async fn issue(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    match send_fine(&visitor, id, &form).await {
        Ok(fine) => Ok(go_to(&format!("/control/fines/{fine}"))),
        Err(refusal) => show_form(&visitor, id, form.renewed(), Some(refusal.into_text()?)).await,
    }
}

async fn send_fine(visitor: &Visitor, zone: i64, form: &Fields) -> Result<i64, Error> {
    #[derive(Deserialize)]
    struct Issued {
        id: i64,
    }
    let mut body = Map::new();
    for member in ["plate", "code", "place", "note", "override_reason"] {
        if let Some(text) = form.optional(member) {
            body.insert(member.to_owned(), json!(text));
        }
    }
    if let Some(cents) = form.cents("amount")? {
        body.insert("amount".to_owned(), json!(Amount(cents)));
    }
    for member in ["latitude", "longitude"] {
        if let Some(text) = form.optional(member) {
            let number: Value = serde_json::from_str(text)
                .map_err(|_| Error::refused(format!("\"{text}\" is no number of degrees")))?;
            body.insert(member.to_owned(), number);
        }
    }
    let path = format!("/api/v1/zones/{zone}/fines");
    let key = form.text("key");
    let issued: Issued = visitor
        .send(Method::POST, "fines", &path, key, &body)
        .await?;
    Ok(issued.id)
}
