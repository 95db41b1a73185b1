//! A user's main account, in the words of its clients. No I/O in this file.

use jiff::Timestamp;
use kit::Word;
use kit::money::Currency;
use kit::store::FromRow;
use kit::web::Schema;
use serde::Serialize;
use uuid::Uuid;

use crate::reference::Reference;

/// The money of a user in one currency. An account that was never used has nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Funds {
    pub balance: i64,
    pub held: i64,
    /// The user's debt for payments that were taken back.
    pub owed: i64,
}

#[derive(Debug, Serialize, Schema)]
pub struct Balance {
    pub user_id: Uuid,
    /// Minor units that can be spent. At a moment of the past: held money included.
    pub balance: i64,
    pub currency: Currency,
    /// Money that cannot be spent before its booking ends, or before a debt in another currency is settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<i64>,
    /// The sum of `balance` and `held`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// The same as `balance`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<i64>,
    /// The debt for payments that their payers took back: it is taken from the next incoming money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owed: Option<i64>,
}

impl Balance {
    pub fn of(user: Uuid, currency: Currency, balance: i64) -> Self {
        Self {
            user_id: user,
            balance,
            currency,
            held: None,
            total: None,
            available: None,
            owed: None,
        }
    }

    pub fn of_funds(user: Uuid, currency: Currency, funds: Funds) -> Self {
        let available = funds.balance.saturating_sub(funds.held);
        Self {
            held: Some(funds.held),
            total: Some(funds.balance),
            available: Some(available),
            owed: (funds.owed > 0).then_some(funds.owed),
            ..Self::of(user, currency, available)
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum TransactionType {
    Payment,
    Charge,
    Refund,
    PromocodeActivate,
    PromocodeGenerate,
}

impl TransactionType {
    /// The word for one side of a transfer. The side that pays a refund is charged.
    fn of(kind: &str, is_incoming: bool) -> Self {
        match (kind, is_incoming) {
            ("refund", true) => Self::Refund,
            ("promo_activation", _) => Self::PromocodeActivate,
            ("promo_generation", _) => Self::PromocodeGenerate,
            (_, true) => Self::Payment,
            (_, false) => Self::Charge,
        }
    }

    /// The line that clients of wallets show.
    fn describe(self, booking: Option<&str>, code: Option<&str>) -> Option<String> {
        match self {
            Self::Payment => booking.map(|it| format!("Payment for booking {it}")),
            Self::Charge => booking.map(|it| format!("Charge for booking {it}")),
            Self::Refund => booking.map(|it| format!("Refund for booking {it}")),
            Self::PromocodeActivate => code.map(|it| format!("Activated promocode {it}")),
            Self::PromocodeGenerate => code.map(|it| format!("Generated promocode {it}")),
        }
    }
}

/// One side of a transfer, as the user on that side reads it.
#[derive(Debug, Serialize, Schema)]
pub struct Transaction {
    pub id: i64,
    /// A number: bookings are numbered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booking_id: Option<Reference>,
    pub user_id: Uuid,
    /// Minor units of USD, negative when it left the wallet.
    pub amount: i64,
    pub transaction_type: TransactionType,
    /// `completed`: transfers are final.
    pub status: &'static str,
    pub created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The row of a transaction.
#[derive(FromRow)]
pub struct TransactionRow {
    id: i64,
    kind: String,
    /// The promo code that was claimed or generated.
    code: Option<String>,
    amount: i64,
    booking_id: Option<String>,
    description: Option<String>,
    created_at: Timestamp,
}

impl TransactionRow {
    pub fn seen_by(self, user: Uuid) -> Transaction {
        let transaction_type = TransactionType::of(&self.kind, self.amount > 0);
        let description = transaction_type
            .describe(self.booking_id.as_deref(), self.code.as_deref())
            .or(self.description);
        Transaction {
            id: self.id,
            booking_id: self.booking_id.as_deref().map(Reference::shown),
            user_id: user,
            amount: self.amount,
            transaction_type,
            status: "completed",
            created_at: self.created_at,
            description,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_and_its_refund_read_differently_on_their_two_sides() {
        let of = |kind, is_incoming| TransactionType::of(kind, is_incoming).name();
        assert_eq!(of("payment", false), "charge");
        assert_eq!(of("payment", true), "payment");
        assert_eq!(of("refund", true), "refund");
        assert_eq!(of("refund", false), "charge");
    }
}
