//! What can be fined anywhere, and the figures of all zones.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kit::identity::Role;
use kit::web::{Dialect, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::json;

use super::{Amount, file};
use crate::error::Error;
use crate::fields::Fields;
use crate::page::{form_page, go_to};
use crate::visitor::{Client, Visitor};
use crate::words::{query, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/control/violations", show_violations, |it| it)
        .post("/control/violations", save, |it| it)
        .post("/control/violations/remove", remove, |it| it)
        .get("/control/statistics", show_statistics, |it| it)
        .get("/control/statistics.csv", save_statistics, |it| it)
}

#[derive(Debug, Deserialize)]
pub struct Violation {
    pub code: String,
    pub title: String,
    pub amount: Amount,
    pub currency: String,
}

pub async fn find_violations(client: &Client) -> Result<Vec<Violation>, Error> {
    client.get("fines", "/api/v1/violations").await
}

#[derive(Template)]
#[template(path = "control/violations.html")]
struct Violations {
    violations: Vec<Violation>,
    is_admin: bool,
    form: Fields,
    refusal: Option<String>,
}

async fn show_violations(visitor: Visitor) -> Result<Response, Problem> {
    show(&visitor, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let content = Violations {
        violations: find_violations(visitor).await?,
        is_admin: visitor.me.is(Role::Admin),
        form,
        refusal,
    };
    form_page(
        "Violations",
        &visitor.me,
        &content,
        content.refusal.is_some(),
    )
}

async fn save(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    match send_violation(&visitor, &form).await {
        Ok(()) => Ok(go_to("/control/violations")),
        Err(refusal) => show(&visitor, form, Some(refusal.into_text()?)).await,
    }
}

async fn send_violation(visitor: &Visitor, form: &Fields) -> Result<(), Error> {
    let path = format!("/api/v1/violations/{}", segment(form.text("code")));
    let body = json!({
        "title": form.text("title"),
        "amount": form.cents("amount")?.map(Amount),
        "currency": form.text("currency"),
    });
    visitor.change(Method::PUT, "fines", &path, &body).await
}

async fn remove(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let path = format!("/api/v1/violations/{}", segment(form.text("code")));
    match visitor.act(Method::DELETE, "fines", &path).await {
        Ok(()) => Ok(go_to("/control/violations")),
        Err(refusal) => show(&visitor, Fields::default(), Some(refusal.into_text()?)).await,
    }
}

#[derive(Deserialize, Schema)]
struct Since {
    /// A day, in UTC.
    since: Option<String>,
}

impl Since {
    /// The query of fines.
    fn query(&self, format: &str) -> Result<String, Error> {
        let text = self.since.as_deref().unwrap_or_default();
        let moment = match text {
            "" => String::new(),
            text => {
                let day = text.parse::<Date>().ok();
                let day = day.and_then(|it| it.to_zoned(TimeZone::UTC).ok());
                day.map(|it| it.timestamp().to_string())
                    .ok_or_else(|| Error::refused(format!("\"{text}\" is no day")))?
            }
        };
        Ok(query([("since", &*moment), ("format", format)]))
    }
}

#[derive(Debug, Deserialize)]
struct Statistics {
    cars: i64,
    zones: i64,
    tickets: i64,
    paid_tickets: i64,
    covered_plates: i64,
    buyers: i64,
    money: Vec<Takings>,
    durations: Vec<Bucket>,
    fines: i64,
    paid_fines: i64,
    cancelled_fines: i64,
    paid_percent: i64,
    open_appeals: i64,
}

#[derive(Debug, Deserialize)]
struct Takings {
    currency: String,
    tickets: Amount,
    average_ticket: Amount,
    fines_issued: Amount,
    fines_paid: Amount,
}

#[derive(Debug, Deserialize)]
struct Bucket {
    minutes: String,
    tickets: i64,
}

#[derive(Template)]
#[template(path = "control/statistics.html")]
struct StatisticsPage {
    since: String,
    query: String,
    found: Option<Statistics>,
    refusal: Option<String>,
}

async fn show_statistics(
    visitor: Visitor,
    Query(since): Query<Since>,
) -> Result<Response, Problem> {
    let found = match since.query("json") {
        Ok(wanted) => {
            let path = format!("/api/v1/statistics?{wanted}");
            visitor.get("fines", &path).await
        }
        Err(refusal) => Err(refusal),
    };
    let since = since.since.unwrap_or_default();
    let (found, refusal) = match found {
        Ok(found) => (Some(found), None),
        Err(Error::Refused { status, text, .. }) if status == 422 => (None, Some(text)),
        Err(other) => return Err(other.into()),
    };
    let content = StatisticsPage {
        query: query([("since", &*since)]),
        since,
        found,
        refusal,
    };
    form_page(
        "Statistics",
        &visitor.me,
        &content,
        content.refusal.is_some(),
    )
}

async fn save_statistics(
    visitor: Visitor,
    Query(since): Query<Since>,
) -> Result<Response, Problem> {
    let path = format!("/api/v1/statistics?{}", since.query("csv")?);
    let table = visitor.call(Method::GET, "fines", &path).await?;
    Ok(file(table, "text/csv; charset=utf-8", "statistics.csv"))
}
