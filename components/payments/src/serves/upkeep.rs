//! `wharf:payments/upkeep`: what the clock and the relay of events ask for.

use serde::Deserialize;
use uuid::Uuid;

use super::Payments;
use crate::bindings::exports::wharf::payments::upkeep::{Event, Failure, Guest, Swept};
use crate::error::Error;
use crate::store::{self, holder};
use crate::sweep;

impl Guest for Payments {
    async fn sweep(limit: u32) -> Result<Swept, Failure> {
        let swept = sweep::sweep(limit).await?;
        Ok(Swept {
            released: swept.released,
            visited: swept.visited,
            more: swept.more,
        })
    }

    async fn on_event(event: Event) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct User {
            id: Uuid,
            email: Option<String>,
        }
        let user = || {
            serde_json::from_str::<User>(&event.payload)
                .map_err(|it| Failure::Malformed(it.to_string()))
        };
        let seq = i64::try_from(event.seq).map_err(|_| Failure::Malformed("seq".to_owned()))?;
        match event.kind.as_str() {
            // Both say the same: the user, and their e-mail from now on.
            "user:created" | "user:updated" => {
                let user = user()?;
                Ok(holder::note_holder(&store::open().await?, user.id, user.email, seq).await?)
            }
            "user:erased" => {
                let user = user()?;
                Ok(holder::erase_holder(&store::open().await?, user.id, seq).await?)
            }
            _ => Ok(()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        eprintln!("upkeep: {error}");
        Self::Unavailable
    }
}
