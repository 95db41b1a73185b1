//! Accounts that users open and name, in decimals.

use axum::http::Uri;
use axum::response::Response;
use jiff::Timestamp;
use kit::identity::{Caller, SameDay};
use kit::money::{Cents, decimal};
use kit::store::{Keyed, Replayable};
use kit::web::{Json, Listed, Page, Paging, Path, Problem, Query, Schema};
use kit::{flag, now};
use serde::Deserialize;

use super::statements::{FILE_ROWS, Slice};
use crate::account::{
    Account, BalanceThen, History, House, Movement, MovementStatus, Name, ToPay, Type,
};
use crate::checkout::{Credit, Method, NewCheckout, OPENER, expiry};
use crate::error::Error;
use crate::ledger::WALLET;
use crate::settlement;
use crate::statement::Statement;
use crate::store::{self, account as accounts};

#[derive(Deserialize, Schema)]
#[serde(rename_all = "camelCase")]
pub struct NewAccount {
    payment_account_id: Name,
    payment_account_type: Type,
    /// Above 0 only in a sandbox.
    #[serde(default, with = "decimal")]
    #[schemars(with = "f64", range(min = 0), example = 0)]
    balance: i64,
}

pub async fn open_account(
    caller: Caller,
    Keyed { body, once }: Keyed<NewAccount>,
) -> Result<Replayable<Json<Account>>, Problem> {
    if body.balance < 0 {
        return Err(Error::InvalidAmount.into());
    }
    if body.balance > 0 && !flag("sandbox").await? {
        return Err(Error::OpeningNotFree.into());
    }
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let (name, of_type) = (&body.payment_account_id, body.payment_account_type);
        let account =
            accounts::open_account(&db, id, caller.id, name, of_type, body.balance).await?;
        Ok(Json(account))
    })
    .await
}

pub async fn list_accounts(caller: Caller) -> Result<Json<Vec<Account>>, Problem> {
    let db = store::open().await?;
    Ok(Json(accounts::list_accounts(&db, caller.id).await?))
}

/// A deposit or a withdrawal.
#[derive(Deserialize, Schema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    payment_account_id: Name,
    #[serde(with = "decimal")]
    #[schemars(with = "f64", extend("minimum" = 0.01, "maximum" = 10_000_000_000_i64), example = 12.5)]
    amount: i64,
}

/// Pays in from outside: at once in a sandbox, through the PSP otherwise.
pub async fn deposit(
    caller: Caller,
    Keyed { body, once }: Keyed<Change>,
) -> Result<Replayable<Json<Movement>>, Problem> {
    let amount = Cents::new(body.amount).map_err(|_| Error::InvalidAmount)?;
    let account = body.payment_account_id;
    let is_free = flag("sandbox").await?;
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        if is_free {
            let moved = accounts::deposit(&db, id, caller.id, &account, amount).await?;
            let (from, to) = (account.clone(), account);
            return Ok(Json(Movement::completed(moved, from, to, amount.get())));
        }
        let new = NewCheckout {
            id,
            opener: OPENER.to_owned(),
            reference: account.as_str().to_owned(),
            customer: caller.id.to_string(),
            owner: caller.id,
            amount,
            currency: WALLET,
            description: format!("Deposit to {}", account.as_str()),
            email: None,
            method: Method::Link,
            credit: Credit::Account(account.clone()),
            expires_at: expiry(now(), None),
        };
        let checkout = settlement::open(&db, new).await?;
        Ok(Json(Movement {
            id,
            to_payment_account_id: account.clone(),
            from_payment_account_id: account,
            amount: amount.get(),
            status: MovementStatus::from(checkout.status),
            created_at: checkout.created_at,
            payment: Some(ToPay {
                payment_id: id,
                qr_code: checkout.qr_code().map_err(Error::from)?,
                payment_link: checkout.link,
            }),
        }))
    })
    .await
}

