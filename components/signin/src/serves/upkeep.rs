//! `wharf:signin/upkeep`: the sweep that a clock asks for.

use super::Signin;
use crate::bindings::exports::wharf::signin::upkeep::{Failure, Guest, Swept};
use crate::error::Error;
use crate::store::{self, sessions};
use crate::{issue, revocation};

impl Guest for Signin {
    async fn sweep(limit: u32) -> Result<Swept, Failure> {
        let db = store::open().await?;
        let token_seconds = issue::max_token_seconds().await?;
        // First, because it needs no Redis.
        let purged = sessions::purge(&db, limit.into(), token_seconds).await?;
        let purged = u32::try_from(purged).unwrap_or(u32::MAX);
        let marked = revocation::mark_pending(&db, limit, token_seconds).await?;
        Ok(Swept {
            marked,
            purged,
            more: marked >= limit || purged >= limit,
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        eprintln!("upkeep: {error}");
        Self::Unavailable
    }
}
