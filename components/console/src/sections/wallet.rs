//! Your money: fill it, send it, take it out, and see where it went.
//!
//! An act that moves money is asked for twice: a form (GET) says what is wanted, and the page that it leads to shows the
//! amount again beside the button ([`Confirm`]) that carries it out (POST).

mod accounts;
mod cash_outs;
mod codes;
mod payments;

use askama::Template;
use axum::response::Response;
use jiff::tz::TimeZone;
use kit::money::{Currency, decimal};
use kit::web::{Dialect, Path, Problem, Query, Routes, Schema};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use crate::error::Error;
use crate::fields::Fields;
use crate::page::{again, page};
use crate::visitor::Visitor;
use crate::words::{Cents, Moment, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/wallet", show_wallet, |it| it)
        .get("/wallet/statement", show_statement, |it| it)
        .get("/wallet/receipts/{id}", show_receipt, |it| it)
        .and(payments::routes())
        .and(codes::routes())
        .and(cash_outs::routes())
        .and(accounts::routes())
}

/// An act that moves money once its form is sent.
struct Confirm {
    action: String,
    key: Uuid,
    fields: Vec<(&'static str, String)>,
    says: String,
    button: String,
}

impl Confirm {
    fn new(action: impl Into<String>, says: String, button: String) -> Self {
        Self {
            action: action.into(),
            key: Uuid::new_v4(),
            fields: Vec::new(),
            says,
            button,
        }
    }

    /// A field of the form that asked for it.
    fn with(mut self, name: &'static str, form: &Fields) -> Self {
        self.fields.push((name, form.text(name).to_owned()));
        self
    }
}

/// What a page offers to confirm, and its refusal: that of an act that was tried, or that of what is filled in.
fn offer(
    confirm: Result<Option<Confirm>, Error>,
    refusal: Option<String>,
) -> Result<(Option<Confirm>, Option<String>), Problem> {
    match (confirm, refusal) {
        (Ok(confirm), refusal) => Ok((confirm, refusal)),
        (Err(_), Some(refusal)) => Ok((None, Some(refusal))),
        (Err(wrong), None) => Ok((None, Some(wrong.into_text()?))),
    }
}

/// The amount of an act, in minor units.
fn amount_of(form: &Fields) -> Result<i64, Error> {
    let amount = form.cents("amount")?;
    amount.ok_or_else(|| Error::refused("Say how much."))
}

/// The refusal of an act. A sign-in that is too old for it is no reason to be signed out.
fn text_of(refusal: Error) -> Result<String, Problem> {
    match refusal.is("insufficient-user-authentication") {
        true => Ok("This needs a newer sign-in: sign in again, then repeat it.".to_owned()),
        false => refusal.into_text(),
    }
}

fn show(
    title: &str,
    visitor: &Visitor,
    is_refused: bool,
    content: &impl Template,
) -> Result<Response, Problem> {
    match is_refused {
        false => page(title, &visitor.me, content),
        true => again(title, &visitor.me, content),
    }
}

/// An amount of an operation that speaks decimals.
fn in_decimals<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cents, D::Error> {
    decimal::deserialize(deserializer).map(Cents)
}

/// The same, where a type is generic over the amounts.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct InDecimals(#[serde(deserialize_with = "in_decimals")] Cents);

impl std::fmt::Display for InDecimals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug, Deserialize)]
struct Balance {
    /// What can be spent.
    balance: Cents,
    currency: String,
    held: Option<Cents>,
    owed: Option<Cents>,
}

async fn find_balance(visitor: &Visitor, currency: &str) -> Result<Balance, Error> {
    let asked = query([("currency", currency)]);
    visitor
        .get("payments", &format!("/payment/balance?{asked}"))
        .await
}

/// The wallets of all currencies.
async fn find_balances(visitor: &Visitor) -> Result<Vec<Balance>, Error> {
    let mut balances = Vec::new();
    for currency in Currency::ALL {
        balances.push(find_balance(visitor, currency.name()).await?);
    }
    Ok(balances)
}

#[derive(Template)]
#[template(path = "wallet/wallet.html")]
struct Wallet {
    balances: Vec<Balance>,
}

async fn show_wallet(visitor: Visitor) -> Result<Response, Problem> {
    let balances = find_balances(&visitor).await?;
    page("Wallet", &visitor.me, &Wallet { balances })
}

/// A part of the statement of a wallet, or of an account, which speaks decimals.
#[derive(Debug, Deserialize)]
struct Statement<Amount> {
    entries: Vec<Entry<Amount>>,
    next: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Entry<Amount> {
    transfer_id: Uuid,
    kind: String,
    amount: Amount,
    balance: Amount,
    currency: String,
    counterparty: Option<String>,
    reference: Option<String>,
    description: Option<String>,
    created_at: Moment,
}

impl<Amount> Entry<Amount> {
    fn kind(&self) -> String {
        self.kind.replace('_', " ")
    }

