//! Payments of bills, in the provider's words.

use jiff::Timestamp;
use kit::money::decimal;
use kit::store::Db;
use kit::web::{Created, Json, Path, Problem, Query, Schema};
use serde::{Deserialize, Serialize};

use super::PREFIX;
use super::callers::Merchant;
use crate::bill::{Bill, Payment, Status};
use crate::error::Error;
use crate::store;

#[derive(Serialize, Schema)]
pub struct WirePayment {
    id: i64,
    status: Status,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    transaction_amount: i64,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    transaction_amount_refunded: i64,
    currency_id: String,
    external_reference: String,
    description: String,
    date_approved: Option<Timestamp>,
    date_last_updated: Timestamp,
    live_mode: bool,
}

impl WirePayment {
    fn of(bill: &Bill, it: &Payment) -> Self {
        Self {
            id: it.id,
            status: it.status,
            transaction_amount: bill.amount,
            transaction_amount_refunded: it.refunded,
            currency_id: bill.currency.clone(),
            external_reference: bill.reference.clone(),
            description: bill.title.clone(),
            date_approved: it.approved_at,
            date_last_updated: it.updated_at,
            live_mode: false,
        }
    }
}

#[derive(Deserialize, Schema)]
pub struct Search {
    external_reference: String,
}

#[derive(Serialize, Schema)]
pub struct SearchResult {
    results: Vec<WirePayment>,
}

pub async fn search_payments(
    _: Merchant,
    Query(search): Query<Search>,
) -> Result<Json<SearchResult>, Problem> {
    let db = store::open().await?;
    let mut results = Vec::new();
    for bill in store::list_bills(&db, &search.external_reference).await? {
        for it in store::list_payments(&db, &bill.id).await? {
            results.push(WirePayment::of(&bill, &it));
        }
    }
    Ok(Json(SearchResult { results }))
}

pub async fn show_payment(_: Merchant, Path(id): Path<i64>) -> Result<Json<WirePayment>, Problem> {
    let db = store::open().await?;
    Ok(Json(find_payment(&db, id).await?))
}

#[derive(Serialize, Schema)]
pub struct Refund {
    id: i64,
    payment_id: i64,
    #[serde(with = "decimal")]
    #[schemars(with = "f64")]
    amount: i64,
    status: Status,
}

/// A refund of a payment.
#[derive(Deserialize, Schema)]
pub struct NewRefund {
    /// All that is left when absent.
    #[schemars(with = "Option<f64>", example = 5.5)]
    amount: Option<Amount>,
}

#[derive(Deserialize)]
struct Amount(#[serde(with = "decimal")] i64);

pub async fn refund_payment(
    merchant: Merchant,
    Path(id): Path<i64>,
    Json(new): Json<NewRefund>,
) -> Result<Created<Refund>, Problem> {
    let amount = new.amount.map(|it| it.0);
    if amount.is_some_and(|it| it <= 0) {
        return Err(Error::Malformed("amount").into());
    }
    let db = store::open().await?;
    find_payment(&db, id).await?;
    let made = store::refund(&db, id, amount, merchant.key.as_deref()).await?;
    let refund = Refund {
        id: made.id,
        payment_id: made.payment,
        amount: made.amount,
        status: Status::Approved,
    };
    Ok(Created::at(format!("{PREFIX}/v1/payments/{id}"), refund))
}

async fn find_payment(db: &Db, id: i64) -> Result<WirePayment, Error> {
    let bill = store::find_bill_of_payment(db, id).await?;
    store::list_payments(db, &bill.id)
        .await?
        .iter()
        .find(|it| it.id == id)
        .map(|it| WirePayment::of(&bill, it))
        .ok_or(Error::Unknown)
}
