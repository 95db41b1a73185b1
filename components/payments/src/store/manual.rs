//! The SQL of manual acts and of receivables.

use kit::money::Currency;
use kit::store::{Db, Only};
use kit::{params, sql};
use uuid::Uuid;

use super::decide;
use crate::checkout::{ByHand, Status};
use crate::error::Error;
use crate::manual::{Act, Hand, Handled, Receivable, Unclaimed};

/// Changes the status of a checkout.
pub async fn change_status_by_hand(
    db: &Db,
    id: Uuid,
    from: Status,
    to: Status,
    hand: &Hand,
) -> Result<ByHand, Error> {
    let params = params![id, from, to, hand.admin, hand.reason(), hand.alone_up_to];
    decide(db, sql!("change_status_by_hand"), params).await
}

/// Decides that a disputed payment at the PSP goes back; `None` when it is no longer disputed.
pub async fn return_by_hand(
    db: &Db,
    checkout: Uuid,
    attempt: &str,
    hand: &Hand,
) -> Result<Option<crate::checkout::Checkout>, Error> {
    let params = params![checkout, attempt, hand.admin, hand.reason()];
    let concluded: crate::checkout::Concluded = decide(db, sql!("return_by_hand"), params).await?;
    Ok(concluded.changed())
}

/// Approves a withdrawal: from then on it is paid at the bank.
pub async fn approve_payout(db: &Db, withdrawal: Uuid, hand: &Hand) -> Result<Handled, Error> {
    let params = params![withdrawal, hand.admin, hand.reason(), hand.alone_up_to];
    decide(db, sql!("approve_payout"), params).await
}

/// Records that a withdrawal was paid out.
pub async fn pay_out(db: &Db, withdrawal: Uuid, hand: &Hand) -> Result<Handled, Error> {
    let params = params![withdrawal, hand.admin, hand.reason(), hand.alone_up_to];
    decide(db, sql!("pay_out_by_hand"), params).await
}

/// Moves a withdrawal back to the account it came from.
pub async fn return_payout(db: &Db, withdrawal: Uuid, hand: &Hand) -> Result<Handled, Error> {
    let params = params![withdrawal, hand.admin, hand.reason(), hand.alone_up_to];
    decide(db, sql!("return_payout_by_hand"), params).await
}

/// Lets the house bear the rest of a receivable.
pub async fn write_off(db: &Db, receivable: Uuid, hand: &Hand) -> Result<Handled, Error> {
    let params = params![receivable, hand.admin, hand.reason(), hand.alone_up_to];
    decide(db, sql!("write_off"), params).await
}

/// Proposals that still count and were not done, the newest first.
pub async fn list_proposals(db: &Db, before: Option<i64>, limit: i64) -> Result<Vec<Act>, Error> {
    Ok(db
        .all(sql!("list_proposals"), params![before, limit])
        .await?)
}

/// Acts, the newest first; about one subject when its id is given.
pub async fn list_acts(
    db: &Db,
    about: Option<String>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Act>, Error> {
    Ok(db
        .all(sql!("list_acts"), params![about, before, limit])
        .await?)
}

/// Receivables that are not settled, the oldest first.
pub async fn list_receivables(db: &Db, limit: i64, offset: i64) -> Result<Vec<Receivable>, Error> {
    Ok(db
        .all(sql!("list_receivables"), params![limit, offset])
        .await?)
}

pub async fn find_receivable(db: &Db, id: Uuid) -> Result<Receivable, Error> {
    db.optional(sql!("find_receivable"), params![id])
        .await?
        .ok_or(Error::UnknownReceivable)
}

/// Settles the debt of one user from their money; `false` when no user who owes has free money.
pub async fn settle_next(db: &Db) -> Result<bool, Error> {
    let found: Only<bool> = db.one(sql!("settle_next"), params![]).await?;
    Ok(found.0)
}

/// Sets aside the money of one erased user; `false` when no erased user has any.
pub async fn set_aside_next(db: &Db) -> Result<bool, Error> {
    let found: Only<bool> = db.one(sql!("set_aside_next"), params![]).await?;
    Ok(found.0)
}

/// Moves unclaimed money of an erased user to the wallet of the claimant.
pub async fn hand_over(
    db: &Db,
    erased: Uuid,
    currency: Currency,
    claimant: Uuid,
    hand: &Hand,
) -> Result<Handled, Error> {
    let params = params![
        erased,
        currency,
        claimant,
        hand.admin,
        hand.reason(),
        hand.alone_up_to
    ];
    decide(db, sql!("hand_over"), params).await
}

/// Money that erased users left behind and that was not claimed, the oldest first.
pub async fn list_unclaimed(
    db: &Db,
    left_by: Option<Uuid>,
    limit: i64,
    offset: i64,
) -> Result<Vec<Unclaimed>, Error> {
    let params = params![limit, offset, left_by];
    Ok(db.all(sql!("list_unclaimed"), params).await?)
}
