//! Taking money out: destinations, and cash-outs to them.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Balance, Confirm, amount_of, find_balances, offer, show, text_of};
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Part, ROWS, earlier};
use crate::page::go_to;
use crate::visitor::Visitor;
use crate::words::{Cents, Moment};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/wallet/destinations", list_destinations, |it| it)
        .post("/wallet/destinations", add_destination, |it| it)
        .post(
            "/wallet/destinations/{id}/remove",
            remove_destination,
            |it| it,
        )
        .get("/wallet/cash-outs", list_cash_outs, |it| it)
        .post("/wallet/cash-outs", cash_out, |it| it)
        .get("/wallet/cash-outs/{id}", show_cash_out, |it| it)
        .post("/wallet/cash-outs/{id}/cancel", cancel_cash_out, |it| it)
}

#[derive(Debug, Deserialize)]
struct Destination {
    id: Uuid,
    kind: String,
    currency: String,
    holder_name: String,
    /// Masked.
    account: String,
    is_usable: bool,
    usable_at: Moment,
}

impl Destination {
    fn kind(&self) -> &str {
        match self.kind.as_str() {
            "pix" => "Pix key",
            "iban" => "IBAN",
            "us_bank" => "Bank account in the United States",
            other => other,
        }
    }
}

async fn find_destinations(visitor: &Visitor) -> Result<Vec<Destination>, Error> {
    visitor.get("payments", "/payment/destinations").await
}

#[derive(Template)]
#[template(path = "wallet/destinations.html")]
struct Destinations {
    destinations: Vec<Destination>,
    form: Fields,
    refusal: Option<String>,
}

async fn list_destinations(visitor: Visitor) -> Result<Response, Problem> {
    show_destinations(&visitor, Fields::fresh(), None).await
}

async fn show_destinations(
    visitor: &Visitor,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let content = Destinations {
        destinations: find_destinations(visitor).await?,
        form,
        refusal,
    };
    show("Destinations", visitor, content.refusal.is_some(), &content)
}

async fn add_destination(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    let body = json!({
        "kind": form.text("kind"),
        "account": form.text("account"),
        "routing_number": form.optional("routing_number"),
        "holder_name": form.text("holder_name"),
    });
    let (path, key) = ("/payment/destinations", form.text("key"));
    let added = visitor
        .change_once(Method::POST, "payments", path, key, &body)
        .await;
    match added {
        Ok(()) => Ok(go_to("/wallet/destinations")),
        Err(refusal) => {
            let mut again = Fields::fresh();
            for name in ["kind", "account", "routing_number", "holder_name"] {
                again = again.with(name, form.text(name));
            }
            show_destinations(&visitor, again, Some(text_of(refusal)?)).await
        }
    }
}

async fn remove_destination(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let path = format!("/payment/destinations/{id}");
    match visitor.act(Method::DELETE, "payments", &path).await {
        Ok(()) => Ok(go_to("/wallet/destinations")),
        Err(refusal) => show_destinations(&visitor, Fields::fresh(), Some(text_of(refusal)?)).await,
    }
}

#[derive(Debug, Deserialize)]
struct CashOut {
    id: Uuid,
    seq: i64,
    amount: Cents,
    currency: String,
    state: String,
    /// Masked.
    destination: String,
    created_at: Moment,
    approved_at: Option<Moment>,
    paid_at: Option<Moment>,
    returned_at: Option<Moment>,
}

impl CashOut {
    fn state(&self) -> &str {
        match self.state.as_str() {
            "open" => "waits for approval",
            "approved" => "approved, on its way",
            "paid" => "paid",
            "returned" => "could not be paid; the money is back in your wallet",
            "cancelled" => "cancelled; the money is back in your wallet",
            other => other,
        }
    }
}

#[derive(Template)]
#[template(path = "wallet/cash_outs.html")]
struct CashOuts {
    destinations: Vec<Destination>,
    balances: Vec<Balance>,
    cash_outs: Vec<CashOut>,
    next: Option<String>,
    form: Fields,
    confirm: Option<Confirm>,
    refusal: Option<String>,
}

