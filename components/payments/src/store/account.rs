//! The SQL of accounts that users open, and of payouts.

use kit::money::Cents;
use kit::store::Db;
use kit::web::Part;
use kit::{params, sql};
use uuid::Uuid;

use super::decide;
use crate::account::{Account, HistoryRow, House, Name, Payout, Type};
use crate::error::Error;
use crate::ledger::{Moved, WALLET};

pub async fn open_account(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    name: &Name,
    of_type: Type,
    opening: i64,
) -> Result<Account, Error> {
    let params = params![id, owner, name.as_str(), of_type, opening, WALLET];
    decide(db, sql!("open_account"), params).await
}

pub async fn list_accounts(db: &Db, owner: Uuid) -> Result<Vec<Account>, Error> {
    Ok(db.all(sql!("list_accounts"), params![owner]).await?)
}

pub async fn deposit(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    to: &Name,
    amount: Cents,
) -> Result<Moved, Error> {
    let params = params![id, owner, to.as_str(), amount];
    decide(db, sql!("deposit"), params).await
}

pub async fn withdraw(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    from: &Name,
    amount: Cents,
    to: House,
) -> Result<Moved, Error> {
    let params = params![id, owner, from.as_str(), amount, to];
    decide(db, sql!("withdraw"), params).await
}

pub async fn send(
    db: &Db,
    id: Uuid,
    owner: Uuid,
    from: &Name,
    to: &Name,
    amount: Cents,
) -> Result<Moved, Error> {
    let params = params![id, owner, from.as_str(), to.as_str(), amount];
    decide(db, sql!("send"), params).await
}

pub async fn list_histories(db: &Db, owner: Uuid, part: Part) -> Result<Vec<HistoryRow>, Error> {
    let params = params![owner, part.limit, part.offset, part.after];
    Ok(db.all(sql!("list_histories"), params).await?)
}

/// Withdrawals that wait to be paid out, the oldest first.
pub async fn list_payouts(db: &Db, part: Part) -> Result<Vec<Payout>, Error> {
    let params = params![part.limit, part.offset, part.after];
    Ok(db.all(sql!("list_payouts"), params).await?)
}

/// Payouts that were paid, returned or cancelled, the newest first.
pub async fn list_ended_payouts(db: &Db, part: Part) -> Result<Vec<Payout>, Error> {
    let params = params![part.limit, part.offset, part.after];
    Ok(db.all(sql!("list_ended_payouts"), params).await?)
}

pub async fn find_payout(db: &Db, withdrawal: Uuid) -> Result<Payout, Error> {
    db.optional(sql!("find_payout"), params![withdrawal])
        .await?
        .ok_or(Error::UnknownPayout)
}
