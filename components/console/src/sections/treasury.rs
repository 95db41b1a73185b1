//! The books, approvals, payouts, promo codes, and money that is stuck.
//!
//! [`acts`] is the trace of what admins did; the other files are about one kind of money each. What takes a second admin is
//! decided by payments: a page shows what was proposed, and the same form carries it out.

mod acts;
mod commissions;
mod debts;
mod payments;
mod payouts;
mod promocodes;
mod provider_files;
mod refunds;
mod unclaimed;

use std::collections::BTreeMap;
use std::fmt;

use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use kit::web::{Dialect, Problem, Routes};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use self::acts::Traced;
use crate::error::Error;
use crate::fields::Fields;
use crate::lists::{LIMIT, Listed, Part};
use crate::page::page;
use crate::visitor::Visitor;
use crate::words::{Cents, query};

pub fn routes() -> Routes {
    Routes::new("Console", Dialect::Plain)
        .get("/treasury", show_treasury, |it| it)
        .and(acts::routes())
        .and(payouts::routes())
        .and(payments::routes())
        .and(refunds::routes())
        .and(debts::routes())
        .and(unclaimed::routes())
        .and(provider_files::routes())
        .and(promocodes::routes())
        .and(commissions::routes())
}

/// An amount as payments writes it for its clients of old: a decimal number.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub struct Amount(Decimal);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

async fn list<T: DeserializeOwned>(
    visitor: &Visitor,
    path: &str,
    part: &Part,
) -> Result<Listed<T>, Error> {
    let asked = part.query([LIMIT]);
    visitor.list("payments", &format!("{path}?{asked}")).await
}

/// Does something for the reason that a form gives.
async fn act(visitor: &Visitor, path: &str, form: &Fields) -> Result<(), Error> {
    let body = json!({ "reason": form.text("reason") });
    visitor.change(Method::POST, "payments", path, &body).await
}

/// A person by login or id.
async fn find_person(visitor: &Visitor, text: &str) -> Result<Person, Error> {
    let by = match text.parse::<Uuid>() {
        Ok(id) => query([("user_id", &*id.to_string())]),
        Err(_) => query([("login", text)]),
    };
    visitor.get("signin", &format!("/auth/user?{by}")).await
}

#[derive(Debug, Deserialize)]
struct Person {
    id: Uuid,
    login: String,
}

/// The login of a person, or the id of one who was erased.
pub async fn name_of(visitor: &Visitor, id: Uuid) -> Result<String, Error> {
    match find_person(visitor, &id.to_string()).await {
        Ok(person) => Ok(person.login),
        Err(Error::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(id.to_string()),
        Err(refusal) => Err(refusal),
    }
}

#[derive(Debug, Deserialize)]
struct Books {
    is_sound: bool,
    totals: Vec<Total>,
}

#[derive(Debug, Deserialize)]
struct Total {
    currency: String,
    users: Cents,
    house: Cents,
    difference: Cents,
    drifted_balances: i64,
    drifted_holds: i64,
    drifted_fees: i64,
    house_accounts: BTreeMap<String, Cents>,
}

#[derive(Template)]
#[template(path = "treasury/books.html")]
struct BooksPage {
    books: Books,
    proposals: Vec<Traced>,
    me: Uuid,
}

async fn show_treasury(visitor: Visitor) -> Result<Response, Problem> {
    let content = BooksPage {
        books: visitor.get("payments", "/payments/trial-balance").await?,
        proposals: acts::list_proposals(&visitor).await?,
        me: visitor.me.user_id,
    };
    page("Treasury", &visitor.me, &content)
}