/// Pays out to the outside: at once in a sandbox, by an admin otherwise.
pub async fn withdraw(
    SameDay(caller): SameDay,
    Keyed { body, once }: Keyed<Change>,
) -> Result<Replayable<Json<Movement>>, Problem> {
    let amount = Cents::new(body.amount).map_err(|_| Error::InvalidAmount)?;
    let account = body.payment_account_id;
    let to = match flag("sandbox").await? {
        true => House::Sandbox,
        false => House::Payouts,
    };
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let moved = accounts::withdraw(&db, id, caller.id, &account, amount, to).await?;
        let (from, to) = (account.clone(), account);
        Ok(Json(Movement::completed(moved, from, to, -amount.get())))
    })
    .await
}

#[derive(Deserialize, Schema)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    /// An account of the caller.
    from_payment_account_id: Name,
    /// An account of any user.
    to_payment_account_id: Name,
    #[serde(with = "decimal")]
    #[schemars(with = "f64", extend("minimum" = 0.01, "maximum" = 10_000_000_000_i64), example = 12.5)]
    amount: i64,
}

pub async fn send(
    caller: Caller,
    Keyed { body, once }: Keyed<Transfer>,
) -> Result<Replayable<Json<Movement>>, Problem> {
    let amount = Cents::new(body.amount).map_err(|_| Error::InvalidAmount)?;
    let (from, to) = (body.from_payment_account_id, body.to_payment_account_id);
    let db = store::open_to_move().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let moved = accounts::send(&db, id, caller.id, &from, &to, amount).await?;
        Ok(Json(Movement::completed(moved, from, to, amount.get())))
    })
    .await
}

/// Transfers that a request without paging gets: the replaced system answered all.
const HISTORIES: i64 = 5_000;

pub async fn list_histories(
    caller: Caller,
    uri: Uri,
    Query(paging): Query<Paging>,
) -> Result<Listed<History>, Problem> {
    let part = paging.part_or(HISTORIES).ok_or(Error::TooFar)?;
    let db = store::open().await?;
    let rows = accounts::list_histories(&db, caller.id, part).await?;
    Ok(Listed::full_of(&uri, part.limit, rows, |it| it.seq).map(History::from))
}

#[derive(Deserialize, Schema)]
pub struct Moment {
    /// A moment of the past; now when absent.
    at: Option<Timestamp>,
}

pub async fn show_account_balance(
    caller: Caller,
    Path(name): Path<Name>,
    Query(asked): Query<Moment>,
) -> Result<Json<BalanceThen>, Problem> {
    let db = store::open().await?;
    let at = asked.at.unwrap_or_else(now);
    let balance = store::ledger::find_balance(&db, caller.id, WALLET, Some(&name), at).await?;
    Ok(Json(BalanceThen {
        payment_account_id: name,
        user_id: caller.id,
        balance,
        at,
    }))
}

async fn read_statement(
    caller: &Caller,
    name: &Name,
    slice: &Slice,
    limit: i64,
) -> Result<Statement, Error> {
    let db = store::open().await?;
    let span = slice.span();
    let entries =
        store::ledger::list_entries(&db, caller.id, WALLET, Some(name), span, limit).await?;
    Ok(Statement::page(entries, limit).in_decimals())
}

pub async fn show_account_statement(
    caller: Caller,
    Path(name): Path<Name>,
    Query(slice): Query<Slice>,
    Query(page): Query<Page>,
) -> Result<Json<Statement>, Problem> {
    let statement = read_statement(&caller, &name, &slice, page.limit(50)).await?;
    Ok(Json(statement))
}

pub async fn download_account_statement(
    caller: Caller,
    Path(name): Path<Name>,
    Query(slice): Query<Slice>,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let limit = page.limit(FILE_ROWS);
    let statement = read_statement(&caller, &name, &slice, limit).await?;
    Ok(slice.to_csv(&statement, limit))
}
