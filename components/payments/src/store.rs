//! The SQL of payments, one function per statement, by noun.
//!
//! Statements that move money call a function of the schema, which answers with an `outcome`: a refusal is an
//! [`Error`], an earlier copy of the same request is marked as replayed.

pub mod account;
pub mod checkout;
pub mod commission;
pub mod destination;
pub mod holder;
pub mod ledger;
pub mod manual;
pub mod part;
pub mod promocode;
pub mod provider_file;
pub mod stuck;

use std::cell::Cell;
use std::time::Duration;

use kit::store::{Db, Decided, FromRow, Only, ParameterValue};
use kit::{flag, params, sql};
use spin_sdk::time::sleep;

use crate::error::Error;

pub async fn open() -> Result<Db, Error> {
    Ok(Db::open("payments_database_url").await?)
}

thread_local! {
    /// Whether the database is known to hold the kind of money that this copy moves. It never holds another kind
    /// later, so this is asked once.
    static AGREES: Cell<bool> = const { Cell::new(false) };
}

/// Opens the database for movements of money; refuses when it holds the other kind of money, sandbox or real.
pub async fn open_to_move() -> Result<Db, Error> {
    let db = open().await?;
    if !AGREES.get() {
        let is_sandbox = flag("sandbox").await?;
        let agrees: Only<bool> = db.one(sql!("agree_on_mode"), params![is_sandbox]).await?;
        if !agrees.0 {
            return Err(Error::WrongMode);
        }
        AGREES.set(true);
    }
    Ok(db)
}

/// Runs a function of the schema that returns one row and may refuse.
async fn decide<T: FromRow>(
    db: &Db,
    sql: &'static str,
    params: Vec<ParameterValue>,
) -> Result<T, Error> {
    db.one::<Decided<T, Error>>(sql, params).await?.0
}

/// Bounds the retries of a movement whose wallet or promo code has no free seat; the pause doubles from first to last.
const MAX_WAIT: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LAST_PAUSE: Duration = Duration::from_millis(50);

/// Like [`decide`], for movements that queue at a wallet or a promo code. One that is not admitted waits here and holds no
/// connection.
async fn decide_in_turn<T: FromRow>(
    db: &Db,
    sql: &'static str,
    params: Vec<ParameterValue>,
) -> Result<T, Error> {
    let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
    loop {
        match decide(db, sql, params.clone()).await {
            Err(Error::Crowded) if waited < MAX_WAIT => {
                sleep(pause).await;
                waited = waited.saturating_add(pause);
                pause = pause.saturating_mul(2).min(LAST_PAUSE);
            }
            decided => return decided,
        }
    }
}
