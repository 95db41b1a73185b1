//! `wharf:signin/upkeep`: what a clock asks.

use kit::redis::Away;
use kit::{Db, session};

use super::Signin;
use super::bindings::exports::wharf::signin::upkeep::{Failure, Guest, Swept};
use crate::error::Error;
use crate::{issue, store};

impl Guest for Signin {
    async fn sweep(limit: u32) -> Result<Swept, Failure> {
        let db = store::open().await?;
        let token_seconds = issue::longest_seconds().await?;
        // First what needs no Redis.
        let forgotten = store::forget(&db, limit.into(), token_seconds).await?;
        let forgotten = u32::try_from(forgotten).unwrap_or(u32::MAX);
        let told = tell(&db, limit, token_seconds).await?;
        Ok(Swept {
            told,
            forgotten,
            more: told >= limit || forgotten >= limit,
        })
    }
}

/// Marks sessions that are over, for every function to see; all of them once more when Redis has
/// lost its marks.
async fn tell(db: &Db, limit: u32, token_seconds: i64) -> Result<u32, Failure> {
    if !session::marks_are_kept().await? {
        store::tell_again(db, token_seconds).await?;
        session::keep_marks().await?;
    }
    let ended = store::untold(db, limit.into()).await?;
    if ended.is_empty() {
        return Ok(0);
    }
    session::mark_ended(&ended, token_seconds).await?;
    store::told(db, &ended).await?;
    Ok(u32::try_from(ended.len()).unwrap_or(u32::MAX))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        eprintln!("upkeep: {error}");
        Self::Unavailable
    }
}

impl From<Away> for Failure {
    fn from(away: Away) -> Self {
        eprintln!("ended sessions are marked later: {away}");
        Self::Unavailable
    }
}
