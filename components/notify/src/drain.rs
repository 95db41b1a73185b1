//! The events of this function: notices become deliveries, and deliveries are carried out.

mod notices;

use std::time::Duration;

use kit::store::relay::{self, Event, Outcome};
use kit::store::{Db, drain_in_turn, erasure, event};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use self::notices::plan_all;
use crate::deliver::{email, telegram, webhook};
use crate::digest::{self, Digest, Due};
use crate::error::Error;
use crate::{calls, store};

/// Digests that are claimed together. A claim ends after a minute.
const MAX_DIGESTS: i64 = 64;

/// No further digests are claimed later in a tick: many people choose the same time of day. The next tick goes on.
const MAX_SENDING: Duration = Duration::from_secs(8);

/// Rows of each kind that one tick deletes.
const PURGE_BATCH: i64 = 1_000;

/// A wake-up, or the tick.
pub async fn handle_message(payload: &[u8]) -> Result<(), Error> {
    let is_tick = payload == b"tick";
    let act = async || match is_tick {
        true => tick().await,
        false => drain().await,
    };
    drain_in_turn("notify", payload, act).await
}

/// Carries out the events that are due, sends digests, and deletes what is old.
pub async fn tick() -> Result<(), Error> {
    drain().await.and(look_after().await)
}

async fn look_after() -> Result<(), Error> {
    let db = store::open().await?;
    let sent = send_digests(&db).await;
    store::purge_inbox(&db, PURGE_BATCH).await?;
    store::purge_attempts(&db, PURGE_BATCH).await?;
    sent
}

async fn send_digests(db: &Db) -> Result<(), Error> {
    let begun = kit::now();
    let mut sent = Ok(());
    loop {
        let due = store::claim_digests(db, MAX_DIGESTS).await?;
        for it in &due {
            // A digest that fails is due again in a minute. The others are sent all the same.
            sent = sent.and(send_digest(db, it).await);
        }
        if !due.is_empty() {
            event::wake();
        }
        let is_last = i64::try_from(due.len()).is_ok_and(|it| it < MAX_DIGESTS);
        if is_last || kit::now().duration_since(begun).unsigned_abs() >= MAX_SENDING {
            return sent;
        }
    }
}

async fn send_digest(db: &Db, due: &Due) -> Result<(), Error> {
    let waiting = store::list_digest(db, due.user_id, digest::MAX_NOTICES).await?;
    let contact = calls::find_contact(due.user_id).await?;
    let digest = Digest::of(due, contact.as_ref(), waiting);
    store::send_digest(db, due, &digest).await
}

async fn drain() -> Result<(), Error> {
    let db = store::open().await?;
    relay::drain_together(&db, is_notice, plan_all, deliver).await?;
    Ok(())
}

/// Notices are planned together: one call to signin and one statement for many.
fn is_notice(event: &Event) -> bool {
    matches!(
        event.kind.as_str(),
        "notify" | "notify:security" | "payment:approved" | "payment:refunded"
    )
}

async fn deliver(db: &Db, event: &Event) -> Outcome {
    const ERASE: &str = "notify:forget";
    let carried_out = match event.kind.as_str() {
        "deliver:telegram" => match read(&event.payload) {
            Ok(message) => telegram::deliver(db, &message).await,
            Err(misfit) => Ok(misfit),
        },
        "deliver:email" | "deliver:letter" => match read(&event.payload) {
            Ok(letter) => email::deliver(event.id, &letter).await,
            Err(misfit) => Ok(misfit),
        },
        "deliver:webhook" => match read(&event.payload) {
            Ok(call) => webhook::deliver(db, event, &call).await,
            Err(misfit) => Ok(misfit),
        },
        erasure::ERASED | ERASE => {
            // One statement removes everything that is kept of a person.
            let erase = async |user| store::erase(db, user).await.map(|()| false);
            return erasure::carry_out(ERASE, event, erase).await;
        }
        "telegram:hide" => match read(&event.payload) {
            Ok(which) => telegram::hide(&which).await,
            Err(misfit) => Ok(misfit),
        },
        "telegram:linked" => match read(&event.payload) {
            Ok(Linked { chat, user_id }) => store::link_chat(db, user_id, chat)
                .await
                .map(|()| Outcome::DONE),
            Err(misfit) => Ok(misfit),
        },
        "telegram:started" => match read(&event.payload) {
            Ok(Started { chat }) => store::unsilence_chat(db, chat)
                .await
                .map(|()| Outcome::DONE),
            Err(misfit) => Ok(misfit),
        },
        _ => Ok(Outcome::Never(
            "this function carries out no such kind of event".to_owned(),
        )),
    };
    // A store or another function is in trouble: tried again later.
    carried_out.unwrap_or_else(Outcome::again)
}

/// The payload of `telegram:started`: a person wrote to the bot.
#[derive(Deserialize)]
struct Started {
    chat: i64,
}

/// The payload of `telegram:linked`: a person signed in in a chat.
#[derive(Deserialize)]
struct Linked {
    chat: i64,
    user_id: Uuid,
}

/// The error of serde is dropped: it repeats values of the payload, which may be secrets.
fn read<T: DeserializeOwned>(payload: &Value) -> Result<T, Outcome> {
    T::deserialize(payload)
        .map_err(|_| Outcome::Never("the payload does not fit the kind".to_owned()))
}
