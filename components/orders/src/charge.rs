//! The money of orders: charges that the ledger or the provider is asked for, refunds that are owed.

use kit::Word;
use kit::store::FromRow;
use serde::Deserialize;
use uuid::Uuid;

use crate::order::{Order, PaymentStatus};

/// The way in which the money of a charge is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Word)]
pub enum Kind {
    Provider,
    Wallet,
    Counter,
}

/// A placed order, and the charge for it.
pub struct Placed {
    pub order: Order,
    /// Absent when the order costs nothing, is paid at the counter, or was settled before.
    pub charge: Option<Uuid>,
    /// The user whose wallet receives it.
    pub payee: Option<Uuid>,
}

/// A charge that the sweep claimed.
#[derive(FromRow)]
pub struct OpenCharge {
    #[row(column = "charge_id")]
    pub charge: Uuid,
    pub kind: Kind,
    /// The provider has it.
    pub is_open: bool,
    /// The order no longer waits for this charge: it was called off, paid otherwise, or its time is over.
    pub is_over: bool,
    #[row(flatten)]
    pub order: Order,
    pub email: Option<String>,
}

/// A refund to pay.
#[derive(Debug, Deserialize, FromRow)]
pub struct OwedRefund {
    pub id: Uuid,
    pub order_id: i64,
    pub charge_id: Uuid,
    pub kind: Kind,
    pub amount: i64,
}

/// The state of a payment at the provider.
#[derive(Debug)]
pub struct Asked {
    pub standing: Standing,
    pub link: Option<String>,
    pub qr_code: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may still be paid.
    Open(PaymentStatus),
    Paid,
    /// It will never be paid.
    Over,
    /// It was paid and went back.
    Refunded,
}
