//! Wallets: the main account of a user, in minor units.

use axum::http::Uri;
use axum::response::Response;
use jiff::Timestamp;
use kit::identity::Caller;
use kit::money::{Cents, Currency};
use kit::now;
use kit::store::{Keyed, Replayable};
use kit::web::{Created, Json, Listed, Page, Paging, Problem, Query, Schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::statements::{FILE_ROWS, Slice};
use crate::checkout::{Credit, Method, NewCheckout, OPENER, Status, expiry};
use crate::error::Error;
use crate::ledger::WALLET;
use crate::settlement;
use crate::statement::Statement;
use crate::store;
use crate::wallet::{Balance, Transaction};

#[derive(Deserialize, Schema)]
pub struct BalanceOf {
    /// USD when absent.
    currency: Option<Currency>,
    /// A moment of the past.
    at: Option<Timestamp>,
}

pub async fn show_balance(
    caller: Caller,
    Query(asked): Query<BalanceOf>,
) -> Result<Json<Balance>, Problem> {
    let db = store::open().await?;
    let currency = asked.currency.unwrap_or(WALLET);
    let balance = match asked.at {
        Some(moment) => {
            let balance =
                store::ledger::find_balance(&db, caller.id, currency, None, moment).await?;
            Balance::of(caller.id, currency, balance)
        }
        None => {
            let funds = store::ledger::funds(&db, caller.id, currency).await?;
            Balance::of_funds(caller.id, currency, funds)
        }
    };
    Ok(Json(balance))
}

#[derive(Deserialize, Schema)]
pub struct NewDeposit {
    /// Minor units.
    #[schemars(range(min = 1, max = 1_000_000_000_000_i64), example = 5000)]
    amount: i64,
    /// USD when absent.
    #[schemars(example = Currency::Brl)]
    currency: Option<Currency>,
}

/// Where to pay for a deposit into the wallet.
#[derive(Serialize, Schema)]
pub struct Deposit {
    payment_id: Uuid,
    status: Status,
    /// Minor units.
    amount: i64,
    currency: Currency,
    /// Absent until the provider has answered.
    payment_link: Option<String>,
    /// A PNG in base64.
    qr_code: Option<String>,
    expires_at: Timestamp,
}

pub async fn deposit(
    caller: Caller,
    Keyed { body, once }: Keyed<NewDeposit>,
) -> Result<Replayable<Created<Deposit>>, Problem> {
    let amount = Cents::new(body.amount).map_err(|_| Error::InvalidCents)?;
    let currency = body.currency.unwrap_or(WALLET);
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let new = NewCheckout {
            id,
            opener: OPENER.to_owned(),
            reference: "wallet".to_owned(),
            customer: caller.id.to_string(),
            owner: caller.id,
            amount,
            currency,
            description: "Deposit to the wallet".to_owned(),
            email: None,
            method: Method::Link,
            credit: Credit::Wallet,
            expires_at: expiry(now(), None),
        };
        let checkout = settlement::open(&db, new).await?;
        let deposit = Deposit {
            payment_id: id,
            status: checkout.status,
            amount: amount.get(),
            currency,
            qr_code: checkout.qr_code().map_err(Error::from)?,
            payment_link: checkout.link,
            expires_at: checkout.expires_at,
        };
        Ok(Created::at(format!("/payments/{id}"), deposit))
    })
    .await
}

/// Transactions of a page when the client does not say how many.
const TRANSACTIONS: i64 = 50;

pub async fn list_transactions(
    caller: Caller,
    uri: Uri,
    Query(paging): Query<Paging>,
) -> Result<Listed<Transaction>, Problem> {
    let part = paging.part_or(TRANSACTIONS).ok_or(Error::TooFar)?;
    let db = store::open().await?;
    let listed = store::ledger::list_transactions(&db, caller.id, part).await?;
    Ok(Listed::full_of(&uri, part.limit, listed, |it| it.id))
}

async fn read_statement(caller: &Caller, slice: &Slice, limit: i64) -> Result<Statement, Error> {
    let db = store::open().await?;
    let currency = slice.currency.unwrap_or(WALLET);
    let span = slice.span();
    let entries = store::ledger::list_entries(&db, caller.id, currency, None, span, limit).await?;
    Ok(Statement::page(entries, limit))
}

pub async fn show_statement(
    caller: Caller,
    Query(slice): Query<Slice>,
    Query(page): Query<Page>,
) -> Result<Json<Statement>, Problem> {
    Ok(Json(read_statement(&caller, &slice, page.limit(50)).await?))
}

pub async fn download_statement(
    caller: Caller,
    Query(slice): Query<Slice>,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let limit = page.limit(FILE_ROWS);
    let statement = read_statement(&caller, &slice, limit).await?;
    Ok(slice.to_csv(&statement, limit))
}
