//! `wharf:payments/upkeep`: what a clock and the relay of events ask for.

use jiff::SignedDuration;
use kit::now;
use serde::Deserialize;
use uuid::Uuid;

use super::Payments;
use super::bindings::exports::wharf::payments::upkeep::{Event, Failure, Guest, Swept};
use crate::error::Error;
use crate::psp::mercadopago::{self, MercadoPago};
use crate::{cashier, store};

/// A sweep answers within this time, however slow the PSP is: its caller has a deadline.
const SWEEP_TIME: SignedDuration = SignedDuration::from_secs(8);

impl Guest for Payments {
    async fn sweep(limit: u32) -> Result<Swept, Failure> {
        let at_most = i32::try_from(limit).unwrap_or(i32::MAX);
        let began = now();
        let db = store::open().await?;
        let released = store::release_due(&db, at_most).await?;
        store::forget_keys(&db, at_most.into()).await?;
        let mut visited = 0;
        while visited < limit && now().duration_since(began) < SWEEP_TIME && !mercadopago::is_away()
        {
            // One at a time: what a dying sweep has taken waits for its next turn.
            let Some(due) = store::visit_checkouts(&db, 1).await?.pop() else {
                break;
            };
            visited += 1;
            let id = due.id;
            let psp = MercadoPago::configured().await.map_err(Error::from)?;
            if let Err(error) = cashier::visit(&db, &psp, due, now()).await {
                eprintln!("payment {id} comes up again: {error}");
            }
        }
        Ok(Swept {
            released: u32::try_from(released).unwrap_or_default(),
            visited,
            more: released == at_most || visited == limit,
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
            // An update says the same: who, and by which e-mail from now on.
            "user:created" | "user:updated" => {
                let user = user()?;
                Ok(store::note_holder(&store::open().await?, user.id, user.email, seq).await?)
            }
            "user:erased" => {
                let user = user()?;
                Ok(store::forget_holder(&store::open().await?, user.id, seq).await?)
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
