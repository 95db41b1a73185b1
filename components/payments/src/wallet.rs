//! A user's main account, in the words of its clients. No I/O in this file.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// What a user has in one currency. An account that was never used has nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funds {
    pub balance: i64,
    pub held: i64,
}

#[derive(Debug, Serialize)]
pub struct Balance {
    pub user_id: Uuid,
    pub balance: i64,
    pub currency: &'static str,
    /// Of the balance, what cannot be spent before the booking it came from ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<i64>,
}

/// One side of a transfer, as the user on that side reads it.
#[derive(Debug, Serialize)]
pub struct Transaction {
    pub id: Uuid,
    /// Bookings are numbered; their clients read a number.
    pub booking_id: Option<Value>,
    pub user_id: Uuid,
    /// Negative when it left the wallet.
    pub amount: i64,
    pub transaction_type: &'static str,
    pub status: &'static str,
    pub created_at: Timestamp,
    pub description: Option<String>,
}

/// The word for one side of a transfer. Whoever pays back is charged too.
pub fn transaction_type(kind: &str, incoming: bool) -> &'static str {
    match (kind, incoming) {
        ("refund", true) => "refund",
        ("promo_activation", _) => "promocode_activate",
        ("promo_generation", _) => "promocode_generate",
        (_, true) => "payment",
        (_, false) => "charge",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_and_its_refund_read_differently_on_their_two_sides() {
        assert_eq!(transaction_type("payment", false), "charge");
        assert_eq!(transaction_type("payment", true), "payment");
        assert_eq!(transaction_type("refund", true), "refund");
        assert_eq!(transaction_type("refund", false), "charge");
    }
}
