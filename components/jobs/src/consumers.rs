//! Who each event is for, and how it is brought there.
//!
//! Events for `notify` and `bookings` never come here: they read them themselves.

use kit::Db;
use kit::relay::{Event, NewEvent, Outcome};
use serde_json::{Value, json};
use uuid::Uuid;

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
        Ok(()) => Outcome::Done(follows(&event.kind, &event.aggregate, &event.payload)),
        Err(payments::Failure::Unavailable) => Outcome::again("payments does not answer"),
        Err(payments::Failure::Malformed(why)) => Outcome::Never(why),
    }
}

/// An event has one consumer; whom it concerns besides hears of it by another.
fn follows(kind: &str, aggregate: &str, payload: &Value) -> Vec<NewEvent> {
    let follow = |kind, payload| NewEvent {
        kind,
        aggregate: aggregate.to_owned(),
        payload,
    };
    match kind {
        "user:erased" => payload.get("id").map_or_else(Vec::new, |id| {
            ["notify:forget", "bookings:forget"]
                .map(|kind| follow(kind, json!({ "user_id": id })))
                .into()
        }),
        "payment:approved" | "payment:refunded" => notice(kind, payload)
            .map(|it| follow("notify", it))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// What the owner of a payment is told. Who has no account is told by whoever sold them something.
fn notice(kind: &str, payment: &Value) -> Option<Value> {
    let text = |member: &str| payment.get(member)?.as_str();
    let owner: Uuid = text("owner_id")
        .or_else(|| text("customer_id"))?
        .parse()
        .ok()?;
    Some(json!({
        "user_id": owner,
        "template": kind.replace(':', "_"),
        "params": {
            "reference": payment.get("order_id"),
            "amount_cents": payment.get("amount"),
            "currency": payment.get("currency"),
        },
    }))
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

    fn followed(kind: &str, payload: &Value) -> Vec<&'static str> {
        follows(kind, "x:1", payload)
            .into_iter()
            .map(|it| it.kind)
            .collect()
    }

    #[test]
    fn whoever_is_erased_is_forgotten_everywhere() {
        let erased = json!({ "id": Uuid::nil() });
        let told = followed("user:erased", &erased);
        assert_eq!(told, ["notify:forget", "bookings:forget"]);
        assert!(followed("user:created", &erased).is_empty());
    }

    #[test]
    fn the_owner_of_a_payment_is_told_when_money_moved() {
        let (owner, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let payment = json!({
            "owner_id": owner, "customer_id": other, "order_id": "o-7", "amount": 250, "currency": "BRL",
        });
        for (kind, template) in [
            ("payment:approved", "payment_approved"),
            ("payment:refunded", "payment_refunded"),
        ] {
            let told = follows(kind, "payment:7", &payment);
            assert_eq!(told[0].payload["template"], template);
            assert_eq!(told[0].payload["user_id"], json!(owner));
        }
        assert!(followed("payment:expired", &payment).is_empty());
        let anonymous = json!({ "customer_id": "12", "amount": 1, "currency": "BRL" });
        assert!(followed("payment:approved", &anonymous).is_empty());
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
