//! Payouts: withdrawals and cash-outs that an admin approves, and pays at the bank.

use askama::Template;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use uuid::Uuid;

use super::acts::{Traced, trace};
use super::{Amount, act, list, name_of};
use crate::fields::Fields;
use crate::lists::Part;
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::Moment;

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/treasury/payouts", list_waiting, |it| it)
        .get("/treasury/payouts/ended", list_ended, |it| it)
        .get("/treasury/payouts/{id}", show_payout, |it| it)
        .post("/treasury/payouts/{id}/approved", approve, |it| it)
        .post("/treasury/payouts/{id}/paid", mark_paid, |it| it)
        .post("/treasury/payouts/{id}/returned", return_payout, |it| it)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payout {
    id: Uuid,
    user_id: Uuid,
    email: Option<String>,
    amount: Amount,
    currency: String,
    state: String,
    holder_name: Option<String>,
    destination_kind: Option<String>,
    destination_account: Option<String>,
    payment_account_id: Option<String>,
    created_at: Moment,
}

impl Payout {
    fn is_cash_out(&self) -> bool {
        self.payment_account_id.is_none()
    }

    fn waits(&self) -> bool {
        matches!(&*self.state, "open" | "approved")
    }

    /// A cash-out is approved before it is paid.
    fn can_be_approved(&self) -> bool {
        self.state == "open" && self.is_cash_out()
    }
}

#[derive(Template)]
#[template(path = "treasury/payouts.html")]
struct List {
    payouts: Vec<Payout>,
    next: Option<Part>,
    has_ended: bool,
}

async fn list_waiting(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let listed = list(&visitor, "/payments/payouts", &part).await?;
    let content = List {
        payouts: listed.rows,
        next: listed.next,
        has_ended: false,
    };
    page("Payouts that wait", &visitor.me, &content)
}

async fn list_ended(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let listed = list(&visitor, "/payments/payouts/ended", &part).await?;
    let content = List {
        payouts: listed.rows,
        next: listed.next,
        has_ended: true,
    };
    page("Payouts that ended", &visitor.me, &content)
}

#[derive(Template)]
#[template(path = "treasury/payout.html")]
struct PayoutPage {
    payout: Payout,
    owner: String,
    trace: Vec<Traced>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_payout(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    show(&visitor, id, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    id: Uuid,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let payout: Payout = visitor
        .get("payments", &format!("/payments/payouts/{id}"))
        .await?;
    let content = PayoutPage {
        owner: name_of(visitor, payout.user_id).await?,
        trace: trace(visitor, &id.to_string()).await?,
        payout,
        form,
        refusal,
    };
    let title = "Payout";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

async fn approve(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    form: Fields,
) -> Result<Response, Problem> {
    decide(&visitor, id, "approved", form).await
}

async fn mark_paid(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    form: Fields,
) -> Result<Response, Problem> {
    decide(&visitor, id, "paid", form).await
}

async fn return_payout(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    form: Fields,
) -> Result<Response, Problem> {
    decide(&visitor, id, "returned", form).await
}

async fn decide(
    visitor: &Visitor,
    id: Uuid,
    what: &str,
    form: Fields,
) -> Result<Response, Problem> {
    let path = format!("/payments/payouts/{id}/{what}");
    match act(visitor, &path, &form).await {
        Ok(()) => Ok(go_to(&format!("/treasury/payouts/{id}"))),
        Err(refusal) => show(visitor, id, form, Some(refusal.into_text()?)).await,
    }
}
