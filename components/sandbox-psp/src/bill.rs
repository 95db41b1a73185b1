//! Bills of the merchant and payments of them. No I/O.

use jiff::Timestamp;
use kit::Word;
use kit::store::FromRow;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Kind {
    /// Paid on a page.
    Preference,
    /// Paid by scanning.
    Order,
}

#[derive(Clone, Debug, FromRow)]
pub struct Bill {
    pub id: String,
    pub kind: Kind,
    pub reference: String,
    pub title: String,
    pub amount: i64,
    pub currency: String,
    pub notification_url: String,
    pub back_url: Option<String>,
    pub expires_at: Option<Timestamp>,
}

impl Bill {
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|it| it <= now)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Status {
    Approved,
    Rejected,
    Refunded,
}

impl Status {
    /// The status of an order with such a payment.
    pub fn in_order(self) -> OrderStatus {
        match self {
            Self::Approved => OrderStatus::Processed,
            Self::Rejected => OrderStatus::Failed,
            Self::Refunded => OrderStatus::Refunded,
        }
    }
}

/// The provider's words inside an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum OrderStatus {
    /// Without a payment yet.
    Created,
    Processed,
    Failed,
    Refunded,
}

/// Money of a payment that went back.
#[derive(Clone, Debug, FromRow)]
pub struct Refund {
    pub id: i64,
    pub payment: i64,
    pub amount: i64,
}

#[derive(Clone, Debug, FromRow)]
pub struct Payment {
    pub id: i64,
    pub status: Status,
    /// The refunded part of it.
    pub refunded: i64,
    pub approved_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}
