//! The accounts' dialect: accounts that users open and name, in decimals.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use jiff::{SignedDuration, Timestamp};
use kit::{
    Admin, Caller, Cents, Dialect, Json, Keyed, Page, Path, Problem, Query, Spellings, flag, now,
    speaking,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::{Account, History, House, Name, Payout, Row, ToPay, Type};
use crate::cashier;
use crate::checkout::Method;
use crate::error::Error;
use crate::ledger::{Moved, WALLET};
use crate::statement::Statement;
use crate::store::{self, NewCheckout};

use super::payments::{OPENER, TIME_TO_PAY};
use super::wallet::{LONGEST_PAGE, Slice};

pub fn router() -> Router {
    let table = Router::new()
        .spelled(
            ["/account", "/accounts"],
            get(list_accounts).post(open_account),
        )
        .route("/accounts/{name}/balance", get(show_balance))
        .route("/accounts/{name}/statement", get(show_statement))
        .route("/accounts/{name}/statement.csv", get(download_statement))
        .route("/deposit", post(deposit))
        .route("/withdraw", post(withdraw))
        .route("/send", post(send))
        .route("/payouts", get(list_payouts))
        .route("/payouts/{id}/paid", post(note_payout))
        .route("/payouts/{id}/returned", post(return_payout))
        .route("/histories", get(list_histories));
    speaking(Dialect::Accounts, table)
}

const BAD_AMOUNT: Problem = Problem::new(
    StatusCode::BAD_REQUEST,
    "invalid-amount",
    "An amount is between 0.01 and 10000000000",
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewAccount {
    payment_account_id: Name,
    payment_account_type: Type,
    #[serde(default, with = "kit::decimal")]
    balance: i64,
}

async fn open_account(
    caller: Caller,
    Keyed { body, once }: Keyed<NewAccount>,
) -> Result<Response, Problem> {
    if body.balance < 0 {
        return Err(BAD_AMOUNT);
    }
    if body.balance > 0 && !flag("sandbox").await? {
        return Err(Error::OpeningNotFree.into());
    }
    let db = store::open().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let account = store::open_account(
            &db,
            id,
            caller.id,
            &body.payment_account_id,
            body.payment_account_type,
            body.balance,
        )
        .await?;
        Ok((StatusCode::OK, account))
    })
    .await
}

async fn list_accounts(caller: Caller) -> Result<Json<Vec<Account>>, Problem> {
    let db = store::open().await?;
    Ok(Json(store::accounts(&db, caller.id).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    payment_account_id: Name,
    #[serde(with = "kit::decimal")]
    amount: i64,
}

/// From the outside world: at once in a sandbox, through the PSP otherwise.
async fn deposit(caller: Caller, Keyed { body, once }: Keyed<Change>) -> Result<Response, Problem> {
    let amount = Cents::new(body.amount).map_err(|_| BAD_AMOUNT)?;
    let account = body.payment_account_id;
    let is_free = flag("sandbox").await?;
    let db = store::open().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let row = if is_free {
            let moved = store::deposit(&db, id, caller.id, &account, amount).await?;
            completed(moved, &account, &account, amount.get())
        } else {
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
                credit: Some(account.clone()),
                expires_at: after(TIME_TO_PAY),
            };
            let checkout = cashier::open(&db, new).await?;
            Row {
                id,
                to_payment_account_id: account.as_str().to_owned(),
                from_payment_account_id: account.as_str().to_owned(),
                amount: amount.get(),
                status: "PENDING",
                created_at: checkout.created_at,
                payment: Some(ToPay {
                    payment_id: id,
                    qr_code: super::payments::qr_code(&checkout).map_err(Error::from)?,
                    payment_link: checkout.link,
                }),
            }
        };
        Ok((StatusCode::OK, row))
    })
    .await
}

