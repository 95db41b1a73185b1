//! The consumer of each event, and the events that follow from it.
//!
//! Events for `notify` and `bookings` never come here: these functions drain them themselves.

use kit::store::Db;
use kit::store::relay::{Event, NewEvent, Outcome};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls;

/// A function that carries out events.
#[derive(Debug, PartialEq, Eq)]
enum Consumer {
    Payments,
}

impl Consumer {
    /// Absent for an event that no function carries out: it becomes a dead letter.
    fn of(kind: &str, payload: &Value) -> Option<Self> {
        match kind.split_once(':')? {
            ("user", _) => Some(Self::Payments),
            // The function that opened the checkout is told its outcome.
            ("payment", _) => match payload.get("opener")?.as_str()? {
                "payments" => Some(Self::Payments),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Hands one event to its consumer. An event may be handed over twice; consumers know it by its id.
pub async fn deliver(_: &Db, event: &Event) -> Outcome {
    match Consumer::of(&event.kind, &event.payload) {
        Some(Consumer::Payments) => match calls::tell_payments(event).await {
            Ok(()) => Outcome::Done(follow_up(&event.kind, &event.aggregate, &event.payload)),
            Err(outcome) => outcome,
        },
        None => Outcome::Never("no function hears events of this kind".to_owned()),
    }
}

/// An event has one consumer. Events that follow from it tell the other functions that it concerns.
fn follow_up(kind: &str, aggregate: &str, payload: &Value) -> Vec<NewEvent> {
    let follow = |kind, payload| NewEvent {
        kind,
        aggregate: aggregate.to_owned(),
        payload,
    };
    match kind {
        "user:erased" => payload.get("id").map_or_else(Vec::new, |id| {
            ["notify:forget", "bookings:forget", "modpacks:forget"]
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

/// The notice to the owner of a payment. A customer without an account is told by the shop.
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
    fn an_event_goes_to_the_function_that_it_concerns() {
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
        follow_up(kind, "x:1", payload)
            .into_iter()
            .map(|it| it.kind)
            .collect()
    }

    #[test]
    fn an_erased_person_is_erased_by_every_function() {
        let erased = json!({ "id": Uuid::nil() });
        let told = followed("user:erased", &erased);
        assert_eq!(
            told,
            ["notify:forget", "bookings:forget", "modpacks:forget"]
        );
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
            let told = follow_up(kind, "payment:7", &payment);
            assert_eq!(told[0].payload["template"], template);
            assert_eq!(told[0].payload["user_id"], json!(owner));
        }
        assert!(followed("payment:expired", &payment).is_empty());
        let anonymous = json!({ "customer_id": "12", "amount": 1, "currency": "BRL" });
        assert!(followed("payment:approved", &anonymous).is_empty());
    }

    #[test]
    fn an_event_without_a_consumer_is_left_for_people() {
        for (kind, payload) in [
            ("weather:changed", json!({})),
            ("user", json!({})),
            ("payment:approved", json!({})),
            ("payment:approved", json!({ "opener": "unknown" })),
        ] {
            assert_eq!(Consumer::of(kind, &payload), None, "{kind}");
        }
    }
}
