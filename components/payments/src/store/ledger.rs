//! The SQL of the ledger and of main accounts.

use jiff::Timestamp;
use kit::money::{Cents, Currency};
use kit::store::{Db, FromRow, Only};
use kit::web::Part;
use kit::{params, sql};
use uuid::Uuid;

use super::decide_in_turn;
use crate::account::Name;
use crate::error::Error;
use crate::ledger::{Charge, Moved, Payment, Total, WALLET};
use crate::statement::{Entry, Span};
use crate::wallet::{Funds, Transaction, TransactionRow};

pub async fn pay(db: &Db, charge: Charge) -> Result<Moved, Error> {
    let params = params![
        charge.id,
        charge.payer,
        charge.payee,
        charge.amount,
        charge.currency,
        charge.reference,
        charge.description,
        charge.hold_until,
    ];
    decide_in_turn(db, sql!("pay"), params).await
}

/// The row of a refund.
#[derive(FromRow)]
struct Refunded {
    #[row(flatten)]
    moved: Option<Moved>,
    /// The rest of the payment when nothing moved.
    amount: i64,
}

pub async fn refund(
    db: &Db,
    id: Uuid,
    payment: Uuid,
    amount: Option<Cents>,
    description: String,
) -> Result<Moved, Error> {
    let params = params![id, payment, amount, description];
    let refunded: Refunded = decide_in_turn(db, sql!("refund"), params).await?;
    refunded.moved.ok_or(Error::NothingLeft(refunded.amount))
}

pub async fn hold(db: &Db, payment: Uuid, until: Timestamp) -> Result<Option<Payment>, Error> {
    Ok(db.optional(sql!("hold"), params![payment, until]).await?)
}

pub async fn release(db: &Db, payment: Uuid) -> Result<Option<Payment>, Error> {
    Ok(db.optional(sql!("release"), params![payment]).await?)
}

/// Releases holds whose time is over, `limit` at most; answers how many.
pub async fn release_due(db: &Db, limit: i32) -> Result<i32, Error> {
    let Only(released) = db.one(sql!("release_due"), params![limit]).await?;
    Ok(released)
}

/// The payment; when there is none, it can never be made from then on.
pub async fn void(db: &Db, payment: Uuid) -> Result<Option<Payment>, Error> {
    Ok(db.optional(sql!("void"), params![payment]).await?)
}

pub async fn find_payment(db: &Db, id: Uuid) -> Result<Option<Payment>, Error> {
    Ok(db.optional(sql!("find_payment"), params![id]).await?)
}

pub async fn funds(db: &Db, owner: Uuid, currency: Currency) -> Result<Funds, Error> {
    Ok(db.one(sql!("funds"), params![owner, currency]).await?)
}

/// The balance at some moment of the main account, or of the further account of that name.
pub async fn find_balance(
    db: &Db,
    owner: Uuid,
    currency: Currency,
    name: Option<&Name>,
    moment: Timestamp,
) -> Result<i64, Error> {
    let params = params![owner, currency, name.map(Name::as_str), moment];
    let balance: Option<Only<i64>> = db.optional(sql!("find_balance"), params).await?;
    Ok(balance.ok_or(Error::UnknownAccount)?.0)
}

/// Entries of the statement of the main account, or of the further account of that name.
pub async fn list_entries(
    db: &Db,
    owner: Uuid,
    currency: Currency,
    name: Option<&Name>,
    span: Span,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    let params = params![
        owner,
        currency,
        name.map(Name::as_str),
        span.before,
        limit,
        span.from,
        span.to
    ];
    let entries = db.all(sql!("list_entries"), params).await?;
    if entries.is_empty() && name.is_some() {
        // Either nothing happened there, or there is no such account.
        find_balance(db, owner, currency, name, kit::now()).await?;
    }
    Ok(entries)
}

/// Transfers of the main account, the newest first.
pub async fn list_transactions(
    db: &Db,
    owner: Uuid,
    part: Part,
) -> Result<Vec<Transaction>, Error> {
    let params = params![owner, WALLET, part.limit, part.offset, part.after];
    let rows: Vec<TransactionRow> = db.all(sql!("list_transactions"), params).await?;
    Ok(rows.into_iter().map(|it| it.seen_by(owner)).collect())
}

/// Closes the next day that ended; `false` when there is none.
pub async fn close_next(db: &Db) -> Result<bool, Error> {
    let Only(is_closed) = db.one(sql!("close_next"), params![]).await?;
    Ok(is_closed)
}

pub async fn trial_balance(db: &Db) -> Result<Vec<Total>, Error> {
    Ok(db.all(sql!("trial_balance"), params![]).await?)
}