#[derive(Deserialize, Schema)]
struct Wanted {
    destination: Option<String>,
    amount: Option<String>,
    /// Whether only those are listed that are not done.
    open: Option<String>,
}

async fn list_cash_outs(
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
    Query(part): Query<Part>,
) -> Result<Response, Problem> {
    let form = Fields::default()
        .with_some("destination", wanted.destination)
        .with_some("amount", wanted.amount)
        .with_some("open", wanted.open);
    show_cash_outs(&visitor, &part, form, None).await
}

async fn show_cash_outs(
    visitor: &Visitor,
    part: &Part,
    form: Fields,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let open = ("open", form.optional("open").map_or("", |_| "true"));
    let cash_outs: Vec<CashOut> = visitor
        .get(
            "payments",
            &format!("/payment/cash-outs?{}", part.query([open, LIMIT])),
        )
        .await?;
    let next = earlier(&cash_outs, ROWS, |it| it.seq).map(|it| it.query([open]));
    let destinations = find_destinations(visitor).await?;
    let (confirm, refusal) = offer(confirm_cash_out(&form, &destinations), refusal)?;
    let content = CashOuts {
        destinations,
        balances: find_balances(visitor).await?,
        cash_outs,
        next,
        form,
        confirm,
        refusal,
    };
    show(
        "Take money out",
        visitor,
        content.refusal.is_some(),
        &content,
    )
}

fn confirm_cash_out(form: &Fields, destinations: &[Destination]) -> Result<Option<Confirm>, Error> {
    let Some(amount) = form.cents("amount")?.map(Cents) else {
        return Ok(None);
    };
    let wanted = form.text("destination");
    let Some(to) = destinations.iter().find(|it| it.id.to_string() == wanted) else {
        return Err(Error::refused("Choose a destination."));
    };
    let confirm = Confirm::new(
        "/console/wallet/cash-outs",
        format!(
            "{amount} {} leave your wallet for {} of {}.",
            to.currency, to.account, to.holder_name
        ),
        format!("Take out {amount} {}", to.currency),
    );
    Ok(Some(confirm.with("destination", form).with("amount", form)))
}

async fn cash_out(visitor: Visitor, form: Fields) -> Result<Response, Problem> {
    #[derive(Deserialize)]
    struct Opened {
        id: Uuid,
    }
    let opened = match amount_of(&form) {
        Ok(amount) => {
            let (path, key) = ("/payment/cash-outs", form.text("key"));
            let body = json!({ "destination_id": form.text("destination"), "amount": amount });
            visitor
                .send::<Opened>(Method::POST, "payments", path, key, &body)
                .await
        }
        Err(wrong) => Err(wrong),
    };
    match opened {
        Ok(opened) => Ok(go_to(&format!("/wallet/cash-outs/{}", opened.id))),
        Err(refusal) => {
            show_cash_outs(&visitor, &Part::default(), form, Some(text_of(refusal)?)).await
        }
    }
}

#[derive(Template)]
#[template(path = "wallet/cash_out.html")]
struct CashOutPage {
    cash_out: CashOut,
    refusal: Option<String>,
}

async fn show_cash_out(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    show_one(&visitor, id, None).await
}

async fn show_one(
    visitor: &Visitor,
    id: Uuid,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let path = format!("/payment/cash-outs/{id}");
    let cash_out: CashOut = visitor.get("payments", &path).await?;
    let title = format!("Cash-out of {} {}", cash_out.amount, cash_out.currency);
    let content = CashOutPage { cash_out, refusal };
    show(&title, visitor, content.refusal.is_some(), &content)
}

async fn cancel_cash_out(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let path = format!("/payment/cash-outs/{id}/cancel");
    match visitor.act(Method::POST, "payments", &path).await {
        Ok(()) => Ok(go_to(&format!("/wallet/cash-outs/{id}"))),
        Err(refusal) => show_one(&visitor, id, Some(text_of(refusal)?)).await,
    }
}
