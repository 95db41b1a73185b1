//! Fines that are paid in parts.

use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Routes, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Amount;
use super::fine::{Fine, done};
use crate::error::Error;
use crate::fields::Fields;
use crate::visitor::{Client, Visitor};
use crate::words::{Moment, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .post("/cars/fines/{id}/plan", begin, |it| it)
        .post("/cars/fines/{id}/plan/{part}", pay_part, |it| it)
}

#[derive(Debug, Deserialize)]
pub struct Plan {
    pub status: String,
    pub total: Amount,
    pub parts: Vec<PlanPart>,
}

#[derive(Debug, Deserialize)]
pub struct PlanPart {
    pub number: i64,
    pub amount: Amount,
    pub due_date: Moment,
    pub paid: bool,
}

impl Plan {
    /// The part that is to be paid now.
    pub fn next(&self) -> Option<&PlanPart> {
        let is_running = self.status == "running";
        self.parts.iter().find(|it| is_running && !it.paid)
    }
}

#[derive(Deserialize, Schema)]
pub struct Asked {
    /// In how many parts the fine is to be paid.
    pub parts: Option<String>,
}

/// The plan that a driver asked for, before it is chosen.
pub async fn find_offer(
    client: &Client,
    fine: &Fine,
    form: &Fields,
) -> Result<Option<Plan>, Error> {
    let Some(parts) = form.optional("parts") else {
        return Ok(None);
    };
    let asked = query([("parts", parts)]);
    let path = format!("/api/v1/fines/{}/plan?{asked}", fine.id);
    client.get("fines", &path).await.map(Some)
}

async fn begin(visitor: Visitor, Path(id): Path<i64>, form: Fields) -> Result<Response, Problem> {
    let begun = begin_plan(&visitor, id, &form).await;
    done(&visitor, id, &form, begun).await
}

async fn begin_plan(visitor: &Visitor, id: i64, form: &Fields) -> Result<(), Error> {
    let Some(parts) = form.number("parts")? else {
        return Err(Error::refused("Say in how many parts."));
    };
    send(
        visitor,
        &format!("/api/v1/fines/{id}/plan"),
        form,
        &json!({ "parts": parts }),
    )
    .await
}

async fn pay_part(
    visitor: Visitor,
    Path((id, part)): Path<(i64, i32)>,
    form: Fields,
) -> Result<Response, Problem> {
    let path = format!("/api/v1/fines/{id}/plan/{part}/pay");
    let paid = send(&visitor, &path, &form, &json!({})).await;
    done(&visitor, id, &form, paid).await
}

async fn send(visitor: &Visitor, path: &str, form: &Fields, body: &Value) -> Result<(), Error> {
    visitor
        .change_once(Method::POST, "fines", path, form.text("key"), body)
        .await
}
