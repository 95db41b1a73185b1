//! The SQL of promo codes.

use kit::money::Cents;
use kit::store::{Db, Only};
use kit::web::Network;
use kit::{params, sql};
use uuid::Uuid;

use super::{decide, decide_in_turn};
use crate::error::Error;
use crate::ledger::{Moved, WALLET};
use crate::manual::Hand;
use crate::promocode::{Code, Coined, NewCode, Promocode};

/// Makes a code that the house pays for.
pub async fn create_promocode(
    db: &Db,
    id: Uuid,
    hand: &Hand,
    new: NewCode,
) -> Result<Coined, Error> {
    let params = params![
        id,
        hand.admin,
        new.chosen.as_ref().map(Code::as_str),
        Code::random()?.as_str(),
        new.amount,
        WALLET,
        new.max_uses,
        new.max_uses_per_user,
        new.expires_at,
        hand.alone_up_to,
        hand.reason(),
    ];
    decide(db, sql!("create_promocode"), params).await
}

/// Makes a code for one use that its user pays for.
pub async fn generate_promocode(
    db: &Db,
    id: Uuid,
    user: Uuid,
    amount: Cents,
) -> Result<Coined, Error> {
    let params = params![id, user, Code::random()?.as_str(), amount, WALLET];
    decide(db, sql!("generate_promocode"), params).await
}

pub async fn activate_promocode(
    db: &Db,
    id: Uuid,
    user: Uuid,
    code: &Code,
    network: &Network,
) -> Result<Moved, Error> {
    let params = params![id, user, code.as_str(), network.name()];
    decide_in_turn(db, sql!("activate_promocode"), params).await
}

/// Ends a code that the house would pay for.
pub async fn withdraw_promocode(db: &Db, code: &Code, hand: &Hand) -> Result<(), Error> {
    let params = params![code.as_str(), hand.admin, hand.reason()];
    decide(db, sql!("withdraw_promocode"), params).await
}

pub async fn list_promocodes(db: &Db, limit: i64, offset: i64) -> Result<Vec<Promocode>, Error> {
    Ok(db
        .all(sql!("list_promocodes"), params![limit, offset])
        .await?)
}

/// Codes that a user paid for, the newest first.
pub async fn list_own_promocodes(
    db: &Db,
    maker: Uuid,
    limit: i64,
    offset: i64,
) -> Result<Vec<Promocode>, Error> {
    let params = params![maker, limit, offset];
    Ok(db.all(sql!("list_own_promocodes"), params).await?)
}

pub async fn find_promocode(
    db: &Db,
    code: &Code,
    user: Uuid,
    network: &Network,
) -> Result<Promocode, Error> {
    let params = params![code.as_str(), user, network.name()];
    decide(db, sql!("find_promocode"), params).await
}

/// Deletes wrong guesses that no longer count.
pub async fn purge_guesses(db: &Db, limit: i32) -> Result<(), Error> {
    let _: Only<i32> = db.one(sql!("purge_guesses"), params![limit]).await?;
    Ok(())
}
