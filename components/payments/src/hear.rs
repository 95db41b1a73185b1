//! Events about users and about admins who lost their role. An event may arrive twice; one that is older than the last one
//! heard of its user changes nothing.

use kit::store::Db;
use kit::store::relay::{Event, Outcome};
use serde::Deserialize;
use uuid::Uuid;

use crate::store::holder;

#[derive(Deserialize)]
struct User {
    id: Uuid,
    email: Option<String>,
}

/// Carries out an event.
pub async fn hear(db: &Db, event: &Event) -> Outcome {
    let (Ok(user), Ok(seq)) = (User::deserialize(&event.payload), i64::try_from(event.seq)) else {
        return Outcome::Never("the payload does not fit the kind".to_owned());
    };
    let heard = match event.kind.as_str() {
        // Both carry the user and their present e-mail.
        "user:created" | "user:updated" => holder::note_holder(db, user.id, user.email, seq).await,
        "user:announced" => holder::note_stranger(db, user.id, user.email).await,
        "user:demoted" => holder::note_demotion(db, user.id, event.created_at).await,
        "user:erased" => holder::erase_holder(db, user.id, seq).await,
        _ => return Outcome::Never("payments hears no such kind of event".to_owned()),
    };
    heard.map_or_else(Outcome::again, |()| Outcome::DONE)
}
