//! Erasure: what a function removes when signin tells it that a person was erased.

use serde::Deserialize;
use uuid::Uuid;

use super::event;
use super::relay::{Event, Outcome};

/// What signin says; every function that keeps something of people hears it.
pub const ERASED: &str = "user:erased";

/// Its payload. Events of the release before (`bookings:forget`) name the person in another member.
#[derive(Deserialize)]
struct Erased {
    #[serde(alias = "user_id")]
    id: Uuid,
}

/// Carries out an event `user:erased`, or one of `kind` as the release before wrote them. `erase` removes a part of what is kept of
/// them and answers whether there may be more: a statement that removed everything at once would lock
/// all of it.
pub async fn carry_out<F, E>(kind: &str, event: &Event, erase: impl Fn(Uuid) -> F) -> Outcome
where
    F: Future<Output = Result<bool, E>>,
    E: ToString,
{
    if event.kind != ERASED && event.kind != kind {
        return Outcome::Never(format!("this function hears {ERASED} only"));
    }
    let Ok(Erased { id: user_id }) = Erased::deserialize(&event.payload) else {
        return Outcome::Never("the payload does not fit the kind".to_owned());
    };
    loop {
        match erase(user_id).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Outcome::again(error),
        }
    }
    // Notices about it may wait in the outbox.
    event::wake();
    Outcome::DONE
}
