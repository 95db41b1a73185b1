//! `wharf:payments/checkout`: payments through the PSP that other functions open.

use jiff::SignedDuration;
use kit::now;

use super::{Malformed, Payments, amount, currency, id, name, unsigned};
use crate::bindings::exports::wharf::payments::checkout;
use crate::checkout::{
    Checkout, Credit, Method, NewCheckout, Status, description, expiry, payer_email,
};
use crate::error::Error;
use crate::{settlement, store};

impl checkout::Guest for Payments {
    async fn open(asked: checkout::Request) -> Result<checkout::Payment, checkout::Refusal> {
        let time_to_pay = asked
            .seconds_to_pay
            .map(|it| SignedDuration::from_secs(it.into()));
        let method = match asked.method {
            checkout::Method::Link => Method::Link,
            checkout::Method::Qr => Method::Qr,
        };
        let currency = currency(&asked.currency)?;
        if !method.supports(currency) {
            return Err(Malformed("currency").into());
        }
        let new = NewCheckout {
            id: id(&asked.id)?,
            opener: name("opener", asked.opener)?,
            description: description(&asked.description, &asked.reference),
            reference: name("reference", asked.reference)?,
            customer: name("customer", asked.customer)?,
            owner: id(&asked.owner)?,
            amount: amount(asked.amount)?,
            currency,
            email: payer_email(asked.email),
            method,
            credit: Credit::Sales,
            expires_at: expiry(now(), time_to_pay),
        };
        to_payment(settlement::open(&store::open_to_move().await?, new).await?)
    }

    async fn find(payment: String) -> Result<checkout::Payment, checkout::Refusal> {
        to_payment(
            store::checkout::find_checkout(&store::open().await?, id(&payment)?, None).await?,
        )
    }

    async fn refresh(payment: String) -> Result<checkout::Payment, checkout::Refusal> {
        let id = id(&payment)?;
        to_payment(settlement::refresh(&store::open_to_move().await?, id, now()).await?)
    }

    async fn cancel(payment: String) -> Result<checkout::Payment, checkout::Refusal> {
        let id = id(&payment)?;
        to_payment(
            settlement::change_status(&store::open_to_move().await?, id, Status::Cancelled).await?,
        )
    }

    async fn refund(payment: String) -> Result<checkout::Payment, checkout::Refusal> {
        let id = id(&payment)?;
        to_payment(
            settlement::change_status(&store::open_to_move().await?, id, Status::Refunded).await?,
        )
    }

    async fn refund_part(
        payment: String,
        part: String,
        asked: u64,
    ) -> Result<checkout::Payment, checkout::Refusal> {
        let (payment, part, amount) = (id(&payment)?, id(&part)?, amount(asked)?);
        let db = store::open_to_move().await?;
        to_payment(settlement::refund_part(&db, payment, part, amount, now()).await?)
    }
}

fn to_payment(it: Checkout) -> Result<checkout::Payment, checkout::Refusal> {
    Ok(checkout::Payment {
        id: it.id.to_string(),
        qr_code: it.qr_code().map_err(Error::from)?,
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
            Error::NothingLeft(left) => Self::NothingLeft(unsigned(left)),
            Error::RefusedByProvider | Error::CurrencyNotTaken(_) => Self::RefusedByProvider,
            error => {
                eprintln!("checkout: {error}");
                Self::Unavailable
            }
        }
    }
}
