//! One turn: what a wake-up or a clock sets going.

use kit::relay::{self, Event, Outcome};
use kit::{Db, DbError};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::error::Error;
use crate::notice::{Notice, Notify};
use crate::plan::{self, Outlets};
use crate::{contact, email, store, telegram, webhook};

/// Carries out what is due. What woke us does not matter: the outbox says what there is to do.
pub async fn take() -> Result<(), DbError> {
    let db = store::open().await?;
    relay::drain(&db, carry_out).await?;
    Ok(())
}

async fn carry_out(db: &Db, event: &Event) -> Outcome {
    let carried_out = match event.kind.as_str() {
        "notify" => match read(&event.payload) {
            Ok(notify) => plan(db, event, &notify).await,
            Err(misfit) => Ok(misfit),
        },
        "deliver:telegram" => match read(&event.payload) {
            Ok(message) => telegram::deliver(db, &message).await,
            Err(misfit) => Ok(misfit),
        },
        "deliver:email" => match read(&event.payload) {
            Ok(letter) => email::deliver(event.id, &letter).await,
            Err(misfit) => Ok(misfit),
        },
        "deliver:webhook" => match read(&event.payload) {
            Ok(call) => webhook::deliver(db, event.id, &call).await,
            Err(misfit) => Ok(misfit),
        },
        "notify:forget" => match read(&event.payload) {
            Ok(Forget { user_id }) => store::forget(db, user_id).await.map(|()| Outcome::DONE),
            Err(misfit) => Ok(misfit),
        },
        "telegram:hide" => match read(&event.payload) {
            Ok(which) => telegram::hide(&which).await,
            Err(misfit) => Ok(misfit),
        },
        "telegram:started" => match read(&event.payload) {
            Ok(Started { chat }) => store::unsilence(db, chat).await.map(|()| Outcome::DONE),
            Err(misfit) => Ok(misfit),
        },
        _ => Ok(Outcome::Never(
            "nobody is there for this kind of event".to_owned(),
        )),
    };
    // Ours or a neighbour's trouble: it passes.
    carried_out.unwrap_or_else(Outcome::again)
}

/// The payload of `notify:forget`: somebody was erased.
#[derive(serde::Deserialize)]
struct Forget {
    user_id: Uuid,
}

/// The payload of `telegram:started`: somebody speaks to the bot.
#[derive(serde::Deserialize)]
struct Started {
    chat: i64,
}

/// What serde says about a misfit repeats what it found, which may be a secret.
fn read<T: DeserializeOwned>(payload: &Value) -> Result<T, Outcome> {
    T::deserialize(payload)
        .map_err(|_| Outcome::Never("the payload does not fit the kind".to_owned()))
}

/// Turns a notice into deliveries.
async fn plan(db: &Db, event: &Event, notify: &Notify) -> Result<Outcome, Error> {
    let Ok(notice) = Notice::read(notify) else {
        let template = notify.template.chars().take(64).collect::<String>();
        return Ok(Outcome::Never(format!(
            "there is no template `{template}`, or its parameters are others"
        )));
    };
    let Some(contact) = contact::of(notify.user_id).await? else {
        return Ok(Outcome::DONE);
    };
    let channels = store::channels(db, notify, contact.telegram_id).await?;
    let outlets = Outlets {
        telegram: telegram::is_configured().await?,
        email: email::is_configured().await?,
    };
    Ok(Outcome::Done(plan::deliveries(
        event.id,
        event.created_at,
        notify,
        &notice,
        &contact,
        &channels,
        outlets,
    )))
}
