//! Commissions: the part of payments between users that the house takes.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Problem, Query, Routes};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{find_person, list, name_of};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{form_page, go_to};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/treasury/commissions", list_commissions, |it| it)
        .post("/treasury/commissions", set_commission, |it| it)
}

#[derive(Debug, Deserialize)]
struct Commission {
    /// Hundredths of a percent, which are written as money is.
    basis_points: Option<Cents>,
    reason: String,
    set_at: Moment,
    set_by: Uuid,
    user_id: Option<Uuid>,
}

struct Named {
    commission: Commission,
    /// None for the default.
    owner: Option<String>,
    by: String,
}

#[derive(Template)]
#[template(path = "treasury/commissions.html")]
struct List {
    commissions: Vec<Named>,
    next: Option<Part>,
    form: Fields,
    refusal: Option<String>,
}

async fn list_commissions(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    show(&visitor, &part, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    part: &Part,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let listed = list::<Commission>(visitor, "/payments/commissions", part).await?;
    let mut commissions = Vec::new();
    for commission in listed.rows {
        let owner = match commission.user_id {
            Some(id) => Some(name_of(visitor, id).await?),
            None => None,
        };
        let by = name_of(visitor, commission.set_by).await?;
        commissions.push(Named {
            commission,
            owner,
            by,
        });
    }
    let content = List {
        commissions,
        next: listed.next,
        form,
        refusal,
    };
    let title = "Commissions";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

async fn set_commission(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    match send(&visitor, &form).await {
        Ok(()) => Ok(go_to("/treasury/commissions")),
        Err(refusal) => {
            let refusal = Some(refusal.into_text()?);
            show(&visitor, &Part::default(), form, refusal).await
        }
    }
}

async fn send(visitor: &Visitor, form: &Fields) -> Result<(), Error> {
    let path = match form.optional("owner") {
        Some(owner) => {
            let owner = find_person(visitor, owner).await?;
            format!("/payments/commissions/{}", owner.id)
        }
        None => "/payments/commissions".to_owned(),
    };
    let points = form.cents("percent")?;
    if points.is_none() && form.optional("owner").is_none() {
        return Err(Error::refused("Say how many percent the house takes."));
    }
    let body = json!({ "basis_points": points, "reason": form.text("reason") });
    visitor.change(Method::PUT, "payments", &path, &body).await
}
