//! `wharf:payments/checkout`: asking somebody to pay through the PSP.

use jiff::{SignedDuration, Timestamp};
use kit::now;

use super::bindings::exports::wharf::payments::checkout;
use super::{Malformed, Payments, amount, currency, id, name, unsigned};
use crate::checkout::{Checkout, Method, Status};
use crate::error::Error;
use crate::psp::Failure;
use crate::routes::payments::{TIME_TO_PAY, described, is_an_address, qr_code};
use crate::store::NewCheckout;
use crate::{cashier, store};

impl checkout::Guest for Payments {
    async fn open(asked: checkout::Request) -> Result<checkout::Payment, checkout::Refusal> {
        let time = asked
            .seconds_to_pay
            .map_or(TIME_TO_PAY, |it| SignedDuration::from_secs(it.into()));
        let method = match asked.method {
            checkout::Method::Link => Method::Link,
            checkout::Method::Qr => Method::Qr,
        };
        let currency = currency(&asked.currency)?;
        if !method.carries(currency) {
            return Err(Malformed("currency").into());
        }
        let new = NewCheckout {
            id: id(&asked.id)?,
            opener: name("opener", asked.opener)?,
            description: described(&asked.description, &asked.reference),
            reference: name("reference", asked.reference)?,
            customer: name("customer", asked.customer)?,
            owner: id(&asked.owner)?,
            amount: amount(asked.amount)?,
            currency,
            email: asked.email.filter(|it| is_an_address(it)),
            method,
            credit: None,
            expires_at: now().saturating_add(time).unwrap_or(Timestamp::MAX),
        };
        card(cashier::open(&store::open().await?, new).await?)
    }

    async fn find(payment: String) -> Result<checkout::Payment, checkout::Refusal> {
        card(store::checkout(&store::open().await?, id(&payment)?, None).await?)
    }

    async fn cancel(payment: String) -> Result<checkout::Payment, checkout::Refusal> {
        let id = id(&payment)?;
        card(cashier::change(&store::open().await?, id, Status::Cancelled).await?)
    }

    async fn refund(payment: String) -> Result<checkout::Payment, checkout::Refusal> {
        let id = id(&payment)?;
        card(cashier::change(&store::open().await?, id, Status::Refunded).await?)
    }
}

fn card(it: Checkout) -> Result<checkout::Payment, checkout::Refusal> {
    Ok(checkout::Payment {
        id: it.id.to_string(),
        qr_code: qr_code(&it).map_err(Error::from)?,
        reference: it.reference,
        customer: it.customer,
        amount: unsigned(it.amount.get()),
        currency: it.currency,
        status: it.status.into(),
        link: it.link,
        expires_at: unsigned(it.expires_at.as_second()),
    })
}

impl From<Status> for checkout::Status {
    fn from(status: Status) -> Self {
        match status {
            Status::PaymentServiceUnavailable => Self::PaymentServiceUnavailable,
            Status::Pending => Self::Pending,
            Status::InProcess => Self::InProcess,
            Status::Rejected => Self::Rejected,
            Status::Approved => Self::Approved,
            Status::Expired => Self::Expired,
            Status::Cancelled => Self::Cancelled,
            Status::Refunded => Self::Refunded,
        }
    }
}

impl From<Malformed> for checkout::Refusal {
    fn from(Malformed(field): Malformed) -> Self {
        Self::Malformed(field.to_owned())
    }
}

impl From<Error> for checkout::Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::UnknownPayment => Self::UnknownPayment,
            Error::IdTaken => Self::IdTaken,
            Error::WrongStatus(status) => Self::WrongStatus(status.into()),
            Error::InsufficientFunds => Self::InsufficientFunds,
            Error::Psp(Failure::Refused { .. }) => Self::RefusedByProvider,
            error => {
                eprintln!("checkout: {error}");
                Self::Unavailable
            }
        }
    }
}
