//! `wharf:signin/upkeep`: what a clock asks.

use kit::session;

use super::Signin;
use super::bindings::exports::wharf::signin::upkeep::{Failure, Guest, Swept};
use crate::error::Error;
use crate::{issue, store};

impl Guest for Signin {
    async fn sweep(limit: u32) -> Result<Swept, Failure> {
        let db = store::open().await?;
        let ended = store::untold(&db, limit.into()).await?;
        if !ended.is_empty() {
            let marked = session::mark_ended(&ended, issue::longest_seconds().await?).await;
            if let Err(away) = marked {
                eprintln!("ended sessions are marked later: {away}");
                return Err(Failure::Unavailable);
            }
            store::told(&db, &ended).await?;
        }
        let told = u32::try_from(ended.len()).unwrap_or(u32::MAX);
        let forgotten = store::forget(&db, limit.into()).await?;
        let forgotten = u32::try_from(forgotten).unwrap_or(u32::MAX);
        Ok(Swept {
            told,
            forgotten,
            more: told >= limit || forgotten >= limit,
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        eprintln!("upkeep: {error}");
        Self::Unavailable
    }
}
