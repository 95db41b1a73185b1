//! The calls to the ledger of payments, over WIT.

use jiff::Timestamp;
use uuid::Uuid;

use crate::bindings::wharf::payments::ledger::{self, Refusal, Repayment};
use crate::charge::{Charge, OwedRefund};
use crate::error::Error;

/// Places are priced in one currency.
pub const CURRENCY: &str = "USD";

/// Moves the price from driver to owner, once.
pub async fn pay(charge: &Charge) -> Result<(), Error> {
    let booking = charge.booking.id;
    ledger::pay(ledger::Charge {
        id: charge.id.to_string(),
        payer: charge.booking.driver.to_string(),
        payee: charge.payee.to_string(),
        amount: charge.amount.unsigned_abs(),
        currency: CURRENCY.to_owned(),
        reference: booking.to_string(),
        description: format!("Booking {booking}"),
        held_until: Some(charge.hold_until.as_second().unsigned_abs()),
    })
    .await
    .map(drop)
    .map_err(Error::from)
}

/// The money that a driver can spend.
pub async fn free_funds(driver: Uuid) -> Result<i64, Error> {
    let funds = ledger::balance(driver.to_string(), CURRENCY.to_owned()).await?;
    let free = funds.balance.saturating_sub(funds.held);
    Ok(i64::try_from(free).unwrap_or(i64::MAX))
}

/// Whether the ledger moved a charge. A charge that it has not moved by now is void from then on.
pub async fn was_paid(charge: Uuid) -> Result<bool, Error> {
    let payment = ledger::void(charge.to_string()).await?;
    Ok(payment.is_some())
}

/// Keeps the owner from spending a payment until then; too late once they may have spent it.
pub async fn hold(charge: Uuid, until: Timestamp) -> Result<(), Error> {
    let payment = ledger::hold(charge.to_string(), until.as_second().unsigned_abs()).await?;
    if payment.held < payment.amount.saturating_sub(payment.refunded) {
        return Err(Error::BookingOver);
    }
    Ok(())
}

/// Lets the owner spend a payment, whatever it was held until. Answers whether the ledger knows the payment.
pub async fn release(charge: Uuid) -> Result<bool, Error> {
    match ledger::release(charge.to_string()).await {
        Ok(_) => Ok(true),
        Err(Refusal::UnknownPayment) => Ok(false),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Pays back a part of a charge, once.
pub async fn refund(owed: &OwedRefund) -> Result<(), Error> {
    ledger::refund(Repayment {
        id: owed.id.to_string(),
        payment: owed.charge_id.to_string(),
        amount: Some(owed.amount.unsigned_abs()),
        description: format!("Booking {}", owed.booking_id),
    })
    .await?;
    Ok(())
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InsufficientFunds => Self::InsufficientFunds,
            Refusal::LimitReached => Self::PaymentRefused,
            Refusal::Voided => Self::PaidTooLate,
            Refusal::Unavailable => Self::PaymentUnavailable,
            Refusal::SameAccount
            | Refusal::UnknownPayment
            | Refusal::NothingLeft(_)
            | Refusal::IdTaken
            | Refusal::Malformed(_) => Self::Ledger(refusal),
        }
    }
}
