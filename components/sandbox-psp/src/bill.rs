//! What the merchant asks somebody to pay, and a payment of it. No I/O.

use jiff::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Paid on a page.
    Preference,
    /// Paid by scanning.
    Order,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Preference => "preference",
            Self::Order => "order",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Preference, Self::Order]
            .into_iter()
            .find(|it| it.name() == name)
    }
}

#[derive(Clone, Debug)]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Approved,
    Rejected,
    Refunded,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Refunded => "refunded",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Approved, Self::Rejected, Self::Refunded]
            .into_iter()
            .find(|it| it.name() == name)
    }

    /// The word for it inside an order.
    pub fn in_order(self) -> &'static str {
        match self {
            Self::Approved => "processed",
            Self::Rejected => "failed",
            Self::Refunded => "refunded",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Payment {
    pub id: i64,
    pub status: Status,
    pub approved_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}