    /// What it was for. Bookings are numbered.
    fn about(&self) -> String {
        let reference = self.reference.as_deref().unwrap_or_default();
        let is_number = !reference.is_empty() && reference.bytes().all(|it| it.is_ascii_digit());
        if is_number && matches!(self.kind.as_str(), "payment" | "refund") {
            return format!("booking {reference}");
        }
        let parts = [&self.description, &self.reference, &self.counterparty];
        let said = parts.into_iter().flatten().find(|it| !it.is_empty());
        said.cloned().unwrap_or_default()
    }
}

#[derive(Deserialize, Schema)]
struct Slice {
    currency: Option<String>,
    from: Option<String>,
    to: Option<String>,
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "wallet/statement.html")]
struct StatementPage {
    form: Fields,
    balance: Option<Balance>,
    entries: Vec<Entry<Cents>>,
    /// The query of the same part, without its end.
    part: String,
    next: Option<String>,
    refusal: Option<String>,
}

async fn show_statement(visitor: Visitor, Query(slice): Query<Slice>) -> Result<Response, Problem> {
    let currency = slice.currency.filter(|it| !it.is_empty());
    let currency = currency.unwrap_or_else(|| Currency::Usd.name().to_owned());
    let form = Fields::default()
        .with("currency", &currency)
        .with_some("from", slice.from)
        .with_some("to", slice.to)
        .with_some("before", slice.before);
    let title = format!("Statement in {currency}");
    let mut content = StatementPage {
        form,
        balance: None,
        entries: Vec::new(),
        part: String::new(),
        next: None,
        refusal: None,
    };
    match read_statement(&visitor, &mut content).await {
        Ok(()) => page(&title, &visitor.me, &content),
        Err(refusal) => {
            content.refusal = Some(refusal.into_text()?);
            again("Statement", &visitor.me, &content)
        }
    }
}

async fn read_statement(visitor: &Visitor, content: &mut StatementPage) -> Result<(), Error> {
    let form = &content.form;
    let moment = |name: &str| {
        let moment = form.moment(name, &TimeZone::UTC)?;
        Ok::<_, Error>(moment.map(|it| it.to_string()).unwrap_or_default())
    };
    let (from, to) = (moment("from")?, moment("to")?);
    let part = query([
        ("currency", form.text("currency")),
        ("from", &*from),
        ("to", &*to),
    ]);
    let before = query([("before", form.text("before"))]);
    let path = format!("/payment/statement?{part}&{before}");
    let statement: Statement<Cents> = visitor.get("payments", &path).await?;
    content.next = statement.next.map(|next| {
        query([
            ("currency", form.text("currency")),
            ("from", form.text("from")),
            ("to", form.text("to")),
            ("before", &*next.to_string()),
        ])
    });
    content.balance = Some(find_balance(visitor, form.text("currency")).await?);
    content.entries = statement.entries;
    content.part = part;
    Ok(())
}

#[derive(Debug, Deserialize)]
struct Receipt {
    number: i64,
    transfer_id: Uuid,
    kind: String,
    direction: String,
    amount: Cents,
    refunded: Cents,
    currency: String,
    status: String,
    from: String,
    to: String,
    reference: Option<String>,
    description: Option<String>,
    provider_payment_id: Option<String>,
    issued_at: Moment,
}

impl Receipt {
    fn kind(&self) -> String {
        self.kind.replace('_', " ")
    }
}

#[derive(Template)]
#[template(path = "wallet/receipt.html")]
struct ReceiptPage {
    receipt: Receipt,
}

async fn show_receipt(visitor: Visitor, Path(id): Path<Uuid>) -> Result<Response, Problem> {
    let path = format!("/payment/receipts/{id}");
    let receipt: Receipt = visitor.get("payments", &path).await?;
    let title = format!("Receipt {}", receipt.number);
    page(&title, &visitor.me, &ReceiptPage { receipt })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, reference: &str) -> Entry<InDecimals> {
        serde_json::from_value(serde_json::json!({
            "transfer_id": Uuid::nil(), "kind": kind, "amount": -12.5, "balance": 0,
            "currency": "USD", "reference": reference, "created_at": "2026-12-01T10:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn an_entry_tells_what_it_was_for() {
        assert_eq!(entry("payment", "7").about(), "booking 7");
        assert_eq!(entry("payment", "ticket:7").about(), "ticket:7");
        assert_eq!(entry("promo_activation", "2026").about(), "2026");
        assert_eq!(entry("payment", "7").amount.to_string(), "-12.50");
    }

    #[test]
    fn the_refusal_of_what_was_tried_comes_first() {
        let wrong = || Err(Error::refused("no amount"));
        let (confirm, refusal) = offer(wrong(), Some("no money".to_owned())).unwrap();
        assert!(confirm.is_none() && refusal.as_deref() == Some("no money"));
        let (_, refusal) = offer(wrong(), None).unwrap();
        assert_eq!(refusal.as_deref(), Some("no amount"));
    }
}
