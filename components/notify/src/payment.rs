//! Notices about payments that users made here. The opener of any other payment tells its customers itself.

use serde_json::{Value, json};

use crate::notice::Notify;

/// The function whose payments their owner is told of.
const OPENER: &str = "payments";

/// The notice of an event `payment:approved` or `payment:refunded`.
pub fn notice(kind: &str, payment: &Value) -> Option<Notify> {
    let text = |member: &str| payment.get(member)?.as_str();
    if text("opener")? != OPENER {
        return None;
    }
    Some(Notify {
        user_id: text("owner_id")
            .or_else(|| text("customer_id"))?
            .parse()
            .ok()?,
        template: kind.replace(':', "_"),
        params: json!({
            "reference": payment.get("order_id"),
            "amount_cents": payment.get("amount"),
            "currency": payment.get("currency"),
        }),
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::notice::Notice;

    fn payment(opener: &str, owner: &Value) -> Value {
        json!({
            "opener": opener, "owner_id": owner, "customer_id": "12", "order_id": "o-7", "amount": 250,
            "currency": "BRL",
        })
    }

    #[test]
    fn the_owner_of_a_payment_is_told_when_money_moved() {
        let owner = Uuid::from_u128(1);
        for kind in ["payment:approved", "payment:refunded"] {
            let notify = notice(kind, &payment("payments", &json!(owner))).unwrap();
            assert_eq!(notify.user_id, owner);
            assert!(Notice::read(&notify).is_ok(), "{kind}");
        }
    }

    #[test]
    fn the_payments_of_other_functions_are_theirs_to_tell() {
        let owner = json!(Uuid::from_u128(1));
        assert!(notice("payment:approved", &payment("orders", &owner)).is_none());
        let anonymous = payment("payments", &Value::Null);
        assert!(notice("payment:approved", &anonymous).is_none());
    }
}
