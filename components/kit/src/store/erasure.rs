//! Erasure: what a function removes when signin tells it that a person was erased.

use serde::Deserialize;
use uuid::Uuid;

use super::event;
use super::relay::{Event, Outcome};

/// The payload of an event like `bookings:forget`.
#[derive(Deserialize)]
struct Erased {
    user_id: Uuid,
}

/// Carries out an event of `kind`, which names an erased person. `erase` removes a part of what is kept of
/// them and answers whether there may be more: a statement that removed everything at once would lock
/// all of it.
pub async fn carry_out<F, E>(kind: &str, event: &Event, erase: impl Fn(Uuid) -> F) -> Outcome
where
    F: Future<Output = Result<bool, E>>,
    E: ToString,
{
    if event.kind != kind {
        return Outcome::Never(format!("this function hears {kind} only"));
    }
    let Ok(Erased { user_id }) = Erased::deserialize(&event.payload) else {
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