/// To the outside world: at once in a sandbox, through the hands of a person otherwise.
async fn withdraw(
    caller: Caller,
    Keyed { body, once }: Keyed<Change>,
) -> Result<Response, Problem> {
    let amount = Cents::new(body.amount).map_err(|_| BAD_AMOUNT)?;
    let account = body.payment_account_id;
    let to = match flag("sandbox").await? {
        true => House::External,
        false => House::Payouts,
    };
    let db = store::open().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let moved = store::withdraw(&db, id, caller.id, &account, amount, to).await?;
        let row = completed(moved, &account, &account, -amount.get());
        Ok((StatusCode::OK, row))
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sending {
    from_payment_account_id: Name,
    to_payment_account_id: Name,
    #[serde(with = "kit::decimal")]
    amount: i64,
}

/// From an account of the caller to anybody's.
async fn send(caller: Caller, Keyed { body, once }: Keyed<Sending>) -> Result<Response, Problem> {
    let amount = Cents::new(body.amount).map_err(|_| BAD_AMOUNT)?;
    let (from, to) = (body.from_payment_account_id, body.to_payment_account_id);
    let db = store::open().await?;
    let id = once.id(&caller);
    once.answer(&db, &caller, async {
        let moved = store::send(&db, id, caller.id, &from, &to, amount).await?;
        Ok((StatusCode::OK, completed(moved, &from, &to, amount.get())))
    })
    .await
}

fn completed(moved: Moved, from: &Name, to: &Name, amount: i64) -> Row {
    Row {
        id: moved.id,
        to_payment_account_id: to.as_str().to_owned(),
        from_payment_account_id: from.as_str().to_owned(),
        amount,
        status: "COMPLETED",
        created_at: moved.created_at,
        payment: None,
    }
}

async fn list_histories(
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Vec<History>>, Problem> {
    let db = store::open().await?;
    let histories = store::histories(&db, caller.id, page.limit(100), page.offset()).await?;
    Ok(Json(histories))
}

#[derive(Deserialize)]
struct Moment {
    at: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BalanceThen {
    payment_account_id: Name,
    user_id: Uuid,
    #[serde(with = "kit::decimal")]
    balance: i64,
    at: Timestamp,
}

async fn show_balance(
    caller: Caller,
    Path(name): Path<Name>,
    Query(asked): Query<Moment>,
) -> Result<Json<BalanceThen>, Problem> {
    let db = store::open().await?;
    let at = asked.at.unwrap_or_else(now);
    let balance = store::balance_at(&db, caller.id, WALLET, Some(&name), at).await?;
    Ok(Json(BalanceThen {
        payment_account_id: name,
        user_id: caller.id,
        balance,
        at,
    }))
}

async fn statement(
    caller: &Caller,
    name: &Name,
    slice: &Slice,
    limit: i64,
) -> Result<Statement, Error> {
    let db = store::open().await?;
    let entries = store::statement(&db, caller.id, WALLET, Some(name), slice.span(), limit).await?;
    Ok(Statement::page(entries, limit).in_decimals())
}

async fn show_statement(
    caller: Caller,
    Path(name): Path<Name>,
    Query(slice): Query<Slice>,
) -> Result<Json<Statement>, Problem> {
    let limit = slice.page.limit(50);
    Ok(Json(statement(&caller, &name, &slice, limit).await?))
}

async fn download_statement(
    caller: Caller,
    Path(name): Path<Name>,
    Query(slice): Query<Slice>,
) -> Result<Response, Problem> {
    let limit = slice.page.limit(LONGEST_PAGE);
    let statement = statement(&caller, &name, &slice, limit).await?;
    let rest = statement.next.map(|it| slice.after(it));
    Ok(super::csv(&statement, rest))
}

/// What a person has to pay out.
async fn list_payouts(
    Admin(_): Admin,
    Query(page): Query<Page>,
) -> Result<Json<Vec<Payout>>, Problem> {
    let db = store::open().await?;
    let payouts = store::payouts(&db, page.limit(50), page.offset()).await?;
    Ok(Json(payouts))
}

/// A person has paid it out. Again: no effect.
async fn note_payout(Admin(caller): Admin, Path(id): Path<Uuid>) -> Result<Json<Payout>, Problem> {
    let db = store::open().await?;
    let payout = store::pay_out(&db, id, caller.id).await?;
    if payout.paid_at.is_none() {
        return Err(Error::PayoutReturned.into());
    }
    Ok(Json(payout))
}

/// It cannot be paid out, or the bank sent it back: it is the user's again. Again: no effect.
async fn return_payout(
    Admin(caller): Admin,
    Path(id): Path<Uuid>,
) -> Result<Json<Payout>, Problem> {
    let db = store::open().await?;
    Ok(Json(store::return_payout(&db, id, caller.id).await?))
}

/// The moment some time from now.
pub fn after(time: SignedDuration) -> Timestamp {
    now().saturating_add(time).unwrap_or(Timestamp::MAX)
}
