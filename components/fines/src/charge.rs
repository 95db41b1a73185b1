//! The money of tickets and fines: charges to the ledger or the provider, and refunds.

use jiff::Timestamp;
use kit::Word;
use kit::money::Currency;
use kit::store::FromRow;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Subject {
    Ticket,
    Fine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Method {
    Wallet,
    /// A page of the provider.
    Checkout,
}

/// An attempt to pay.
#[derive(Clone, Debug, FromRow)]
pub struct Charge {
    #[row(column = "charge_id")]
    pub id: Uuid,
    pub subject: Subject,
    pub subject_id: i64,
    pub method: Method,
    pub payer: Uuid,
    pub payee: Uuid,
    #[row(column = "charge_amount")]
    pub amount: i64,
    #[row(column = "charge_currency")]
    pub currency: Currency,
    pub held_until: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    /// For a part of a fine: its number, and the number of parts.
    pub nth: i32,
    pub parts: Option<i32>,
}

impl Charge {
    /// The line that the payer reads.
    pub fn description(&self) -> String {
        let what = match self.subject {
            Subject::Ticket => "Parking ticket",
            Subject::Fine => "Fine",
        };
        let id = self.subject_id;
        match self.parts {
            Some(parts) => format!("{what} {id}, part {} of {parts}", self.nth),
            None => format!("{what} {id}"),
        }
    }

    pub fn reference(&self) -> String {
        format!("{}:{}", self.subject.name(), self.subject_id)
    }
}

/// A charge that was not settled by the request that opened it.
#[derive(FromRow)]
pub struct Unsettled {
    #[row(flatten)]
    pub charge: Charge,
    /// Whether its ticket or fine can still be paid.
    pub is_wanted: bool,
}

/// A payment that its payee cannot spend until then.
#[derive(FromRow)]
pub struct Hold {
    pub charge_id: Uuid,
    pub held_until: Timestamp,
}

/// A refund to pay.
#[derive(Debug, FromRow)]
pub struct OwedRefund {
    pub id: Uuid,
    pub charge_id: Uuid,
    pub method: Method,
    pub amount: i64,
    pub description: String,
}
