//! The money of bookings: charges that the ledger is asked for, refunds that are owed.

use jiff::Timestamp;
use kit::store::FromRow;
use kit::web::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::booking::Booking;

/// The outcome of booking a place or moving a booking.
pub enum Taken {
    /// It costs nothing, was settled before, or gives money back.
    Settled {
        booking: Booking,
        owed: Vec<OwedRefund>,
    },
    ToPay(Charge),
}

/// A booking for which the ledger is to be asked.
pub struct Charge {
    pub id: Uuid,
    pub booking: Booking,
    pub amount: i64,
    pub payee: Uuid,
    /// The charges that were paid for the booking before.
    pub earlier: Vec<Uuid>,
    /// The owner cannot spend the money before.
    pub hold_until: Timestamp,
}

/// The row of a function that takes a place: a charge to pay when `payment` is there.
#[derive(FromRow)]
pub struct TakenRow {
    #[row(flatten)]
    booking: Booking,
    payment: Option<Uuid>,
    due: Option<i64>,
    payee: Option<Uuid>,
    until: Option<Timestamp>,
    #[row(json)]
    earlier: Vec<Uuid>,
    #[row(json)]
    refunds: Vec<OwedRefund>,
}

impl From<TakenRow> for Taken {
    fn from(row: TakenRow) -> Self {
        match (row.payment, row.due, row.payee, row.until) {
            (Some(id), Some(amount), Some(payee), Some(hold_until)) => Self::ToPay(Charge {
                id,
                booking: row.booking,
                amount,
                payee,
                earlier: row.earlier,
                hold_until,
            }),
            _ => Self::Settled {
                booking: row.booking,
                owed: row.refunds,
            },
        }
    }
}

/// A canceled booking, and the refunds that its driver is owed.
#[derive(FromRow)]
pub struct Canceled {
    #[row(flatten)]
    pub booking: Booking,
    #[row(column = "refunds", json)]
    pub owed: Vec<OwedRefund>,
}

/// A refund to pay.
#[derive(Debug, Deserialize, FromRow)]
pub struct OwedRefund {
    pub id: Uuid,
    pub booking_id: i64,
    pub charge_id: Uuid,
    pub amount: i64,
}

/// A refund that is owed and not paid yet, as admins see it.
#[derive(Serialize, FromRow, Schema)]
pub struct WaitingRefund {
    pub id: Uuid,
    pub booking_id: i64,
    pub charge_id: Uuid,
    /// Minor units of USD.
    pub amount: i64,
    pub owed_since: Timestamp,
    pub tried_again_at: Timestamp,
}

/// A driver who owes for leaving late.
#[derive(FromRow)]
pub struct Owing {
    #[row(column = "id")]
    pub booking: i64,
    pub driver: Uuid,
}

/// A booking that is over, and a charge of it whose money the ledger still holds.
#[derive(FromRow)]
pub struct Held {
    #[row(column = "booking_id")]
    pub booking: i64,
    #[row(column = "charge_id")]
    pub charge: Option<Uuid>,
}
