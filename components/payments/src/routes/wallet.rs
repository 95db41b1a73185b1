//! Wallets: the main account of a user, in minor units.

use axum::http::Uri;
use axum::response::Response;
use jiff::Timestamp;
use kit::identity::Caller;
use kit::money::Currency;
use kit::web::{Json, Listed, Page, Problem, Query, Schema};
use serde::Deserialize;

use super::statements::{FILE_ROWS, Slice};
use crate::error::Error;
use crate::ledger::WALLET;
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

/// Transactions of a page when the client does not say how many.
const TRANSACTIONS: i64 = 50;

pub async fn list_transactions(
    caller: Caller,
    uri: Uri,
    Query(page): Query<Page>,
) -> Result<Listed<Transaction>, Problem> {
    let db = store::open().await?;
    let (limit, offset) = (page.limit(TRANSACTIONS), page.offset());
    let listed = store::ledger::list_transactions(&db, caller.id, limit, offset).await?;
    Ok(Listed::page(&uri, page, TRANSACTIONS, listed))
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
