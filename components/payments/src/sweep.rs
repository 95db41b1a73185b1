//! The sweep: one pass over what is due. It may run anywhere, at any time, several times at once.

use jiff::SignedDuration;
use kit::now;
use kit::store::purge_keys;

use crate::error::Error;
use crate::psp::mercadopago::{self, MercadoPago};
use crate::settlement;
use crate::store;

/// Bounds a sweep, however slow the PSP is: its caller has a deadline.
const MAX_DURATION: SignedDuration = SignedDuration::from_secs(8);

/// Bounds the users of a sweep whose debts are settled, and those whose money is set aside.
const MAX_SETTLED: u32 = 16;

/// What a sweep found to do.
pub struct Swept {
    /// Holds whose time was over.
    pub released: u32,
    /// Checkouts that the PSP was asked about or told of.
    pub visited: u32,
    /// There may be more to do right now.
    pub more: bool,
}

/// Does what is due, at most `limit` of each kind.
pub async fn sweep(limit: u32) -> Result<Swept, Error> {
    let row_limit = i32::try_from(limit).unwrap_or(i32::MAX);
    let began = now();
    let db = store::open().await?;
    let released = store::ledger::release_due(&db, row_limit).await?;
    purge_keys(&db, row_limit.into()).await?;
    let db = store::open_to_move().await?;
    for _ in 0..MAX_SETTLED {
        if !store::manual::settle_next(&db).await? {
            break;
        }
    }
    for _ in 0..MAX_SETTLED {
        if !store::manual::set_aside_next(&db).await? {
            break;
        }
    }
    let mut visited = 0;
    while visited < limit && now().duration_since(began) < MAX_DURATION && !mercadopago::is_away() {
        // One at a time: those that a crashed sweep has claimed wait for their next turn.
        let Some(due) = store::checkout::claim_checkouts(&db, 1).await?.pop() else {
            break;
        };
        visited += 1;
        let id = due.id;
        let psp = MercadoPago::configured().await?;
        if let Err(error) = settlement::follow_up(&db, &psp, due, now()).await {
            eprintln!("payment {id} is left to a later sweep: {error}");
        }
    }
    Ok(Swept {
        released: u32::try_from(released).unwrap_or_default(),
        visited,
        more: released == row_limit || visited == limit,
    })
}
