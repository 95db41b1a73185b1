//! The sweep: one pass over what is over. It may run anywhere, at any time, several times at once.

use jiff::SignedDuration;

use crate::error::Error;
use crate::store::{self, sessions};
use crate::{issue, revocation};

/// Rows of each kind that one round takes on.
const BATCH: u32 = 100;
/// No round is begun after it, so that a sweep ends well within the time that the host allows for a tick.
const MAX_DURATION: SignedDuration = SignedDuration::from_secs(5);

/// Deletes sessions, letters and codes that are over, and sets the marks of ended sessions that Redis lacks.
pub async fn sweep() -> Result<(), Error> {
    let began = kit::now();
    let db = store::open().await?;
    let token_seconds = issue::max_token_seconds().await?;
    loop {
        // First, because it needs no Redis.
        let purged = sessions::purge(&db, BATCH.into(), token_seconds).await?;
        let marked = revocation::mark_pending(&db, BATCH, token_seconds).await?;
        let is_done = purged < BATCH.into() && marked < BATCH;
        if is_done || kit::now().duration_since(began) >= MAX_DURATION {
            return Ok(());
        }
    }
}
