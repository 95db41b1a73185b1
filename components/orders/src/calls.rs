//! Calls to payments and signin, over WIT.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::bindings::wharf::payments::checkout;
use crate::bindings::wharf::payments::ledger;
use crate::bindings::wharf::signin::accounts;
use crate::charge::{Asked, OwedRefund, Standing};
use crate::error::Error;
use crate::order::{CustomerId, Order, PaymentStatus};

/// The currency of all menus.
const CURRENCY: &str = "BRL";
/// The name under which this function opens payments: its events carry it.
const OPENER: &str = "orders";
/// The shop cannot spend a wallet's payment for this long, so that a refund is covered.
const HELD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The account of a customer.
pub async fn find_customer(customer: &CustomerId) -> Result<Uuid, Error> {
    let key = match customer {
        CustomerId::Number(number) => accounts::Key::Number((*number).into()),
        CustomerId::Id(id) => accounts::Key::Id(id.to_string()),
        CustomerId::Erased(_) => return Err(Error::UnknownCustomer),
    };
    let account = accounts::find(key).await.map_err(|refusal| match refusal {
        accounts::Refusal::Malformed(_) => Error::UnknownCustomer,
        accounts::Refusal::Unavailable => Error::AccountsUnavailable,
    })?;
    account
        .filter(|it| !it.disabled)
        .and_then(|it| it.id.parse().ok())
        .ok_or(Error::UnknownCustomer)
}

/// Moves the price from the customer's wallet to the shop's, once.
pub async fn pay(charge: Uuid, order: &Order, payee: Uuid) -> Result<(), Error> {
    let until = order
        .created_at
        .saturating_add(HELD_FOR)
        .unwrap_or(order.created_at);
    ledger::pay(ledger::Charge {
        id: charge.to_string(),
        payer: order.customer.to_string(),
        payee: payee.to_string(),
        amount: order.amount.unsigned_abs(),
        currency: CURRENCY.to_owned(),
        reference: order.id.to_string(),
        description: description(order.id),
        held_until: Some(until.as_second().unsigned_abs()),
    })
    .await
    .map(drop)
    .map_err(Error::from)
}

/// Whether the ledger moved a charge. A charge that was not moved is void from now on.
pub async fn was_paid(charge: Uuid) -> Result<bool, Error> {
    Ok(ledger::void(charge.to_string()).await?.is_some())
}

/// Pays a refund of a wallet's charge, once.
pub async fn refund(owed: &OwedRefund) -> Result<(), Error> {
    ledger::refund(ledger::Repayment {
        id: owed.id.to_string(),
        payment: owed.charge_id.to_string(),
        amount: Some(owed.amount.unsigned_abs()),
        description: description(owed.order_id),
    })
    .await?;
    Ok(())
}

fn description(order: i64) -> String {
    format!("Order {order}")
}

/// Opens the payment of an order at the provider, once.
pub async fn open_checkout(
    charge: Uuid,
    order: &Order,
    email: Option<String>,
    now: Timestamp,
) -> Result<Asked, Error> {
    let left = now.duration_until(order.expires_at).as_secs().max(60);
    let opened = checkout::open(checkout::Request {
        id: charge.to_string(),
        opener: OPENER.to_owned(),
        reference: order.id.to_string(),
        customer: order.customer_id.text(),
        owner: order.customer.to_string(),
        amount: order.amount.unsigned_abs(),
        currency: CURRENCY.to_owned(),
        description: description(order.id),
        email,
        method: checkout::Method::Link,
        seconds_to_pay: Some(u32::try_from(left).unwrap_or(u32::MAX)),
    });
    standing(opened.await)
}

/// Makes payments ask the provider about a payment now; answers its status.
pub async fn refresh_checkout(charge: Uuid) -> Result<Asked, Error> {
    standing(checkout::refresh(charge.to_string()).await)
}

/// Calls an unpaid payment off. Answers how it stands: it may have been paid before.
pub async fn cancel_checkout(charge: Uuid) -> Result<Asked, Error> {
    match checkout::cancel(charge.to_string()).await {
        Err(checkout::Refusal::WrongStatus(_)) => find_checkout(charge).await,
        other => standing(other),
    }
}

pub async fn find_checkout(charge: Uuid) -> Result<Asked, Error> {
    standing(checkout::find(charge.to_string()).await)
}

/// Sends a part of a payment back, or all of it, once.
pub async fn refund_checkout(owed: &OwedRefund) -> Result<(), Error> {
    let (payment, part) = (owed.charge_id.to_string(), owed.id.to_string());
    let amount = owed.amount.unsigned_abs();
    let mut answer = checkout::refund_part(payment.clone(), part.clone(), amount).await;
    if let Err(checkout::Refusal::NothingLeft(left @ 1..)) = answer {
        // A part went back earlier, by hand at the provider.
        answer = checkout::refund_part(payment, part, left).await;
    }
    match answer {
        // All that was paid has gone back.
        Err(checkout::Refusal::WrongStatus(checkout::Status::Refunded)) => Ok(()),
        Err(refusal) => Err(refusal.into()),
        Ok(_) => Ok(()),
    }
}

fn standing(answered: Result<checkout::Payment, checkout::Refusal>) -> Result<Asked, Error> {
    use checkout::Status;
    let never = |standing| Asked {
        standing,
        link: None,
        qr_code: None,
    };
    let payment = match answered {
        Ok(payment) => payment,
        // It was never opened and never will be.
        Err(checkout::Refusal::UnknownPayment | checkout::Refusal::RefusedByProvider) => {
            return Ok(never(Standing::Over));
        }
        Err(refusal) => return Err(refusal.into()),
    };
    let standing = match payment.status {
        Status::PaymentServiceUnavailable => {
            Standing::Open(PaymentStatus::PaymentServiceUnavailable)
        }
        Status::Pending => Standing::Open(PaymentStatus::AwaitingPayment),
        Status::InProcess => Standing::Open(PaymentStatus::InProcess),
        Status::Rejected => Standing::Open(PaymentStatus::Rejected),
        Status::Approved => Standing::Paid,
        Status::Expired | Status::Cancelled => Standing::Over,
        Status::Refunded => Standing::Refunded,
    };
    Ok(Asked {
        standing,
        link: payment.link,
        qr_code: payment.qr_code,
    })
}

impl From<ledger::Refusal> for Error {
    fn from(refusal: ledger::Refusal) -> Self {
        use ledger::Refusal;
        match refusal {
            Refusal::InsufficientFunds => Self::InsufficientFunds,
            Refusal::LimitReached | Refusal::Voided | Refusal::SameAccount => Self::PaymentRefused,
            Refusal::Unavailable => Self::PaymentUnavailable,
            Refusal::UnknownPayment
            | Refusal::NothingLeft(_)
            | Refusal::IdTaken
            | Refusal::Malformed(_) => Self::Ledger(refusal),
        }
    }
}

impl From<checkout::Refusal> for Error {
    fn from(refusal: checkout::Refusal) -> Self {
        use checkout::Refusal;
        match refusal {
            Refusal::RefusedByProvider => Self::PaymentRefused,
            Refusal::Unavailable => Self::PaymentUnavailable,
            Refusal::UnknownPayment
            | Refusal::IdTaken
            | Refusal::WrongStatus(_)
            | Refusal::InsufficientFunds
            | Refusal::NothingLeft(_)
            | Refusal::Malformed(_) => Self::Checkout(refusal),
        }
    }
}
