//! The ledger of payments, as this component speaks to it.

use jiff::Timestamp;
use uuid::Uuid;

use crate::error::Error;

#[allow(clippy::all, clippy::restriction, unsafe_code, missing_docs)]
pub mod bindings {
    use spin_sdk::wit_bindgen;
    wit_bindgen::generate!({
        path: ["../../wit/payments.wit", "../../wit/bookings.wit"],
        world: "wharf:bookings/bookings",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        pub_export_macro: true,
        default_bindings_module: "crate::ledger::bindings",
        generate_all,
    });
}

pub use bindings::wharf::payments::ledger::Refusal;
use bindings::wharf::payments::ledger::{self, Charge, Repayment};

/// Places are priced in one currency.
pub const CURRENCY: &str = "USD";

pub struct Payment {
    pub id: Uuid,
    pub payer: Uuid,
    pub payee: Uuid,
    pub amount: i64,
    pub booking: i64,
    /// When the owner may spend it, if nobody lets go of it before.
    pub held_until: Timestamp,
}

/// Moves the price from driver to owner, once.
pub async fn pay(payment: Payment) -> Result<(), Error> {
    ledger::pay(Charge {
        id: payment.id.to_string(),
        payer: payment.payer.to_string(),
        payee: payment.payee.to_string(),
        amount: payment.amount.unsigned_abs(),
        currency: CURRENCY.to_owned(),
        reference: payment.booking.to_string(),
        description: format!("Booking {}", payment.booking),
        held_until: Some(payment.held_until.as_second().unsigned_abs()),
    })
    .await
    .map(drop)
    .map_err(refused)
}

/// Whether the ledger moved a charge. If it did not by now, it never will.
pub async fn settled(charge: Uuid) -> Result<bool, Error> {
    ledger::void(charge.to_string())
        .await
        .map(|payment| payment.is_some())
        .map_err(refused)
}

/// Keeps a payment from being spent until then. Too late when the owner may have spent it.
pub async fn hold(charge: Uuid, until: Timestamp) -> Result<(), Error> {
    let payment = ledger::hold(charge.to_string(), until.as_second().unsigned_abs())
        .await
        .map_err(refused)?;
    if payment.held < payment.amount.saturating_sub(payment.refunded) {
        return Err(Error::Over);
    }
    Ok(())
}

/// Lets the owner spend a payment, whatever it was kept until.
pub async fn release(charge: Uuid) -> Result<(), Error> {
    ledger::release(charge.to_string())
        .await
        .map(drop)
        .map_err(refused)
}

/// Gives back a part of a charge, once.
pub async fn refund(id: Uuid, charge: Uuid, amount: i64, booking: i64) -> Result<(), Error> {
    ledger::refund(Repayment {
        id: id.to_string(),
        payment: charge.to_string(),
        amount: Some(amount.unsigned_abs()),
        description: format!("Booking {booking}"),
    })
    .await
    .map(drop)
    .map_err(refused)
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::InsufficientFunds => Error::InsufficientFunds,
        Refusal::LimitReached => Error::OwnerIsFull,
        Refusal::Voided => Error::PaidTooLate,
        Refusal::Unavailable => Error::PaymentUnavailable,
        Refusal::SameAccount
        | Refusal::UnknownPayment
        | Refusal::NothingLeft(_)
        | Refusal::IdTaken
        | Refusal::Malformed(_) => Error::Ledger(refusal),
    }
}
