//! Filling the wallet through the provider.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::money::Currency;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use uuid::Uuid;

use super::{Confirm, amount_of, in_decimals, offer, show, text_of};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Listed, Part};
use crate::page::{go_to, page};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment, is_web_address};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/wallet/fill", ask_fill, |it| it)
        .post("/wallet/fill", fill, |it| it)
        .get("/wallet/payments", list_payments, |it| it)
        .get("/wallet/payments/{id}", show_payment, |it| it)
}

#[derive(Template)]
#[template(path = "wallet/fill.html")]
struct Fill {
    form: Fields,
    currencies: &'static [Currency],
    confirm: Option<Confirm>,
    refusal: Option<String>,
}

#[derive(Deserialize, Schema)]
struct Wanted {
    amount: Option<String>,
    currency: Option<String>,
}

async fn ask_fill(visitor: Visitor, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    let form = Fields::default()
        .with_some("amount", wanted.amount)
        .with_some("currency", wanted.currency);
    show_fill(&visitor, form, None)
}

fn show_fill(
    visitor: &Visitor,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let (confirm, refusal) = offer(confirm_fill(&form), refusal)?;
    let content = Fill {
        form,
        currencies: &Currency::ALL,
        confirm,
        refusal,
    };
    show(
        "Fill the wallet",
        visitor,
        content.refusal.is_some(),
        &content,
    )
}

fn confirm_fill(form: &Fields) -> Result<Option<Confirm>, Error> {
    let Some(amount) = form.cents("amount")?.map(Cents) else {
        return Ok(None);
    };
    let currency = form.text("currency");
    let confirm = Confirm::new(
        "/console/wallet/fill",
        format!(
            "{amount} {currency} will be in your wallet once you have paid them to the provider."
        ),
        format!("Fill with {amount} {currency}"),
    );
    Ok(Some(confirm.with("amount", form).with("currency", form)))
}

async fn fill(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    match open_payment(&visitor, &form).await {
        Ok(id) => Ok(go_to(&format!("/wallet/payments/{id}"))),
        Err(refusal) => show_fill(&visitor, form, Some(text_of(refusal)?)),
    }
}

async fn open_payment(visitor: &Visitor, form: &Fields) -> Result<Uuid, Error> {
    #[derive(Deserialize)]
    struct Opened {
        payment_id: Uuid,
    }
    let body = json!({ "amount": amount_of(form)?, "currency": form.optional("currency") });
    let opened: Opened = visitor
        .send(
            Method::POST,
            "payments",
            "/payment/deposit",
            form.text("key"),
            &body,
        )
        .await?;
    Ok(opened.payment_id)
}

#[derive(Debug, Deserialize)]
struct Payment {
    payment_id: Uuid,
    /// `wallet`, or the account that it fills.
    order_id: String,
    #[serde(deserialize_with = "in_decimals")]
    amount: Cents,
    currency: String,
    status: String,
    payment_link: Option<String>,
    /// There is one while it can be paid.
    qr_code: Option<IgnoredAny>,
    expires_at: Moment,
    created_at: Moment,
    updated_at: Moment,
}

impl Payment {
    fn is_open(&self) -> bool {
        matches!(
            self.status.as_str(),
            "payment_service_unavailable" | "pending" | "in_process" | "rejected"
        )
    }

    fn state(&self) -> &str {
        match self.status.as_str() {
            "payment_service_unavailable" => "the provider has not answered yet",
            "pending" => "waits until you pay",
            "in_process" => "the provider checks it",
            "rejected" => "the last attempt failed; you may try again",
            "approved" => "paid",
            "expired" => "not paid in time",
            "cancelled" => "called off",
            other => other,
        }
    }

    /// The page of the provider, while it can be paid there.
    fn link(&self) -> Option<&str> {
        let link = self.payment_link.as_deref().filter(|_| self.is_open())?;
        is_web_address(link).then_some(link)
    }
}

#[derive(Template)]
#[template(path = "wallet/payments.html")]
struct List {
    payments: Vec<Payment>,
    next: Option<Part>,
}

/// The payments that fill the wallet and the further accounts of the visitor.
async fn list_payments(visitor: Visitor, Query(part): Query<Part>) -> Result<Response, Problem> {
    let me = visitor.me.user_id.to_string();
    let asked = part.query([("customer_id", &*me), LIMIT]);
    let found = visitor
        .list("payments", &format!("/payments?{asked}"))
        .await;
    let list = match found {
        // The operation has no empty list.
        Err(none) if none.is("unknown-payment") => Listed::EMPTY,
        found => found?,
    };
    let content = List {
        payments: list.rows,
        next: list.next,
    };
    page("Payments", &visitor.me, &content)
}

#[derive(Template)]
#[template(path = "wallet/payment.html")]
struct PaymentPage {
    payment: Payment,
}

async fn show_payment(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let payment: Payment = visitor.get("payments", &format!("/payments/{id}")).await?;
    let title = format!("Payment of {} {}", payment.amount, payment.currency);
    page(&title, &visitor.me, &PaymentPage { payment })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_pages_are_linked() {
        assert!(
            is_web_address("https://provider.test/pay") && is_web_address("http://127.0.0.1/pay")
        );
        assert!(!is_web_address("javascript:alert(1)") && !is_web_address("//provider.test"));
    }
}
