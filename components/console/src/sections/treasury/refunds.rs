//! Refunds that were refused, money that the provider has not sent back yet, and refunds of bookings that wait.

use askama::Template;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use serde::Deserialize;
use uuid::Uuid;

use super::acts::{Traced, trace};
use super::{Amount, act, list};
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/treasury/refunds", list_refunds, |it| it)
        .get("/treasury/refunds/{id}", show_refund, |it| it)
        .post("/treasury/refunds/{id}/retry", retry, |it| it)
        .post("/treasury/refunds/{id}/settled", settle, |it| it)
        .get("/treasury/returns", list_returns, |it| it)
        .get("/treasury/booking-refunds", list_of_bookings, |it| it)
}

#[derive(Debug, Deserialize)]
struct Refund {
    id: String,
    kind: String,
    payment_id: Uuid,
    amount: Amount,
    currency: String,
    refusal: String,
    tries: i64,
    is_stuck: bool,
    /// How it ended; None while it waits.
    resolution: Option<String>,
    first_at: Moment,
    last_at: Moment,
}

impl Refund {
    fn page(&self) -> String {
        format!("/console/treasury/refunds/{}", segment(&self.id))
    }

    fn kind(&self) -> &str {
        match &*self.kind {
            "wallet" => "between wallets",
            "attempt" => "of a payment at the provider",
            "part" => "of a part of a payment at the provider",
            other => other,
        }
    }

    fn is_at_provider(&self) -> bool {
        self.kind != "wallet"
    }
}

#[derive(Template)]
#[template(path = "treasury/refunds.html")]
struct List {
    refunds: Vec<Refund>,
    next: Option<Part>,
}

async fn list_refunds(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let listed = list(&visitor, "/payments/stuck", &part).await?;
    let content = List {
        refunds: listed.rows,
        next: listed.next,
    };
    page("Refused refunds", &visitor.me, &content)
}

#[derive(Template)]
#[template(path = "treasury/refund.html")]
struct RefundPage {
    refund: Refund,
    path: String,
    trace: Vec<Traced>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_refund(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Problem> {
    show(&visitor, &id, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    id: &str,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let name = segment(id);
    let content = RefundPage {
        refund: visitor
            .get("payments", &format!("/payments/stuck/{name}"))
            .await?,
        path: format!("/console/treasury/refunds/{name}"),
        trace: trace(visitor, id).await?,
        form,
        refusal,
    };
    let title = "Refused refund";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

async fn retry(
    visitor: Visitor,
    Path(id): Path<String>,
    form: Fields,
) -> Result<Response, Problem> {
    decide(&visitor, &id, "retry", form).await
}

async fn settle(
    visitor: Visitor,
    Path(id): Path<String>,
    form: Fields,
) -> Result<Response, Problem> {
    decide(&visitor, &id, "settled", form).await
}

async fn decide(
    visitor: &Visitor,
    id: &str,
    what: &str,
    form: Fields,
) -> Result<Response, Problem> {
    let name = segment(id);
    match act(visitor, &format!("/payments/stuck/{name}/{what}"), &form).await {
        Ok(()) => Ok(go_to(&format!("/treasury/refunds/{name}"))),
        Err(refusal) => show(visitor, id, form, Some(refusal.into_text()?)).await,
    }
}

#[derive(Debug, Deserialize)]
struct Return {
    id: String,
    payment_id: Uuid,
    order_id: String,
    amount: Amount,
    currency: String,
    is_part: bool,
    owed_since: Moment,
    refusal: Option<String>,
    tried_again_at: Option<Moment>,
}

#[derive(Template)]
#[template(path = "treasury/returns.html")]
struct Returns {
    returns: Vec<Return>,
    next: Option<Part>,
}

async fn list_returns(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let listed = list(&visitor, "/payments/returns", &part).await?;
    let content = Returns {
        returns: listed.rows,
        next: listed.next,
    };
    page("Money on its way back", &visitor.me, &content)
}

#[derive(Debug, Deserialize)]
struct OfBooking {
    booking_id: i64,
    amount: Cents,
    owed_since: Moment,
    tried_again_at: Moment,
}

#[derive(Template)]
#[template(path = "treasury/booking_refunds.html")]
struct OfBookings {
    refunds: Vec<OfBooking>,
    next: Option<Part>,
}

async fn list_of_bookings(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let path = format!("/booking/refunds?{}", part.query([LIMIT]));
    let listed = visitor.list("bookings", &path).await?;
    let content = OfBookings {
        refunds: listed.rows,
        next: listed.next,
    };
    page("Refunds of bookings that wait", &visitor.me, &content)
}
