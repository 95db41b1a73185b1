//! Payments at the provider: found, disputed, and decided by hand.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use uuid::Uuid;

use super::acts::{Traced, trace};
use super::{Amount, list};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Listed, Part};
use crate::page::{form_page, go_to, page};
use crate::visitor::Visitor;
use crate::words::{Moment, query, segment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/treasury/payments", find_payments, |it| it)
        .get("/treasury/payments/{id}", show_payment, |it| it)
        .post("/treasury/payments/{id}/status", change_status, |it| it)
        .post(
            "/treasury/payments/{id}/attempts/{attempt}",
            return_attempt,
            |it| it,
        )
        .get("/treasury/disputed", list_disputed, |it| it)
}

#[derive(Debug, Deserialize)]
struct Payment {
    payment_id: Uuid,
    order_id: String,
    amount: Amount,
    currency: String,
    status: String,
    created_at: Moment,
    updated_at: Moment,
    expires_at: Moment,
}

impl Payment {
    /// Whether it can still be paid, also outside the provider.
    fn is_open(&self) -> bool {
        matches!(
            &*self.status,
            "payment_service_unavailable" | "pending" | "in_process" | "rejected"
        )
    }

    fn is_approved(&self) -> bool {
        self.status == "approved"
    }
}

#[derive(Deserialize, Schema)]
struct Wanted {
    /// The id of a payment, or of what it pays.
    of: Option<String>,
}

#[derive(Template)]
#[template(path = "treasury/payments.html")]
struct Found {
    of: String,
    payments: Vec<Payment>,
    next: Option<String>,
}

async fn find_payments(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let of = wanted.of.unwrap_or_default();
    let of = of.trim();
    let found = match of {
        "" => Listed::EMPTY,
        of => find_all(&visitor, of, &part).await?,
    };
    let content = Found {
        of: of.to_owned(),
        next: found.next.map(|it| it.query([("of", of)])),
        payments: found.rows,
    };
    page("Find payments", &visitor.me, &content)
}

/// By its own id, or by that of the order.
async fn find_all(visitor: &Visitor, of: &str, part: &Part) -> Result<Listed<Payment>, Error> {
    if let Ok(id) = of.parse::<Uuid>() {
        let one = visitor.get("payments", &format!("/payments/{id}")).await;
        match one {
            Ok(payment) => {
                return Ok(Listed {
                    rows: vec![payment],
                    next: None,
                });
            }
            Err(Error::Refused { .. }) => (),
            Err(failed) => return Err(failed),
        }
    }
    let asked = part.query([("order_id", of), LIMIT]);
    visitor
        .list("payments", &format!("/payments?{asked}"))
        .await
}

#[derive(Debug, Deserialize)]
struct Attempt {
    id: String,
    amount: Amount,
    refunded: Amount,
    currency: String,
    state: String,
    verdict: String,
    detail: Option<String>,
    seen_at: Moment,
}

impl Attempt {
    fn is_disputed(&self) -> bool {
        self.verdict == "disputed"
    }

    fn action(&self, payment: &Uuid) -> String {
        let attempt = segment(&self.id);
        format!("/console/treasury/payments/{payment}/attempts/{attempt}")
    }
}

#[derive(Template)]
#[template(path = "treasury/payment.html")]
struct PaymentPage {
    payment: Payment,
    attempts: Vec<Attempt>,
    trace: Vec<Traced>,
    form: Fields,
    refusal: Option<String>,
}

async fn show_payment(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    show(&visitor, id, Fields::default(), None).await
}

async fn show(
    visitor: &Visitor,
    id: Uuid,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let path = format!("/payments/{id}");
    let content = PaymentPage {
        payment: visitor.get("payments", &path).await?,
        attempts: visitor.get("payments", &format!("{path}/attempts")).await?,
        trace: trace(visitor, &id.to_string()).await?,
        form,
        refusal,
    };
    let title = "Payment";
    form_page(title, &visitor.me, &content, content.refusal.is_some())
}

async fn change_status(
    visitor: Visitor,
    Path(id): Path<Uuid>,
    form: Fields,
) -> Result<Response, Problem> {
    let (status, reason) = (form.text("status"), form.text("reason"));
    let wanted = query([("new_status", status), ("reason", reason)]);
    let path = format!("/payments/{id}?{wanted}");
    let changed = visitor.act(Method::PATCH, "payments", &path).await;
    done(&visitor, id, form, changed).await
}

async fn return_attempt(
    visitor: Visitor,
    Path((id, attempt)): Path<(Uuid, String)>,
    form: Fields,
) -> Result<Response, Problem> {
    let (attempt, reason) = (segment(&attempt), query([("reason", form.text("reason"))]));
    let path = format!("/payments/{id}/attempts/{attempt}/return?{reason}");
    let returned = visitor.act(Method::POST, "payments", &path).await;
    done(&visitor, id, form, returned).await
}

async fn done(
    visitor: &Visitor,
    id: Uuid,
    form: Fields,
    outcome: Result<(), Error>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(()) => Ok(go_to(&format!("/treasury/payments/{id}"))),
        Err(refusal) => show(visitor, id, form, Some(refusal.into_text()?)).await,
    }
}

#[derive(Debug, Deserialize)]
struct Dispute {
    id: String,
    payment_id: Uuid,
    order_id: String,
    amount: Amount,
    currency: String,
    wanted_amount: Amount,
    wanted_currency: String,
    state: String,
    status: String,
    seen_at: Moment,
}

#[derive(Template)]
#[template(path = "treasury/disputed.html")]
struct Disputed {
    disputes: Vec<Dispute>,
    next: Option<Part>,
}

async fn list_disputed(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let listed = list(&visitor, "/payments/disputed", &part).await?;
    let content = Disputed {
        disputes: listed.rows,
        next: listed.next,
    };
    page("Disputed payments", &visitor.me, &content)
}
