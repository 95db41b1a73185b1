//! The trace: what admins did by hand, or proposed for a second one.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::Response;
use kit::web::{Dialect, Problem, Query, Routes, Schema};
use serde::Deserialize;
use uuid::Uuid;

use super::{Amount, name_of};
use crate::error::Error;
use crate::lists::{LIMIT, Part, ROWS, earlier};
use crate::page::page;
use crate::visitor::Visitor;
use crate::words::{Moment, query, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain).get("/treasury/acts", list_acts, |it| it)
}

#[derive(Debug, Deserialize)]
pub struct Act {
    pub id: i64,
    pub subject: String,
    pub about: String,
    pub act: String,
    pub stage: String,
    pub amount: Amount,
    pub currency: String,
    pub actor: Uuid,
    pub reason: Option<String>,
    pub acted_at: Moment,
}

impl Act {
    /// The page of what it is about.
    pub fn page(&self) -> String {
        let about = segment(&self.about);
        let page = match &*self.subject {
            "payment" => format!("payments/{about}"),
            "payout" => format!("payouts/{about}"),
            "receivable" => format!("debts/{about}"),
            "unclaimed" => format!("unclaimed/{about}/{}", segment(&self.currency)),
            "refund" => format!("refunds/{about}"),
            "promocode" => "promocodes".to_owned(),
            _ => format!("acts?{}", query([("about", &*self.about)])),
        };
        format!("/console/treasury/{page}")
    }

    pub fn is_proposed(&self) -> bool {
        self.stage == "proposed"
    }
}

/// An act, and the login of its admin.
pub struct Traced {
    pub act: Act,
    pub by: String,
}

async fn with_names(visitor: &Visitor, acts: Vec<Act>) -> Result<Vec<Traced>, Error> {
    let (mut names, mut traced) = (BTreeMap::new(), Vec::new());
    for act in acts {
        let by = match names.get(&act.actor) {
            Some(name) => String::clone(name),
            None => name_of(visitor, act.actor).await?,
        };
        names.insert(act.actor, by.clone());
        traced.push(Traced { act, by });
    }
    Ok(traced)
}

/// What was done about one thing, the newest first.
pub async fn trace(visitor: &Visitor, about: &str) -> Result<Vec<Traced>, Error> {
    let about = query([("about", about), ("limit", "100")]);
    let path = format!("/payments/acts?{about}");
    with_names(visitor, visitor.get("payments", &path).await?).await
}

/// What waits for a second admin: the newest hundred.
pub async fn list_proposals(visitor: &Visitor) -> Result<Vec<Traced>, Error> {
    let path = "/payments/proposals?limit=100";
    with_names(visitor, visitor.get("payments", path).await?).await
}

#[derive(Deserialize, Schema)]
struct Wanted {
    /// The id of what the acts are about.
    about: Option<String>,
}

#[derive(Template)]
#[template(path = "treasury/acts.html")]
struct Acts {
    about: String,
    trace: Vec<Traced>,
    next: Option<String>,
}

async fn list_acts(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let about = wanted.about.unwrap_or_default();
    let asked = part.query([("about", &*about), LIMIT]);
    let acts: Vec<Act> = visitor
        .get("payments", &format!("/payments/acts?{asked}"))
        .await?;
    let content = Acts {
        next: earlier(&acts, ROWS, |it| it.id).map(|it| it.query([("about", &*about)])),
        trace: with_names(&visitor, acts).await?,
        about,
    };
    page("What admins did", &visitor.me, &content)
}
