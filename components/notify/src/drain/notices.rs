//! Notices become deliveries, many at once: one call to signin and one statement.

use std::collections::HashMap;

use kit::store::relay::{Event, Outcome};
use kit::store::{Db, DbError};
use uuid::Uuid;

use super::read;
use crate::deliver::{email, telegram};
use crate::error::Error;
use crate::notice::{Concern, Notice, Notify};
use crate::plan::{self, Outlets, Planned};
use crate::{calls, payment, store};

/// What an event tells a person.
struct Told<'a> {
    event: &'a Event,
    notify: Notify,
    notice: Notice,
}

/// An outcome for each event, in their order.
pub async fn plan_all(db: &Db, events: &[Event]) -> Vec<Outcome> {
    let all: Vec<Result<Told<'_>, Outcome>> = events.iter().map(read_notice).collect();
    let told: Vec<&Told<'_>> = all.iter().flatten().collect();
    let mut planned = match plan(db, &told).await {
        Err(Error::Db(DbError::Refused { .. })) if told.len() > 1 => plan_each(db, &told).await,
        planned => outcomes_of(&told, planned),
    };
    let outcome = |it: Result<Told<'_>, Outcome>| match it {
        // No outcome means that the person was erased: nothing is sent.
        Ok(told) => planned.remove(&told.event.id).unwrap_or(Outcome::DONE),
        Err(outcome) => outcome,
    };
    all.into_iter().map(outcome).collect()
}

/// Plans one by one when the database refused them together, so that a notice which it refuses does not hold back the others.
async fn plan_each(db: &Db, told: &[&Told<'_>]) -> HashMap<Uuid, Outcome> {
    let mut outcomes = HashMap::new();
    for it in told {
        let one = std::slice::from_ref(it);
        outcomes.extend(outcomes_of(one, plan(db, one).await));
    }
    outcomes
}

/// After a failure all are tried again: a store or another function is in trouble.
fn outcomes_of(
    told: &[&Told<'_>],
    planned: Result<HashMap<Uuid, Outcome>, Error>,
) -> HashMap<Uuid, Outcome> {
    planned.unwrap_or_else(|error| {
        let again = |it: &&Told<'_>| (it.event.id, Outcome::again(&error));
        told.iter().map(again).collect()
    })
}

fn read_notice(event: &Event) -> Result<Told<'_>, Outcome> {
    let notify: Notify = match event.kind.as_str() {
        "notify" | "notify:security" => read(&event.payload)?,
        kind => payment::notice(kind, &event.payload).ok_or(Outcome::DONE)?,
    };
    let notice = Notice::read(&notify).map_err(|_| {
        let template = notify.template.chars().take(64).collect::<String>();
        Outcome::Never(format!(
            "there is no template `{template}`, or its parameters are others"
        ))
    })?;
    Ok(Told {
        event,
        notify,
        notice,
    })
}

async fn plan(db: &Db, told: &[&Told<'_>]) -> Result<HashMap<Uuid, Outcome>, Error> {
    let users: Vec<Uuid> = told.iter().map(|it| it.notify.user_id).collect();
    let contacts = calls::find_contacts(&users).await?;
    let known: Vec<_> = told
        .iter()
        .filter_map(|it| Some((*it, contacts.get(&it.notify.user_id)?)))
        .collect();
    if known.is_empty() {
        return Ok(HashMap::new());
    }
    let notices: Vec<_> = known
        .iter()
        .map(|(it, contact)| Planned {
            event: it.event.id,
            user_id: it.notify.user_id,
            chat: contact.telegram_id,
            template: &it.notify.template,
            can_wait: it.notice.can_wait(),
            params: match it.notice.concern() {
                Concern::Mailbox(_) => None,
                _ => Some(&it.notify.params),
            },
        })
        .collect();
    let channels = store::find_channels(db, &notices).await?;
    let outlets = Outlets {
        telegram: telegram::is_configured().await?,
        email: email::is_configured().await?,
    };
    let outcomes = known.into_iter().filter_map(|(it, contact)| {
        let deliveries = plan::deliveries(
            it.event.id,
            it.event.created_at,
            &it.notify,
            &it.notice,
            contact,
            channels.get(&it.event.id)?,
            outlets,
        );
        Some((it.event.id, Outcome::Done(deliveries)))
    });
    Ok(outcomes.collect())
}
