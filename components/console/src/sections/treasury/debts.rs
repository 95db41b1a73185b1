//! What users owe: payments that their payers took back, and overstays.

use askama::Template;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes};
use rust_decimal::Decimal;
use serde::Deserialize;
use uuid::Uuid;

use super::acts::{Traced, trace};
use super::{Amount, act, list, name_of};
use crate::fields::Fields;
use crate::lists::{LIMIT, Part};
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/treasury/debts", list_debts, |it| it)
        .get("/treasury/debts/{id}", show_debt, |it| it)
        .post("/treasury/debts/{id}/written-off", write_off, |it| it)
        .get("/treasury/overstays", list_overstays, |it| it)
}

#[derive(Debug, Deserialize)]
struct Debt {
    id: Uuid,
    user_id: Uuid,
    email: Option<String>,
    payment_id: Uuid,
    amount: Amount,
    settled: Amount,
    written_off: Amount,
    currency: String,
    created_at: Moment,
}

impl Debt {
    fn rest(&self) -> Amount {
        let paid = self.settled.0.saturating_add(self.written_off.0);
        Amount(self.amount.0.saturating_sub(paid).max(Decimal::ZERO))
    }

    fn is_over(&self) -> bool {
        self.rest().0.is_zero()
    }

    fn who(&self) -> String {
        let email = self.email.clone();
        email.unwrap_or_else(|| self.user_id.to_string())
    }
}

#[derive(Template)]
#[template(path = "treasury/debts.html")]
struct List {
    debts: Vec<Debt>,
    next: Option<Part>,
}

async fn list_debts(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let listed = list(&visitor, "/payments/receivables", &part).await?;
    let content = List {
        debts: listed.rows,
        next: listed.next,
    };
    page("What users owe", &visitor.me, &content)
}

#[derive(Template)]
#[template(path = "treasury/debt.html")]
struct DebtPage {
    debt: Debt,
    owner: String,
    trace: Vec<Traced>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_debt(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    show(&visitor, id, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    id: Uuid,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let debt: Debt = visitor
        .get("payments", &format!("/payments/receivables/{id}"))
        .await?;
    let content = DebtPage {
        owner: name_of(visitor, debt.user_id).await?,
        debt,
        trace: trace(visitor, &id.to_string()).await?,
        form,
        refusal,
    };
    let title = "Receivable";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

async fn write_off(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    form: Fields,
) -> Result<Response, Problem> {
    let path = format!("/payments/receivables/{id}/written-off");
    match act(&visitor, &path, &form).await {
        Ok(()) => Ok(go_to(&format!("/treasury/debts/{id}"))),
        Err(refusal) => show(&visitor, id, form, Some(refusal.into_text()?)).await,
    }
}

#[derive(Debug, Deserialize)]
struct Overstay {
    booking_id: i64,
    user_id: Uuid,
    parking_place_id: i64,
    date_to: Moment,
    checked_out_at: Option<Moment>,
    overstay_cost: Option<Cents>,
    overstay_owed: Option<Cents>,
}

#[derive(Template)]
#[template(path = "treasury/overstays.html")]
struct Overstays {
    overstays: Vec<Overstay>,
    next: Option<Part>,
}

async fn list_overstays(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let path = format!("/booking/overstays?{}", part.query([LIMIT]));
    let listed = visitor.list("bookings", &path).await?;
    let content = Overstays {
        overstays: listed.rows,
        next: listed.next,
    };
    page("Overstays that are owed", &visitor.me, &content)
}
