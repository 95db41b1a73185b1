//! Money that erased people left behind.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::acts::{Traced, trace};
use super::{Amount, find_person, list};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Moment, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/treasury/unclaimed", list_unclaimed, |it| it)
        .get(
            "/treasury/unclaimed/{id}/{currency}",
            show_unclaimed,
            |it| it,
        )
        .post("/treasury/unclaimed/{id}/{currency}", hand_over, |it| it)
}

#[derive(Debug, Deserialize)]
struct Unclaimed {
    user_id: Uuid,
    amount: Amount,
    currency: String,
    updated_at: Moment,
}

#[derive(Template)]
#[template(path = "treasury/unclaimed.html")]
struct List {
    unclaimed: Vec<Unclaimed>,
    next: Option<Part>,
}

async fn list_unclaimed(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let listed = list(&visitor, "/payments/unclaimed", &part).await?;
    let content = List {
        unclaimed: listed.rows,
        next: listed.next,
    };
    page("Unclaimed money", &visitor.me, &content)
}

#[derive(Template)]
#[template(path = "treasury/hand_over.html")]
struct UnclaimedPage {
    /// None when it was handed over.
    unclaimed: Option<Unclaimed>,
    trace: Vec<Traced>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_unclaimed(
    visitor: Visitor,
    Path((id, currency)): Path<(Uuid, String)>,
) -> Result<Response, Problem> {
    show(&visitor, id, &currency, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    id: Uuid,
    currency: &str,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let path = format!("/payments/unclaimed?user_id={id}");
    let left: Vec<Unclaimed> = visitor.get("payments", &path).await?;
    let unclaimed = left.into_iter().find(|it| it.currency == currency);
    let trace = trace(visitor, &id.to_string()).await?;
    if unclaimed.is_none() && trace.is_empty() {
        return Err(Error::unknown("There is no such money.").into());
    }
    let content = UnclaimedPage {
        unclaimed,
        trace,
        form,
        refusal,
    };
    let title = "Unclaimed money";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

async fn hand_over(
    visitor: Visitor,
    Path((id, currency)): Path<(Uuid, String)>,
    form: Fields,
) -> Result<Response, Problem> {
    match send(&visitor, id, &currency, &form).await {
        Ok(()) => Ok(go_to(&format!(
            "/treasury/unclaimed/{id}/{}",
            segment(&currency)
        ))),
        Err(refusal) => show(&visitor, id, &currency, form, Some(refusal.into_text()?)).await,
    }
}

async fn send(visitor: &Visitor, id: Uuid, currency: &str, form: &Fields) -> Result<(), Error> {
    let claimant = find_person(visitor, form.text("claimant")).await?;
    let body = json!({
        "claimant_id": claimant.id,
        "currency": currency,
        "reason": form.text("reason"),
    });
    let path = format!("/payments/unclaimed/{id}/handed-over");
    visitor.change(Method::POST, "payments", &path, &body).await
}
