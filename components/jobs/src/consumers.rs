//! Who each event is for, and how it is brought there.
//!
//! Events for `notify` and `bookings` never come here: they read them themselves.

use kit::Db;
use kit::relay::{Event, NewEvent, Outcome};
use serde_json::{Value, json};

use crate::others::payments;

/// A function that wants to know.
#[derive(Debug, PartialEq, Eq)]
enum Consumer {
    Payments,
}

impl Consumer {
    /// None: nobody here knows what to do with it, and a person has to look.
    fn of(kind: &str, payload: &Value) -> Option<Self> {
        match kind.split_once(':')? {
            ("user", _) => Some(Self::Payments),
            // Whoever opened the checkout hears what became of it.
            ("payment", _) => match payload.get("opener")?.as_str()? {
                "payments" => Some(Self::Payments),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Brings one event to its consumer. Consumers know an event that comes twice by its id.
pub async fn deliver(_: &Db, event: &Event) -> Outcome {
    match Consumer::of(&event.kind, &event.payload) {
        Some(Consumer::Payments) => to_payments(event).await,
        None => Outcome::Never("nobody is there for this kind of event".to_owned()),
    }
}

async fn to_payments(event: &Event) -> Outcome {
    let told = payments::on_event(payments::Event {
        id: event.id.to_string(),
        seq: event.seq,
        kind: event.kind.clone(),
        payload: event.payload.to_string(),
    });
    match told.await {
        Ok(()) => Outcome::Done(follows(event)),
        Err(payments::Failure::Unavailable) => Outcome::again("payments does not answer"),
        Err(payments::Failure::Malformed(why)) => Outcome::Never(why),
    }
}

/// An event has one consumer; whom it concerns besides hears of it by another.
fn follows(event: &Event) -> Vec<NewEvent> {
    match (event.kind.as_str(), event.payload.get("id")) {
        ("user:erased", Some(id)) => ["notify:forget", "bookings:forget"]
            .map(|kind| NewEvent {
                kind,
                aggregate: event.aggregate.clone(),
                payload: json!({ "user_id": id }),
            })
            .into(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_goes_to_whoever_it_concerns() {
        let none = json!({});
        assert_eq!(
            Consumer::of("user:created", &none),
            Some(Consumer::Payments)
        );
        assert_eq!(
            Consumer::of("payment:approved", &json!({ "opener": "payments" })),
            Some(Consumer::Payments)
        );
    }

    #[test]
    fn what_nobody_knows_is_left_for_people() {
        for (kind, payload) in [
            ("weather:changed", json!({})),
            ("user", json!({})),
            ("payment:approved", json!({})),
            ("payment:approved", json!({ "opener": "somebody" })),
        ] {
            assert_eq!(Consumer::of(kind, &payload), None, "{kind}");
        }
    }
}
